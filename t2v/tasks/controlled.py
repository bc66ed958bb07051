"""What all ControlNet tasks share (paper, Sect. 3.4): their settings, and how control pictures are made."""

from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import KW_ONLY, asdict, dataclass, fields, replace
from typing import Any, ClassVar

import numpy as np

from t2v.checks import InputError, check_choice, check_flag, check_text, make_plain
from t2v.diffusion.options import check_window
from t2v.tasks import clip
from t2v.tasks.clip import ClipSettings, ResolvedClip, Taken
from t2v.tasks.resolved import Means
from t2v.tasks.settings import KINDS, Limits
from t2v.tasks.suits import ChooseNetwork, Network, Suits
from t2v.tasks.words import ControlWords
from t2v.weights.recorded import check_recorded
from t2v.weights.source import LONGEST

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

    def __post_init__(self) -> None:
        make_plain(self)


@dataclass(frozen=True)
class ControlledSettings(ClipSettings):
    """A video that follows a clip's edges, skeletons, depth or the like, as it is asked for.

    controlnet: "miniature", a hub id, a folder or a file, of a ControlNet or a T2I-Adapter; None: what suits
    the model. control_ready: the clip already is edges, skeletons or depth, and is used as it is.
    conditioning_scale: how strictly the ControlNet is followed. guidance_start, guidance_end: in which share
    of the steps. also: further ControlNets.

    A task of this kind adds to what every task names: its ``words``, its ``hub_ids`` (family -> ControlNet),
    how it makes its pictures (``detect``), and whether a network does that, a second a frame on a CPU
    (``detects_slowly``). called: words that stand in the names of ControlNets for it. union_kind: the number
    that ControlNets for many kinds of pictures (unions) know its kind by; None: none. checkpoints: hub ids of
    models that go with it -> their keywords.
    """

    way: ClassVar[str] = "guided"
    limits: ClassVar[Limits] = LIMITS
    words: ClassVar[ControlWords]
    hub_ids: ClassVar[Mapping[str, str]]
    detects_slowly: ClassVar[bool] = False
    called: ClassVar[tuple[str, ...]] = ()
    union_kind: ClassVar[int | None] = None
    checkpoints: ClassVar[Mapping[str, str]] = {}

    _: KW_ONLY
    controlnet: str | None = None
    control_ready: bool = False
    conditioning_scale: float = 1.0
    guidance_start: float = 0.0
    guidance_end: float = 1.0
    also: tuple[Also, ...] = ()

    @abstractmethod
    def detect(self, frames: np.ndarray, device: str) -> np.ndarray:
        """Control pictures of frames: uint8 RGB (f, h, w, 3) in and out."""

    def all_pictures(
        self, frames: np.ndarray, device: str = "cpu", is_ready: bool = False
    ) -> Iterator[tuple[str, np.ndarray]]:
        """What each ControlNet is shown of the fitted frames, by task: uint8 RGB (f, h, w, 3) in and out.

        One after the other, so that a long clip's need not all be in memory. is_ready: the frames are it.
        """
        for part in self.parts():
            yield part.task, frames if is_ready else part.detect(frames, device)

    def looks_ready(self, taken: Taken) -> bool:
        """Whether the clip, by its first frames, already is what the ControlNet is to be shown."""
        return False

    def taken(self, own_px: float) -> Taken:
        """As of every clip; one that is declared ready is, and one that looks so.

        Not so beside further ControlNets, which need a plain clip.
        """
        taken = super().taken(own_px)
        return replace(taken, is_ready=self.control_ready or (not self.also and self.looks_ready(taken)))

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        super().check()
        if self.controlnet is not None and not check_text("controlnet", self.controlnet, LONGEST).strip():
            allowed = "give a hub id, a file or a folder, or leave it out"
            raise InputError(f"controlnet is empty; {allowed}.")
        if self.controlnet is not None:
            check_recorded("controlnet", self.controlnet)
        check_flag("control_ready", self.control_ready)
        check_window(self.guidance_start, self.guidance_end)
        self._check_also()

    def _check_also(self) -> None:
        if not isinstance(self.also, (tuple, list)) or not all(isinstance(each, Also) for each in self.also):
            raise InputError("also is not a list of further ControlNets; give Also(task=...) for each.")
        used = [self.task]
        for each in self.also:
            check_choice("also", each.task, [name for name in controlled_kinds() if name not in used])
            used.append(each.task)
        if self.also and self.control_ready:
            others = " and ".join(controlled_kinds()[each.task].words.shows for each in self.also)
            raise InputError(
                f"control_ready is set, so the clip shows only {self.words.shows}, and the video cannot also "
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
            others.append(controlled_kinds()[each.task](**shared, **own))
        return (self, *others)

    def networks(self, choose: ChooseNetwork) -> tuple[Network, ...]:
        """The ControlNets that a run wants, this task's first, those left None chosen by ``choose``."""
        return tuple(
            Network(
                part.task, choose(part.task, part.hub_ids) if part.controlnet is None else part.controlnet
            )
            for part in self.parts()
        )

    def resolve(self, suits: Suits, networks: Sequence[Network]) -> "ResolvedControlled":
        """The run with every field filled in; InputError where the clip cannot be read."""
        taken, chosen = self._chosen(suits)
        return ResolvedControlled(**chosen, is_ready=taken.is_ready, wanted=tuple(networks))


@dataclass(frozen=True)
class ResolvedControlled(ResolvedClip[ControlledSettings]):
    """A run that ControlNets guide, with nothing left open. wanted: those, as ``networks`` gave them."""

    is_ready: bool
    wanted: tuple[Network, ...]

    @property
    def taken(self) -> Taken:
        return replace(super().taken, is_ready=self.is_ready)

    @property
    def networks(self) -> tuple[Network, ...]:
        return self.wanted

    def filled(self) -> ControlledSettings:
        own, *others = self.wanted
        also = [
            replace(each, controlnet=one.source) for each, one in zip(self.asked.also, others, strict=True)
        ]
        return replace(super().filled(), controlnet=own.source, control_ready=self.is_ready, also=tuple(also))

    def conditions(self, means: Means) -> Mapping[str, Any]:
        """The ControlNets with their pictures; the clip's own frames are let go here."""
        from t2v.diffusion.controls import Control

        frames = self.asked.read(self.taken).frames
        if not self.is_ready:
            means.see("clip", frames)
        controls = []
        pictured = self.asked.all_pictures(frames, str(means.pipeline.device), self.is_ready)
        for part, network, (task, pictures) in zip(self.asked.parts(), means.networks, pictured, strict=True):
            means.see(task, pictures)
            window = (part.guidance_start, part.guidance_end)
            controls.append(
                Control(network, pictures, part.conditioning_scale, *window, union_kind=part.union_kind)
            )
        return {"controls": controls}


def controlled_kinds() -> dict[str, type[ControlledSettings]]:
    """The tasks of this kind that there are, by name, in the order of their tabs."""
    kinds = {name: kind for name, kind in KINDS.items() if issubclass(kind, ControlledSettings)}
    return dict(sorted(kinds.items(), key=lambda item: item[1].tab.order))
