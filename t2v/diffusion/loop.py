"""The one denoising loop: time outside, chunks of frames inside (``conditions.Predictor``)."""

from dataclasses import dataclass

import torch
from diffusers import SchedulerMixin

from t2v.diffusion.changing import Hold
from t2v.diffusion.conditions import Predictor
from t2v.diffusion.progress import Progress
from t2v.diffusion.sampling import Track


@dataclass(frozen=True, eq=False)
class Run:
    """What stays the same while tracks are denoised.

    eta: as in ``Track``, the share of new noise in a step. hold: of what a prompt over time does not change.
    """

    schedule: SchedulerMixin
    predictor: Predictor
    progress: Progress
    eta: float | None = None
    hold: Hold | None = None


def denoise(run: Run, tracks: list[Track], end: int, label: str) -> None:
    """All tracks' frames together, up to time step number ``end``; label: of what is told of each step.

    The scheduler is stepped once per time on all frames, so the chunk size sets the memory and nothing else.
    """
    while tracks[0].index < end:
        index, time = tracks[0].index, run.schedule.timesteps[tracks[0].index]
        seen = torch.cat([track.model_input() for track in tracks])
        prediction = run.predictor(seen, time, index, len(run.schedule.timesteps))
        del seen  # of a long video, each such copy counts
        if run.hold is not None:
            prediction = run.hold(tracks[0], prediction)
        parts = torch.split(prediction, [len(track.latents) for track in tracks])
        clean = torch.cat([track.clean(part) for track, part in zip(tracks, parts, strict=True)])
        for track, part in zip(tracks, parts, strict=True):
            track.step(part)
        run.progress.tell(label, clean, int(time))
