"""Text to video: the paper's own task (Sect. 3.3)."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import ClassVar

from t2v.checks import InputError, check_choice, check_flag
from t2v.diffusion.options import (
    MAX_MOTION_PX,
    MAX_TURN,
    METHODS,
    MOVES,
    PATHS,
    WARPS,
    ZOOMS,
    Motion,
)
from t2v.diffusion.over_time import read_over_time, texts_of
from t2v.tasks import acting, first_frame, settings
from t2v.tasks.settings import Limits, Settings
from t2v.tasks.subject import subject_of
from t2v.tasks.suits import ChooseNetwork, Network, Suits
from t2v.tasks.text_to_video_run import ResolvedTextToVideo
from t2v.tasks.travel import speeds
from t2v.tasks.what_moves import check_what_moves
from t2v.tasks.words import TabWords

LATEST = 999  # of the times
LIMITS: Limits = {
    **settings.LIMITS,
    "num_frames": (1, 1000),
    "fps": (0.25, 60),
    "motion_x": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "motion_y": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "background_x": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "background_y": (-MAX_MOTION_PX, MAX_MOTION_PX),
    "zoom": ZOOMS,
    "turn": (-MAX_TURN, MAX_TURN),
    "smooth_bg": (0, 1),
    "strength": (0, 1),
    "t0": (0, LATEST),
    "t1": (0, LATEST),
}


@dataclass(frozen=True)
class TextToVideoSettings(Settings):
    """A video from a prompt; the rest as in Settings.

    motion_x, motion_y: pixels per frame as drawn, to the right and downwards, of what moves; None: what suits
    the model, in longer videos a way altogether, which keeps the subject whole (``travel``). move: what
    moves, one of MOVES: the camera's whole picture, the subject before a still background, both (the
    background by background_x, background_y), or nothing but the life in the subject. subject: words of the
    prompt, of several subjects between semicolons, the nearest first; None: its first ones. motion_path: one
    of PATHS. zoom: the picture's factor of size per frame; turn: degrees. motion: over time, as
    ``course_text`` reads it, in the place of all those numbers; the things it names move. painted: where
    subjects are in the first frame, as ``painted`` reads it. method: one of METHODS; None: what suits the
    model, and the options that are set. t0, t1: the paper's T' and T (0..999). warp: how the paper's method
    applies the motion. motion_field: the paper's other ablation. smooth_bg: its background smoothing, 0..1
    (Sect. 3.3.3; 0.6 there). action: what the figure does, one of ``acting.CHOICES``: it follows skeletons
    drawn for that through a pose ControlNet, and the motion moves it alone; "none": no figure acts; None:
    what the prompt says, where that suits the model and nothing is asked of how the picture moves.
    first_frame: path of a picture (png, jpg, webp, gif, bmp) that the video begins with, cut to the video's
    shape; None: the model draws it. strength: 1 keeps it as it is; below, frame 0 is drawn anew in its layout
    from that share of the steps on (diffusers' is 1 minus this). skip_first_frame: the video begins with what
    comes after it, as where it continues another one.
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
    move: str = "camera"
    subject: str | None = None
    background_x: float = 0.0
    background_y: float = 0.0
    motion_path: str = "straight"
    zoom: float = 1.0
    turn: float = 0.0
    method: str | None = None
    t0: int | None = None
    t1: int | None = None
    motion_field: bool = True
    warp: str = "subcell"
    smooth_bg: float = 0.0
    action: str | None = None
    motion: str | None = None
    painted: str | None = None
    first_frame: str | None = None
    strength: float = 1.0
    skip_first_frame: bool = False

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        super().check()
        check_flag("skip_first_frame", self.skip_first_frame)
        first_frame.check_first_frame(self)
        check_choice("move", self.move, MOVES)
        check_choice("motion_path", self.motion_path, PATHS)
        check_choice("warp", self.warp, WARPS)
        check_flag("motion_field", self.motion_field)
        if self.method is not None:
            check_choice("method", self.method, METHODS)
        check_what_moves(self)
        if self.action is not None:
            check_choice("action", self.action, acting.CHOICES)
        self._check_together()
        Motion(t0=self.t0, t1=self.t1).check()

    def _check_together(self) -> None:
        """What moves by itself, acts or changes over time is drawn each in its own way."""
        on_canvas = self.move != "camera" or self.method == "canvas" or self.motion is not None
        if self.action not in (None, acting.NONE) and self.move != "camera":
            raise InputError(f"action is {self.action}, and move is {self.move}; choose camera, or none.")
        if self.action not in (None, acting.NONE) and self.motion is not None:
            raise InputError(f"action is {self.action}, and motion is given; choose none, or leave it out.")
        if on_canvas and read_over_time(self.prompt) is not None and self.action in (None, acting.NONE):
            field = "move" if self.move != "camera" else "motion" if self.motion is not None else "method"
            told = "given" if field == "motion" else getattr(self, field)
            raise InputError(
                f"{field} is {told}, and the prompt changes over time, which the paper's "
                "method draws; choose paper and camera, or give one text."
            )

    def drawn_by(self, suited: str) -> str:
        """The method that is asked for, or that the options set belong to, or that suits the model."""
        if self.method is not None:
            return self.method
        own = (self.move, self.motion_path, self.zoom, self.turn, self.motion)
        if own != ("camera", "straight", 1, 0, None):
            return "canvas"
        changes = read_over_time(self.prompt) is not None
        return "paper" if changes or self.is_papers() else suited

    def is_papers(self) -> bool:
        """Whether an option has been set that only the paper's method knows."""
        has_times = self.t0 is not None or self.t1 is not None
        return has_times or self.warp != "subcell" or not self.motion_field or self.smooth_bg > 0

    def acted(self) -> str | None:
        """The action that a figure is going to do; None where none is."""
        if self.action is not None:
            return None if self.action == acting.NONE else self.action
        # where anything is said of how the picture is to be moved, that is what moves
        return None if acting.held_by(self) is not None else acting.told_action(self.prompt, self.model)

    def networks(self, choose: ChooseNetwork) -> tuple[Network, ...]:
        """The pose ControlNet, where a figure acts."""
        return () if self.acted() is None else (acting.pose_network(choose),)

    def shown_anyway(self) -> tuple[str, ...]:
        """Those that name the action."""
        return () if (action := self.acted()) is None else acting.words_for(action)

    def notes(self) -> tuple[str, ...]:
        """That a figure acts because the prompt says so, or why it does not; what of a picture is cut off."""
        action = self.acted()
        if action is not None and self.action is None:
            return (acting.note(action),)
        idle = acting.idle_note(self) if self.action is None else None
        return first_frame.notes(self) if idle is None else (*first_frame.notes(self), idle)

    def resolve(self, suits: Suits, networks: Sequence[Network]) -> ResolvedTextToVideo:
        """The run with every field filled in; of T' and T the one that is given bounds the other."""
        width, height = suits.whole("width", self.width), suits.whole("height", self.height)
        first_frame.check_readable(self)
        t0, t1 = suits.times(width, height)
        if self.move == "life":  # further apart: what lives is drawn freely, and all else stays
            t0, t1 = t0 // 2, t1 + (LATEST - t1) // 3
        if self.t1 is not None:
            t0 = min(t0, self.t1)
        if self.t0 is not None:
            t1 = max(t1, self.t0)
        action = self.acted()
        moving = speeds(suits.own, int(self.num_frames), self.move, self.drawn_by(suits.method))
        moves_otherwise = action is not None or self.motion is not None
        if moves_otherwise or read_over_time(self.prompt) is not None:  # then that is what moves
            moving = dict.fromkeys(moving, 0.0)
        suits = replace(suits, own={**suits.own, **moving})
        return ResolvedTextToVideo(
            self,
            **self._drawing(suits),
            num_frames=int(self.num_frames),
            width=width,
            height=height,
            fps=self.fps,
            motion_x=suits.number("motion_x", self.motion_x),
            motion_y=suits.number("motion_y", self.motion_y),
            t0=t0 if self.t0 is None else int(self.t0),
            t1=t1 if self.t1 is None else int(self.t1),
            method=self.drawn_by(suits.method),
            subject=subject_of(texts_of(self.prompt)[0]) if self.subject is None else self.subject.strip(),
            action=acting.NONE if action is None else action,
            figure=acting.sized(suits.figure, self.prompt),
            wanted=tuple(networks),
        )
