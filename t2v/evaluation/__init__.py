"""Measures on frames, for benchmarks, the making of the miniature and tests.

It may import checks and video.
"""
