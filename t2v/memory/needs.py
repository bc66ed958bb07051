"""How much memory a run takes beside the weights, by what its networks are.

The factors are of the most that lives at once, traced on tensors without contents: for each frame and
guidance branch a UNet of Stable Diffusion 1.5 or 2.1 holds 26 times its largest cells' tensor, at every size;
SDXL's, which has no attention at those cells, 16 times. A VAE's decoder holds 6 pictures of its last
block's width, 4.5 in strips.
"""

import math
from collections.abc import Mapping
from typing import Any

WITH_ATTENTION, WITHOUT = 26, 16
DECODED = 6.0
SPARE = 400_000_000  # bytes: the first frame's keys and values, kernels' workspaces, the driver
LARGEST_BLOCK = 0.6  # of a UNet's weights on the device at once, by blocks; SDXL's widest, and its middle
WIDTH = 320  # of Stable Diffusion's first block


def row_bytes(unet: Mapping[str, Any], cells: int, itemsize: int) -> int:
    """Of a frame in one guidance branch. unet: its config. cells: of latents. itemsize: bytes a number."""
    attends = "Attn" in str(first(unet.get("down_block_types"), "CrossAttnDownBlock2D"))
    factor = WITH_ATTENTION if attends else WITHOUT
    return factor * cells * int(first(unet.get("block_out_channels"), WIDTH)) * itemsize


def decode_bytes(vae: Mapping[str, Any], pixels: int, itemsize: int) -> int:
    """Of one picture that is decoded. vae: its config."""
    return math.ceil(DECODED * pixels * int(first(vae.get("block_out_channels"), 128)) * itemsize)


def first(values: Any, otherwise: Any) -> Any:
    """The first of a config's list; what is usual where it has none."""
    return values[0] if isinstance(values, (list, tuple)) and values else otherwise
