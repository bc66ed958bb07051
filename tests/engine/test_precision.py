"""precision.py: what a run is drawn in, that its result says so, and that it comes out the same elsewhere."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from t2v.checks import InputError
from t2v.engine import precision
from t2v.engine.engine import Engine
from t2v.engine.precision import Machine
from t2v.jobs.stored import Past
from t2v.library.results import settings_dict, write_result
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.card import read_card
from t2v.weights.source import Source

QUICK = {"seed": 3, "num_frames": 3, "num_inference_steps": 2, "width": 80, "height": 64}


@pytest.fixture(scope="module")
def as_good(family, tmp_path_factory) -> str:
    """A model whose card says that it draws as well in bfloat16."""
    root = shutil.copytree(Path(family).parent, tmp_path_factory.mktemp("good") / "family")
    (root / "text-to-image" / "miniature.json").write_text(json.dumps({"half": "bfloat16"}))
    return str(root / "text-to-image")


@pytest.fixture
def is_quick(monkeypatch):
    """A processor that is quick in bfloat16, as all of them are taken to be slow in tests."""
    monkeypatch.setattr(precision, "is_quick_in_bfloat16", lambda: True)


@pytest.mark.parametrize(
    ("machine", "asked", "profile", "drawn"),
    [
        (Machine("cpu"), None, "auto", "bfloat16"),
        (Machine("cpu:0"), None, "auto", "bfloat16"),
        (Machine("cpu"), "float32", "auto", "float32"),
        (Machine("cpu"), "bfloat16", "auto", "bfloat16"),
        (Machine("cpu"), "float16", "auto", "float32"),  # of a result from a GPU
        (Machine("cpu", "float32"), None, "auto", "float32"),
        (Machine("cpu", torch.float16), None, "auto", "float16"),
        (Machine("cuda"), None, "auto", "float16"),
        (Machine("cuda"), "bfloat16", "auto", "bfloat16"),
        (Machine("cuda"), None, "cpu", "bfloat16"),
        (Machine("cuda"), "float16", "cpu", "float32"),
        (Machine("cuda", "float32"), None, "auto", "float32"),
        (Machine("mps"), None, "auto", "float32"),
    ],
)
def test_what_suits_device_and_model(as_good, is_quick, machine, asked, profile, drawn):
    assert machine.precision(as_good, asked, profile) == drawn


def test_what_was_not_looked_at_stays_in_float32(model_folder, as_good, is_quick, monkeypatch):
    assert Machine("cpu").precision(str(model_folder)) == Machine("cpu").precision("a/b") == "float32"
    assert Machine("cpu").precision("miniature") == "bfloat16"  # which was
    monkeypatch.setattr(precision, "is_quick_in_bfloat16", lambda: False)
    assert Machine("cpu").precision(as_good) == "float32"


def test_a_result_tells_it_and_is_drawn_so_again_where_something_else_suits(
    as_good, is_quick, monkeypatch, tmp_path
):
    engine, asked = Engine("cpu"), TextToVideoSettings("a red car", model=as_good, **QUICK)
    resolved = engine.resolve(asked)
    frames = np.stack(list(engine.frames(resolved)))
    path = write_result(tmp_path / "car.zip", resolved, iter(frames), True)
    assert engine.load(as_good).unet.dtype == torch.bfloat16
    assert engine.load_networks(asked, ()) == [] and resolved.filled().dtype == "bfloat16"
    again = replace(settings_of(path), model=as_good)
    alike = engine.generate(replace(asked, dtype="float32")).frames
    monkeypatch.setattr(precision, "is_quick_in_bfloat16", lambda: False)
    other = Engine("cpu")
    assert np.array_equal(other.generate(again).frames, frames)
    plain = other.generate(asked).frames
    assert other.resolve(asked).dtype == "float32" and not np.array_equal(plain, frames)
    assert np.array_equal(plain, Engine("cpu", "float32").generate(asked).frames)
    assert np.array_equal(plain, alike)


def test_asking_for_what_suits_anyway_loads_nothing_anew(as_good, is_quick):
    engine, asked = Engine("cpu"), TextToVideoSettings("a red car", model=as_good, **QUICK)
    engine.resolve(asked)
    pipeline = engine.load(as_good)
    engine.resolve(replace(asked, dtype="bfloat16"))
    assert engine.load(as_good) is pipeline
    engine.resolve(replace(asked, dtype="float32"))
    assert engine.load(as_good) is not pipeline and engine.load(as_good).unet.dtype == torch.float32


def test_float16_is_drawn_in_float32_on_a_processor_which_is_told(model_folder):
    engine = Engine("cpu")
    asked = TextToVideoSettings("a red car", model=str(model_folder), dtype="float16", **QUICK)
    run = engine.resolve(asked)
    assert run.dtype == "float32" and engine.load(str(model_folder)).unet.dtype == torch.float32
    told = [note.text for note in engine.prompt_notes(asked)]
    assert [one for one in told if one.startswith("dtype is float16, in which processors are slow")]
    assert not [one for one in engine.prompt_notes(run.filled()) if "dtype" in one.text]
    with pytest.raises(InputError, match="dtype is 'float8'; choose one of float32, float16, bfloat16"):
        engine.resolve(replace(asked, dtype="float8"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "settings",
    [
        TextToVideoSettings("a red car", method="paper"),
        TextToVideoSettings("a red car"),
        TextToVideoSettings("a red car", move="subject"),
        CannySettings("clip", "a red car"),
        Pix2PixVideoSettings("clip", "make it red"),
    ],
)
def test_chunks_are_equal_in_bfloat16(family, square_clip, settings):
    engine = Engine("cpu", "bfloat16")
    settings = replace(settings, model=family, **{**QUICK, "num_frames": 5, "num_inference_steps": 4})
    settings = replace(settings, clip=square_clip) if hasattr(settings, "clip") else settings
    whole = engine.generate(replace(settings, chunk_size=0)).frames.astype(int)
    for chunk_size in (1, 2, 3, 8):
        chunked = engine.generate(replace(settings, chunk_size=chunk_size)).frames
        assert np.abs(chunked - whole).max() <= 1, chunk_size


def test_what_gives_no_numbers_in_bfloat16_is_drawn_in_float32_from_there_on(model_folder):
    engine = Engine("cpu")
    asked = TextToVideoSettings("a red car", model=str(model_folder), dtype="bfloat16", **QUICK)
    engine.resolve(asked)
    unet, seen = engine.load(str(model_folder)).unet, []

    def lose_all_numbers(network, given, made):
        seen.append(network.dtype)
        if network.dtype == torch.bfloat16 and len(seen) > 1:  # the first step goes well
            made.sample.fill_(float("nan"))

    with unet.register_forward_hook(lose_all_numbers):
        frames = engine.generate(asked).frames
    assert torch.float32 in seen and seen[-1] == torch.float32 and unet.dtype == torch.bfloat16
    assert [one for one in engine.prompt_notes(asked) if "overflow in bfloat16, so they are used" in one.text]
    right = engine.generate(replace(asked, dtype="float32")).frames.astype(int)
    assert np.abs(frames - right).mean() < 3


def test_results_of_before_it_was_told_were_drawn_in_float32(model_folder):
    old = settings_dict(TextToVideoSettings("a red car", seed=1))
    del old["dtype"]
    assert settings_of(old).dtype == "float32"
    assert settings_of({**old, "model": str(model_folder)}).dtype is None  # as what suits is the same still
    del old["version"]  # what somebody wrote down
    assert settings_of(old).dtype is None
    run = Engine("cpu").resolve(TextToVideoSettings("a red car", model=str(model_folder), **QUICK))
    assert Past.of(replace(run.filled(), dtype=None)).dtype == "float32"
    assert Past.of(run.filled()).dtype == run.dtype == "float32"


@pytest.mark.parametrize(("told", "half"), [("bfloat16", "bfloat16"), ("float8", None), (3, None)])
def test_a_card_names_a_half_precision_or_is_not_used(tmp_path, told, half):
    (tmp_path / "miniature.json").write_text(json.dumps({"half": told}))
    assert read_card(Source.parse(str(tmp_path))).half == half
