"""The bundled small Stable Diffusion: the world it is trained on, its training and its weights."""
