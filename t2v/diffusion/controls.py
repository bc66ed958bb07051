"""ControlNets, or T2I-Adapters in their place, and the pictures that they are shown (paper, Sect. 3.4)."""

import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import InitVar, dataclass, field
from typing import Any, TypeAlias

import numpy as np
import torch
from diffusers import ControlNetModel, ControlNetUnionModel, T2IAdapter
from einops import rearrange, repeat
from PIL import Image

from t2v.checks import InputError, check_number
from t2v.diffusion.options import check_window
from t2v.memory.placing import dtype_of

# for one kind of pictures, for many, and what can be used in their place
ControlNet: TypeAlias = ControlNetModel | ControlNetUnionModel | T2IAdapter
MAX_CONTROL_SCALE = 100.0


class Packed:
    """Frames, uint8 (f, h, w, 3), each compressed without loss.

    Edges, skeletons and nearness are mostly flat: 300 frames take a tenth of their bytes or less, and
    unpacking a frame, every time it is needed, a thousandth of what the network takes for it.
    """

    def __init__(self, frames: np.ndarray) -> None:
        self.shape = frames.shape
        self._frames = [zlib.compress(frame.tobytes(), level=1) for frame in frames]

    def __getitem__(self, frames: slice) -> np.ndarray:
        """These frames, as they were."""
        data = bytearray().join(zlib.decompress(frame) for frame in self._frames[frames])
        return np.frombuffer(data, np.uint8).reshape(-1, *self.shape[1:])


@dataclass(frozen=True, eq=False)
class Control:
    """A ControlNet (arXiv 2302.05543), or a T2I-Adapter, and a picture for each frame that it is to follow.

    pictures: uint8 RGB (f, h, w, 3), at the video's size, or as many of PIL's pictures; kept packed, so that
    a long clip stays small.
    scale: the conditioning scale, the factor of what it adds. start, end: the share of the steps, 0..1, in
    which it acts. union_kind: of a network for many kinds of pictures, which of them these are. Raises
    InputError for values out of range.
    """

    network: ControlNet
    pictures: InitVar[np.ndarray | Sequence[Image.Image]]
    scale: float = 1.0
    start: float = 0.0
    end: float = 1.0
    union_kind: int | None = None
    packed: Packed = field(init=False)

    def __post_init__(self, pictures: np.ndarray | Sequence[Image.Image]) -> None:
        object.__setattr__(self, "packed", Packed(as_pictures(pictures)))
        scale = check_number("conditioning_scale", self.scale, 0, MAX_CONTROL_SCALE)
        object.__setattr__(self, "scale", scale)
        check_window(self.start, self.end)
        kinds = self.network.config.get("num_control_type")
        if kinds is not None and (self.union_kind is None or not 0 <= self.union_kind < kinds):
            raise InputError(
                f"the ControlNet knows {kinds} kinds of pictures, and these are none of them; choose a "
                "ControlNet made for this kind."
            )

    @property
    def is_union(self) -> bool:
        """Whether the network is one for many kinds of pictures."""
        return "num_control_type" in self.network.config

    @property
    def is_adapter(self) -> bool:
        """Whether the network is a T2I-Adapter: see ``adapters.py``."""
        return isinstance(self.network, T2IAdapter)

    def acts(self, step: int, num_steps: int) -> bool:
        """Whether it guides time step number ``step`` (0..): those that lie wholly between start and end."""
        return self.scale > 0 and step / num_steps >= self.start and (step + 1) / num_steps <= self.end

    def residuals(
        self,
        noisy: torch.Tensor,
        time: torch.Tensor,
        text: torch.Tensor,
        frames: slice,
        told: Mapping[str, Any],
        call: Callable[..., Any] | None = None,
    ) -> list[torch.Tensor]:
        """What a ControlNet adds to the UNet's skips, and last to its middle.

        noisy: ((b f) c h w) of these frames. told: as ``Guidance.added``. call: how its network is called;
        None: as it is.
        """
        network, dtype = self.network, dtype_of(self.network)
        call = network if call is None else call
        pictures = torch.from_numpy(self.packed[frames]).to(noisy.device)
        pictures = rearrange(pictures, "f h w c -> f c h w").to(dtype) / 255
        with _embedded_for_all(network, len(pictures), len(noisy)) as rows:
            shown = self._shown(pictures[rows], len(noisy))
            down, middle = call(
                noisy.to(dtype),
                time,
                text.to(dtype),
                conditioning_scale=self.scale,
                return_dict=False,
                **shown,
                **told,
            )
        return [*down, middle]

    def _shown(self, pictures: torch.Tensor, batch: int) -> dict[str, Any]:
        """The pictures as the network takes them, and of one for many kinds, of which kind they are."""
        if self.union_kind is None or not self.is_union:
            return {"controlnet_cond": pictures}
        kinds = torch.zeros(batch, self.network.config.num_control_type).to(pictures)
        kinds[:, self.union_kind] = 1
        return {
            "controlnet_cond": [pictures],
            "control_type": kinds,
            "control_type_idx": [self.union_kind],
        }


def as_pictures(given: object) -> np.ndarray:
    """Pictures as uint8 RGB (f, h, w, 3) with at least one frame, which is taken as it is; else InputError.

    A list of PIL's pictures of one size becomes it, whatever their mode.
    """
    pictures = given
    if isinstance(given, (list, tuple)) and given and all(isinstance(one, Image.Image) for one in given):
        sizes = {one.size for one in given}
        if len(sizes) > 1:
            shown = " and ".join(f"{width}x{height}" for width, height in sorted(sizes)[:2])
            raise InputError(f"pictures are of the sizes {shown}; give all the same.")
        pictures = np.stack([np.asarray(one.convert("RGB")) for one in given])
    if not isinstance(pictures, np.ndarray) or pictures.dtype != np.uint8:
        kind = type(pictures).__name__
        raise InputError(f"pictures are {kind}; give a uint8 array (f, h, w, 3) or a list of PIL's pictures.")
    if pictures.ndim != 4 or pictures.shape[3] != 3 or 0 in pictures.shape:
        raise InputError(f"pictures have the shape {pictures.shape}; give (f, h, w, 3).")
    return pictures


@contextmanager
def _embedded_for_all(network: Any, frames: int, batch: int) -> Iterator[list[int]]:
    """Embed each frame's picture, a costly step at full size, once for all guidance branches of a batch.

    Gives the rows of the pictures to feed: one that is alone goes twice, as a batch of one may be rounded
    otherwise than a larger one, and the chunk size must not change a video.
    """
    branches = batch // frames
    handle = network.controlnet_cond_embedding.register_forward_hook(
        lambda _, args, embedded: repeat(embedded[:frames], "f c h w -> (b f) c h w", b=branches).contiguous()
    )
    try:
        yield [0, 0] if frames == 1 else list(range(frames))
    finally:
        handle.remove()
