"""Engines on a GPU: files that are replaced, and previews by a small VAE.

On a machine without this project's own packages: ``python -m pytest tests/engine/test_engine_on_cuda.py``.
"""

import numpy as np
import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from conftest import seeded
from diffusers import AutoencoderTiny

from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.models_folder import use_models_folder

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")


@pytest.fixture
def models(tmp_path):
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


def written(folder, seed: int) -> TextToVideoSettings:
    path = write_safetensors(folder / "own.safetensors", checkpoint(parts_of_1(seed)))
    call = {"num_frames": 5, "num_inference_steps": 8, "width": 64, "height": 64, "chunk_size": 2}
    return TextToVideoSettings("a red car", model=str(path), method="paper", seed=1, **call)


def recordings(engine: Engine) -> int:
    known = engine._held.loaded.pipeline.memory.replays._known
    return sum(len(one.recordings) for one in known.values())


def test_a_replaced_file_is_drawn_and_no_old_recording_is_replayed(models):
    engine, settings = Engine("cuda"), written(models, 0)
    first = [engine.generate(settings).frames for _ in range(3)]
    assert recordings(engine) > 0
    assert written(models, 3) == settings
    second = [engine.generate(settings).frames for _ in range(3)]
    assert all(np.array_equal(one, first[0]) for one in first)
    assert all(np.array_equal(one, second[0]) for one in second)
    assert not np.array_equal(first[0], second[0])
    assert np.array_equal(Engine("cuda").generate(settings).frames, second[0])


def test_previews_by_a_small_vae_are_those_of_the_processor_and_change_no_video(models):
    settings, latents = written(models, 0), torch.randn(1, 2, 4, 8, 8, generator=seeded(1))
    before = Engine("cuda").generate(settings).frames
    torch.manual_seed(5)
    write_safetensors(models / "taesd.safetensors", AutoencoderTiny().state_dict())
    engine, previews = Engine("cuda"), []
    drawn = engine.generate(settings, lambda step: previews.append(engine.preview(step.latents)))
    assert np.array_equal(drawn.frames, before)
    assert {one.shape[1:] for one in previews} == {(64, 64, 3)}
    right = Engine("cpu")
    right.load(settings.model)
    apart = engine.preview(latents).astype(int) - right.preview(latents)
    assert np.abs(apart).max() <= 3 and recordings(engine) > 0
    assert engine._held.loaded.pipeline.notes == []
