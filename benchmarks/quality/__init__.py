"""The ruler: ``python -m benchmarks.quality`` writes QUALITY.md and quality.jpg.

What is asked stands in ``asks.py``, what is drawn in ``variants.py``: a variant is a line there.
"""
