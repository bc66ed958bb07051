"""Files that are replaced under their names between two runs of one engine: drawn as by a new engine."""

import gc
import shutil
import weakref
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import write_safetensors
from diffusers import AutoencoderTiny
from replaceable import (
    KINDS,
    WEIGHTS,
    Given,
    of_adapter,
    of_controlnet,
    of_file,
    of_folder,
    of_lora,
    other_values,
)

from t2v.engine.engine import Engine
from t2v.tasks import Settings
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError

READERS = {  # whatever reads values of weights for a run, and where it is called
    "t2v.engine.keeping.load_pipeline": "model",
    "t2v.engine.keeping.load_trained": "model",
    "t2v.engine.in_memory.load_controlnet": "controlnet",
    "t2v.weights.lora.merge.read_lora": "lora",
    "t2v.weights.words.read_words": "words",
    "t2v.engine.pictures.picture_layers": "adapter",
    "t2v.engine.previews.load_small_vae": "preview",
}


@pytest.fixture
def given(tmp_path, family, square_clip):
    folder = tmp_path / "models"
    shutil.copytree(Path(family).parent, folder / "family")
    use_models_folder(folder)
    yield Given(folder, str(folder / "family" / "text-to-image"), square_clip)
    use_models_folder(None)


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """What has been read of the disk since it was last cleared."""
    told: list[str] = []
    for place, name in READERS.items():
        module, function = place.rsplit(".", 1)
        real = getattr(__import__(module, fromlist=[function]), function)

        def counted(*args, _real=real, _name=name, **more):
            told.append(_name)
            return _real(*args, **more)

        monkeypatch.setattr(place, counted)
    return told


def drawn(engine: Engine, settings: Settings) -> np.ndarray:
    return engine.generate(settings).frames


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_replaced_is_drawn_and_what_was_not_is_not_read_again(given, reads, kind):
    engine, write = Engine("cpu"), KINDS[kind]
    settings = write(given, 0)
    first = drawn(engine, settings)
    assert reads
    reads.clear()
    assert np.array_equal(drawn(engine, settings), first) and reads == []
    assert write(given, 3) == settings
    second = drawn(engine, settings)
    assert len(reads) == 1  # and nothing of what stayed as it was
    assert not np.array_equal(second, first)
    reads.clear()
    assert np.array_equal(drawn(engine, settings), second) and reads == []
    assert np.array_equal(drawn(Engine("cpu"), settings), second)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "path", "told"),
    [
        (
            "file",
            "own.safetensors",
            "model own.safetensors is broken and cannot be loaded .*the file is cut short",
        ),
        ("lora", "lo.safetensors", "lora lo.safetensors is broken and cannot be loaded"),
        ("adapter", "sketch.safetensors", "controlnet .*sketch.safetensors is broken and cannot be loaded"),
        ("words", "Zorg.safetensors", None),
        ("folder", f"family/text-to-image/unet/{WEIGHTS}", "model .*text-to-image is broken and cannot be"),
        ("controlnet", f"control/{WEIGHTS}", "controlnet .*control is broken and cannot be loaded"),
    ],
)
def test_half_a_file_is_told_in_a_sentence_and_the_whole_one_is_drawn_by_the_next_run(
    given, kind, path, told
):
    engine, settings = Engine("cpu"), KINDS[kind](given, 0)
    first, file = drawn(engine, settings), given.folder / path
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    if told is None:  # nothing tells what it is, so its name is a word like any other
        assert not np.array_equal(drawn(engine, settings), first)
    else:
        with pytest.raises(ModelError, match=told):
            engine.generate(settings)
    file.write_bytes(whole)
    assert np.array_equal(drawn(engine, settings), first)


@pytest.mark.slow
def test_a_file_that_is_written_over_during_a_run_changes_nothing_of_it(given):
    """What is read of safetensors is the file itself, as the system shows it in memory."""
    settings = of_adapter(given, 0)
    first = drawn(Engine("cpu"), settings)

    def write_over(step: Any) -> None:
        files = [given.folder / "sketch.safetensors", *Path(given.family).rglob("*.safetensors")]
        for file in files:
            file.write_bytes(b"")

    engine = Engine("cpu")
    resolved = engine.resolve(settings)
    assert np.array_equal(np.stack(list(engine.frames(resolved, write_over))), first)


@pytest.mark.slow
def test_the_small_vae_of_previews_is_looked_at_once_a_run(given, reads):
    engine, settings = Engine("cpu"), replace(of_file(given, 0), num_inference_steps=3)

    def shown() -> np.ndarray:
        previews: list[np.ndarray] = []
        engine.generate(settings, lambda step: previews.append(engine.preview(step.latents)))
        return previews[-1]

    without = shown()
    torch.manual_seed(1)
    path = write_safetensors(given.folder / "taesd.safetensors", AutoencoderTiny().state_dict())
    first = shown()
    assert first.shape != without.shape and reads == ["model", "preview"]
    reads.clear()
    assert np.array_equal(shown(), first) and reads == []
    other_values(path, 2)
    assert not np.array_equal(shown(), first) and reads == ["preview"]
    path.unlink()
    assert np.array_equal(shown(), without)


@pytest.mark.slow
def test_the_old_ones_are_not_kept_in_memory(given):
    engine, settings = Engine("cpu"), of_controlnet(given, 0)
    engine.generate(settings)
    network = weakref.ref(engine.load_networks(settings, engine.resolve(settings).networks)[0])
    unet = weakref.ref(engine.load(given.family).unet)
    of_controlnet(given, 1)
    engine.resolve(settings)
    gc.collect()
    assert network() is None and unet() is not None
    of_folder(given, 1)
    engine.resolve(settings)
    gc.collect()
    assert unet() is None


@pytest.mark.slow
def test_files_that_are_gone_are_not_drawn_from_memory(given):
    engine, settings = Engine("cpu"), of_lora(given, 0)
    engine.generate(settings)
    (given.folder / "lo.safetensors").unlink()
    with pytest.raises(ModelError, match="lora lo.safetensors is not there"):
        engine.generate(settings)
