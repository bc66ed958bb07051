"""Video in and out: clips read with guards and fitted, files of six kinds written whole. It may import checks."""
