"""T2I-Adapters (arXiv 2302.08453): what they make of a frame's picture is added on the UNet's way down.

It depends on neither the noise nor the time nor the text. So it is made once a run and kept, a frame at a
time: then it cannot matter which frames are computed together.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from einops import rearrange, repeat
from PIL import Image

from t2v.diffusion.calls import ON_THE_WAY_DOWN
from t2v.diffusion.controls import Control
from t2v.memory.memory import Memory
from t2v.memory.placing import dtype_of
from t2v.memory.profiles import is_offloaded

MOST_KEPT = 256_000_000  # bytes: 53 frames of Stable Diffusion 1.5, 19 of XL, in half precision
Key = tuple[Control, torch.dtype, int]


@dataclass(eq=False)
class AdapterFeatures:
    """What a run's T2I-Adapters make of the pictures that they are shown, by frame.

    most_kept: bytes of it; what is beyond that is made anew for each step, for a 27th of the arithmetic of
    Stable Diffusion 1.5's UNet with guidance, a 56th of XL's. It stays where the UNet computes, or in the
    machine's memory where its weights wait there.
    """

    memory: Memory
    most_kept: int = MOST_KEPT
    _kept: dict[Key, list[torch.Tensor]] = field(default_factory=dict)
    _bytes: int = 0

    def added(
        self, acting: Sequence[Control], frames: range, branches: int, like: torch.Tensor, shallow: bool
    ) -> dict[str, Any]:
        """What those that act add for these frames in each guidance branch, summed, as the UNet takes it.

        like: has the UNet's device and precision. shallow: only the UNet's first block is computed.
        """
        if not acting:
            return {}
        summed = zip_longest(*(self._scaled(control, frames, like, shallow) for control in acting))
        levels = [
            sum(parts[1:], parts[0])
            for parts in ([one for one in each if one is not None] for each in summed)
        ]
        return {ON_THE_WAY_DOWN: tuple(repeat(one, "f c h w -> (b f) c h w", b=branches) for one in levels)}

    def _scaled(
        self, control: Control, frames: range, like: torch.Tensor, shallow: bool
    ) -> Iterator[torch.Tensor]:
        """Of one adapter, (f c h w) for each level."""
        made = [self._of(control, number, like.device) for number in frames]
        for level in list(zip(*made, strict=True))[: 1 if shallow else None]:
            yield torch.cat([one.to(like) for one in level]) * control.scale

    def _of(self, control: Control, number: int, device: torch.device) -> list[torch.Tensor]:
        """Of one frame, (1 c h w) for each level. Made in another precision it is made anew."""
        key = (control, dtype_of(control.network), number)
        if key not in self._kept:
            made: list[torch.Tensor] = control.network(shown(control, number).to(device, key[1]))
            size = sum(one.nbytes for one in made)
            if self._bytes + size > self.most_kept:
                return made
            to = "cpu" if is_offloaded(self.memory.profile) else device
            self._kept[key] = [one.to(to) for one in made]
            self._bytes += size
        return self._kept[key]


def shown(control: Control, number: int) -> torch.Tensor:
    """A frame's picture as an adapter takes it: (1 c h w) in 0..1, in grey where it knows no colours.

    Sides are made up to whole cells by repeating the last row and column: so its levels are as large as the
    UNet's, which rounds up too.
    """
    network: Any = control.network
    picture = control.packed[number : number + 1]
    if network.config.in_channels == 1:
        picture = np.asarray(Image.fromarray(picture[0]).convert("L"))[None, ..., None]
    taken = rearrange(torch.tensor(picture), "f h w c -> f c h w").float() / 255
    below, right = (-side % network.downscale_factor for side in taken.shape[2:])
    return F.pad(taken, (0, right, 0, below), mode="replicate")
