"""How a model's weights are kept while it draws, and what is done where memory runs short.

Nothing here changes a picture beyond rounding, but for fp8, which says so.
"""
