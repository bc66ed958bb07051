"""Background smoothing (paper, Sect. 3.3.3): what is not the subject keeps to the first frame, moved."""

from typing import Any

import numpy as np
import torch

from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.motion import warp
from t2v.diffusion.sampling import Track
from t2v.diffusion.subject import grown, heeding, mask_of, word_places

MARGIN_CELLS = 1  # by which the mask is grown, as attention leaves outlines out


def find_subject(run: Run, track: Track, tokenizer: Any, prompt: str, words: str) -> np.ndarray:
    """Where a picture's words are drawn, (h, w) bool: it is denoised to its end for that, and not kept.

    The paper's authors asked a detector of salient objects; the network's own attention needs none. track: of
    one frame, left as it was.
    """
    ahead, steps = track.fork(), len(run.schedule.timesteps)
    first = ahead.index
    places = word_places(tokenizer, prompt, words)
    with heeding(run.predictor.unet, places, len(run.predictor.guidance.embeds)) as heard:

        def after_step(latents: torch.Tensor) -> torch.Tensor:
            heard.next_step((ahead.index + 1 - first) / (steps - first))
            return latents

        ahead.after_step = after_step
        denoise(run, [ahead], steps, "subject")
    return grown(mask_of(heard.map(*track.latents.shape[-2:])), MARGIN_CELLS)


def smoothed(
    latents: torch.Tensor,
    first: torch.Tensor,
    field_px: torch.Tensor,
    mask: np.ndarray,
    alpha: float,
    cell_px: int,
) -> torch.Tensor:
    """M x + (1 - M) (alpha x_first + (1 - alpha) x) for frames at T, (f c h w) (Eq. 9).

    first: x_T^1, (1 c h w), and mask: of its subject, (h, w) bool; both are moved by field_px, (f, 2) pixels.
    alpha: 0..1, the paper's is 0.6.
    """
    moved = warp(first.expand(len(latents), -1, -1, -1), field_px, cell_px)
    plain = torch.from_numpy(mask).to(latents)[None, None].expand(len(latents), 1, -1, -1)
    subject = warp(plain, field_px, cell_px, "whole-cell")
    return subject * latents + (1 - subject) * (alpha * moved + (1 - alpha) * latents)
