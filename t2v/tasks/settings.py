"""What all tasks share: settings as they are asked for, without torch. Runs of them: ``resolved.py``."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import KW_ONLY, MISSING, Field, dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from t2v.checks import InputError, check_choice, check_flag, check_int, check_number, check_text, make_plain
from t2v.diffusion.options import MOST_CACHED, PICTURE_STRENGTH, SCHEDULERS, SPACINGS, Shortcuts
from t2v.diffusion.over_time import read_over_time
from t2v.memory.profiles import AUTO, Kept
from t2v.tasks.picture_prompt import check_picture_prompt
from t2v.tasks.suits import ChooseNetwork, Network, Suits
from t2v.tasks.words import OwnNumber, TabWords
from t2v.weights.recorded import check_recorded
from t2v.weights.source import BUNDLED, LONGEST

if TYPE_CHECKING:
    from t2v.tasks.resolved import Resolved

MAX_PROMPT_CHARS = 2000
MAX_WORK = 2**33  # frames x pixels x steps: 1000 frames of 512x512 at 32 steps
WHOLE = (
    "seed",
    "num_frames",
    "width",
    "height",
    "upscale",
    "num_inference_steps",
    "t0",
    "t1",
    "chunk_size",
    "cache_steps",
)
Limits = Mapping[str, tuple[float, float]]  # field -> least and largest value
# sliders, the command line and ``check`` all read these
LIMITS: Limits = {
    "seed": (0, 2**32 - 1),
    "width": (64, 2048),
    "height": (64, 2048),
    "upscale": (1, 2),
    "num_inference_steps": (1, 200),
    "guidance_scale": (0, 30),
    "picture_prompt_strength": (0, 1),
    "chunk_size": (0, 1000),
    "guided_from": (0, 1),
    "guided_until": (0, 1),
    "cache_steps": (1, MOST_CACHED),
}
MINUS_ONE_IS_NONE = ("seed", "end_s", "fps")  # where they may be None, as scripts of the original write it
KINDS: dict[str, type["Settings"]] = {}  # task -> its settings; ``t2v.tasks`` fills it with every file there


@dataclass(frozen=True)
class Settings(ABC):
    """Everything that decides a video, as it is asked for. None means: what suits the model (seed: drawn).

    Numbers, texts and paths of any class (NumPy's, Fraction, pathlib's) are kept as int, float and str.

    prompt: used as typed; "0: a day | 7: a night" changes along the video, by frames or by shares (0% to
    100%). width, height: pixels of the frames as they are drawn, multiples of 8. upscale: 2 makes the
    finished frames twice as large by the finisher, which is made for flat cartoon pictures; 1 leaves them as
    they are drawn. fps: frames per second of the file.
    guidance_scale: 1 or less turns guidance off. scheduler: the sampler, one of SCHEDULERS. spacing: how its
    steps lie among the times, one of SPACINGS; of a model of many steps it stays None, which is as the model
    was saved with, and trailing below ten steps. chunk_size: frames through the network at once, 0 for all;
    never changes the picture. cross_frame_attention: the paper's ablation switch. profile: how the
    weights are kept, one of PROFILES, "auto" for what the machine has room for; never changes the picture.
    fp8: they are stored in eight bits, which does. dtype: the precision that the networks compute in, one of
    DTYPES, which changes the picture a little; None: what suits model and device, and what an engine was told
    for all runs. compiled: the networks are compiled by PyTorch, which pays
    after the first video of a size. guided_from, guided_until: from where to where on the way
    from noise (0) to the picture (1) guidance is computed; less is sooner, and changes the picture.
    cache_steps: at every so many steps the whole network is computed, between them its outer blocks alone;
    1: always; more is sooner, and changes the picture.
    picture_prompt: path of a picture (png, jpg, webp, gif,
    bmp) that is a prompt beside the text, through ip_adapter: a file, a folder, or a name in the folder of
    models, where None is one that fits. picture_prompt_strength: 0..1, how much it says. freeu: FreeU
    with its makers' values for the kind of model, which changes the picture.

    A task names ``task``, its ``tab``, the ``limits`` of its numbers, those that only it has (``own``), what
    its prompt ``asks``, its ``way`` of drawing (a key of ``Family.suits``), and whether it needs an
    InstructPix2Pix UNet (``editor``).
    """

    task: ClassVar[str]
    tab: ClassVar[TabWords]
    way: ClassVar[str]
    limits: ClassVar[Limits] = LIMITS
    own: ClassVar[Mapping[str, OwnNumber]] = {}
    asks: ClassVar[str] = "what the video should show"
    editor: ClassVar[bool] = False

    _: KW_ONLY
    negative_prompt: str = ""
    model: str = BUNDLED
    seed: int | None = None
    num_frames: int | None = None
    width: int | None = None
    height: int | None = None
    upscale: int | None = None
    fps: float | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    chunk_size: int = 8
    scheduler: str | None = None
    spacing: str | None = None
    cross_frame_attention: bool = True
    profile: str = AUTO
    fp8: bool = False
    dtype: str | None = None
    compiled: bool = False
    guided_from: float = 0.0
    guided_until: float = 1.0
    cache_steps: int = 1
    picture_prompt: str | None = None
    picture_prompt_strength: float = PICTURE_STRENGTH
    ip_adapter: str | None = None
    freeu: bool = False

    if TYPE_CHECKING:

        @property
        def prompt(self) -> str:
            """A field of every task, where its first ones are: fields given by position come from there."""

    def __post_init__(self) -> None:
        make_plain(self)
        for name in MINUS_ONE_IS_NONE:
            value = getattr(self, name, None)
            if isinstance(value, (int, float)) and value == -1 and self.may_lack(name):
                object.__setattr__(self, name, None)

    def __init_subclass__(cls) -> None:
        if "task" in cls.__dict__:
            KINDS[cls.task] = cls

    def notes(self) -> tuple[str, ...]:
        """Sentences on what is odd about what the video is made from; () where there is nothing to say."""
        return ()

    def shown_anyway(self) -> tuple[str, ...]:
        """Words of the prompt that the video shows even where the model does not know them."""
        return ()

    def check(self) -> None:
        """InputError, one sentence, for anything that cannot be run; cheap, no weights needed."""
        if not check_text("prompt", self.prompt, MAX_PROMPT_CHARS).strip():
            raise InputError(f"prompt is empty; write {self.asks}.")
        check_text("negative_prompt", self.negative_prompt, MAX_PROMPT_CHARS)
        self._check_over_time()
        if not check_text("model", self.model, LONGEST).strip():
            raise InputError("model is empty; give miniature, a hub id or a folder.")
        check_recorded("model", self.model)
        self._check_numbers()
        for field, choices in (("scheduler", SCHEDULERS), ("spacing", SPACINGS)):
            if getattr(self, field) is not None:
                check_choice(field, getattr(self, field), choices)
        for field in ("cross_frame_attention", "freeu"):
            check_flag(field, getattr(self, field))
        Kept(self.profile, self.fp8, self.dtype).check()
        check_flag("compiled", self.compiled)
        self.shortcuts.check(self.num_inference_steps)
        check_picture_prompt(self)
        self._check_work()

    @property
    def shortcuts(self) -> Shortcuts:
        """What is left out to be done sooner."""
        return Shortcuts(self.guided_from, self.guided_until, self.cache_steps)

    def networks(self, choose: ChooseNetwork) -> tuple[Network, ...]:
        """The ControlNets that a run wants, those left None chosen by ``choose``: none unless it says so."""
        return ()

    @abstractmethod
    def resolve(self, suits: Suits, networks: Sequence[Network]) -> "Resolved[Any]":
        """The run with every field filled in; networks: as ``networks`` lists them.

        InputError where a clip cannot be read.
        """

    def _drawing(self, suits: Suits) -> dict[str, Any]:
        """How it is drawn: what every resolved run has beside its frames, size and rate."""
        return {
            "seed": suits.seed if self.seed is None else int(self.seed),
            "upscale": suits.whole("upscale", self.upscale),
            "num_inference_steps": suits.steps(self.num_inference_steps, self.scheduler),
            "guidance_scale": suits.number("guidance_scale", self.guidance_scale),
            "scheduler": suits.scheduler if self.scheduler is None else self.scheduler,
            "spacing": suits.spacing if self.spacing is None else self.spacing,
            "ip_adapter": suits.ip_adapter if self.ip_adapter is None else self.ip_adapter,
            "dtype": suits.dtype,
        }

    @classmethod
    def in_order(cls) -> list[Field[Any]]:
        """The fields as people meet them: those that must be given first, as in a call."""
        return sorted(fields(cls), key=lambda one: one.default is not MISSING)

    @classmethod
    def may_lack(cls, field: str) -> bool:
        """Whether a field may be None: where it is so by default."""
        return cls.__dataclass_fields__[field].default is None

    def _check_numbers(self) -> None:
        """InputError for a number outside its limits; None passes where it is the default."""
        for field, (low, high) in self.limits.items():
            value = getattr(self, field)
            if value is None and self.may_lack(field):
                continue
            if field in WHOLE:
                step = 8 if field in ("width", "height") else 1
                check_int(field, value, int(low), int(high), multiple_of=step)
            else:
                check_number(field, value, low, high)

    def _check_over_time(self) -> None:
        """InputError for a prompt over time that goes wrong; of a clip's frames nothing is known yet."""
        over_time = read_over_time(self.prompt)
        if over_time is not None and isinstance(self.num_frames, int):
            over_time.check(self.num_frames)

    def _check_work(self) -> None:
        """Refuse what no machine could finish; what the model or the clip is yet to decide counts then."""
        if (
            self.num_frames is None
            or self.width is None
            or self.height is None
            or self.num_inference_steps is None
        ):
            return
        work = self.num_frames * self.width * self.height * self.num_inference_steps
        if work > MAX_WORK:
            raise InputError(
                f"num_frames x width x height x num_inference_steps is {work:.2g}; "
                f"at most {MAX_WORK:.2g} is allowed, so choose fewer frames, a smaller size or fewer steps."
            )


S = TypeVar("S", bound=Settings)
