"""Video in and out: clips read with guards, files of six kinds written whole; it imports checks."""
