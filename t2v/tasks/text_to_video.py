"""Text to video: the paper's own task (Sect. 3.3)."""

from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import TYPE_CHECKING, ClassVar

from t2v.checks import check_choice, check_flag
from t2v.diffusion.options import MAX_MOTION_PX, WARPS, Motion
from t2v.diffusion.over_time import read_over_time
from t2v.tasks import acting, settings
from t2v.tasks.settings import ChooseNetwork, Limits, Means, Network, Resolved, Settings, Suits
from t2v.tasks.words import TabWords
from t2v.weights.figure import Figure

if TYPE_CHECKING:
    import torch

LIMITS: Limits = {
    **settings.LIMITS,
    "num_frames": (1, 1000),
    "fps": (0.25, 60),
    "motion_x": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "motion_y": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "t0": (0, 999),
    "t1": (0, 999),
}


@dataclass(frozen=True)
class TextToVideoSettings(Settings):
    """A video from a prompt; the rest as in Settings.

    motion_x, motion_y: output pixels per frame, to the right and downwards. t0, t1: the paper's T' and T
    (0..999). warp: how the motion is applied. motion_field: the paper's other ablation switch. action: what
    the figure does, one of ``acting.CHOICES``: it follows skeletons drawn for that through a pose ControlNet,
    and the motion moves it alone; "none": no figure acts; None: what the prompt says, where that suits the
    model and nothing is asked of how the picture moves.
    """

    task: ClassVar[str] = "text-to-video"
    tab: ClassVar[TabWords] = TabWords(
        10,
        "Text to video",
        "What should the video show?",
        "a red car on a street; or, changing: 0: a street by day | 7: a street at night",
    )
    way: ClassVar[str] = "text"
    limits: ClassVar[Limits] = LIMITS

    prompt: str
    _: KW_ONLY
    num_frames: int = 8
    fps: float = 4.0
    motion_x: float | None = None
    motion_y: float | None = None
    t0: int | None = None
    t1: int | None = None
    motion_field: bool = True
    warp: str = "subcell"
    action: str | None = None

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        super().check()
        check_choice("warp", self.warp, WARPS)
        check_flag("motion_field", self.motion_field)
        if self.action is not None:
            check_choice("action", self.action, acting.CHOICES)
        self.motion().check()

    def motion(self) -> Motion:
        """The motion part of these settings."""
        given: Mapping[str, float | None] = {"x": self.motion_x, "y": self.motion_y}
        known = {name: value for name, value in given.items() if value is not None}
        return Motion(**known, t0=self.t0, t1=self.t1, warp=self.warp, enabled=self.motion_field)

    def acted(self) -> str | None:
        """The action that a figure is going to do; None where none is."""
        if self.action is not None:
            return None if self.action == acting.NONE else self.action
        how = (self.t0, self.t1, self.warp, self.motion_field)  # then the picture is to be moved
        return acting.told_action(self.prompt, self.model) if how == (None, None, "subcell", True) else None

    def networks(self, choose: ChooseNetwork) -> tuple[Network, ...]:
        """The pose ControlNet, where a figure acts."""
        return () if self.acted() is None else (acting.pose_network(choose),)

    def shown_anyway(self) -> tuple[str, ...]:
        """Those that name the action."""
        return () if (action := self.acted()) is None else acting.words_for(action)

    def notes(self) -> tuple[str, ...]:
        """That a figure acts because the prompt says so."""
        action = self.acted()
        if action is None or self.action is not None:
            return ()
        return (acting.note(action),)

    def resolve(self, suits: Suits, networks: Sequence[Network]) -> "ResolvedTextToVideo":
        """The run with every field filled in; of T' and T the one that is given bounds the other."""
        width, height = suits.whole("width", self.width), suits.whole("height", self.height)
        t0, t1 = suits.times(width, height)
        if self.t1 is not None:
            t0 = min(t0, self.t1)
        if self.t0 is not None:
            t1 = max(t1, self.t0)
        action = self.acted()
        if action is not None or read_over_time(self.prompt) is not None:  # then that is what moves
            suits = replace(suits, own={**suits.own, "motion_x": 0.0, "motion_y": 0.0})
        return ResolvedTextToVideo(
            self,
            seed=suits.seed if self.seed is None else int(self.seed),
            num_frames=int(self.num_frames),
            width=width,
            height=height,
            fps=self.fps,
            num_inference_steps=suits.whole("num_inference_steps", self.num_inference_steps),
            guidance_scale=suits.number("guidance_scale", self.guidance_scale),
            motion_x=suits.number("motion_x", self.motion_x),
            motion_y=suits.number("motion_y", self.motion_y),
            t0=t0 if self.t0 is None else int(self.t0),
            t1=t1 if self.t1 is None else int(self.t1),
            action=acting.NONE if action is None else action,
            figure=acting.sized(suits.figure, self.prompt),
            wanted=tuple(networks),
        )


@dataclass(frozen=True)
class ResolvedTextToVideo(Resolved[TextToVideoSettings]):
    """A text-to-video run with nothing left open. figure: that would act. wanted: its ControlNets."""

    motion_x: float
    motion_y: float
    t0: int
    t1: int
    action: str
    figure: Figure
    wanted: tuple[Network, ...]

    @property
    def networks(self) -> tuple[Network, ...]:
        return self.wanted

    def draw(self, means: Means) -> "torch.Tensor":
        """Latents of the video (1 f c h w). Nothing is seen, but for the skeletons of a figure that acts."""
        if self.action != acting.NONE:
            return acting.act(self, means)
        asked = self.asked
        return means.pipeline(
            asked.prompt,
            negative_prompt=asked.negative_prompt,
            num_frames=self.num_frames,
            height=self.height,
            width=self.width,
            num_inference_steps=self.num_inference_steps,
            guidance_scale=self.guidance_scale,
            motion=Motion(self.motion_x, self.motion_y, self.t0, self.t1, asked.warp, asked.motion_field),
            scheduler=asked.scheduler,
            chunk_size=int(asked.chunk_size),
            cross_frame=asked.cross_frame_attention,
            generator=means.generator,
            on_step=means.on_step,
        )
