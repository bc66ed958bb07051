"""What draws, and which precision it draws a run in, where that is left open or the device is slow in it."""

from dataclasses import dataclass, replace

import torch

from t2v.devices import is_quick_in_bfloat16, pick_dtype
from t2v.memory.profiles import AUTO, CPU, Kept
from t2v.weights.card import read_card
from t2v.weights.source import Source
from t2v.weights.video_kinds import video_kind

FLOAT32, FLOAT16, BFLOAT16 = "float32", "float16", "bfloat16"
SLOW_IN_FLOAT16 = (
    "dtype is float16, in which processors are slow, so this is drawn in float32, which has all its numbers."
)


@dataclass(frozen=True)
class Machine:
    """What draws. device: by its name. dtype: as it was asked for, None for what suits device and model."""

    device: str
    dtype: str | torch.dtype | None = None

    def by(self, profile: str) -> str:
        """The device that computes by a profile."""
        return CPU if profile == CPU else self.device

    def precision(self, model: str, asked: str | None = None, profile: str = AUTO) -> str:
        """The precision of a run of a model, one of DTYPES: as its settings ask, else as this was told to.

        Else what suits the device that computes. That is half precision on a GPU, for trained video models
        the one that they were made for. A processor has float32; where it is quick in bfloat16, that for
        models that were found to draw as well in it. What settings want in float16, as they come from a GPU,
        a processor draws in float32: the same picture, sooner.
        """
        device = self.by(profile)
        on_cpu = device.startswith(CPU)
        if asked is not None:
            return FLOAT32 if asked == FLOAT16 and on_cpu else asked
        suits = str(pick_dtype(self.dtype, device)).removeprefix("torch.")
        if self.dtype is not None:
            return suits
        source = Source.parse(model)
        kind = video_kind(source)
        if kind is not None:
            return kind.half if suits == FLOAT16 else suits
        is_as_good = on_cpu and read_card(source).half == BFLOAT16
        return BFLOAT16 if is_as_good and is_quick_in_bfloat16() else suits

    def settled(self, kept: Kept, model: str) -> Kept:
        """The same with the precision that it comes to: what settings ask for may suit anyway."""
        return replace(kept, dtype=self.precision(model, kept.dtype, kept.profile))

    def note(self, asked: str | None) -> str | None:
        """What to tell of a precision that settings ask for and this machine does not draw in; else None."""
        return SLOW_IN_FLOAT16 if asked == FLOAT16 and self.device.startswith(CPU) else None
