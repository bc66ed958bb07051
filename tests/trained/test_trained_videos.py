"""Trained video models of every kind: drawn as diffusers' own pipelines draw them, stopped, refused, kept."""

import json
import shutil
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import seeded
from safetensors.torch import load_file, save_file
from small_videos import SMALL, saved, small_cogvideox, small_wan

from t2v.checks import InputError
from t2v.diffusion.progress import Cancelled
from t2v.engine.check_weights import check_weights
from t2v.engine.engine import Engine
from t2v.failures import OutOfMemory
from t2v.memory.profiles import CPU, FP8_NOTE, LOW, MEDIUM
from t2v.tasks import settings_of
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.presets import preset, with_preset
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.trained.asked import HEEDED
from t2v.weights.refusals import ModelError

KINDS = tuple(SMALL)
CALL = {"width": 96, "height": 64, "num_frames": 9, "num_inference_steps": 3, "guidance_scale": 6.0}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> dict[str, str]:
    root = tmp_path_factory.mktemp("video-models")
    return {name: saved(make(), root / name) for name, make in SMALL.items()}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


def asked(model: str, **changes) -> TextToVideoSettings:
    return TextToVideoSettings("a red car", **{"model": model, "seed": 1, **CALL, **changes})


def by_diffusers(pipeline, **changes) -> np.ndarray:
    """uint8 frames of diffusers' own pipeline, called as people call it."""
    given = {**CALL, "negative_prompt": "blurry", "generator": seeded(1), "output_type": "np", **changes}
    return (pipeline("a red car", **given).frames[0] * 255).round().astype(np.uint8)


def far(one: np.ndarray, other: np.ndarray) -> int:
    assert one.shape == other.shape
    return int(np.abs(one.astype(int) - other.astype(int)).max())


@pytest.mark.parametrize("kind", KINDS)
def test_videos_are_those_of_diffusers_own_pipeline(engine, folders, kind):
    told = []
    settings = asked(folders[kind], negative_prompt="blurry")
    video = engine.generate(settings, told.append)
    right = by_diffusers(SMALL[kind]())
    assert far(video.frames, right) <= 1 and right.std() > 5
    assert [(step.done, step.total) for step in told] == [(1, 3), (2, 3), (3, 3)]
    assert told[-1].fraction == 1 and told[0].time > told[-1].time
    for step in told:
        seen = engine.preview(step.latents)
        assert seen.dtype == np.uint8 and seen.shape == (step.latents.shape[1], 8, 12, 3) and seen.std() > 10
    assert far(engine.generate(settings).frames, video.frames) == 0
    other = engine.generate(replace(settings, seed=2)).frames
    assert far(other, video.frames) > 20
    without = engine.generate(replace(settings, guidance_scale=1.0)).frames
    assert far(without, by_diffusers(SMALL[kind](), guidance_scale=1.0)) <= 1


def test_frames_that_cogvideox_groups_in_pairs_are_those_of_diffusers(engine, tmp_path):
    model = saved(small_cogvideox(newer=True), tmp_path / "newer")
    video = engine.generate(asked(model, negative_prompt="blurry"))
    assert far(video.frames, by_diffusers(small_cogvideox(newer=True))) <= 1


def test_two_networks_of_wan_draw_early_and_late_steps(engine, tmp_path):
    def both():
        pipeline, second = small_wan(), small_wan().transformer
        with torch.no_grad():
            second.proj_out.weight.mul_(-1)
        pipeline.register_modules(transformer_2=second)
        pipeline.register_to_config(boundary_ratio=0.8)
        return pipeline

    model = saved(both(), tmp_path / "two")
    video = engine.generate(asked(model, negative_prompt="blurry"))
    assert far(video.frames, by_diffusers(both())) <= 1
    assert far(video.frames, by_diffusers(small_wan())) > 10


@pytest.mark.parametrize(("kind", "frames", "drawn"), [
    ("modelscope", 3, 3), ("cogvideox", 1, 1), ("cogvideox", 8, 9), ("cogvideox", 10, 17), ("wan", 6, 9),
])  # fmt: skip
def test_a_video_has_the_frames_that_are_asked_for(engine, folders, kind, frames, drawn):
    settings = asked(folders[kind], num_frames=frames)
    resolved = engine.resolve(settings)
    assert (resolved.num_frames, resolved.drawn) == (frames, drawn)
    video = engine.generate(settings)
    assert video.frames.shape == (frames, 64, 96, 3)
    if drawn != frames:
        right = by_diffusers(SMALL[kind](), num_frames=drawn, negative_prompt="")
        assert far(video.frames, right[:frames]) <= 1
    notes = [note.text for note in engine.prompt_notes(settings)]
    assert any(f"so it draws {drawn} and the last" in text for text in notes) == (drawn != frames)
    assert "its motion is its own, and it was made for" in notes[0]


def test_what_is_left_open_is_what_the_model_was_made_for(engine, folders):
    resolved = engine.resolve(TextToVideoSettings("a dog", model=folders["cogvideox"]))
    assert (resolved.width, resolved.height, resolved.num_inference_steps) == (96, 64, 50)
    assert (resolved.guidance_scale, resolved.scheduler, resolved.upscale) == (6.0, None, 1)
    filled = resolved.filled()
    assert filled.seed == resolved.seed and filled.motion_x is None and filled.scheduler is None
    engine.resolve(filled)
    assert engine.resolve(TextToVideoSettings("a dog", model=folders["wan"])).size == (832, 480)


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_is_stopped_at_a_step_and_the_next_one_is_whole(engine, folders, kind):
    settings, told = asked(folders[kind]), []
    right = engine.generate(settings).frames

    def stop(step) -> None:
        told.append(step.done)
        if step.done == 2:
            raise Cancelled

    with pytest.raises(Cancelled):
        engine.generate(settings, stop)
    assert told == [1, 2]
    assert far(engine.generate(settings).frames, right) == 0


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_give_no_numbers_are_told(engine, folders, kind, tmp_path):
    broken = shutil.copytree(folders[kind], tmp_path / "broken")
    part = "unet" if kind == "modelscope" else "transformer"
    file = broken / part / "diffusion_pytorch_model.safetensors"
    save_file({name: one.fill_(float("nan")) for name, one in load_file(file).items()}, file)
    with pytest.raises(
        InputError, match=f"^model .*broken holds weights that are no numbers .NaN. in its (?i:{part}), so"
    ):
        engine.generate(asked(str(broken)))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", [MEDIUM, LOW, CPU])
def test_profiles_never_change_a_video(engine, folders, kind, profile):
    settings = asked(folders[kind])
    right = engine.generate(settings).frames
    kept = Engine("cpu", profile=profile)
    assert far(kept.generate(settings).frames, right) <= 1
    assert kept.load(folders[kind]).memory.profile == profile


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("part", ["unet", "vae"])
def test_where_memory_runs_out_a_run_goes_on_in_the_next_profile(folders, kind, part):
    settings = asked(folders[kind])
    right, engine = Engine("cpu").generate(settings).frames, Engine("cpu")
    pipeline, calls = engine.load(folders[kind]), []
    network = pipeline._networks()[part]
    layer = next(
        one
        for one in reversed(list(network.modules()))
        if isinstance(one, torch.nn.Conv3d | torch.nn.Conv2d | torch.nn.Linear)
    )

    def once(*_):
        calls.append(1)
        if len(calls) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")

    handle = layer.register_forward_pre_hook(once)
    assert far(engine.generate(settings).frames, right) <= 1
    handle.remove()
    assert len(calls) > 1 and pipeline.memory.profile == MEDIUM
    assert any("Memory ran out in the profile cpu" in note for note in pipeline.notes)
    layer.register_forward_pre_hook(lambda *_: calls.clear() or once())
    with pytest.raises(OutOfMemory, match="lower the size or the number of frames"):
        engine.generate(settings)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_draws_nearly_the_same(engine, folders, kind, dtype):
    settings = asked(folders[kind])
    right, half = engine.generate(settings).frames, Engine("cpu", dtype=dtype).generate(settings).frames
    assert np.abs(half.astype(int) - right).mean() < 4 and right.std() > 10


def test_eight_bits_change_a_video_and_that_is_told(engine, folders):
    settings = asked(folders["cogvideox"])
    eight, right = engine.generate(replace(settings, fp8=True)).frames, engine.generate(settings).frames
    assert far(eight, right) > 0 and np.abs(eight.astype(int) - right).mean() < 8
    engine.generate(replace(settings, fp8=True))
    assert FP8_NOTE in [note.text for note in engine.prompt_notes(settings)]


REFUSED = {
    "motion_x": 4.0, "motion_y": 1.0, "move": "subject", "subject": "car", "background_x": 2.0,
    "background_y": 2.0, "motion_path": "arc", "zoom": 1.02, "turn": 2.0, "method": "paper", "t0": 800,
    "t1": 900,    "motion_field": False, "warp": "reference", "smooth_bg": 0.5, "action": "dance",
    "motion": "camera: 0: 0 0 1 0 | 8: 40 0 1 0", "painted": "0 0 1 1", "first_frame": "/a/picture.png",
    "strength": 0.5, "skip_first_frame": True, "scheduler": "ddim", "spacing": "trailing",
    "cross_frame_attention": False,
}  # fmt: skip


def test_fields_are_heeded_or_refused():
    names = {one.name for one in fields(TextToVideoSettings)}
    assert names >= HEEDED and REFUSED.keys() <= names - HEEDED


@pytest.mark.parametrize("field", REFUSED)
def test_what_says_nothing_to_such_a_model_is_refused(folders, field):
    with pytest.raises(InputError) as refused:
        check_weights(asked(folders["wan"], **{field: REFUSED[field]}))
    assert str(refused.value).startswith(f"{field} is ")
    assert "is a trained video model (Wan), which does not know it" in str(refused.value)


def test_more_that_is_refused_in_one_sentence(engine, folders):
    model = folders["cogvideox"]
    for settings, sentence in (
        (asked(model, width=88), "width is 88, and CogVideoX draws multiples of 16; choose 80 or 96."),
        (replace(asked(model), prompt="0: a car | 8: a dog"), "prompt changes over time, and model"),
        (
            CannySettings("a car", "clip.mp4", model=model),
            "which draws from a prompt alone; choose another model",
        ),
        (Pix2PixVideoSettings("make it red", "clip.mp4", model=model), "which draws from a prompt alone"),
        (asked(f"{model}+style@0.5"), "takes no LoRA and no other VAE here; leave out +style."),
    ):
        with pytest.raises(InputError, match="trained video model|multiples") as refused:
            check_weights(settings)
        assert sentence in str(refused.value) and str(refused.value).count(". ") == 0
    with pytest.raises(InputError, match="multiples of 16"):
        engine.resolve(asked(model, height=72))


def test_presets_are_steps_alone(folders):
    model = folders["wan"]
    assert {name: preset(model, name)["num_inference_steps"] for name in ("draft", "standard", "best")} == {
        "draft": 25, "standard": None, "best": 100,
    }  # fmt: skip
    assert {one for name, one in preset(model, "draft").items() if name != "num_inference_steps"} == {None}
    check_weights(with_preset(asked(model), "best"))
    with pytest.raises(InputError, match="preset is paper, and model .* motion is its own"):
        preset(model, "paper")


def changed(folder: str, to: Path, file: str, **values) -> str:
    """A copy of a model of which a file says something else."""
    copy = Path(shutil.copytree(folder, to))
    told = json.loads((copy / file).read_text())
    (copy / file).write_text(json.dumps({**told, **values}))
    return str(copy)


@pytest.mark.parametrize(("file", "values", "sentence"), [
    ("model_index.json", {"vae": ["evil", "AutoencoderKLWan"]}, "code of its own (evil), which is not run"),
    ("model_index.json", {"vae": ["diffusers", "AutoencoderKL"]}, "vae of another kind (AutoencoderKL)"),
    ("model_index.json", {"scheduler": ["diffusers", "FlaxDDIMScheduler"]}, "a scheduler of another kind"),
    ("model_index.json", {"text_encoder": [None, None]}, "has no text_encoder; give a whole model of Wan."),
    ("transformer/config.json", {"text_dim": 8}, "cannot be loaded"),
    ("transformer/config.json", {"num_layers": 2}, "missing tensor"),
    ("transformer/config.json", {"num_layers": 10**6}, "impossible num_layers in its folder transformer"),
])  # fmt: skip
def test_folders_that_do_not_fit_are_refused(engine, folders, tmp_path, file, values, sentence):
    model = changed(folders["wan"], tmp_path / "odd", file, **values)
    with pytest.raises(ModelError) as refused:
        engine.generate(asked(model))
    assert sentence in str(refused.value)


def test_parts_of_other_models_and_lost_words_are_refused(engine, folders, tmp_path):
    mixed = Path(shutil.copytree(folders["wan"], tmp_path / "mixed"))
    pipeline = small_wan()
    type(pipeline.transformer).from_config({**pipeline.transformer.config, "text_dim": 24}).save_pretrained(
        mixed / "transformer"
    )
    with pytest.raises(ModelError, match="takes 24 numbers for each word, and it is given 16"):
        engine.generate(asked(str(mixed)))
    lost = Path(shutil.copytree(folders["cogvideox"], tmp_path / "lost"))
    (lost / "tokenizer" / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="has no vocabulary in its folder tokenizer; fetch it again."):
        engine.generate(asked(str(lost)))
    shutil.rmtree(lost / "vae")
    with pytest.raises(ModelError, match="has no folder vae; fetch it again."):
        check_weights(asked(str(lost)))


def test_an_engine_goes_from_one_sort_of_model_to_another(engine, folders, model_folder):
    settings = asked(folders["modelscope"], num_frames=3)
    right = engine.generate(settings).frames
    pictures = TextToVideoSettings(
        "a cat", model=str(model_folder), seed=1, num_frames=2, num_inference_steps=2
    )
    engine.generate(pictures)
    assert engine.has_loaded(str(model_folder)) and not engine.has_loaded(folders["modelscope"])
    assert far(engine.generate(settings).frames, right) == 0


def test_the_first_frame_is_drawn_alone_and_settings_come_back(engine, folders):
    settings = asked(folders["wan"])
    resolved = engine.resolve(settings)
    assert far(engine.still(resolved), engine.generate(settings).frames[0]) == 0
    again = settings_of({"task": "text-to-video", **resolved.filled().__dict__})
    assert again == resolved.filled()
