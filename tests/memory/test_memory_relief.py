"""Runs in which memory runs out or numbers do, at any place: they go on, and the picture is what it was."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.conditions import Control
from t2v.diffusion.options import Motion
from t2v.failures import OutOfMemory, is_out_of_memory
from t2v.memory.profiles import CPU, HIGH, LOW, MEDIUM

ALL = (HIGH, MEDIUM, LOW, CPU)
TOO_LARGE = 2**60  # bytes: torch's own allocator refuses them


def kept(profile: str, dtype: torch.dtype = torch.float32):
    pipeline = small_pipeline().to(dtype)
    pipeline.memory.place(profile, "cpu")
    return pipeline


def draw(pipeline, told=None) -> torch.Tensor:
    call = {"num_frames": 6, "num_inference_steps": 5, "height": 32, "width": 32, "generator": seeded()}
    return pipeline("a cat", motion=Motion(8, 4), on_step=None if told is None else told.append, **call)


@contextmanager
def before_each_call(network: torch.nn.Module, hook):
    handle = network.register_forward_pre_hook(lambda _, given: hook(given))
    try:
        yield
    finally:
        handle.remove()


@contextmanager
def after_each_call(network: torch.nn.Module, hook):
    handle = network.register_forward_hook(lambda _, given, made: hook(made))
    try:
        yield
    finally:
        handle.remove()


def no_gpu_memory():
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


def no_cpu_memory():
    torch.empty(TOO_LARGE, dtype=torch.uint8)  # DefaultCPUAllocator: can't allocate memory


def no_mps_memory():
    raise RuntimeError("MPS backend out of memory (MPS allocated: 17.50 GB)")


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("run_out", [no_gpu_memory, no_cpu_memory, no_mps_memory])
def test_chunks_become_smaller_and_no_step_is_told_twice(profile, run_out):
    right, pipeline, told = draw(kept(HIGH)), kept(profile), []

    def too_many(given) -> None:
        if len(given[0]) > 2:  # one frame, with and without the prompt
            run_out()

    with before_each_call(pipeline.unet, too_many):
        assert torch.equal(draw(pipeline, told), right)
    assert [step.done for step in told] == list(range(1, told[-1].total + 1))
    assert pipeline.memory.profile == profile and pipeline.notes == []


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("calls", [1, 2, 3])
def test_a_step_goes_on_in_the_next_profile_from_the_latents_it_had(profile, calls):
    right, pipeline, told, made = draw(kept(HIGH)), kept(profile), [], []

    def run_out(given) -> None:
        made.append(len(given[0]))
        if len(made) > calls and pipeline.memory.profile in (HIGH, CPU, MEDIUM):
            no_gpu_memory()

    with before_each_call(pipeline.unet, run_out):
        assert torch.equal(draw(pipeline, told), right)
    assert [step.done for step in told] == list(range(1, told[-1].total + 1))
    assert pipeline.memory.profile == LOW
    assert len(pipeline.notes) == {HIGH: 2, CPU: 2, MEDIUM: 1, LOW: 0}[profile]
    assert all("Memory ran out in the profile" in note for note in pipeline.notes)


@pytest.mark.parametrize("profile", ALL)
def test_where_nothing_helps_one_sentence_names_what_to_lower(profile):
    pipeline = kept(profile)
    right = draw(pipeline)
    with (
        before_each_call(pipeline.unet, lambda _: no_gpu_memory()),
        pytest.raises(OutOfMemory, match="also a frame at a time and in the profile low; lower the size or"),
    ):
        draw(pipeline)
    assert torch.equal(draw(pipeline), right)  # and the model is as usable as before


@pytest.mark.parametrize("profile", ALL)
def test_a_run_with_controlnets_goes_on_too(profile):
    pictures = np.random.default_rng(0).integers(0, 256, (4, 32, 32, 3), np.uint8)

    def guided(pipeline, network):
        pipeline.memory.place_beside((network,))
        call = {"num_inference_steps": 3, "generator": seeded()}
        return pipeline.guided("a cat", controls=[Control(network, pictures)], **call)

    right, pipeline, network = guided(kept(HIGH), small_controlnet()), kept(profile), small_controlnet()

    def run_out(given) -> None:
        if len(given[0]) > 2 or pipeline.memory.profile != LOW:
            no_gpu_memory()

    with before_each_call(network, run_out):
        assert torch.equal(guided(pipeline, network), right)


@pytest.mark.parametrize("profile", ALL)
def test_frames_that_were_decoded_are_not_lost(profile):
    pipeline, calls = kept(profile), []
    latents = torch.randn(1, 4, 4, 8, 8, generator=seeded(1))
    right = np.stack(list(kept(HIGH).decode(latents))).astype(int)

    def run_out(given) -> None:
        calls.append(pipeline.memory.profile)
        if len(calls) > 2 and pipeline.memory.profile != LOW:
            no_cpu_memory()

    with before_each_call(pipeline.vae.decoder, run_out):
        found = np.stack(list(pipeline.decode(latents))).astype(int)
    assert np.abs(found - right).max() <= 1
    assert calls[-2:] == [LOW, LOW] and len(calls) == 4 + len(pipeline.notes)  # each failed frame once more


@pytest.mark.parametrize("part", ["text_encoder", "vae.encoder"])
def test_texts_and_pictures_are_encoded_again(part):
    pipeline, failed = kept(HIGH), []
    clip = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    right, encoded = draw(pipeline), pipeline.encode(clip)

    def run_out(given) -> None:
        if not failed:
            failed.append(True)
            no_gpu_memory()

    with before_each_call(_at(pipeline, part), run_out):
        assert torch.equal(draw(pipeline), right)
        assert (pipeline.encode(clip) - encoded).abs().max() < 1e-4
    assert failed and pipeline.memory.profile == MEDIUM


def _at(pipeline, path: str) -> torch.nn.Module:
    part, _, rest = path.partition(".")
    return getattr(pipeline, part).get_submodule(rest)


@pytest.mark.parametrize("profile", ALL)
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("step", [0, 3])
def test_half_precision_that_overflows_goes_on_in_float32(profile, value, step):
    undisturbed, pipeline, told = draw(kept(HIGH, torch.float16)), kept(profile, torch.float16), []

    def overflow(made) -> None:
        if len(told) >= step and pipeline.unet.dtype == torch.float16:
            made.sample[0, 0, 0, 0] = value

    with after_each_call(pipeline.unet, overflow):
        found = draw(pipeline, told)
    assert (found - undisturbed).abs().max() < 0.02 * undisturbed.abs().max()  # half precision's own error
    assert [step.done for step in told] == list(range(1, told[-1].total + 1))
    assert (
        len(pipeline.notes) == 1 and "overflow in float16, so they are used in float32" in pipeline.notes[0]
    )
    assert pipeline.unet.dtype == torch.float16
    assert torch.equal(draw(pipeline), undisturbed)  # no weight has changed


@pytest.mark.parametrize("profile", ALL)
def test_in_float32_no_numbers_end_the_run_at_that_step(profile):
    pipeline, told = kept(profile), []

    def fail(made) -> None:
        if len(told) == 3:
            made.sample[:] = float("nan")

    with after_each_call(pipeline.unet, fail), pytest.raises(InputError, match="no numbers .* in float32"):
        draw(pipeline, told)
    assert len(told) == 3


def test_a_text_encoder_that_overflows_is_used_in_float32():
    undisturbed, pipeline = draw(kept(HIGH, torch.float16)), kept(HIGH, torch.float16)

    def overflow(made) -> None:
        if pipeline.text_encoder.dtype == torch.float16:
            made.last_hidden_state[0, 0, 0] = float("inf")

    with after_each_call(pipeline.text_encoder, overflow):
        found = draw(pipeline)
    assert (found - undisturbed).abs().max() < 0.02 * undisturbed.abs().max()
    assert pipeline.text_encoder.dtype == torch.float16 and len(pipeline.notes) == 1


def test_what_is_no_lack_of_memory_passes():
    pipeline = kept(HIGH)

    def fail(given) -> None:
        raise RuntimeError("a kernel failed")

    with before_each_call(pipeline.unet, fail), pytest.raises(RuntimeError, match="a kernel failed"):
        draw(pipeline)
    assert is_out_of_memory(OutOfMemory("a sentence"))
