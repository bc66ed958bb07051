"""A small VAE for drafts behind a model's name: its own pictures, the model's latents, and a note of it."""

import numpy as np
import pytest
import torch
from checkpoint_files import assert_same, checkpoint, parts_of_1, small_vae, write_safetensors
from conftest import seeded
from diffusers import AutoencoderTiny

from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.load import load_pipeline
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_vae
from t2v.weights.single_file.draft_vae import NOTE

FACTOR = 0.18215


@pytest.fixture(scope="module")
def tiny():
    torch.manual_seed(4)
    return AutoencoderTiny().eval()


@pytest.fixture(scope="module")
def files(tiny, tmp_path_factory):
    folder = tmp_path_factory.mktemp("drafts")
    model = write_safetensors(folder / "model.safetensors", checkpoint(parts_of_1()))
    return model, write_safetensors(folder / "taesd.safetensors", tiny.state_dict())


def test_it_is_known_by_its_header_and_loads_exactly(files, tiny, model_folder):
    model, vae = files
    assert check_vae(vae).words == "a VAE of TAESD's kind"
    for name in (model, model_folder):
        pipeline = load_pipeline(f"{name}+{vae}", "cpu", torch.float32)
        assert_same(pipeline.vae, tiny)
        assert pipeline.vae.config.scaling_factor == pytest.approx(FACTOR)
        assert pipeline.notes == [NOTE]


def test_it_decodes_and_encodes_what_unets_know(files, tiny):
    """To TAESD latents are as a UNet has them, and to whoever encodes without the factor, as of others."""
    pipeline = load_pipeline("+".join(map(str, files)), "cpu", torch.float32)
    latents = torch.randn(1, 2, 4, 8, 8, generator=seeded(1))
    (first, _) = pipeline.decode(latents)
    with torch.inference_mode():
        wanted = tiny.decode(latents[0, :1]).sample[0]
    shown = ((wanted / 2 + 0.5).clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0)
    assert np.abs(first.astype(int) - shown.numpy()).max() <= 1
    picture = np.random.default_rng(2).integers(0, 256, (1, 64, 64, 3), np.uint8)
    with torch.inference_mode():
        seen = tiny.encode(torch.from_numpy(picture).permute(0, 3, 1, 2) / 127.5 - 1).latents
    assert torch.allclose(pipeline.encode(picture) * FACTOR, seen, atol=1e-4)


def test_videos_are_drawn_with_it_and_say_so(files):
    engine, name = Engine("cpu"), "+".join(map(str, files))
    asked = TextToVideoSettings(
        "a red car", model=name, num_frames=2, width=64, height=64, num_inference_steps=3, seed=1
    )
    assert engine.generate(asked).frames.shape == (2, 64, 64, 3)
    assert NOTE in [note.text for note in engine.prompt_notes(asked)]


def test_others_of_its_kind_are_refused(files, tiny, tmp_path):
    half = {name: one for name, one in tiny.state_dict().items() if name.startswith("decoder.")}
    wide = AutoencoderTiny(latent_channels=16).state_dict()
    first = {name: one for name, one in tiny.state_dict().items() if name.startswith("encoder.")}
    own = {"1.weight": half["decoder.layers.0.weight"], "3.conv.0.weight": torch.zeros(64, 64, 3, 3)}
    for number, state in enumerate((half, first, wide, own)):
        path = write_safetensors(tmp_path / f"{number}.safetensors", state)
        with pytest.raises(ModelError, match="not the one of Stable Diffusion with both its halves"):
            load_pipeline(f"{files[0]}+{path}", "cpu", torch.float32)
    own = write_safetensors(tmp_path / "own.safetensors", small_vae().state_dict())
    with pytest.raises(ModelError, match="two VAEs behind it"):
        load_pipeline(f"{files[0]}+{files[1]}+{own}", "cpu", torch.float32)
