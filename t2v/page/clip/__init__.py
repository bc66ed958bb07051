"""The tabs that follow a clip: choosing one, seeing what the model sees of it, the run. Part of the page."""
