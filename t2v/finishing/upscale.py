"""Frames of twice the size, one at a time, by the finisher that comes with the miniature."""

from typing import Any

import numpy as np
import torch
from einops import rearrange

from t2v.finishing.network import FinisherNetwork
from t2v.weights.beside import check_finisher
from t2v.weights.files import WEIGHTS
from t2v.weights.network import Place, load_network
from t2v.weights.refusals import ModelError, explain, log_failure
from t2v.weights.source import FINISHER

SCALE = 2
STRIP_PIXELS = 2**18  # of a frame at once in the network: 512x512 need about 200 MB


def load_finisher(device: str = "cpu") -> "Finisher":
    """The bundled finisher on a device, in float32; ModelError where it cannot be had or is broken."""
    check_finisher()
    files = tuple(path.name for path in FINISHER.iterdir() if WEIGHTS.fullmatch(path.name))
    try:
        at = Place("finisher", str(FINISHER), "", files, local=True)
        network: Any = load_network(FinisherNetwork, at, device, torch.float32)
    except ModelError:
        raise
    except Exception as error:
        log_failure("loading the finisher", error)
        raise ModelError(explain("for upscale", error, "finisher")) from error
    return Finisher(network)


class Finisher:
    """Doubles frames: what was drawn at 256x256 becomes crisp at 512x512.

    It is made for flat cartoon pictures with outlines. Each frame is looked at by itself, so the rest of the
    video changes nothing of it; where the picture moves by whole pixels the result moves by twice as many.
    """

    def __init__(self, network: FinisherNetwork) -> None:
        self.network = network.to(memory_format=torch.channels_last)  # a tenth faster on a CPU
        self._device = next(network.parameters()).device

    def __call__(self, frame: np.ndarray) -> np.ndarray:
        """A frame, uint8 RGB (h, w, 3), of any size, as uint8 RGB (2h, 2w, 3).

        Large ones go through the network in strips, which changes nothing: it needs no more of the picture
        than the margin, and at the picture's own border the last pixels are repeated.
        """
        height, width = frame.shape[:2]
        margin = self.network.margin
        around = ((margin, margin), (margin, margin), (0, 0))
        padded = np.pad(frame, around, mode="edge")
        doubled = np.empty((SCALE * height, SCALE * width, 3), np.uint8)
        rows = max(1, STRIP_PIXELS // width)
        for top in range(0, height, rows):
            strip = padded[top : top + rows + 2 * margin]
            doubled[SCALE * top : SCALE * (top + rows)] = self._double(strip)
        return doubled

    def _double(self, strip: np.ndarray) -> np.ndarray:
        pixels = torch.from_numpy(strip).to(self._device)
        with torch.inference_mode():
            picture = rearrange(pixels, "h w c -> 1 c h w").float() / 255
            made = self.network(picture.contiguous(memory_format=torch.channels_last))
            made = (made[0].clamp(0, 1) * 255).round().to(torch.uint8)
        return rearrange(made, "c h w -> h w c").cpu().numpy()
