"""What a run can be asked for, without torch, so that the command line can answer at once."""

from dataclasses import dataclass

from t2v.checks import InputError, check_choice, check_flag, check_int, check_number, counted, make_plain
from t2v.diffusion.courses import Course

METHODS = ("canvas", "paper")  # one picture under a camera; or each frame drawn anew from T on
MOVES = ("camera", "subject", "both", "life")  # what moves
PATHS = ("straight", "to and fro", "arc")
WARPS = ("subcell", "whole-cell", "reference")
MAX_MOTION_PX = 512.0
ZOOMS = (0.8, 1.25)  # a frame
MAX_TURN = 45.0  # degrees a frame
USUAL_CELLS, MOST_CELLS = 64, 1024  # along a side of latents
PICTURE_STRENGTH = 0.6  # of a picture as a prompt: at the 1 that adapters are trained with it drowns the text
SCHEDULERS = {  # samplers by the names people give them -> diffusers' classes
    "ddim": "DDIMScheduler",
    "euler": "EulerDiscreteScheduler",
    "euler-ancestral": "EulerAncestralDiscreteScheduler",
    "dpm++": "DPMSolverMultistepScheduler",
    "unipc": "UniPCMultistepScheduler",
    "lcm": "LCMScheduler",
    "tcd": "TCDScheduler",
}
MOST_CACHED = 10  # steps
CACHED_OF = 3  # at most one in so many: what looks into the network must find it computed on its way
SPACINGS = ("leading", "trailing", "linspace")  # how a sampler's steps lie among the times


@dataclass(frozen=True)
class KnownTimes:
    """T' and T (t0, t1) that suit latents of side x side cells."""

    t0: int
    t1: int
    side: float


PAPER = KnownTimes(881, 941, 64.0)  # the paper's, of Stable Diffusion at 512x512


@dataclass(frozen=True)
class Motion:
    """How frames k = 1..f-1 are made from the first: moved by k * (x, y), then noised from T' to T.

    x, y: output pixels per frame. t0, t1: T' and T as times of the schedule, 0 <= T' <= T < 1000; None
    lets ``default_times`` choose. warp: one of WARPS. smooth_bg: 0..1, how much what is not the subject keeps
    to the first frame (Sect. 3.3.3, where alpha is 0.6). subject: words of the prompt. enabled=False is the
    paper's ablation: every frame starts from noise of its own.
    """

    x: float = 12.0
    y: float = 12.0
    t0: int | None = None
    t1: int | None = None
    warp: str = "subcell"
    enabled: bool = True
    smooth_bg: float = 0.0
    subject: str = ""

    def __post_init__(self) -> None:
        make_plain(self)

    def check(self) -> None:
        """InputError where a value is out of range or T' lies after T."""
        check_number("motion_x", self.x, -MAX_MOTION_PX, MAX_MOTION_PX)
        check_number("motion_y", self.y, -MAX_MOTION_PX, MAX_MOTION_PX)
        check_choice("warp", self.warp, WARPS)
        check_number("smooth_bg", self.smooth_bg, 0, 1)
        for field, time in (("t0", self.t0), ("t1", self.t1)):
            if time is not None:
                check_int(field, time, 0, 999)
        if self.t0 is not None and self.t1 is not None and self.t0 > self.t1:
            raise InputError(f"t0 (T') is {self.t0} and t1 (T) is {self.t1}; T' must not be larger than T.")


@dataclass(frozen=True)
class Camera:
    """How one large picture passes before a camera that stands still; per frame, from the first one on.

    x, y: output pixels, to the right and downwards. zoom: factor of size, above 1 comes nearer. turn:
    degrees, clockwise. path: one of PATHS, of x and y. course: how it moves over time, in the place of all
    these. lead: the first frame stands back against a quick motion (``views.lead_room``), so that what is in
    the middle of the picture has room ahead of it.
    """

    x: float = 0.0
    y: float = 0.0
    zoom: float = 1.0
    turn: float = 0.0
    path: str = "straight"
    course: Course | None = None
    lead: bool = False

    def __post_init__(self) -> None:
        make_plain(self)

    def check(self) -> None:
        """InputError where a value is out of range."""
        check_flag("lead", self.lead)
        check_number("motion_x", self.x, -MAX_MOTION_PX, MAX_MOTION_PX)
        check_number("motion_y", self.y, -MAX_MOTION_PX, MAX_MOTION_PX)
        check_number("zoom", self.zoom, *ZOOMS)
        check_number("turn", self.turn, -MAX_TURN, MAX_TURN)
        check_choice("path", self.path, PATHS)
        if self.course is not None:
            self.course.check()


@dataclass(frozen=True)
class Subject:
    """What moves by itself before the camera's picture.

    words: of the prompt. x, y, path: as in Camera. lively: it is drawn anew in each frame, so that limbs and
    water move; else it keeps its shape. t0, t1: T' and T, as in Motion: where frames go ways of their own; of
    several subjects the first one's count. course: how it moves over time, in the place of x, y and path; its
    size goes from its foot, its turn about its middle.
    """

    words: str
    x: float = 0.0
    y: float = 0.0
    path: str = "straight"
    lively: bool = False
    t0: int | None = None
    t1: int | None = None
    course: Course | None = None

    def __post_init__(self) -> None:
        make_plain(self)

    def check(self) -> None:
        """InputError where a value is out of range."""
        Camera(self.x, self.y, path=self.path, course=self.course).check()
        Motion(t0=self.t0, t1=self.t1).check()


@dataclass(frozen=True)
class Shortcuts:
    """What a run leaves out, to be done sooner; unlike other options of speed these change the picture.

    guided_from, guided_until: from where to where on the way from noise, 0, to the picture, 1, in shares of
    the schedule's times, guidance is computed (arXiv 2404.07724); outside the network is asked once a frame.
    cache_steps: every so many steps the whole UNet is computed, and between only its first and last block
    (arXiv 2312.00858); 1: always.
    """

    guided_from: float = 0.0
    guided_until: float = 1.0
    cache_steps: int = 1

    def __post_init__(self) -> None:
        make_plain(self)

    def check(self, steps: int | None = None) -> None:
        """InputError where a value is out of range, the interval ends before it begins, or steps are too few.

        steps: of the run, where that is known.
        """
        check_number("guided_from", self.guided_from, 0, 1)
        check_number("guided_until", self.guided_until, 0, 1)
        if self.guided_from > self.guided_until:
            raise InputError(
                f"guided_from is {self.guided_from:g}, and guidance is to end at {self.guided_until:g}; "
                "the end must not come before."
            )
        asked = check_int("cache_steps", self.cache_steps, 1, MOST_CACHED)
        if steps is not None and asked > (most := max(1, steps // CACHED_OF)):
            raise InputError(
                f"cache_steps is {asked}, and there are {counted(steps, 'step')}; choose at most {most}."
            )

    @property
    def within(self) -> tuple[float, float]:
        """The interval."""
        return self.guided_from, self.guided_until


def own_cells(sample_size: object) -> tuple[int, int]:
    """Rows and columns of the latents that a UNet was made for, by its config's ``sample_size``.

    A number is a square's side, a pair rows first, None Stable Diffusion's 64. ValueError for anything else.
    """
    if sample_size is None:
        return USUAL_CELLS, USUAL_CELLS
    pair = sample_size if isinstance(sample_size, (list, tuple)) else (sample_size, sample_size)
    whole = [one for one in pair if isinstance(one, int) and not isinstance(one, bool)]
    if len(pair) != 2 or len(whole) != 2 or not 1 <= min(whole) <= max(whole) <= MOST_CELLS:
        raise ValueError(f"sample_size is {str(sample_size)[:60]}, neither a size nor a pair of them")
    return whole[0], whole[1]


def check_window(start: float, end: float) -> None:
    """InputError unless 0 <= guidance_start < guidance_end <= 1."""
    check_number("guidance_start", start, 0, 1)
    check_number("guidance_end", end, 0, 1)
    if start >= end:
        raise InputError(f"guidance_start is {start:g}, guidance_end {end:g}; the end must come later.")
