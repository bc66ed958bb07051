"""Few steps as a LoRA: with it the UNet draws in four steps without guidance what takes it many with it.

What it learns from are courses: latents that a good sampler, the UNet itself under guidance, leads from noise
to a picture, kept at eight times on the way. Nothing but prompts and noise is needed for them. From each time
the LoRA learns to jump: to the end, as latent consistency models do (Luo et al., arXiv 2310.04378), whose
sampler puts new noise in for the next step; or to the next of four times, as the stages of a trajectory
(Ren et al., 2404.13686), for plain DDIM. Consistency is usually learned from one small step at a time; at
this size whole courses cost little, and what lies at their end is the truth rather than an own guess.

Half of the courses begin on the way, at what the LoRA has drawn so far: so the errors of its first steps are
what its later ones have learned to put right.
"""

import contextlib
import copy
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from diffusers import (
    DDIMScheduler,
    DPMSolverMultistepScheduler,
    LCMScheduler,
    SchedulerMixin,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor2_0
from peft import LoraConfig, get_peft_model_state_dict
from torch import nn

from miniature.diffusion import freeze
from miniature.fit import low_precision
from miniature.package import load_pipeline, replacing
from miniature.shapes import CARD, DEFAULTS, SCHEDULE
from miniature.style import ATTENTION, CONVOLUTIONS

NAME = "quick"  # its folder, and behind the plus: miniature+quick
STEPS = 4  # that it is made for
TIMES = 2 * STEPS  # at which courses are kept, the end not counted
SOLVER_STEPS = 2  # of the sampler from each of these times to the next
FRESH_NOISE = (
    0.5  # of what is drawn so far for DDIM, this share is by steps that renew the noise all the same
)
UNASKED = 0.03  # of the prompts are empty
BEGUN = 0.5  # share of the courses that begin on the way
BETWEEN = 0.5  # share of the rows for which the four times' neighbours may be taken
SOFT = 0.001  # below this, errors count as squares (pseudo-Huber); above, as they are, which keeps edges
RANK = 13
QUICK = {
    "r": RANK,
    "lora_alpha": RANK,  # the rank, as loaders assume where a file says nothing
    "target_modules": [*ATTENTION, *CONVOLUTIONS],
    "init_lora_weights": "gaussian",
}


@dataclass(frozen=True)
class Way:
    """One way of drawing in few steps.

    key: as t2v/weights/few_steps.py calls it. goes_on: a step leads to the next of its times, else to the end
    of the course.
    """

    key: str
    goes_on: bool

    def scheduler(self) -> SchedulerMixin:
        """diffusers' sampler for it."""
        config = DDIMScheduler(**SCHEDULE).config
        if self.goes_on:
            return DDIMScheduler.from_config(config, timestep_spacing="trailing")
        return LCMScheduler.from_config(config)

    def times(self) -> list[int]:
        """The TIMES times of its courses, noisiest first; every second is one of the STEPS it is made for."""
        scheduler = self.scheduler()
        scheduler.set_timesteps(TIMES)
        return scheduler.timesteps.tolist()


WAYS = {"lcm": Way("lcm", goes_on=False), "hyper": Way("hyper", goes_on=True)}


def build_quick(unet: UNet2DConditionModel) -> nn.ModuleDict:
    """``unet``: a copy of the UNet with a LoRA that changes nothing yet; only the LoRA's parameters train."""
    quick = copy.deepcopy(unet)
    freeze(quick)
    quick.add_adapter(LoraConfig(**QUICK))
    return nn.ModuleDict({"unet": quick})


def made_fast(unet: UNet2DConditionModel) -> UNet2DConditionModel:
    """The same in the layout that a GPU's matrix units take, with fused attention."""
    unet.set_attn_processor(AttnProcessor2_0())
    return unet.to(memory_format=torch.channels_last)


def half_on_gpu(teacher: UNet2DConditionModel) -> UNet2DConditionModel:
    """A copy that only draws, on a GPU in half precision, as it is kept: guidance enlarges rounding, and
    bfloat16 rounds eight times as much."""
    drawing = copy.deepcopy(teacher)
    return drawing.half() if drawing.device.type == "cuda" else drawing


class Courses:
    """Draws courses for a way, with a UNet under guidance as the teacher and the one that learns from it.

    ``nothing``: the text encoder's states (1, l, c) of the empty text.
    """

    def __init__(self, way: Way, teacher: UNet2DConditionModel, quick: nn.Module, nothing: torch.Tensor):
        self.way, self.teacher, self.quick, self.nothing = way, half_on_gpu(teacher), quick, nothing
        self.times = way.times()
        abar = DDIMScheduler(**SCHEDULE).alphas_cumprod
        ends = [float(abar[time]) for time in self.times]
        self.abar = torch.tensor([*ends, 1.0], device=nothing.device)
        self.numbers = torch.tensor(self.times, device=nothing.device)

    @torch.no_grad()
    def draw(
        self, noise: torch.Tensor, text: torch.Tensor, first: int, stride: int, renews: bool
    ) -> torch.Tensor:
        """Courses (b, TIMES + 1, 4, h, w), float16, of noise (b, 4, h, w) and texts' states (b, l, c).

        They are drawn by the teacher from time number ``first`` on; what comes before, by the UNet that
        learns in steps of ``stride`` times, which must divide ``first``, and is not kept: zeros stand there.
        ``renews``: these put new noise in, else they go on with their own.
        """
        latents = noise
        for index in range(0, first, stride):
            latents = self._own_step(latents, text, index, index + stride, renews)
        kept = torch.zeros(len(noise), TIMES + 1, *noise.shape[1:], dtype=torch.float16, device=noise.device)
        solver = DPMSolverMultistepScheduler.from_config(DDIMScheduler(**SCHEDULE).config)
        times = self._solver_times(first)
        solver.set_timesteps(timesteps=times)
        for number, time in enumerate(solver.timesteps):
            if number % SOLVER_STEPS == 0:
                kept[:, first + number // SOLVER_STEPS] = latents
            latents = solver.step(self._guided(latents, int(time), text), time, latents).prev_sample
        kept[:, TIMES] = latents
        return kept

    def _solver_times(self, first: int) -> list[int]:
        ends = [*self.times, 0]
        spans = zip(ends[first:], ends[first + 1 :], strict=False)
        return [
            round(start + (end - start) * part / SOLVER_STEPS)
            for start, end in spans
            for part in range(SOLVER_STEPS)
        ]

    def _guided(self, latents: torch.Tensor, time: int, text: torch.Tensor) -> torch.Tensor:
        texts = torch.cat([self.nothing.expand_as(text), text]).to(self.teacher.dtype)
        both = torch.cat([latents] * 2).to(self.teacher.dtype)
        times = self.numbers.new_full((len(both),), time)
        with contextlib.nullcontext() if both.is_cuda else low_precision(both.device):
            without, told = self.teacher(both, times, texts).sample.float().chunk(2)
        return without + DEFAULTS["guidance_scale"] * (told - without)

    def _own_step(
        self, latents: torch.Tensor, text: torch.Tensor, index: int, after: int, renews: bool
    ) -> torch.Tensor:
        with low_precision(latents.device):
            times = self.numbers[index].expand(len(text))
            noise = self.quick(latents, times, text).sample.float()
        clean = jump(latents, noise, self.abar[index], self.abar[TIMES])
        noise = torch.randn_like(noise) if renews else noise
        return self.abar[after].sqrt() * clean + (1 - self.abar[after]).sqrt() * noise

    def begin(self, rng: np.random.Generator) -> tuple[int, int, bool]:
        """By chance: the number of the first time of courses, the stride until there, and whether it renews
        the noise."""
        if rng.random() >= BEGUN:
            return 0, 1, False
        if self.way.goes_on:
            return 2 * int(rng.integers(1, STEPS)), 2, rng.random() < FRESH_NOISE
        first = int(rng.integers(1, TIMES))
        return first, int(rng.choice([stride for stride in (1, 2, 4) if first % stride == 0])), True


def jump(latents: torch.Tensor, noise: torch.Tensor, start: torch.Tensor, end: torch.Tensor) -> torch.Tensor:
    """Latents (b, 4, h, w) led from abar ``start`` to ``end``, 0..1, by their noise, as DDIM does.

    Where ``end`` is 1, this is what the consistency function gives: its c_skip is below 2e-7 and its c_out
    one at all times that are steps here (LCMScheduler's, with a time scaling of 10).
    """
    clean = (latents - (1 - start).sqrt() * noise) / start.sqrt()
    return end.sqrt() * clean + (1 - end).sqrt() * noise


def quick_loss(courses: Courses, kept: torch.Tensor, text: torch.Tensor, first: torch.Tensor) -> torch.Tensor:
    """How far jumps from one time of each course end from where the course leads.

    ``kept``: courses (b, TIMES + 1, 4, h, w) that begin at the times of numbers ``first`` (b), with their
    texts' states (b, l, c). Errors of the noisiest times, which jumps enlarge by up to 14, weigh less, by the
    root of that.
    """
    count, device = len(kept), kept.device
    rows = torch.arange(count, device=device)
    index = first + (torch.rand(count, device=device) * (TIMES - first)).long()
    is_between = torch.rand(count, device=device) < (0 if courses.way.goes_on else BETWEEN)
    even = index - index % 2
    index = torch.where(is_between | (even < first), index, even)
    goal = index + 2 if courses.way.goes_on else torch.full_like(index, TIMES)
    latents = kept[rows, index].float()
    with low_precision(device):
        noise = courses.quick(latents, courses.numbers[index], text).sample.float()
    start, end = (courses.abar[each].view(-1, 1, 1, 1) for each in (index, goal))
    error = jump(latents, noise, start, end) - kept[rows, goal].float()
    enlarged = (end * (1 - start) / start).sqrt() - (1 - end).sqrt()
    return (((error.square() + SOFT**2).sqrt() - SOFT) / enlarged.sqrt()).mean()


def save_quick(folder: Path, unet: UNet2DConditionModel, way: Way) -> Path:
    """Write the LoRA, in half precision, as ``load_lora_weights`` reads it, and how it is drawn with."""
    layers = {name: tensor.half().contiguous() for name, tensor in get_peft_model_state_dict(unet).items()}
    card = {"few_steps": way.key, "defaults": {"num_inference_steps": STEPS, "guidance_scale": 1.0}}
    with replacing(folder) as part:
        StableDiffusionPipeline.save_lora_weights(part, unet_lora_layers=layers)
        (part / CARD).write_text(json.dumps(card, indent=1) + "\n")
    return folder


def load_quick(root: Path) -> StableDiffusionPipeline:
    """Stock diffusers' pipeline with the LoRA and its sampler, over the folders under ``root``; float32."""
    pipe = load_pipeline(root / "text-to-image")
    pipe.load_lora_weights(root / NAME)
    way = WAYS[json.loads((root / NAME / CARD).read_text())["few_steps"]]
    pipe.scheduler = way.scheduler()
    return pipe
