"""DDIM inversion: the noise from which a model would have drawn a given picture (arXiv 2010.02502).

The sampler's own steps are run backwards without guidance. Each solves x_i = a x_{i+1} + b eps(x_i, t_i), in
which eps is asked of what is not known yet: the first guess asks it of x_{i+1}, and a few rounds of
fixed-point iteration bring the two together (arXiv 2309.04907).
"""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from t2v.diffusion.conditions import ready_to_predict
from t2v.diffusion.from_picture import Start
from t2v.diffusion.sampling import alpha_bar

if TYPE_CHECKING:
    from t2v.diffusion.progress import Progress
    from t2v.diffusion.telling import Text
    from t2v.diffusion.video_pipeline import VideoPipeline

# Of each step. On the miniature at 25 steps the way back gives a drawing of its own again to 32, 44 and 50 dB
# of what the VAE makes of it (36 dB from the picture itself) after one, two and three.
ROUNDS = 3

Epsilon = Callable[[torch.Tensor, int], torch.Tensor]  # latents, number of a time step -> the noise in them


def inverted(start: Start, epsilon: Epsilon, first: int, rounds: int = ROUNDS) -> dict[int, torch.Tensor]:
    """Number of a time step -> latents before it (1 c h w), in the paper's scaling, from ``first`` on.

    epsilon: predicts noise without guidance. rounds: network calls a step.
    """
    steps = len(start.schedule.timesteps)
    known, latents, clean = {}, start.latents, 1.0  # abar of the picture itself
    for index in range(steps - 1, first - 1, -1):
        noisy = alpha_bar(start.schedule, index)
        ratio = math.sqrt(noisy / clean)
        share = math.sqrt(1 - noisy) - ratio * math.sqrt(1 - clean)
        guess = latents
        for _ in range(rounds):
            guess = ratio * latents + share * epsilon(guess, index)
        known[index], latents, clean = guess, guess, noisy
    return known


def redrawn(start: Start, epsilon: Epsilon, first: int) -> torch.Tensor:
    """The way back by DDIM, from the latents before time step number ``first``: the picture's, (1 c h w).

    How far they are from ``start.latents`` is the error of the inversion.
    """
    steps = len(start.schedule.timesteps)
    latents = start.preserving(first)
    for index in range(first, steps):
        noisy = alpha_bar(start.schedule, index)
        clean = 1.0 if index == steps - 1 else alpha_bar(start.schedule, index + 1)
        noise = epsilon(latents, index)
        seen = (latents - math.sqrt(1 - noisy) * noise) / math.sqrt(noisy)
        latents = math.sqrt(clean) * seen + math.sqrt(1 - clean) * noise
    return latents


def invert(pipe: "VideoPipeline", start: Start, prompt: "Text", first: int, progress: "Progress") -> Start:
    """The same start with its way inverted, up to time step number ``first``; steps are told."""
    from t2v.diffusion.telling import guidance_by

    guidance = guidance_by(pipe, prompt, "", 1.0)
    progress.add(ROUNDS * (len(start.schedule.timesteps) - first))
    with ready_to_predict(pipe.unet, pipe.memory, guidance, 1) as predictor:
        schedule = start.schedule

        def epsilon(latents: torch.Tensor, index: int) -> torch.Tensor:
            time = schedule.timesteps[index]
            prediction = predictor(latents, time, index, len(schedule.timesteps))
            progress.tell("the picture's noise", start.latents, int(time))
            return noise_in(latents, prediction, alpha_bar(schedule, index), schedule.config.prediction_type)

        return replace(start, inverted=inverted(start, epsilon, first))


def noise_in(latents: torch.Tensor, prediction: torch.Tensor, alpha: float, kind: str) -> torch.Tensor:
    """The noise that a prediction sees in latents (f c h w), in the paper's scaling; alpha: abar there.

    kind: what the model predicts, "epsilon", "v_prediction" or "sample".
    """
    if kind == "epsilon":
        return prediction
    if kind == "v_prediction":
        return math.sqrt(alpha) * prediction + math.sqrt(1 - alpha) * latents
    return (latents - math.sqrt(alpha) * prediction) / math.sqrt(max(1 - alpha, 1e-8))
