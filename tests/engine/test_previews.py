"""Previews by a small VAE: that of a draft, or one in the folder of models; they never touch the video."""

import gc
import json
import shutil
import weakref

import numpy as np
import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from conftest import seeded
from diffusers import AutoencoderTiny
from small_xl import small_xl_pipeline

from t2v.diffusion import latent_preview
from t2v.diffusion.latent_preview import preview
from t2v.engine.engine import Engine
from t2v.engine.previews import Previews
from t2v.jobs.queue import Jobs
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.family import STABLE_DIFFUSION, STABLE_DIFFUSION_XL
from t2v.weights.models_folder import use_models_folder

LATENTS = torch.randn(1, 2, 4, 8, 8, generator=seeded(1))


def tiny(seed: int, **changes) -> AutoencoderTiny:
    torch.manual_seed(seed)
    return AutoencoderTiny(**changes).eval()


def in_makers_names(vae: AutoencoderTiny) -> dict[str, torch.Tensor]:
    """Its decoder as its makers give it out: numbered from the clamp on, which diffusers does not count."""
    cut = ((name.split(".", 3), one) for name, one in vae.decoder.state_dict(prefix="decoder.").items())
    return {f"{int(number) + 1}.{rest}": one for (_, _, number, rest), one in cut}


def decoded(vae: AutoencoderTiny, latents: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        pictures = vae.decode(latents[0]).sample
    return ((pictures / 2 + 0.5).clamp(0, 1) * 255).round().permute(0, 2, 3, 1).numpy()


def settings(model, **more) -> TextToVideoSettings:
    asked = {"num_frames": 2, "width": 64, "height": 64, "num_inference_steps": 3, "seed": 1}
    return TextToVideoSettings("a red car", model=str(model), **{**asked, **more})


def seen_by(engine: Engine, asked: TextToVideoSettings) -> tuple[np.ndarray, list[np.ndarray]]:
    """The video, and the previews of its steps."""
    previews = []
    video = engine.generate(asked, lambda step: previews.append(engine.preview(step.latents)))
    return video.frames, previews


def notes(engine: Engine, asked: TextToVideoSettings) -> list[str]:
    return [note.text for note in engine.prompt_notes(asked)]


@pytest.fixture(scope="module")
def sd(tmp_path_factory):
    """A checkpoint of Stable Diffusion 1.x."""
    folder = tmp_path_factory.mktemp("sd")
    return write_safetensors(folder / "model.safetensors", checkpoint(parts_of_1()))


@pytest.fixture(scope="module")
def xl(tmp_path_factory):
    folder = tmp_path_factory.mktemp("xl") / "model"
    small_xl_pipeline().save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(
        json.dumps({**index, "_class_name": "StableDiffusionXLPipeline"})
    )
    return folder


@pytest.fixture
def models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    use_models_folder(folder)
    yield folder
    use_models_folder(None)


def test_drafts_are_shown_by_their_own_decoder(sd, tmp_path):
    vae = tiny(4)
    file = write_safetensors(tmp_path / "taesd.safetensors", vae.state_dict())
    engine = Engine("cpu")
    engine.load(f"{sd}+{file}")
    shown = engine.preview(LATENTS)
    assert shown.shape == (2, 64, 64, 3) and shown.dtype == np.uint8
    assert np.abs(shown - decoded(vae, LATENTS)).max() <= 1
    frames, previews = seen_by(engine, settings(f"{sd}+{file}"))
    # the last step's picture is the video's own, to what the sampler's last step changes of it
    assert np.abs(previews[-1].astype(int) - frames).mean() < 1


def test_models_are_shown_by_the_small_vae_of_their_family_and_draw_as_ever(sd, xl, models):
    by_matrix = {model: seen_by(Engine("cpu"), settings(model)) for model in (sd, xl)}
    of = {sd: tiny(5), xl: tiny(6)}
    write_safetensors(models / "vae_approx/taesd.safetensors", of[sd].state_dict())
    write_safetensors(models / "vae_approx/TAESDXL.safetensors", of[xl].state_dict())
    engine = Engine("cpu")
    for model, vae in of.items():
        frames, previews = seen_by(engine, settings(model))
        before, rough = by_matrix[model]
        assert np.array_equal(frames, before)  # to the bit
        assert [one.shape for one in rough] == [(len(one), 8, 8, 3) for one in rough]
        assert [one.shape for one in previews] == [(len(one), 64, 64, 3) for one in rough]
        assert np.abs(engine.preview(LATENTS) - decoded(vae, LATENTS)).max() <= 1
        assert notes(engine, settings(model)) == notes(Engine("cpu"), settings(model))


def test_only_its_own_family_s_will_do(sd, models):
    write_safetensors(models / "sdxl" / "taesd.safetensors", tiny(6).state_dict())  # by its folder
    write_safetensors(models / "taesd3.safetensors", tiny(7, latent_channels=16).state_dict())
    engine = Engine("cpu")
    engine.load(str(sd))
    assert np.array_equal(engine.preview(LATENTS), preview(LATENTS, STABLE_DIFFUSION.preview))
    assert engine._held.loaded.pipeline.notes == []


@pytest.mark.parametrize("kind", ["folder", "makers", "pickle"])
def test_every_form_that_it_is_given_out_in(sd, models, kind):
    vae = tiny(8)
    if kind == "folder":
        vae.save_pretrained(models / "small" / "taesd")
    elif kind == "makers":
        write_safetensors(models / "taesd_decoder.safetensors", in_makers_names(vae))
    else:
        torch.save(in_makers_names(vae), models / "taesd_decoder.pth")
    engine = Engine("cpu")
    engine.load(str(sd))
    assert np.abs(engine.preview(LATENTS) - decoded(vae, LATENTS)).max() <= 1
    assert engine._held.loaded.pipeline.notes == []


def test_what_cannot_be_read_leaves_the_matrix_and_is_told_once(sd, models):
    whole = write_safetensors(models / "taesd.safetensors", tiny(9).state_dict())
    whole.write_bytes(whole.read_bytes()[:-1000])
    engine, asked = Engine("cpu"), settings(sd)
    frames, previews = seen_by(engine, asked)
    assert np.array_equal(frames, Engine("cpu").generate(asked).frames) and len(previews) > 2
    assert {one.shape[1:] for one in previews} == {(8, 8, 3)}
    assert np.array_equal(engine.preview(LATENTS), preview(LATENTS, STABLE_DIFFUSION.preview))
    (told,) = [note for note in notes(engine, asked) if "revie" in note]
    assert told.startswith("Previews stay rough, as vae taesd.safetensors ") and told.endswith(".")


@pytest.mark.parametrize("kind", ["lacks one", "other shape", "breaks"])
def test_others_that_fail_never_fail_a_run(sd, models, kind, monkeypatch):
    if kind == "lacks one":
        state = tiny(9).state_dict()
        del state["decoder.layers.3.conv.0.weight"]
        write_safetensors(models / "taesd.safetensors", state)
        why = "but not the one of Stable Diffusion with its decoder; choose taesd or taesdxl."
    elif kind == "other shape":
        tiny(9, latent_channels=16).save_pretrained(models / "taesd")
        why = "fetch it again."
    else:
        write_safetensors(models / "taesd.safetensors", tiny(9).state_dict())

        def breaks(*_):
            raise torch.OutOfMemoryError("no room")

        monkeypatch.setattr(latent_preview, "decoded_frame", breaks)
        why = "vae taesd.safetensors cannot be used for them (no room); fetch it again."
    engine, asked = Engine("cpu"), settings(sd)
    frames, previews = seen_by(engine, asked)
    assert len(frames) == 2 and {one.shape[1:] for one in previews} == {(8, 8, 3)}
    told = engine._held.loaded.pipeline.notes
    assert (
        len(told) == 1 and told[0].startswith("Previews stay rough, as vae taesd") and told[0].endswith(why)
    )


def test_a_card_that_knows_its_latents_keeps_its_matrix(model_folder, models, tmp_path):
    write_safetensors(models / "taesd.safetensors", tiny(9).state_dict())
    folder, rows = shutil.copytree(model_folder, tmp_path / "own"), STABLE_DIFFUSION_XL.preview
    (folder / "miniature.json").write_text(json.dumps({"preview": rows}))
    engine = Engine("cpu")
    engine.load(str(folder))
    assert np.array_equal(engine.preview(LATENTS), preview(LATENTS, rows))
    engine.load("miniature")  # whose own VAE is of the class
    assert engine.preview(LATENTS).shape == (2, 8, 8, 3)


def test_it_is_read_once_in_the_run_s_precision_and_a_frame_at_a_time(sd, models, monkeypatch):
    write_safetensors(models / "taesd.safetensors", tiny(9).state_dict())
    reads, given = [], []
    real = Previews._chosen
    monkeypatch.setattr(Previews, "_chosen", lambda self, loaded: reads.append(1) or real(self, loaded))
    engine = Engine("cpu", "bfloat16")
    engine.load(str(sd))
    engine.preview(LATENTS)
    vae = engine._previews._vae
    assert vae.encoder is None and {one.dtype for one in vae.parameters()} == {torch.bfloat16}
    assert sum(one.numel() * one.itemsize for one in vae.parameters()) < 3_000_000
    vae.decoder.register_forward_hook(lambda network, args, out: given.append(tuple(args[0].shape)))
    engine.preview(LATENTS)
    assert reads == [1] and given == [(1, 4, 8, 8)] * 2


def test_a_model_that_goes_is_not_kept_for_its_previews(sd, xl):
    engine = Engine("cpu")
    pipeline = weakref.ref(engine.load(str(sd)))
    engine.preview(LATENTS)
    engine.load(str(xl))
    gc.collect()
    assert pipeline() is None


def test_the_queue_shows_them_small(sd, models, tmp_path):
    """Of a long video some frames, of a large one smaller ones."""
    write_safetensors(models / "taesd.safetensors", tiny(9).state_dict())
    jobs = Jobs(Engine("cpu"), tmp_path / "videos")
    try:
        shapes = set()
        job_id = jobs.submit(settings(sd, width=64, height=320, num_frames=20, method="paper"))
        while not (view := jobs.follow(job_id)).finished:
            shapes |= set() if view.preview is None else {view.preview.shape}
        assert view.error is None and view.output is not None
    finally:
        jobs.close()
    assert shapes and shapes <= {(1, 256, 51, 3), (16, 256, 51, 3)}
