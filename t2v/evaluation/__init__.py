"""Measures on finished frames, for benchmarks, the making of the miniature and tests.

A file a family: motion of the whole picture, of two layers, flow, likeness, VBench's formulas, sharpness.
It may import checks and video; models that look at frames come in from outside, or through ``eyes.py``.
"""
