"""Numbers and paths as scripts have them: NumPy's, Fractions, tensors, pathlib's; and the original's -1."""

import json
from dataclasses import asdict
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath

import numpy as np
import pytest
import torch

from t2v.checks import InputError, check_int, check_number, plain
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        (np.int64(7), 7),
        (np.uint8(7), 7),
        (np.float32(0.5), 0.5),
        (np.float64(0.5), 0.5),
        (np.longdouble(0.5), 0.5),
        (np.array(7), 7),
        (torch.tensor(7), 7),
        (torch.tensor(0.5), 0.5),
        (Fraction(1, 2), 0.5),
        (Fraction(4), 4.0),
        (Decimal("0.5"), 0.5),
        (np.bool_(True), True),
        (np.str_("a car"), "a car"),
        (PurePosixPath("a/b"), "a/b"),
        (True, True),
        (None, None),
    ],
)
def test_any_class_of_number_text_or_path_becomes_pythons_own(given, kept):
    found = plain(given)
    assert found == kept and type(found) is type(kept)


def test_what_is_none_of_them_stays_and_is_refused():
    for given in (np.array([7]), [7], {"a": 1}, 1j):
        assert plain(given) is given
        with pytest.raises(InputError, match="^seed is "):
            check_int("seed", given, 0, 9)
    for bad in (np.float32("nan"), Fraction(10**400), Decimal("inf"), np.int64(10), np.bool_(True)):
        with pytest.raises(InputError, match="^fps is "):
            check_number("fps", bad, 0, 9)
    assert check_int("seed", np.float32(8), 0, 9) == 8 and check_number("fps", Fraction(1, 4), 0, 1) == 0.25


def test_settings_keep_plain_values_that_go_into_a_file(square_clip):
    settings = CannySettings(
        Path(square_clip),
        np.str_("a car"),
        model=Path("some") / "model",
        controlnet=Path("net"),
        seed=np.random.default_rng(0).integers(100),
        width=np.int32(128),
        fps=np.float32(8),
        low_threshold=Fraction(100),
        also=(Also("depth", Path("other"), np.float16(0.5)),),
    )
    settings.check()
    kept = json.loads(json.dumps(asdict(settings)))
    assert (kept["clip"], kept["model"], kept["controlnet"]) == (square_clip, "some/model", "net")
    assert (kept["width"], kept["fps"], kept["low_threshold"]) == (128, 8.0, 100.0)
    assert kept["also"][0]["conditioning_scale"] == 0.5 and kept["also"][0]["controlnet"] == "other"
    assert all(type(value) in (int, float, str, bool, tuple, type(None)) for value in vars(settings).values())
    assert settings.open().fps == 8


def test_minus_one_is_none_where_a_value_may_be_left_open(square_clip):
    settings = CannySettings(square_clip, "a car", seed=-1, end_s=-1, fps=-1.0)
    settings.check()
    assert (settings.seed, settings.end_s, settings.fps) == (None, None, None)
    assert TextToVideoSettings("a car", seed=-1).seed is None
    for bad in ({"seed": -2}, {"fps": -1}, {"num_frames": -1}, {"width": -1}):
        with pytest.raises(InputError, match=f"^{next(iter(bad))} is -"):
            TextToVideoSettings("a car", **bad).check()


def test_image_guidance_goes_down_to_a_half(square_clip):
    Pix2PixVideoSettings(square_clip, "make it night", image_guidance_scale=0.5).check()
    with pytest.raises(InputError, match="image_guidance_scale is 0.4; give a number from 0.5 to 10"):
        Pix2PixVideoSettings(square_clip, "make it night", image_guidance_scale=0.4).check()


def test_frames_for_a_clip_and_prompts_in_a_list_are_refused_in_a_sentence():
    with pytest.raises(InputError, match="clip is a ndarray; give the path of a video, as write_video makes"):
        CannySettings(np.zeros((2, 8, 8, 3), np.uint8), "a car").check()
    with pytest.raises(InputError, match=r"prompt is \['a', 'b'\]; give a text"):
        TextToVideoSettings(["a", "b"]).check()
