"""Video in and out: clips read with guards and fitted; files written whole. It may import checks."""
