"""Where a picture's subject is, found by drawing that picture ahead of the video.

The paper's authors asked a detector of salient objects (Sect. 3.3.3); the network's own attention needs none.
"""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import torch

from t2v.checks import InputError
from t2v.diffusion.changing import Hold
from t2v.diffusion.loop import Run, denoise
from t2v.diffusion.masks import grown, shares_of_cells
from t2v.diffusion.over_time import texts_of
from t2v.diffusion.sampling import Track
from t2v.diffusion.subject import cut_out, heeding, mask_of
from t2v.diffusion.telling import Text

if TYPE_CHECKING:
    from t2v.diffusion.video_pipeline import VideoPipeline

MARGIN_CELLS = 1  # by which a rough mask is grown, as attention leaves outlines out


def heeded_ahead(
    pipe: "VideoPipeline", run: Run, track: Track, prompt: str, words: str
) -> tuple[np.ndarray, torch.Tensor]:
    """How much each cell heeds a picture's words, (h, w) 0..1, and its latents at the end, (1 c h w).

    track: of one frame, left as it was. InputError where the prompt does not say the words.
    """
    ahead, steps = track.fork(), len(run.schedule.timesteps)
    first = ahead.index
    places = pipe.places_of(prompt, words)
    guidance, times = run.predictor.guidance, run.schedule.timesteps
    with heeding(run.predictor.unet, places, len(guidance.embeds)) as heard:

        def after_step(latents: torch.Tensor) -> torch.Tensor:
            done = ahead.index + 1
            heard.next_step((done - first) / (steps - first), guidance.count(times, done))
            return latents

        ahead.after_step = after_step
        denoise(run, [ahead], steps, "subject")
    return heard.map(*track.latents.shape[-2:]), ahead.latents


def find_subject(pipe: "VideoPipeline", run: Run, track: Track, prompt: str, words: str) -> np.ndarray:
    """Roughly where a picture's words are drawn, (h, w) bool; the rest as ``heeded_ahead``."""
    heeded, _ = heeded_ahead(pipe, run, track, prompt, words)
    return grown(mask_of(heeded), MARGIN_CELLS)


def held(pipe: "VideoPipeline", prompt: Text, weights: torch.Tensor, words: str) -> Hold:
    """What holds a picture whose texts change; its subject too, where all of them say these words."""
    texts = texts_of(str(prompt))
    try:
        said = bool(words) and all(pipe.places_of(text, words) for text in texts)
    except InputError:  # what one of them does not say may change
        said = False
    return Hold(weights.to(pipe.device), texts[0], words if said else "")


def cells_of(pipe: "VideoPipeline", run: Run, track: Track, hold: Hold) -> torch.Tensor:
    """How much of each cell the subject covers in the first text's picture, (h w) 0..1.

    track: of the whole video, at its first step; left as it was.
    """
    first = track.fork()
    first.latents, first.generators = first.latents[:1], first.generators[:1]
    alone = replace(run, hold=None)
    heeded, latents = heeded_ahead(pipe, alone, first, hold.first_text, hold.words)
    (picture,) = pipe.decode(latents[None])
    matte = cut_out(picture, mask_of(heeded), heeded, pipe.cell_px)
    return torch.from_numpy(shares_of_cells(matte, pipe.cell_px)).to(latents)
