"""What may be asked of a trained video model, and the run that comes of it. Without torch."""

import itertools
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from t2v.checks import InputError, counted
from t2v.diffusion.over_time import read_over_time
from t2v.tasks.resolved import Means, Resolved
from t2v.tasks.settings import Settings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.source import Source
from t2v.weights.video_kinds import Made, VideoKind, made_for, video_kind

# Fields that say something to a model whose motion is its own. chunk_size never changes a picture: it draws
# all frames together, whatever that is.
HEEDED = frozenset(
    {
        "prompt",
        "negative_prompt",
        "model",
        "seed",
        "num_frames",
        "width",
        "height",
        "upscale",
        "fps",
        "num_inference_steps",
        "guidance_scale",
        "chunk_size",
        "profile",
        "fp8",
        "dtype",
    }
)
MOST_QUOTED = 40  # characters of a value
AS_DRAWN = 1  # frames are doubled where somebody asks for it


def trained_kind(settings: Settings) -> VideoKind | None:
    """The kind of the trained video model that settings name; None for other models."""
    return video_kind(Source.parse(settings.model))


def check_asked(settings: Settings, kind: VideoKind) -> None:
    """InputError for what a trained video model cannot draw; nothing is loaded for it."""
    about = f"model {settings.model} is a trained video model ({kind.name})"
    if not isinstance(settings, TextToVideoSettings):
        raise InputError(
            f"{about}, which draws from a prompt alone; choose another model here, or text-to-video."
        )
    for one in fields(settings):
        value = getattr(settings, one.name)
        if one.name not in HEEDED and value != one.default:
            told = f"{value:g}" if isinstance(value, float) else str(value)
            told = "given" if len(told) > MOST_QUOTED else told
            raise InputError(
                f"{one.name} is {told}, and {about}, which does not know it, as its motion is its own; leave "
                "it out."
            )
    if read_over_time(settings.prompt) is not None:
        raise InputError(f"prompt changes over time, and {about}, which follows one text; give one.")
    made = made_for(Source.parse(settings.model), kind)
    for field in ("width", "height"):
        _check_side(field, getattr(settings, field), kind, made.multiple_px)


def _check_side(field: str, asked: float | None, kind: VideoKind, multiple: int) -> None:
    if asked is not None and asked % multiple:
        below = max(multiple, int(asked) // multiple * multiple)
        raise InputError(
            f"{field} is {int(asked)}, and {kind.name} draws multiples of {multiple}; choose {below} or "
            f"{int(asked) // multiple * multiple + multiple}."
        )


def trained_notes(settings: Settings, kind: VideoKind) -> tuple[str, ...]:
    """Sentences on what such a model makes of settings that it can draw."""
    made = made_for(Source.parse(settings.model), kind)
    notes = [
        f"{kind.name} is a trained video model: its motion is its own, and it was made for "
        f"{counted(made.num_frames, 'frame')} of {made.width}x{made.height} at {kind.fps:g} a second."
    ]
    asked = settings.num_frames
    if asked is not None and made.drawn(int(asked)) != asked:
        more = made.drawn(int(asked))
        notes.append(
            f"{kind.name} draws one frame and groups of {made.group} more, so it draws {more} and the last "
            f"{counted(more - int(asked), 'frame')} {'is' if more - asked == 1 else 'are'} left out; "
            f"{more} take as long."
        )
    return tuple(notes)


@dataclass(frozen=True)
class ResolvedTrained(Resolved[TextToVideoSettings]):
    """A run of a trained video model with nothing left open. drawn: how many frames it draws for it."""

    drawn: int

    def draw(self, means: Means) -> Any:
        """Latents of the video, (1 f c h w) as the model has them: f counts groups of frames."""
        return means.pipeline(
            self.asked.prompt,
            negative_prompt=self.asked.negative_prompt,
            num_frames=self.drawn,
            height=self.height,
            width=self.width,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            generator=means.generator,
            on_step=means.on_step,
        )

    def finished(self, frames: Iterator[np.ndarray]) -> Iterator[np.ndarray]:
        """Those that are asked for, of all that the model had to draw."""
        return itertools.islice(frames, self.num_frames)


def resolve(settings: TextToVideoSettings, kind: VideoKind, made: Made, dtype: str) -> ResolvedTrained:
    """The run that settings ask of such a model, what they leave open filled in. dtype: it is drawn in."""

    def number(field: str, suits: float) -> Any:
        asked = getattr(settings, field)
        return suits if asked is None else asked

    num_frames = int(settings.num_frames)
    return ResolvedTrained(
        asked=settings,
        seed=int(number("seed", secrets.randbelow(2**32))),
        num_frames=num_frames,
        width=int(number("width", made.width)),
        height=int(number("height", made.height)),
        upscale=int(number("upscale", AS_DRAWN)),
        fps=settings.fps,
        num_inference_steps=int(number("num_inference_steps", kind.suits["num_inference_steps"])),
        guidance_scale=number("guidance_scale", kind.suits["guidance_scale"]),
        scheduler=None,
        spacing=None,
        ip_adapter=None,
        dtype=dtype,
        drawn=made.drawn(num_frames),
    )
