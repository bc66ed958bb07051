"""Video in and out: clips read with guards and fitted, an MP4 written whole. It may import checks."""
