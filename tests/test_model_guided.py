"""model.py with clips: settings filled in, networks kept, videos of the right length, size and rate."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import small_controlnet, small_unet

import model as model_module
from checks import InputError
from model import Model, settings_dict
from tasks.canny import CannySettings
from tasks.controlled import Also
from tasks.depth import DepthSettings
from tasks.pix2pix_video import Pix2PixVideoSettings
from tasks.text_to_video import TextToVideoSettings
from text_to_video_pipeline import Cancelled
from utils import read_settings, read_video, write_video
from weights import ModelError

QUICK = {"seed": 3, "num_inference_steps": 2, "width": 80, "height": 64}


@pytest.fixture(scope="module")
def family(model_folder, tmp_path_factory) -> str:
    """A small random model with ControlNets and an editor beside it, as the miniature has them."""
    root = tmp_path_factory.mktemp("family")
    shutil.copytree(model_folder, root / "text-to-image")
    for seed, name in enumerate(("canny", "depth")):
        small_controlnet(seed + 1).save_pretrained(root / f"controlnet-{name}")
    small_unet(in_channels=8).save_pretrained(root / "editor")
    return str(root / "text-to-image")


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> str:
    """Five frames at 6 a second, 80x48: a bright square that moves."""
    frames = np.full((5, 48, 80, 3), 30, np.uint8)
    for index, frame in enumerate(frames):
        frame[12:36, 8 * index : 8 * index + 24] = (220, 120, 60)
    return str(write_video(tmp_path_factory.mktemp("clips") / "square.mp4", frames, 6))


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(device="cpu")


def test_resolve_fills_in_what_suits_clip_and_model(model, family, clip):
    resolved = model.resolve(CannySettings(clip, "a car", model=family))
    assert (resolved.num_frames, resolved.fps) == (5, 6.0)
    assert (resolved.width, resolved.height) == (168, 96)  # 128 x 128 pixels in the clip's shape
    assert (resolved.num_inference_steps, resolved.guidance_scale) == (20, 9.0)
    assert Path(resolved.controlnet).name == "controlnet-canny" and 0 <= resolved.seed < 2**32
    assert model.resolve(resolved) == resolved
    edit = model.resolve(Pix2PixVideoSettings(clip, "make it red", model=family))
    assert (edit.num_inference_steps, edit.guidance_scale, edit.image_guidance_scale) == (50, 7.5, 1.5)


def test_the_cards_settings_win_and_its_tasks_more_so(family, clip, tmp_path):
    root = Path(shutil.copytree(Path(family).parent, tmp_path / "family"))
    card = {
        "defaults": {"width": 96, "height": 96, "num_inference_steps": 9, "guidance_scale": 4},
        "tasks": {"pix2pix": {"guidance_scale": 3, "image_guidance_scale": 1.2}},
    }
    (root / "text-to-image" / "miniature.json").write_text(json.dumps(card))
    model, source = Model(device="cpu"), str(root / "text-to-image")
    canny = model.resolve(CannySettings(clip, "a car", model=source))
    assert (canny.num_inference_steps, canny.guidance_scale) == (9, 4)
    assert (canny.width, canny.height) == (120, 72)
    edit = model.resolve(Pix2PixVideoSettings(clip, "make it red", model=source))
    assert (edit.guidance_scale, edit.image_guidance_scale) == (3, 1.2)


def test_a_controlled_video_from_clip_to_file_and_back(model, family, clip, tmp_path):
    told = []
    settings = model.resolve(CannySettings(clip, "a car", model=family, num_frames=4, **QUICK))
    path = write_video(
        tmp_path / "out.mp4", model.frames(settings, told.append), settings.fps, settings_dict(settings)
    )
    video, kept = read_video(path), read_settings(path)
    assert video.frames.shape == (4, 64, 80, 3) and video.fps == 6
    assert (kept["task"], kept["clip"], kept["num_frames"], kept["seed"]) == ("canny", clip, 4, 3)
    assert told[-1].done == told[-1].total == 2
    assert model.preview(told[-1].latents).shape == (4, 8, 10, 3)


def test_each_task_gives_the_same_video_for_the_same_seed_at_every_chunk_size(model, family, clip):
    short = {**QUICK, "num_frames": 3}
    ready = DepthSettings(clip, "a car", model=family, control_ready=True, **short)
    edit = Pix2PixVideoSettings(clip, "make it red", model=family, **short)
    for settings in (CannySettings(clip, "a car", model=family, **short), ready, edit):
        first = model.generate(replace(settings, chunk_size=0))
        assert first.frames.shape == (3, 64, 80, 3) and first.fps == 6
        again = model.generate(replace(settings, chunk_size=2)).frames.astype(int)
        assert np.abs(again - first.frames).max() <= 1, settings.task
        other = model.generate(replace(settings, seed=4)).frames.astype(int)
        assert np.abs(other - first.frames).max() > 1, settings.task


def test_several_controlnets_at_once(model, family, clip, monkeypatch):
    """The depth detector's weights cannot be had here; nearness from brightness stands in for them."""
    monkeypatch.setattr(DepthSettings, "detect", lambda self, frames, device: 255 - frames)
    alone = CannySettings(clip, "a car", model=family, **QUICK)
    both = replace(alone, also=(Also("depth", conditioning_scale=1.5),))
    assert [Path(source).name for _, source in model.resolve(both).networks()] == [
        "controlnet-canny",
        "controlnet-depth",
    ]
    first, second = (model.generate(settings).frames.astype(int) for settings in (alone, both))
    assert np.abs(first - second).max() > 1


def test_networks_are_loaded_once_and_let_go(family, clip, monkeypatch):
    loads = []
    real = model_module.load_controlnet
    monkeypatch.setattr(model_module, "load_controlnet", lambda *told: loads.append(told[1]) or real(*told))
    model = Model(device="cpu")
    settings = CannySettings(clip, "a car", model=family, **QUICK)
    for _ in range(2):
        model.resolve(settings)
    assert loads == ["canny"]
    model.load_networks(model.resolve(TextToVideoSettings("a car", model=family)))
    model.resolve(settings)
    assert loads == ["canny", "canny"]


def test_what_is_missing_or_does_not_fit_is_refused_before_the_run(model, family, clip, tmp_path):
    settings = CannySettings(clip, "a car", model=family, **QUICK)
    small_controlnet(cross_attention_dim=24).save_pretrained(tmp_path / "other")
    with pytest.raises(ModelError, match="cross_attention_dim is 24, the model's 16"):
        model.resolve(replace(settings, controlnet=str(tmp_path / "other")))
    with pytest.raises(ModelError, match="is not a ControlNet but UNet2DConditionModel"):
        model.resolve(replace(settings, controlnet=str(Path(family).parent / "editor")))
    with pytest.raises(ModelError, match="controlnet ./nothing is not there"):
        model.resolve(replace(settings, controlnet="./nothing"))
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(InputError, match="text.mp4"):
        model.resolve(replace(settings, clip=str(tmp_path / "text.mp4")))


def test_stop_leaves_the_model_usable(model, family, clip):
    def stop(step) -> None:
        raise Cancelled

    settings = Pix2PixVideoSettings(clip, "make it red", model=family, **{**QUICK, "num_frames": 2})
    before = model.generate(settings).frames
    with pytest.raises(Cancelled):
        model.generate(settings, stop)
    assert np.array_equal(model.generate(settings).frames, before)
