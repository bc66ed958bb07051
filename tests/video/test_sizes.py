"""Clips of every size are fitted to every model: what is cut out never lies outside the picture."""

import numpy as np
import pytest
from PIL import Image

from t2v.tasks.clip import fitted_size
from t2v.video.video import Video, _window, fit_control, fit_video

SIDES_PX = (256, 512, 768, 1024)  # of the models
ONCE_REFUSED = [(500, 281, 256), (886, 1920, 256), (1280, 692, 256), (832, 480, 768)]


def some_sizes(count):
    sizes = np.random.default_rng(16).integers(16, 4097, (count, 2))
    return [(int(width), int(height)) for width, height in sizes]


def test_a_thousand_sizes_of_clips_fit_four_sizes_of_models():
    fitted = 0
    for width, height in [*some_sizes(1000), *(size[:2] for size in ONCE_REFUSED)]:
        source = Video(np.broadcast_to(np.uint8(0), (1, height, width, 3)), 4)  # takes no memory
        for side in SIDES_PX:
            wanted = fitted_size((width, height), (None, None), side)
            window = _window(source, *wanted, 8)
            left, top, right, bottom = window.box
            assert 0 <= left < right <= width and 0 <= top < bottom <= height, (width, height, side)
            assert (window.width, window.height) == wanted
            # one of the two sides is taken whole, and the part is in the middle
            assert max((right - left) / width, (bottom - top) / height) == pytest.approx(1)
            assert left + right == pytest.approx(width) and top + bottom == pytest.approx(height)
            fitted += 1
    assert fitted == 4016


@pytest.mark.parametrize(("width", "height", "side"), [*ONCE_REFUSED, (4096, 17, 512), (17, 4096, 1024)])
def test_these_sizes_are_really_fitted(width, height, side):
    ramp = np.linspace(0, 255, width).astype(np.uint8)
    source = Video(np.broadcast_to(ramp[None, None, :, None], (1, height, width, 3)), 4)
    wanted = fitted_size((width, height), (None, None), side)
    for fit in (fit_video, fit_control):
        video = fit(source, width=wanted[0], height=wanted[1])
        assert (video.width, video.height) == wanted
        assert np.diff(video.frames[0, 0, :, 0].astype(int)).min() >= -1
    assert Image.fromarray(video.frames[0]).size == wanted
