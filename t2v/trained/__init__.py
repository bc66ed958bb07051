"""Trained video models, which draw through diffusers' own pipelines: what may be asked, loading, decoding."""
