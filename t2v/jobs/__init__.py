"""A run is a job: a queue takes it, a worker runs it on the engine.

It may import engine, library, tasks, diffusion and video.
"""
