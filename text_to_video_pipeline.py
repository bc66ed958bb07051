"""The original's name for the pipeline, Algorithm 1 of the paper, and diffusers': ``t2v.diffusion``."""

from t2v.diffusion.options import Motion
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.diffusion.progress import Cancelled, Step
from t2v.diffusion.zero import TextToVideoZeroPipeline

__all__ = ["Cancelled", "Motion", "Step", "TextToVideoPipeline", "TextToVideoZeroPipeline"]
