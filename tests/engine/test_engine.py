"""The engine: settings filled in, weights kept, the device shared, videos out."""

import json
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled
from t2v.engine import keeping
from t2v.engine.engine import Engine
from t2v.finishing.upscale import load_finisher
from t2v.tasks.text_to_video import TextToVideoSettings


@pytest.fixture(scope="module")
def model() -> Engine:
    return Engine(device="cpu")


@pytest.fixture
def settings(model_folder) -> TextToVideoSettings:
    small = TextToVideoSettings("a red car", seed=3, num_frames=3, num_inference_steps=4)
    return replace(small, model=str(model_folder))


def test_resolve_fills_in_what_suits_the_model(model, model_folder):
    resolved = model.resolve(TextToVideoSettings("a car", model=str(model_folder)))
    assert (resolved.width, resolved.height) == (128, 128)
    assert (resolved.num_inference_steps, resolved.guidance_scale) == (50, 7.5)
    assert 0 <= resolved.seed < 2**32 and 0 < resolved.t0 < resolved.t1 < 881
    assert model.resolve(resolved.filled()).filled() == resolved.filled()


def test_the_cards_defaults_win_and_its_times_follow_the_size(model, model_folder, tmp_path):
    folder = Path(shutil.copytree(model_folder, tmp_path / "carded"))
    suits = {"width": 64, "height": 64, "num_inference_steps": 9, "guidance_scale": 4, "t0": 500, "t1": 600}
    (folder / "miniature.json").write_text(json.dumps({"defaults": suits}))
    own = model.resolve(TextToVideoSettings("a car", model=str(folder)))
    assert {name: getattr(own, name) for name in suits} == suits
    larger = model.resolve(TextToVideoSettings("a car", model=str(folder), width=128, height=128))
    assert larger.t0 > 500 and larger.t1 > 600


def test_seed_0_is_a_seed_and_random_ones_differ(model, settings):
    assert model.resolve(replace(settings, seed=0)).seed == 0
    drawn = {model.resolve(replace(settings, seed=None)).seed for _ in range(3)}
    assert len(drawn) == 3


@pytest.mark.parametrize(("given", "other"), [({"t0": 950}, "t1"), ({"t1": 100}, "t0")])
def test_one_time_given_bounds_the_other(model, settings, given, other):
    resolved = model.resolve(replace(settings, **given))
    assert getattr(resolved, other) == next(iter(given.values()))


def test_generate_draws_the_same_video_for_the_same_seed(model, settings):
    told = []
    video = model.generate(settings, told.append)
    assert video.frames.shape == (3, 128, 128, 3) and video.frames.dtype == np.uint8 and video.fps == 4.0
    assert told[-1].done == told[-1].total
    assert np.array_equal(video.frames, model.generate(settings).frames)
    assert model.preview(told[-1].latents).shape == (3, 16, 16, 3)


def test_stop_leaves_the_model_usable(model, settings):
    def stop(step) -> None:
        raise Cancelled

    before = model.generate(settings).frames
    with pytest.raises(Cancelled):
        model.generate(settings, stop)
    assert np.array_equal(model.generate(settings).frames, before)


def test_weights_are_loaded_once(monkeypatch, settings):
    loads = []
    real = keeping.load_pipeline
    monkeypatch.setattr(keeping, "load_pipeline", lambda *told: loads.append(told[0]) or real(*told))
    fresh = Engine(device="cpu")
    fresh.generate(settings)
    fresh.generate(settings)
    assert loads == [settings.model]


def test_one_job_at_a_time_on_the_device(model, settings):
    running, most = 0, 0

    def watch(step) -> None:
        nonlocal most
        most = max(most, running)

    def job() -> None:
        nonlocal running
        frames = model.frames(model.resolve(settings), watch)
        first = next(frames)
        running += 1
        assert first.shape == (128, 128, 3)
        list(frames)
        running -= 1

    threads = [threading.Thread(target=job) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == 0 and running == 0  # nobody denoised while another held the device


@pytest.mark.parametrize("device", ["cuda", "tpu", "cuda:99", 5, ""])
def test_devices_that_are_not_there(device):
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has one")
    with pytest.raises(InputError, match="device"):
        Engine(device=device)


def test_precision_names(model_folder):
    assert Engine("cpu").dtype == torch.float32
    assert Engine("cpu", torch.bfloat16).dtype == Engine("cpu", "bfloat16").dtype == torch.bfloat16
    with pytest.raises(InputError, match="dtype.*float32, float16, bfloat16"):
        Engine("cpu", "int8")


def test_unknown_words(model, tmp_path):
    words = {"subjects": ["car"], "places": ["night city"], "other": ["a", "in", "the"]}
    (tmp_path / "miniature.json").write_text(json.dumps({"words": words, "examples": ["a car"]}))
    source = str(tmp_path)
    assert model.unknown_words(source, "A car in the city, at Night; a dragon dragon") == ("dragon",)
    assert model.unknown_words(source, "红色的 car, don't! ☂ über 2") == ("红色的", "don't", "über", "2")
    assert model.unknown_words(source, "<b class='x'>car</b> \U0001f600 __ 2 < 3") == ("2", "3")
    assert model.unknown_words("some/model", "a dragon") == ()
    assert model.known_words(source)["subjects"] == ("car",) and model.known_words("some/model") is None
    assert model.examples(source) == ("a car",)
    assert model.unknown_words(source, "turn it", editor=True) == ()  # its words are those of pictures
    card = {"words": {**words, "instructions": ["turn", "into"]}}
    (tmp_path / "miniature.json").write_text(json.dumps(card))
    assert model.unknown_words(source, "turn a car into a cat") == ("turn", "cat")
    assert model.unknown_words(source, "turn a car into a cat", editor=True) == ("cat",)
    assert "instructions" not in model.known_words(source)
    assert model.known_words(source, editor=True)["instructions"] == ("turn", "into")


def test_what_came_up_while_drawing_is_told_with_the_prompts_notes(model, settings, model_folder, tmp_path):
    """A VAE that overflows in half precision: the video is right, and a line says what it took."""
    folder = Path(shutil.copytree(model_folder, tmp_path / "overflowing"))
    path = folder / "vae" / "diffusion_pytorch_model.safetensors"
    tensors = load_file(path)
    for part in ("weight", "bias"):
        tensors[f"decoder.conv_in.{part}"] *= 3e5
    save_file(tensors, path, metadata={"format": "pt"})
    settings = replace(settings, model=str(folder), num_frames=2, num_inference_steps=2)
    half = Engine("cpu", "float16")
    before = half.prompt_notes(settings)
    video = half.generate(settings)
    told = half.prompt_notes(settings)
    assert told[: len(before)] == before
    assert [note.text[:35] for note in told[len(before) :]] == ["The model's VAE overflows in float16"[:35]]
    assert np.abs(video.frames.astype(int) - model.generate(settings).frames).max() <= 8
    assert half.prompt_notes(replace(settings, model=str(model_folder))) == before  # another model's


def test_frames_are_doubled_where_it_is_asked_for_and_no_slicing_changes_them(model, settings):
    finisher = load_finisher()
    plain = model.generate(settings).frames
    doubled = model.generate(replace(settings, upscale=2)).frames
    assert doubled.shape == (3, 256, 256, 3)
    assert np.array_equal(doubled, np.stack([finisher(frame) for frame in plain]))
    sliced = model.generate(replace(settings, upscale=2, chunk_size=1)).frames
    assert np.abs(sliced.astype(int) - doubled).max() <= 2
    assert np.array_equal(model.generate(replace(settings, upscale=1)).frames, plain)


def test_a_card_may_double_frames_and_a_run_tells_their_size(model, model_folder, tmp_path):
    folder = Path(shutil.copytree(model_folder, tmp_path / "crisp"))
    (folder / "miniature.json").write_text(json.dumps({"defaults": {"upscale": 2}}))
    own = model.resolve(TextToVideoSettings("a car", model=str(folder)))
    assert (own.width, own.height, own.upscale, own.size) == (128, 128, 2, (256, 256))
    asked = model.resolve(TextToVideoSettings("a car", model=str(folder), upscale=1, width=64))
    assert (asked.upscale, asked.size) == (1, (64, 128))
    assert model.resolve(TextToVideoSettings("a car", model=str(model_folder))).upscale == 1
