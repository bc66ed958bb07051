"""Videos edited by an instruction: Video Instruct-Pix2Pix (paper, Sect. 3.5)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from tasks import clip
from tasks.clip import ClipSettings
from tasks.fields import Limits, See

if TYPE_CHECKING:
    from diffusers import ControlNetModel

    from text_to_video_pipeline import TextToVideoPipeline

LIMITS: Limits = {**clip.LIMITS, "image_guidance_scale": (1, 10)}


@dataclass(frozen=True)
class Pix2PixVideoSettings(ClipSettings):
    """The clip after an instruction, the prompt. image_guidance_scale: how much of the clip stays.

    model: an InstructPix2Pix model ("timbrooks/instruct-pix2pix"), or one that has an editor beside it, as
    the miniature.
    """

    task: ClassVar[str] = "pix2pix"
    limits: ClassVar[Limits] = LIMITS
    suits: ClassVar[dict[str, float]] = {
        "num_inference_steps": 50,
        "guidance_scale": 7.5,
        "image_guidance_scale": 1.5,
    }
    editor: ClassVar[bool] = True
    asks: ClassVar[str] = "what should be changed, as in 'make it night'"

    scheduler: str = "euler-ancestral"
    image_guidance_scale: float | None = None

    def conditions(
        self, pipeline: "TextToVideoPipeline", networks: "Sequence[ControlNetModel]", see: See
    ) -> dict:
        """The clip's latents, which the network sees beside the noise; its frames are let go here."""
        frames = self.read().frames
        see("clip", frames)
        return {"source": pipeline.encode(frames), "image_guidance_scale": self.image_guidance_scale}
