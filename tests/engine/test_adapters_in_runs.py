"""Runs that follow a clip by a T2I-Adapter: named where a ControlNet is, alone and beside one."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from checkpoint_files import write_safetensors
from small_t2i import released, small_t2i, small_xl_t2i

from t2v.commands.generate import main
from t2v.engine.engine import Engine
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.depth import DepthSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError

pytestmark = pytest.mark.slow

QUICK = {"seed": 3, "num_inference_steps": 2, "width": 80, "height": 64}


@pytest.fixture(scope="module")
def model() -> Engine:
    return Engine(device="cpu")


@pytest.fixture(scope="module")
def adapter(tmp_path_factory) -> str:
    """One that knows no colours, as those for edges, by its first release's names."""
    path = tmp_path_factory.mktemp("adapters") / "sketch.safetensors"
    write_safetensors(path, released(small_t2i(1, in_channels=1)))
    return str(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("adapters") / "depth"
    small_t2i(2).save_pretrained(path)
    return str(path)


def drawn(model, settings) -> np.ndarray:
    return model.generate(settings).frames.astype(int)


def test_it_draws_alone_and_beside_another_and_chunks_never_matter(
    model, family, square_clip, adapter, folder, monkeypatch
):
    """The depth detector's weights cannot be had here; nearness from brightness stands in for them."""
    monkeypatch.setattr(DepthSettings, "detect", lambda self, frames, device: 255 - frames)
    alone = CannySettings(square_clip, "a car", model=family, controlnet=adapter, **QUICK)
    by_folder = replace(alone, also=(Also("depth", folder, 1.5),))
    by_controlnet = replace(alone, also=(Also("depth"),))
    without = replace(alone, conditioning_scale=0.0)
    early = replace(alone, guidance_end=0.5)
    found = [drawn(model, one) for one in (alone, by_folder, by_controlnet, without, early)]
    for number, one in enumerate(found):
        assert one.shape == (5, 64, 80, 3)
        for other in found[:number]:
            assert not np.array_equal(one, other)
    for asked, whole in zip((alone, by_folder, by_controlnet), found, strict=False):
        for chunk_size in (1, 2, 3, 0):
            assert np.array_equal(drawn(model, replace(asked, chunk_size=chunk_size)), whole)
    assert np.array_equal(drawn(model, alone), found[0])  # it was kept, and is as it was


def test_by_its_files_name_from_the_command_line_and_the_settings_inside(
    family, square_clip, adapter, tmp_path, capsys
):
    path = tmp_path / "out.mp4"
    told = ["--model", family, "--controlnet", "sketch.safetensors", "--seed", "3"]
    size = ["--steps", "2", "--width", "80", "--height", "64", "-o", str(path)]
    try:
        assert main(["canny", square_clip, "a car", *told, *size, "--models", str(Path(adapter).parent)]) == 0
    finally:
        use_models_folder(None)
    assert read_video(path).frames.shape == (5, 64, 80, 3)
    assert read_settings(path)["controlnet"] == "sketch.safetensors"


def test_one_for_other_models_is_refused_before_the_run(model, family, square_clip, tmp_path):
    write_safetensors(tmp_path / "xl.safetensors", released(small_xl_t2i(1)))
    settings = CannySettings(square_clip, "a car", model=family, **QUICK)
    told = "xl.safetensors is for Stable Diffusion XL, and the model is of Stable Diffusion 1.x; "
    with pytest.raises(ModelError, match=told):
        model.resolve(replace(settings, controlnet=str(tmp_path / "xl.safetensors")))
