"""What a ControlNet is shown of a clip: its edges, its people's skeletons, its nearness.

Every detector takes frames, uint8 RGB (f, h, w, 3), and gives control frames of the same shape and type.
Networks are loaded when they are first called; importing this package loads neither torch nor transformers.
"""

from t2v.detectors.depth import DepthDetector
from t2v.detectors.edges import canny
from t2v.detectors.loading import DetectorError
from t2v.detectors.pose import PoseDetector
from t2v.detectors.ready import looks_like_edges, looks_like_skeleton

__all__ = [
    "DepthDetector",
    "DetectorError",
    "PoseDetector",
    "canny",
    "looks_like_edges",
    "looks_like_skeleton",
]
