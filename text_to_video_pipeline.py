"""The original's name for the pipeline, Algorithm 1 of the paper: ``t2v.diffusion.pipeline``."""

from t2v.diffusion.options import Motion
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.diffusion.progress import Cancelled, Step

__all__ = ["Cancelled", "Motion", "Step", "TextToVideoPipeline"]
