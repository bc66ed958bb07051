"""original.py: calls as scripts of the original write them."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.write import write_made_up
from t2v.checks import InputError
from t2v.engine.original import DREAMBOOTH, check_watermark, settings_of_call, side_of, sized, time_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings

TOLD = {"watermark": "Picsart AI Research", "seed": 0, "model_name": "some/model", "prompt": "a car"}


def canny(**told) -> CannySettings:
    return settings_of_call(CannySettings, {**TOLD, "video_path": "clip.mp4", **told}, {})


@pytest.mark.parametrize("mark", [None, "", "None", "Picsart AI Research"])
def test_no_watermark_by_any_of_its_names(mark):
    check_watermark(mark)
    assert canny(watermark=mark).prompt == "a car"


def test_its_models_in_a_style_are_known_by_its_names():
    assert list(DREAMBOOTH) == ["Anime DB", "Arcane DB", "Avatar DB", "GTA-5 DB"]
    assert canny(model_name="GTA-5 DB").model == "PAIR/text2video-zero-controlnet-canny-gta5"
    assert canny(model_name="some/model").model == "some/model"
    assert canny(model_name=Path("folder")).model == "folder"


@pytest.mark.parametrize(
    "clip",
    [
        "Motion 1",
        "Motion 5",
        "woman1",
        "woman3",
        "man1",
        "__assets__/canny_videos_mp4/deer.mp4",
        Path("man1"),
    ],
)
def test_its_example_clips_are_told_not_to_be_here(clip):
    with pytest.raises(InputError, match=f"clip is '{clip}', an example of the original .*examples.canny"):
        canny(video_path=clip)


def test_its_example_clips_are_taken_where_they_lie(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("__assets__").mkdir()
    for name in ("__assets__/deer.mp4", "man1"):
        Path(name).write_bytes(b"")
        assert canny(video_path=name).clip == name


@pytest.mark.parametrize("seed", [-1, -7, np.int64(-1), -1.0])
def test_a_negative_seed_draws_one(seed):
    assert canny(seed=seed).seed is None


def test_its_resolution_is_that_of_the_file():
    assert canny().upscale == 1


def test_minus_one_is_the_clips_own():
    told = {**TOLD, "video": "clip.mp4", "end_t": -1, "out_fps": -1, "start_t": 0, "seed": 3}
    settings = settings_of_call(Pix2PixVideoSettings, told, {"num_inference_steps": 50})
    assert (settings.end_s, settings.fps, settings.seed) == (None, None, 3)
    assert settings.num_inference_steps == 50


def test_times_and_sizes(model_folder, square_clip, tmp_path):
    xl_file = write_made_up(tmp_path / "xl.safetensors", MADE_UP["sdxl"][0](), "F16", {})
    assert (time_of("t0", 44), time_of("t1", 47)) == (881, 941)
    assert side_of(512, str(model_folder), "text-to-video") == 512
    assert side_of(None, str(model_folder), "text-to-video") == 128  # its own
    assert side_of(None, "dreamlike-art/dreamlike-photoreal-2.0", "text-to-video") == 512
    assert side_of(None, str(xl_file), "text-to-video") == 1024
    fitted = sized(CannySettings(square_clip, "a car"), 512)
    assert (fitted.width, fitted.height) == (512, 320)  # 80x48: 512x307 in multiples of 64
