"""keeping.py: the profile that suits free memory and the model; models loaded by it, and runs that go on."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from safetensors.torch import save_file

from t2v.checks import InputError
from t2v.commands.order import read_order
from t2v.engine import keeping
from t2v.engine.engine import Engine
from t2v.engine.keeping import Machine, chosen_profile
from t2v.failures import OutOfMemory
from t2v.memory.profiles import CPU, FP8_NOTE, HIGH, LOW, MEDIUM, Kept
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.weight_count import USUAL, count_weights

GB = 1_000_000_000
SD15 = "stable-diffusion-v1-5/stable-diffusion-v1-5"  # not here, so taken for what is usual


@pytest.fixture
def settings(model_folder) -> TextToVideoSettings:
    small = TextToVideoSettings("a red car", seed=3, num_frames=3, num_inference_steps=3, width=64, height=64)
    return replace(small, model=str(model_folder), method="paper")


@pytest.mark.parametrize(
    ("free", "profile"), [(24 * GB, HIGH), (4 * GB, HIGH), (2 * GB, MEDIUM), (1.1 * GB, LOW), (0.5 * GB, CPU)]
)
def test_auto_goes_by_what_is_free_and_the_models_size(monkeypatch, free, profile):
    monkeypatch.setattr(keeping, "free_bytes", lambda device: int(free))
    found, told = chosen_profile(SD15, "text-to-video", Machine("cuda", None))
    assert found == profile
    assert (told is None) == (profile == HIGH)
    if told is not None:
        assert told.startswith(f"The profile {profile} was chosen") and "the model has 2.1 GB" in told


def test_fp8_and_float32_change_what_fits(monkeypatch):
    monkeypatch.setattr(keeping, "free_bytes", lambda device: int(2.6 * GB))
    assert chosen_profile(SD15, "text-to-video", Machine("cuda", None))[0] == MEDIUM
    assert chosen_profile(SD15, "text-to-video", Machine("cuda", None), fp8=True)[0] == HIGH
    assert chosen_profile(SD15, "text-to-video", Machine("cuda", "float32"))[0] != HIGH


def test_auto_takes_the_processor_where_there_is_no_other_and_all_where_nothing_tells(monkeypatch):
    assert chosen_profile(SD15, "text-to-video", Machine("cpu", None)) == (CPU, None)
    monkeypatch.setattr(keeping, "free_bytes", lambda device: None)
    assert chosen_profile(SD15, "text-to-video", Machine("cuda", None)) == (HIGH, None)


def test_weights_are_counted_by_headers(model_folder, tmp_path):
    pipeline = Engine("cpu").load(str(model_folder))
    networks = (pipeline.unet, pipeline.vae, pipeline.text_encoder)
    unet, *rest = (sum(one.numel() for one in network.parameters()) for network in networks)
    assert count_weights(str(model_folder)) == (unet, sum(rest))
    parts = parts_of_1()
    file = write_safetensors(tmp_path / "one.safetensors", checkpoint(parts))
    assert count_weights(str(file)).unet == sum(one.numel() for one in parts["unet"].parameters())
    assert count_weights(SD15) == USUAL
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no header")
    assert count_weights(str(broken)) == USUAL


def test_a_model_that_does_not_fit_is_loaded_in_the_next_profile(monkeypatch, settings):
    right, real, asked = Engine("cpu").generate(settings).frames, keeping.load_pipeline, []

    def short_at_first(*told):
        asked.append(told[1])
        if len(asked) == 1:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return real(*told)

    monkeypatch.setattr(keeping, "load_pipeline", short_at_first)
    engine = Engine("cpu", profile=HIGH)
    assert np.abs(engine.generate(settings).frames.astype(int) - right).max() <= 1
    assert engine.load(settings.model).memory.profile == MEDIUM and len(asked) == 2
    notes = [note.text for note in engine.prompt_notes(settings)]
    assert any(
        "Memory ran out in the profile high, so this goes on in the profile medium" in one for one in notes
    )


def test_a_model_that_fits_nowhere_is_told_in_a_sentence(monkeypatch, settings):
    def short(*told):
        raise torch.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr(keeping, "load_pipeline", short)
    with pytest.raises(OutOfMemory, match="needs more memory than there is"):
        Engine("cpu").generate(settings)


def test_a_runs_own_profile_wins_and_the_weights_are_loaded_anew(settings):
    engine = Engine("cpu", profile=MEDIUM)
    right = engine.generate(settings).frames.astype(int)
    first = engine.load(settings.model)
    assert first.memory.profile == MEDIUM
    engine.resolve(replace(settings, profile=LOW))
    assert engine.load(settings.model).memory.profile == LOW
    assert np.abs(engine.generate(replace(settings, profile=LOW)).frames - right).max() <= 1


def test_loras_are_in_the_weights_before_these_are_stored_in_eight_bits(settings, tmp_path):
    layer = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
    made = {"lora_A": torch.full((2, 16), 0.5), "lora_B": torch.full((16, 2), 0.5)}
    file = tmp_path / "style.safetensors"
    save_file({f"unet.{layer}.{name}.weight": one for name, one in made.items()}, file)
    engine, name = Engine("cpu"), f"{settings.model}+{file}"
    whole = engine.load(name).unet.get_submodule(layer).weight.clone()
    engine.resolve(replace(settings, model=name, fp8=True))
    stored = engine.load(name).unet.get_submodule(layer).weight
    assert torch.equal(stored, whole.to(torch.float8_e4m3fn))
    plain = engine.resolve(replace(settings, fp8=True))  # out of them again, from the file
    stored = engine.load(plain.asked.model).unet.get_submodule(layer).weight
    assert not torch.equal(stored, whole.to(torch.float8_e4m3fn))
    assert [note.text for note in engine.prompt_notes(plain.asked)].count(FP8_NOTE) == 1


@pytest.mark.parametrize("profile", [HIGH, MEDIUM, LOW])
def test_controlnets_are_kept_as_the_model_is(family, square_clip, profile):
    asked = CannySettings(square_clip, "a red car", model=family, seed=1, num_inference_steps=2, num_frames=3)
    asked = replace(asked, width=64, height=64)
    right = Engine("cpu").generate(asked).frames.astype(int)
    engine = Engine("cpu", profile=profile)
    for _ in range(2):
        assert np.abs(engine.generate(asked).frames - right).max() <= 1
    (network,) = engine.load(family).memory.beside
    is_hooked = any(hasattr(one, "_diffusers_hook") for one in network.modules())
    assert is_hooked == (profile != HIGH)


def test_memory_that_runs_out_between_steps_begins_the_run_again(settings):
    engine, failed = Engine("cpu"), []
    right = engine.generate(settings).frames.astype(int)

    def run_out(step) -> None:
        if step.done == 3 and not failed:
            failed.append(True)
            torch.empty(2**60, dtype=torch.uint8)

    assert np.abs(engine.generate(settings, run_out).frames - right).max() <= 1
    assert failed and engine.load(settings.model).memory.profile == MEDIUM


def test_a_clip_is_shown_once_though_its_run_begins_again(family, square_clip):
    asked = CannySettings(square_clip, "a red car", model=family, seed=1, num_inference_steps=2, num_frames=3)
    asked, engine, seen, failed = replace(asked, width=64, height=64), Engine("cpu"), [], []
    right = engine.generate(asked).frames.astype(int)

    def run_out(step) -> None:
        if not failed:
            failed.append(True)
            torch.empty(2**60, dtype=torch.uint8)

    found = engine.generate(asked, run_out, lambda name, frames: seen.append(name)).frames
    assert np.abs(found - right).max() <= 1 and sorted(seen) == ["canny", "clip"] and failed


def test_what_names_no_profile_is_refused():
    with pytest.raises(InputError, match="profile is 'turbo'"):
        TextToVideoSettings("a car", profile="turbo").check()
    with pytest.raises(InputError, match="fp8"):
        Kept("low", "yes").check()
    with pytest.raises(InputError, match="profile"):
        Engine("cpu", profile="turbo")


def test_the_command_line_has_both_options():
    order = read_order(["text-to-video", "a car", "--profile", "low", "--fp8"])
    assert (order.settings.profile, order.settings.fp8) == ("low", True)
    assert read_order(["text-to-video", "a car"]).settings.profile == "auto"
    with pytest.raises(InputError, match="--profile is 'turbo'"):
        read_order(["text-to-video", "a car", "--profile", "turbo"])
