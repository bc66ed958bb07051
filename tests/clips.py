"""Clips made for tests, and a way to read what they show."""

import subprocess

import imageio_ffmpeg
import numpy as np


def ffmpeg(*arguments, check=True):
    subprocess.run(
        [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *map(str, arguments)], check=check
    )


def grey_steps(count=8, height=64, width=96):
    """Frame k is one flat grey, so that a frame read back tells its number."""
    return np.stack([np.full((height, width, 3), 20 + 25 * k, np.uint8) for k in range(count)])


def numbers(video):
    return [round((int(frame[8, 8, 0]) - 20) / 25) for frame in video.frames]
