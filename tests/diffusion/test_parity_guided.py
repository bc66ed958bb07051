"""The same latents as diffusers' own ControlNet and InstructPix2Pix pipelines, frame by frame.

They get the method's one addition, written here on its own: an attention processor in which every frame sees
the first frame of its guidance branch. Weights, pictures, start and samplers' noise are the same.
"""

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline
from diffusers import StableDiffusionControlNetPipeline, StableDiffusionInstructPix2PixPipeline

from t2v.diffusion.controls import Control
from t2v.diffusion.sampling import make_scheduler

pytestmark = pytest.mark.slow

FRAMES, STEPS, PROMPT = 4, 6, "a red car"
START = torch.randn(1, 4, 8, 8, generator=seeded(1))
EVERY_FRAME = {"negative_prompt": ["blue"] * FRAMES, "num_inference_steps": STEPS, "output_type": "latent"}


class SeesFirstFrame:
    """Softmax(Q^k K^1T / sqrt(c)) V^1, spelt out; the batch is ``branches`` times the frames."""

    def __init__(self, branches: int) -> None:
        self.branches = branches

    def __call__(self, attn, hidden_states, encoder_hidden_states=None, attention_mask=None, temb=None):
        batch, length, _ = hidden_states.shape
        frames = batch // self.branches
        first = torch.arange(batch) // frames * frames
        query, key, value = (
            layer(hidden_states).view(batch, length, attn.heads, -1).transpose(1, 2)
            for layer in (attn.to_q, attn.to_k, attn.to_v)
        )
        scores = query @ key[first].transpose(-1, -2) / query.shape[-1] ** 0.5
        mixed = (scores.softmax(-1) @ value[first]).transpose(1, 2).reshape(batch, length, -1)
        return attn.to_out[0](mixed)


def see_first_frame(network: torch.nn.Module, branches: int) -> int:
    """Put the processor into all self-attention layers for good; their number."""
    processors = network.attn_processors
    ours = {name: SeesFirstFrame(branches) for name in processors if "attn1" in name}
    network.set_attn_processor({**processors, **ours})
    return len(ours)


def stock(kind: type, ours, scheduler: str, **networks):
    pipe = kind(**{**ours.components, **networks}, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = make_scheduler(scheduler, ours.scheduler.config, STEPS)
    return pipe


def clip(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (FRAMES, 64, 64, 3), np.uint8)


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def same_draws() -> list[torch.Generator]:
    """What our pipeline makes of seeded(7): a generator for each frame, all in the same state."""
    seed = int(torch.randint(2**62, (1,), generator=seeded(7)))
    return [seeded(seed) for _ in range(FRAMES)]


def starts() -> torch.Tensor:
    return START.expand(FRAMES, -1, -1, -1)


OURS = {"negative_prompt": "blue", "num_inference_steps": STEPS, "latents": START}
HOW = [("ddim", 7.5), ("euler-ancestral", 7.5), ("ddim", 1.0)]


@pytest.mark.parametrize(("scheduler", "guidance_scale"), HOW)
def test_controlnets_latents_are_stock_diffusers(scheduler, guidance_scale):
    """Two ControlNets at once, the second one in the middle of the steps only."""
    ours, first, second = small_pipeline(), small_controlnet(1), small_controlnet(2)
    edges, depth = clip(1), clip(2)
    got = ours.guided(
        PROMPT,
        controls=(Control(first, edges, 0.8), Control(second, depth, 1.2, 0.2, 0.7)),
        guidance_scale=guidance_scale,
        scheduler=scheduler,
        generator=seeded(7),
        **OURS,
    )[0]
    alone = ours.guided(
        PROMPT,
        controls=(Control(first, edges, 0.8),),
        guidance_scale=guidance_scale,
        scheduler=scheduler,
        generator=seeded(7),
        **OURS,
    )[0]
    pipe = stock(StableDiffusionControlNetPipeline, ours, scheduler, controlnet=[first, second])
    branches = 2 if guidance_scale > 1 else 1
    assert see_first_frame(pipe.unet, branches) == 4
    assert [see_first_frame(network, branches) for network in (first, second)] == [1, 1]
    call = {"latents": starts(), "guidance_scale": guidance_scale, **EVERY_FRAME}
    wanted = pipe(
        [PROMPT] * FRAMES,
        image=[as_tensor(edges), as_tensor(depth)],
        controlnet_conditioning_scale=[0.8, 1.2],
        control_guidance_start=[0.0, 0.2],
        control_guidance_end=[1.0, 0.7],
        generator=same_draws(),
        **call,
    ).images
    assert (got - wanted).abs().max() < 1e-3
    assert (got - alone).abs().max() > 0.01  # so the second network had its say
    assert (got[1:] - got[:1]).abs().amax((1, 2, 3)).min() > 0.01  # and each frame its own pictures


@pytest.mark.parametrize(("scheduler", "guidance_scale"), HOW)
def test_instruct_pix2pix_latents_are_stock_diffusers(scheduler, guidance_scale):
    ours, pictures = small_pipeline(in_channels=8), clip(3)
    call = {"guidance_scale": guidance_scale, "image_guidance_scale": 1.5}
    latents = ours.encode(pictures)
    got = ours.guided(PROMPT, source=latents, scheduler=scheduler, generator=seeded(7), **call, **OURS)[0]
    pipe = stock(StableDiffusionInstructPix2PixPipeline, ours, scheduler)
    assert see_first_frame(pipe.unet, 3 if guidance_scale > 1 else 1) == 4
    wanted = pipe(
        [PROMPT] * FRAMES,
        image=as_tensor(pictures),
        latents=starts(),
        generator=same_draws(),
        **call,
        **EVERY_FRAME,
    ).images
    assert (got - wanted).abs().max() < 1e-3
    assert (got[1:] - got[:1]).abs().amax((1, 2, 3)).min() > 0.01
