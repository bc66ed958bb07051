"""Samplers: diffusers' schedulers by name, and tracks of frames that share one scheduler's history."""

import copy
import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from diffusers import SchedulerMixin

from t2v.checks import check_choice
from t2v.diffusion.options import SCHEDULERS, SPACINGS
from t2v.diffusion.schedule import TIMES, build

FEW_STEPS = 10
TEACHER_STEPS = 50  # of LCM and TCD, which take some of them
LEAST_ABAR = 1e-12  # of pure noise, whose logarithm there is none of


def make_scheduler(
    name: str, config: Mapping[str, Any], num_inference_steps: int, spacing: str | None = None
) -> SchedulerMixin:
    """A scheduler of SCHEDULERS on a model's noise schedule, with its time steps set.

    config: of the scheduler that the model was saved with, any class, its name in "_class_name"; InputError
    where it describes no noise that is drawn from here.
    spacing: of the steps, one of SPACINGS. None: the model's own, except below ten steps: "leading" spacing,
    Stable Diffusion's, leaves out the noisiest times, and a few-step run would never form a picture; there
    the steps end at the noisiest time ("trailing"). So they do wherever every time is a step: "leading"
    steps, which Stable Diffusion moves up by one, would end at a time that there is not. LCM and TCD space
    theirs in their own way.
    """
    if spacing is not None:
        check_choice("spacing", spacing, SPACINGS)
    elif num_inference_steps < FEW_STEPS:
        spacing = "trailing"
    spacing = "trailing" if num_inference_steps == TIMES else spacing
    own: dict[str, object] = {} if spacing is None else {"timestep_spacing": spacing}
    if name in ("ddim", "lcm", "tcd"):
        own["clip_sample"] = False  # latents are no pixels; some would clip them to -1..1 by default
    scheduler = build(SCHEDULERS[name], config, **own)
    if name == "lcm" or (name == "tcd" and num_inference_steps > TEACHER_STEPS):
        teacher_steps = max(TEACHER_STEPS, num_inference_steps)
        scheduler.set_timesteps(num_inference_steps, original_inference_steps=teacher_steps)
    else:
        scheduler.set_timesteps(num_inference_steps)
    return scheduler


def alpha_bar(scheduler: SchedulerMixin, index: int) -> float:
    """abar at the scheduler's time step number ``index``."""
    if hasattr(scheduler, "sigmas") and len(scheduler.sigmas) > index:
        return 1.0 / (1.0 + float(scheduler.sigmas[index]) ** 2)
    return float(scheduler.alphas_cumprod[int(scheduler.timesteps[index])])


def preserving_scale(scheduler: SchedulerMixin, index: int) -> float:
    """From the scheduler's scaling to the paper's: times 1, or for Euler's 1/sqrt(sigma^2 + 1)."""
    uses_sigmas = getattr(scheduler, "is_scale_input_called", None) is not None
    return float(alpha_bar(scheduler, index) ** 0.5) if uses_sigmas else 1.0


def nearest_index(scheduler: SchedulerMixin, time: int) -> int:
    """The number of the time step that lies nearest to ``time`` (0..999)."""
    return int((scheduler.timesteps.float() - time).abs().argmin())


def step_before(scheduler: SchedulerMixin, index: int, ratio: float) -> int:
    """The step, at ``index`` or before it, from which abar is to abar there most nearly as ``ratio``, 0..1.

    Nearest in logarithm: in a few steps the next one to the nearest *time* may be noise alone, and moved
    latents that are brought back up there have lost what was moved. Where steps are many, it is that one.
    """
    logs = [math.log(max(alpha_bar(scheduler, before), LEAST_ABAR)) for before in range(index + 1)]
    wanted = logs[index] + math.log(max(ratio, LEAST_ABAR))
    apart = [abs(one - wanted) for one in logs]
    return apart.index(min(apart))


@dataclass
class Track:
    """Frames that share one scheduler history: the first frame on its own, and the rest from T on.

    latents: (f, c, h, w), float32, in the scheduler's own scaling. generators: one per frame, for samplers
    that draw noise as they go, so that no frame's noise depends on how many frames there are. eta: 0..1, the
    share of such noise, for samplers that let one choose: DDIM's eta, TCD's gamma (arXiv 2402.19159); None:
    what is usual, 0 and 0.3. after_step: what becomes of the latents
    after every step, as where parts of them are the same thing; (f, c, h, w) to the same shape. put_back: the
    same before that, for latents that are known; it is also told the number of the time step that comes next.
    """

    scheduler: SchedulerMixin
    latents: torch.Tensor
    generators: list[torch.Generator]
    index: int = 0
    eta: float | None = None
    after_step: Callable[[torch.Tensor], torch.Tensor] | None = None
    put_back: Callable[[torch.Tensor, int], torch.Tensor] | None = None

    @classmethod
    def from_noise(
        cls,
        scheduler: SchedulerMixin,
        noise: torch.Tensor,
        generators: list[torch.Generator],
        eta: float | None = None,
    ) -> "Track":
        """A track at the first time step, from white noise (f, c, h, w)."""
        return cls(copy.deepcopy(scheduler), noise * scheduler.init_noise_sigma, generators, eta=eta)

    @classmethod
    def from_latents(
        cls,
        scheduler: SchedulerMixin,
        latents: torch.Tensor,
        generators: list[torch.Generator],
        index: int,
        eta: float | None = None,
    ) -> "Track":
        """A track that begins at time step ``index`` with variance-preserving latents (f, c, h, w)."""
        track = cls(copy.deepcopy(scheduler), latents, generators, index, eta)
        if hasattr(track.scheduler, "set_begin_index"):
            track.scheduler.set_begin_index(index)
        track.latents = latents / preserving_scale(track.scheduler, index)
        return track

    def fork(self) -> "Track":
        """A copy with its own history and generators, to run ahead of this one."""
        generators = [generator.clone_state() for generator in self.generators]
        history = copy.deepcopy(self.scheduler)
        more = self.after_step, self.put_back
        return Track(history, self.latents, generators, self.index, self.eta, *more)

    def preserving(self) -> torch.Tensor:
        """The latents in the paper's scaling, x_t = sqrt(abar) x_0 + sqrt(1 - abar) eps."""
        return self.latents * preserving_scale(self.scheduler, self.index)

    def model_input(self) -> torch.Tensor:
        """What the network is to see at this track's time step."""
        return self.scheduler.scale_model_input(self.latents, self.scheduler.timesteps[self.index])

    def clean(self, prediction: torch.Tensor) -> torch.Tensor:
        """The picture's latents x_0 as the network sees them now, (f, c, h, w); for previews."""
        a = alpha_bar(self.scheduler, self.index)
        x, kind = self.preserving(), self.scheduler.config.prediction_type
        if kind == "v_prediction":
            return a**0.5 * x - (1 - a) ** 0.5 * prediction
        return prediction if kind == "sample" else (x - (1 - a) ** 0.5 * prediction) / a**0.5

    @cached_property
    def _taken(self) -> frozenset[str]:
        """What the scheduler's step takes; looked up once, as a GPU waits for Python between steps."""
        return frozenset(inspect.signature(self.scheduler.step).parameters)

    def step(self, prediction: torch.Tensor) -> None:
        """One step of the scheduler on all the track's frames; prediction: (f, c, h, w)."""
        extra: dict[str, Any] = {"generator": self.generators} if "generator" in self._taken else {}
        if "eta" in self._taken and self.eta is not None:
            extra["eta"] = self.eta
        time = self.scheduler.timesteps[self.index]
        stepped = self.scheduler.step(prediction, time, self.latents, return_dict=False, **extra)[0]
        stepped = stepped if self.put_back is None else self.put_back(stepped, self.index + 1)
        self.latents = stepped if self.after_step is None else self.after_step(stepped)
        self.index += 1
