"""pictures.py: what overflows or is no number becomes a sentence or a right picture, never a black one."""

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.controls import Control

LATENTS = torch.randn(1, 3, 4, 8, 8, generator=seeded(1))


def small(dtype: torch.dtype, **scaled: float):
    """A small pipeline, some of the VAE's layers scaled; the group norms behind them take it back."""
    pipeline = small_pipeline()
    for path, by in scaled.items():
        layer = pipeline.vae.get_submodule(path.replace("__", "."))
        with torch.no_grad():
            layer.weight *= by
            layer.bias *= by
    return pipeline.to(dtype)


def frames(pipeline) -> np.ndarray:
    return np.stack(list(pipeline.decode(LATENTS))).astype(int)


def test_a_vae_that_overflows_in_half_precision_decodes_in_float32_and_says_so(caplog):
    overflows = {"decoder__conv_in": 3e5}
    right = frames(small(torch.float32, **overflows))
    assert right.std() > 5
    pipeline = small(torch.float16, **overflows)
    before = {name: tensor.clone() for name, tensor in pipeline.vae.state_dict().items()}
    for _ in range(2):  # and again, the same
        assert np.abs(frames(pipeline) - right).max() <= 2
    assert pipeline.notes == [one.message for one in caplog.records if one.name.startswith("t2v")]  # once
    assert "VAE overflows in float16, so it is used in float32" in pipeline.notes[0]
    for name, tensor in pipeline.vae.state_dict().items():
        assert torch.equal(tensor, before[name]) and tensor.dtype == torch.float16
    assert small(torch.float32, **overflows).notes == []
    bfloat16 = small(torch.bfloat16, **overflows)  # whose largest number is float32's
    assert np.abs(frames(bfloat16) - right).max() <= 8 and bfloat16.notes == []


def test_a_run_that_is_left_midway_leaves_the_vae_as_it_was():
    pipeline = small(torch.float16, decoder__conv_in=3e5)
    decoding = pipeline.decode(LATENTS)
    next(decoding)
    assert pipeline.vae.dtype == torch.float32
    decoding.close()
    assert pipeline.vae.dtype == torch.float16


def test_a_clip_is_encoded_in_float32_where_half_precision_overflows():
    overflows = {"encoder__conv_in": 3e5}
    clip = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), np.uint8)
    right = small(torch.float32, **overflows).encode(clip)
    pipeline = small(torch.float16, **overflows)
    found = pipeline.encode(clip)
    assert found.dtype == torch.float32 and (found - right).abs().max() < 0.02
    assert len(pipeline.notes) == 1


def broken(part: str, value: float, dtype: torch.dtype = torch.float32):
    pipeline = small_pipeline()
    layer = {"unet": pipeline.unet.conv_out, "vae": pipeline.vae.decoder.conv_out}[part]
    with torch.no_grad():
        layer.bias[0] = value
    return pipeline.to(dtype)


def draw(pipeline) -> torch.Tensor:
    return pipeline("a cat", num_frames=2, num_inference_steps=2, height=32, width=32, generator=seeded())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize(
    ("dtype", "told"),
    [
        (torch.float32, "in float32, so their weights are broken; fetch the model again"),
        (torch.float16, "in float32, so their weights are broken"),  # it was tried
        (torch.bfloat16, "in float32, so their weights are broken"),
    ],
)
def test_a_unet_that_gives_no_numbers_in_any_precision_ends_the_run(dtype, told, value):
    with pytest.raises(InputError, match=told):
        draw(broken("unet", value, dtype))


def overflowing(dtype: torch.dtype):
    pipeline = small_pipeline()
    with torch.no_grad():
        pipeline.unet.conv_in.weight *= 1e5
    return pipeline.to(dtype)


def test_a_unet_that_overflows_in_half_precision_draws_in_float32_and_says_so():
    right = draw(overflowing(torch.float32))
    pipeline = overflowing(torch.float16)
    assert (draw(pipeline) - right).abs().max() < 0.02  # what the weights lost in half precision
    assert pipeline.unet.dtype == torch.float16
    assert [note for note in pipeline.notes if "overflow in float16, so they are used in float32" in note]
    bfloat16 = overflowing(torch.bfloat16)
    assert draw(bfloat16).isfinite().all() and bfloat16.notes == []


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_vae_of_broken_weights_ends_the_run(dtype):
    pipeline = broken("vae", float("nan"), dtype)
    with pytest.raises(InputError, match="VAE gives no numbers .* even in float32.* fetch the model again"):
        frames(pipeline)
    assert pipeline.vae.dtype == dtype


def test_guided_runs_are_checked_too():
    pictures = np.zeros((2, 32, 32, 3), np.uint8)
    network = small_controlnet()
    with torch.no_grad():
        network.controlnet_mid_block.bias[0] = float("nan")
    with pytest.raises(InputError, match="model, LoRA or ControlNet"):
        small_pipeline().guided("a cat", controls=[Control(network, pictures)], num_inference_steps=2)
