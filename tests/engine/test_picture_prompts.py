"""A picture as a prompt in runs of every task: chosen, drawn with, told, and refused."""

import dataclasses
import shutil

import numpy as np
import pytest
import torch
from small_adapters import a_picture, adapter_state, save_adapter, save_image_encoder, save_with_encoder

from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.engine.engine import Engine
from t2v.library.results import settings_dict, write_result
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import write_picture


@pytest.fixture(scope="module")
def engine(family):
    engine = Engine("cpu")
    engine.load(family)
    return engine


@pytest.fixture
def picture(tmp_path) -> str:
    return str(write_picture(tmp_path / "fur.png", a_picture()))


@pytest.fixture
def models(tmp_path, monkeypatch, engine, family):
    """A folder of models with an adapter for the small family and its encoder."""
    folder = tmp_path / "models"
    monkeypatch.setattr("t2v.weights.models_folder._chosen", [folder])
    save_with_encoder(folder / "ip", engine.load(family).unet)
    return folder


def settings(kind, family, square_clip, **more):
    own = {"model": family, "seed": 3, "num_inference_steps": 3, "width": 64, "height": 64, **more}
    if kind is TextToVideoSettings:
        return kind("a car", num_frames=3, **own)
    return kind(square_clip, "a car", num_frames=3, **own)


@pytest.mark.parametrize("kind", [TextToVideoSettings, CannySettings, Pix2PixVideoSettings])
def test_every_task_is_shown_it(engine, family, square_clip, picture, models, kind):
    bare = engine.generate(settings(kind, family, square_clip)).frames
    asked = settings(kind, family, square_clip, picture_prompt=picture, picture_prompt_strength=1.0)
    check_weights(asked)
    resolved = engine.resolve(asked)
    assert resolved.ip_adapter == "ip.safetensors"
    shown = np.stack(list(engine.frames(resolved)))
    assert np.abs(shown.astype(int) - bare).max() > 2
    in_chunks = dataclasses.replace(asked, chunk_size=1)
    assert np.array_equal(engine.generate(in_chunks).frames, shown)
    none = dataclasses.replace(asked, picture_prompt_strength=0.0)
    assert np.array_equal(engine.generate(none).frames, bare)
    assert np.array_equal(engine.generate(settings(kind, family, square_clip)).frames, bare)
    assert np.array_equal(engine.still(resolved), shown[0])


def test_a_changed_picture_is_looked_at_again(engine, family, square_clip, picture, models):
    asked = settings(TextToVideoSettings, family, square_clip, picture_prompt=picture)
    first, again = (engine.generate(asked).frames for _ in range(2))
    assert np.array_equal(first, again)
    write_picture(models.parent / "fur.png", np.full((50, 40, 3), 200, np.uint8))
    assert not np.array_equal(engine.generate(asked).frames, first)


def test_profiles_never_change_it(engine, family, square_clip, picture, models):
    pipeline = engine.load(family)
    asked = settings(TextToVideoSettings, family, square_clip, picture_prompt=picture)
    plain = engine.generate(asked).frames
    pipeline.memory.place("low", "cpu")
    try:
        low = engine.generate(asked).frames.astype(int)
        assert np.abs(low - plain).max() <= 1  # decoded in strips, as without a picture
    finally:
        pipeline.memory.place("high", "cpu")


def test_half_precision_goes_with_it(family, square_clip, picture, models):
    asked = settings(TextToVideoSettings, family, square_clip, picture_prompt=picture)
    halves = Engine("cpu", torch.bfloat16).generate(asked).frames.astype(int)
    whole = Engine("cpu").generate(asked).frames
    assert np.abs(halves - whole).mean() < 8


def test_the_file_tells_names_and_like_finds_them(engine, family, square_clip, picture, models, tmp_path):
    asked = settings(
        TextToVideoSettings, family, square_clip, picture_prompt=picture, ip_adapter=str(models / "ip")
    )
    resolved = engine.resolve(asked)
    path = write_result(tmp_path / "car.mp4", resolved, engine.frames(resolved))
    told = settings_dict(resolved.filled())
    assert (told["picture_prompt"], told["ip_adapter"]) == ("fur.png", "ip")
    assert settings_of(path).picture_prompt == picture  # it lies beside the video
    shutil.move(picture, tmp_path / "away.png")
    assert settings_of(path).picture_prompt == "fur.png"


def test_refusals_come_before_anything_is_loaded(family, square_clip, picture, models, engine):
    def refused(check=check_weights, **more) -> str:
        with pytest.raises(InputError) as caught:
            check(settings(TextToVideoSettings, family, square_clip, **more))
        return str(caught.value)

    own = TextToVideoSettings.check
    assert refused(own, picture_prompt_strength=0.4).endswith("picture_prompt is not given; add it.")
    assert refused(own, ip_adapter="ip").endswith("picture_prompt is not given; add it.")
    assert "no such file" in refused(own, picture_prompt="nowhere.png")
    assert "give the path of a picture" in refused(own, picture_prompt=a_picture())
    assert "picture_prompt_strength is 2" in refused(own, picture_prompt=picture, picture_prompt_strength=2)
    shutil.rmtree(models / "ip" / "image_encoder")
    sentence = "picture_prompt is given, and there is no IP-Adapter for this model"
    assert refused(picture_prompt=picture).startswith(sentence)
    assert refused(engine.resolve, picture_prompt=picture).startswith(sentence)
    assert "wants an image encoder" in refused(picture_prompt=picture, ip_adapter="ip.safetensors")
    other = adapter_state(engine.load(family).unet)
    other["ip_adapter"] = {name: torch.zeros(9, 768) for name in other["ip_adapter"]}
    save_adapter(models / "big.safetensors", other)
    save_image_encoder(models / "image_encoder")
    assert "is made for Stable Diffusion 1.x" in refused(picture_prompt=picture, ip_adapter="big.safetensors")
