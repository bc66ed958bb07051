"""Nearness by Depth Anything V2 (Yang et al., arXiv 2406.09414), on one scale for the whole clip."""

from dataclasses import dataclass, field
from typing import Any

import cv2
import numpy as np

from t2v.detectors.loading import DetectorError, Wanted, load_network

DEPTH = "depth-anything/Depth-Anything-V2-Small-hf"
INSTEAD = "ready depth clips (control_ready) and the examples"
SLICE = 4  # frames at once in the network
PERCENTILES = (0.5, 99.5)  # of the clip's nearness become black and white: a few wild pixels must not
MAX_LOOKED_AT = 4_000_000  # values from which the percentiles are taken


@dataclass(eq=False)
class DepthDetector:
    """Frames, uint8 RGB (f, h, w, 3), to nearness of that shape and type, grey, near things bright.

    weights: a hub id or a folder of a depth model of transformers. They are loaded at the first call, which
    raises DetectorError where they are not to be had.
    """

    weights: str = DEPTH
    device: str = "cpu"
    _loaded: tuple[Any, ...] = field(default=(), init=False, repr=False)

    def load(self) -> None:
        """Load the weights now; DetectorError where they are not to be had."""
        if not self._loaded:
            wanted = Wanted(self.weights, "AutoModelForDepthEstimation", "depth", INSTEAD)
            self._loaded = load_network(wanted, self.device)

    def __call__(self, frames: np.ndarray) -> np.ndarray:
        self.load()
        # Half precision keeps more than eight bits; a long clip's nearness then takes less than its control.
        nearness = np.empty(frames.shape[:3], np.float16)
        for start in range(0, len(frames), SLICE):
            nearness[start : start + SLICE] = self._nearness(frames[start : start + SLICE])
        if not np.isfinite(nearness).all():
            raise DetectorError(
                f"the depth detector's weights ({self.weights}) give no numbers; {INSTEAD} work without them."
            )
        return normalise_clip(nearness)

    def _nearness(self, frames: np.ndarray) -> np.ndarray:
        """Up to SLICE frames to float32 (f, h, w), larger where things are nearer."""
        import torch

        network, processor = self._loaded
        inputs = processor(images=list(frames), input_data_format="channels_last", return_tensors="pt")
        pixels = inputs["pixel_values"].to(self.device)
        with torch.inference_mode():
            depth = network(pixels).predicted_depth.float().cpu().numpy()
        if getattr(network.config, "depth_estimation_type", "relative") == "metric":
            depth = 1 / np.maximum(depth, 0.01)  # metres; the relative kinds give nearness already
        height, width = frames.shape[1:3]
        return np.stack([cv2.resize(one, (width, height), interpolation=cv2.INTER_LINEAR) for one in depth])


def normalise_clip(nearness: np.ndarray) -> np.ndarray:
    """Nearness, float (f, h, w) in any unit, to uint8 (f, h, w, 3) with one scale for all frames.

    A scale for each frame would make still things flicker. Without any difference all is black.
    """
    step = max(1, nearness.size // MAX_LOOKED_AT)
    low, high = np.percentile(nearness.reshape(-1)[::step].astype(np.float32), PERCENTILES)
    spread = high - low if high > low else 1.0
    control = np.empty((*nearness.shape, 3), np.uint8)
    for index, frame in enumerate(nearness):
        scaled = (frame.astype(np.float32) - low) / spread
        control[index] = np.round(255 * np.clip(scaled, 0, 1)).astype(np.uint8)[..., None]
    return control
