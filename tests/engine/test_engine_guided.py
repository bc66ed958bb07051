"""The engine with clips: settings filled in, networks kept, videos of the right length, size and rate."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import small_controlnet

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled
from t2v.engine import in_memory
from t2v.engine.engine import Engine
from t2v.evaluation.flow import warp_error
from t2v.library.results import write_result
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.depth import DepthSettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings
from t2v.weights.refusals import ModelError

pytestmark = pytest.mark.slow

QUICK = {"seed": 3, "num_inference_steps": 2, "width": 80, "height": 64}


@pytest.fixture(scope="module")
def clip(square_clip) -> str:
    return square_clip


@pytest.fixture(scope="module")
def model() -> Engine:
    return Engine(device="cpu")


def test_resolve_fills_in_what_suits_clip_and_model(model, family, clip):
    resolved = model.resolve(CannySettings(clip, "a car", model=family))
    assert (resolved.num_frames, resolved.fps) == (5, 6.0)
    assert (resolved.width, resolved.height) == (168, 96)  # 128 x 128 pixels in the clip's shape
    assert (resolved.num_inference_steps, resolved.guidance_scale) == (20, 9.0)
    assert Path(resolved.networks[0].source).name == "controlnet-canny" and 0 <= resolved.seed < 2**32
    assert model.resolve(resolved.filled()).filled() == resolved.filled()
    edit = model.resolve(Pix2PixVideoSettings(clip, "make it red", model=family))
    assert (edit.num_inference_steps, edit.guidance_scale, edit.image_guidance_scale) == (50, 7.5, 1.5)


def test_the_cards_settings_win_and_its_tasks_more_so(family, clip, tmp_path):
    root = Path(shutil.copytree(Path(family).parent, tmp_path / "family"))
    card = {
        "defaults": {"width": 96, "height": 96, "num_inference_steps": 9, "guidance_scale": 4},
        "tasks": {"pix2pix": {"guidance_scale": 3, "image_guidance_scale": 1.2}},
    }
    (root / "text-to-image" / "miniature.json").write_text(json.dumps(card))
    model, source = Engine(device="cpu"), str(root / "text-to-image")
    canny = model.resolve(CannySettings(clip, "a car", model=source))
    assert (canny.num_inference_steps, canny.guidance_scale) == (9, 4)
    assert (canny.width, canny.height) == (120, 72)
    edit = model.resolve(Pix2PixVideoSettings(clip, "make it red", model=source))
    assert (edit.guidance_scale, edit.image_guidance_scale) == (3, 1.2)


def test_a_controlled_video_from_clip_to_file_and_back(model, family, clip, tmp_path):
    told = []
    run = model.resolve(CannySettings(clip, "a car", model=family, num_frames=4, **QUICK))
    path = write_result(tmp_path / "out.mp4", run, model.frames(run, told.append))
    video, kept = read_video(path), read_settings(path)
    assert video.frames.shape == (4, 64, 80, 3) and video.fps == 6
    assert (kept["task"], kept["clip"], kept["num_frames"], kept["seed"]) == ("canny", "square.mp4", 4, 3)
    assert told[-1].done == told[-1].total == 2
    assert model.preview(told[-1].latents).shape == (4, 8, 10, 3)


GUIDED = [
    (CannySettings, {}),
    (CannySettings, {"scheduler": "euler-ancestral"}),
    (CannySettings, {"steady": 1.0}),
    (PoseSettings, {"control_ready": True, "steady": 1.0}),
    (DepthSettings, {"control_ready": True}),
    (Pix2PixVideoSettings, {"scheduler": "euler-ancestral"}),
]


@pytest.mark.parametrize(("kind", "options"), GUIDED)
def test_each_task_gives_the_same_video_for_the_same_seed_at_every_chunk_size(
    model, family, clip, kind, options
):
    settings = kind(clip, "a car", model=family, **options, **QUICK)
    first = model.generate(replace(settings, chunk_size=0))
    assert first.frames.shape == (5, 64, 80, 3) and first.fps == 6
    for chunk_size in (2, 3, 8):
        again = model.generate(replace(settings, chunk_size=chunk_size)).frames.astype(int)
        assert np.abs(again - first.frames).max() <= 1, chunk_size
    other = model.generate(replace(settings, seed=4)).frames.astype(int)
    assert np.abs(other - first.frames).max() > 1


@pytest.mark.parametrize("kind", [CannySettings, Pix2PixVideoSettings])
def test_steadied_frames_change_less_along_the_clip_and_carry_it_in_their_file(
    model, family, clip, kind, tmp_path
):
    settings = kind(clip, "a car", model=family, **{**QUICK, "seed": 4})
    drawn = model.generate(settings).frames
    assert np.array_equal(drawn, model.generate(replace(settings, steady=0.0)).frames)
    run = model.resolve(replace(settings, steady=1.0))
    path = write_result(tmp_path / "steady.mp4", run, model.frames(run))
    assert read_settings(path)["steady"] == 1
    source = settings.read(run.taken).frames
    steady = np.stack(list(model.frames(run)))
    assert steady.shape == drawn.shape
    assert warp_error(steady, source) < 0.8 * warp_error(drawn, source)


def test_the_bundled_model_steadies_by_itself_and_stable_diffusion_where_asked(model, family, clip):
    assert model.resolve(CannySettings(clip, "a car", model=family)).steady == 0
    for kind in (CannySettings, Pix2PixVideoSettings):
        assert model.resolve(kind(clip, "a car")).steady == 1


def test_what_the_model_sees_is_told_before_the_first_step(model, family, clip, monkeypatch):
    monkeypatch.setattr(DepthSettings, "detect", lambda self, frames, device: 255 - frames)
    told = []

    def run(settings) -> list:
        told.clear()
        model.generate(settings, lambda step: told.append(step.done), lambda *seen: told.append(seen))
        assert told[-2:] == [1, 2]
        return told[:-2]

    canny = CannySettings(clip, "a car", model=family, also=(Also("depth"),), **QUICK)
    (_, footage), (_, edges), (_, depth) = seen = run(canny)
    assert [name for name, _ in seen] == ["clip", "canny", "depth"]
    assert np.array_equal(footage, canny.read(model.resolve(canny).taken).frames)
    assert np.array_equal(depth, 255 - footage) and set(np.unique(edges)) == {0, 255}
    edit = Pix2PixVideoSettings(clip, "make it red", model=family, **QUICK)
    assert [name for name, _ in run(edit)] == ["clip"]
    ready = DepthSettings(clip, "a car", model=family, control_ready=True, **QUICK)
    ((name, pictures),) = run(ready)
    assert name == "depth" and pictures.shape == (5, 64, 80, 3)
    assert run(TextToVideoSettings("a car", model=family, num_frames=1, num_inference_steps=2)) == []


def test_several_controlnets_at_once(model, family, clip, monkeypatch):
    """The depth detector's weights cannot be had here; nearness from brightness stands in for them."""
    monkeypatch.setattr(DepthSettings, "detect", lambda self, frames, device: 255 - frames)
    alone = CannySettings(clip, "a car", model=family, **QUICK)
    both = replace(alone, also=(Also("depth", conditioning_scale=1.5),))
    assert [Path(one.source).name for one in model.resolve(both).networks] == [
        "controlnet-canny",
        "controlnet-depth",
    ]
    first, second = (model.generate(settings).frames.astype(int) for settings in (alone, both))
    assert np.abs(first - second).max() > 1


def test_networks_are_loaded_once_and_let_go(family, clip, monkeypatch):
    loads = []
    real = in_memory.load_controlnet
    monkeypatch.setattr(in_memory, "load_controlnet", lambda *told: loads.append(told[1]) or real(*told))
    model = Engine(device="cpu")
    settings = CannySettings(clip, "a car", model=family, **QUICK)
    for _ in range(2):
        model.resolve(settings)
    assert loads == ["canny"]
    model.load_networks(TextToVideoSettings("a car", model=family), ())
    model.resolve(settings)
    assert loads == ["canny", "canny"]


def test_what_is_missing_or_does_not_fit_is_refused_before_the_run(model, family, clip, tmp_path):
    settings = CannySettings(clip, "a car", model=family, **QUICK)
    small_controlnet(cross_attention_dim=24).save_pretrained(tmp_path / "other")
    with pytest.raises(ModelError, match="cross_attention_dim is 24, the model's 16"):
        model.resolve(replace(settings, controlnet=str(tmp_path / "other")))
    with pytest.raises(ModelError, match="is not a ControlNet or T2I-Adapter but UNet2DConditionModel"):
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
