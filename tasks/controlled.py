"""What all ControlNet tasks share (paper, Sect. 3.4): their settings, and how control pictures are made."""

from abc import abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from checks import InputError, check_choice, check_flag, check_text
from choices import check_window
from tasks import clip
from tasks.clip import ClipSettings
from tasks.fields import Limits, See

if TYPE_CHECKING:
    from diffusers import ControlNetModel

    from text_to_video_pipeline import TextToVideoPipeline

LIMITS: Limits = {
    **clip.LIMITS,
    "conditioning_scale": (0, 2),
    "guidance_start": (0, 1),
    "guidance_end": (0, 1),
}


@dataclass(frozen=True)
class Also:
    """A further ControlNet on the same clip: that of another task, with the task's usual detector."""

    task: str
    controlnet: str | None = None
    conditioning_scale: float = 1.0
    guidance_start: float = 0.0
    guidance_end: float = 1.0


@dataclass(frozen=True)
class ControlledSettings(ClipSettings):
    """A video that follows a clip's edges, skeletons, depth or the like.

    controlnet: "miniature", a hub id or a folder; None: what suits the model. control_ready: the clip already
    is edges, skeletons or depth, and is used as it is. conditioning_scale: how strictly the ControlNet is
    followed. guidance_start, guidance_end: in which share of the steps. also: further ControlNets.

    A task of this kind names its ``hub_id`` for Stable Diffusion, what its pictures show (``shows``, "edges"
    say), and how it makes them (``detect``).
    """

    limits: ClassVar[Limits] = LIMITS
    suits: ClassVar[dict[str, float]] = {"num_inference_steps": 20, "guidance_scale": 9.0}
    hub_id: ClassVar[str]
    shows: ClassVar[str]

    controlnet: str | None = None
    control_ready: bool = False
    conditioning_scale: float = 1.0
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    also: tuple[Also, ...] = ()

    @abstractmethod
    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Control pictures of frames: uint8 RGB (f, h, w, 3) in and out."""

    def control_pictures(self, frames: np.ndarray, device: str = "cpu") -> np.ndarray:
        """What the ControlNet is shown of the fitted clip's frames: uint8 RGB (f, h, w, 3) in and out."""
        return frames if self.control_ready else self.detect(frames, device)

    def all_pictures(self, frames: np.ndarray, device: str = "cpu") -> Iterator[tuple[str, np.ndarray]]:
        """Task and pictures of each ControlNet, this one's first, from the fitted clip's frames."""
        yield self.task, self.control_pictures(frames, device)
        for part in self.parts()[1:]:
            yield part.task, part.detect(frames, device)

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        super().check()
        if self.controlnet is not None and not check_text("controlnet", self.controlnet, 500).strip():
            raise InputError("controlnet is empty; give miniature, a hub id or a folder, or leave it out.")
        check_flag("control_ready", self.control_ready)
        check_window(self.guidance_start, self.guidance_end)
        self._check_also()

    def _check_also(self) -> None:
        if not isinstance(self.also, (tuple, list)) or not all(isinstance(each, Also) for each in self.also):
            raise InputError("also is not a list of further ControlNets; give Also(task=...) for each.")
        used = [self.task]
        for each in self.also:
            check_choice("also", each.task, [name for name in _controlled_tasks() if name not in used])
            used.append(each.task)
        if self.also and self.control_ready:
            others = " and ".join(_controlled_tasks()[each.task].shows for each in self.also)
            raise InputError(
                f"control_ready is set, so the clip shows only {self.shows}, and the video cannot also "
                f"follow {others}; drop one of the two."
            )
        for part in self.parts()[1:]:
            part.check()

    def parts(self) -> tuple["ControlledSettings", ...]:
        """One settings for each ControlNet, this one first: its task's own, on the same clip."""
        shared = {field.name: getattr(self, field.name) for field in fields(ClipSettings)}
        others = []
        for each in self.also:
            own = {name: value for name, value in asdict(each).items() if name != "task"}
            others.append(_controlled_tasks()[each.task](**shared, **own))
        return (self, *others)

    def with_networks(self, choose: Callable[[str, str], str]) -> "ControlledSettings":
        """A copy in which ControlNets left None are chosen by (task, hub id for Stable Diffusion)."""
        chosen = [
            choose(part.task, part.hub_id) if part.controlnet is None else part.controlnet
            for part in self.parts()
        ]
        also = (replace(each, controlnet=name) for each, name in zip(self.also, chosen[1:], strict=True))
        return replace(self, controlnet=chosen[0], also=tuple(also))

    def networks(self) -> tuple[tuple[str, str], ...]:
        """The ControlNets wanted, as (task, source); none may be left None."""
        return tuple((part.task, part.controlnet) for part in self.parts())

    def conditions(
        self, pipeline: "TextToVideoPipeline", networks: "Sequence[ControlNetModel]", see: See
    ) -> dict:
        """The ControlNets with their pictures; the clip's own frames are let go here."""
        from conditions import Control

        frames = self.read(lines=self.control_ready).frames
        if not self.control_ready:
            see("clip", frames)
        controls = []
        shown = self.all_pictures(frames, str(pipeline.device))
        for part, network, (task, pictures) in zip(self.parts(), networks, shown, strict=True):
            see(task, pictures)
            window = (part.guidance_start, part.guidance_end)
            controls.append(Control(network, pictures, part.conditioning_scale, *window))
        return {"controls": controls}


def _controlled_tasks() -> dict[str, type[ControlledSettings]]:
    from tasks import TASKS  # the registry imports this file

    return {name: kind for name, kind in TASKS.items() if issubclass(kind, ControlledSettings)}
