"""One device and the weights on it: settings in, frames out. It may import tasks, weights, diffusion, video.

networks.py and check_weights.py are without torch, so that refusals come at once.
"""
