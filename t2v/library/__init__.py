"""Finished videos: their names, the settings inside them, their sound.

It may import tasks, weights and video.
"""
