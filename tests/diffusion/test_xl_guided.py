"""ControlNets and InstructPix2Pix with Stable Diffusion XL: diffusers' pictures, whatever the chunks."""

import numpy as np
import pytest
import torch
from conftest import seeded
from diffusers import (
    StableDiffusionXLControlNetPipeline,
    StableDiffusionXLControlNetUnionPipeline,
    StableDiffusionXLInstructPix2PixPipeline,
)
from small_xl import small_union, small_xl_controlnet, small_xl_pipeline
from test_xl import CHUNKS, STEPS, stock

from t2v.diffusion.controls import Control

START = torch.randn(1, 4, 8, 8, generator=seeded(1))
OURS = {"num_inference_steps": STEPS, "guidance_scale": 5.0, "latents": START}
SIZE = {"height": 64, "width": 64}
POSE, CANNY = 0, 3


def clip(seed: int, frames: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, 64, 64, 3), np.uint8)


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


@pytest.mark.parametrize("negative", ["", "blue"])
def test_controlnets_picture_is_stock_diffusers(negative):
    ours, first, second = small_xl_pipeline(), small_xl_controlnet(1), small_xl_controlnet(2)
    edges, depth = clip(1), clip(2)
    controls = (Control(first, edges, 0.8), Control(second, depth, 1.2, 0.2, 0.7))
    got = ours.guided("a red car", negative_prompt=negative, controls=controls, **OURS)[0]
    pipe = stock(StableDiffusionXLControlNetPipeline, ours, controlnet=[first, second])
    wanted = pipe(
        "a red car",
        negative_prompt=negative if negative else None,
        image=[as_tensor(edges), as_tensor(depth)],
        controlnet_conditioning_scale=[0.8, 1.2],
        control_guidance_start=[0.0, 0.2],
        control_guidance_end=[1.0, 0.7],
        output_type="latent",
        **OURS,
        **SIZE,
    ).images
    assert (got - wanted).abs().max() < 1e-5 * wanted.std()
    plain = ours.guided("a red car", negative_prompt=negative, controls=controls[:1], **OURS)[0]
    assert (got - plain).abs().max() > 0.01


def test_a_union_draws_as_stock_diffusers_and_tells_kinds_apart():
    ours, union, pictures = small_xl_pipeline(), small_union(3), clip(4)

    def drawn(kind):
        return ours.guided("a red car", controls=[Control(union, pictures, 0.8, union_kind=kind)], **OURS)[0]

    got = drawn(CANNY)
    pipe = stock(StableDiffusionXLControlNetUnionPipeline, ours, controlnet=union)
    wanted = pipe(
        "a red car",
        control_image=[as_tensor(pictures)],
        control_mode=[CANNY],
        controlnet_conditioning_scale=0.8,
        output_type="latent",
        **OURS,
        **SIZE,
    ).images
    assert (got - wanted).abs().max() < 1e-5 * wanted.std()
    assert (drawn(POSE) - got).abs().max() > 0.01


@pytest.mark.parametrize("guidance", [5.0, 1.0])
def test_instruct_pix2pix_picture_is_stock_diffusers(guidance):
    ours, pictures = small_xl_pipeline(in_channels=8), clip(3)
    call = {**OURS, "guidance_scale": guidance, "image_guidance_scale": 1.5}
    got = ours.guided("make it blue", source=ours.encode(pictures), **call)[0]
    pipe = stock(StableDiffusionXLInstructPix2PixPipeline, ours)
    if guidance > 1:
        wanted = pipe("make it blue", image=as_tensor(pictures), output_type="latent", **call, **SIZE).images
        assert (got - wanted).abs().max() < 1e-5 * wanted.std()
    assert bool(got.isfinite().all())


def controlled(pipe, network, prompt="a red car", **asked):
    pictures = clip(5, frames=5)
    control = Control(network, pictures, 0.9, union_kind=CANNY)
    return lambda chunk: pipe.guided(
        prompt, controls=[control], chunk_size=chunk, generator=seeded(3), **{**OURS, **asked}
    )


def edited(pipe):
    source = pipe.encode(clip(6, frames=5))
    return lambda chunk: pipe.guided(
        "make it blue", source=source, chunk_size=chunk, generator=seeded(3), **OURS
    )


@pytest.mark.parametrize(
    "way",
    [
        lambda: controlled(small_xl_pipeline(), small_xl_controlnet(1)),
        lambda: controlled(small_xl_pipeline(), small_union(3)),
        lambda: controlled(small_xl_pipeline(), small_union(3), "0: a red car | 4: a blue car"),
        lambda: edited(small_xl_pipeline(in_channels=8)),
    ],
    ids=["controlnet", "union", "union and a prompt over time", "editor"],
)
def test_the_chunk_size_changes_no_bit(way):
    draw = way()
    drawn = [draw(chunk) for chunk in CHUNKS]
    assert all(torch.equal(one, drawn[0]) for one in drawn[1:])
    assert (drawn[0][0, 1:] - drawn[0][0, :1]).abs().amax((1, 2, 3)).min() > 0.01
