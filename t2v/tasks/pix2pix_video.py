"""Videos edited by an instruction: Video Instruct-Pix2Pix (paper, Sect. 3.5)."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import Any, ClassVar

from t2v.tasks import clip
from t2v.tasks.clip import ClipSettings, ResolvedClip
from t2v.tasks.resolved import Means
from t2v.tasks.settings import Limits
from t2v.tasks.suits import Network, Suits
from t2v.tasks.words import OwnNumber, TabWords

LIMITS: Limits = {**clip.LIMITS, "image_guidance_scale": (0.5, 10)}


@dataclass(frozen=True)
class Pix2PixVideoSettings(ClipSettings):
    """The clip after an instruction, the prompt. image_guidance_scale: how much of the clip stays.

    model: an InstructPix2Pix model ("timbrooks/instruct-pix2pix"), or one that has an editor beside it, as
    the miniature.
    """

    task: ClassVar[str] = "pix2pix"
    tab: ClassVar[TabWords] = TabWords(
        50, "Instructions", "What should be changed?", "make it night", "Instruction"
    )
    way: ClassVar[str] = "edited"
    limits: ClassVar[Limits] = LIMITS
    own: ClassVar[Mapping[str, OwnNumber]] = {
        "image_guidance_scale": OwnNumber(
            label="Image guidance",
            hint="How much of the clip stays: 1 little, 2 a lot.",
            option="--image-guidance",
            help="how much of the clip stays",
        ),
    }
    editor: ClassVar[bool] = True
    asks: ClassVar[str] = "what should be changed, as in 'make it night'"

    _: KW_ONLY
    image_guidance_scale: float | None = None

    def resolve(self, suits: Suits, networks: Sequence[Network]) -> "ResolvedEdit":
        """The run with every field filled in; InputError where the clip cannot be read."""
        scale = suits.number("image_guidance_scale", self.image_guidance_scale)
        return ResolvedEdit(**self._chosen(suits)[1], image_guidance_scale=scale)


@dataclass(frozen=True)
class ResolvedEdit(ResolvedClip[Pix2PixVideoSettings]):
    """An edit with nothing left open."""

    image_guidance_scale: float

    def conditions(self, means: Means) -> Mapping[str, Any]:
        """The clip's latents, which the network sees beside the noise; its frames are let go here."""
        frames = self.asked.read(self.taken).frames
        means.see("clip", frames)
        return {"source": means.pipeline.encode(frames), "image_guidance_scale": self.image_guidance_scale}
