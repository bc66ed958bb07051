"""The run that ``generate.py`` is asked for: its arguments read and checked.

Nothing heavy is imported here, so that help and refusals come at once.
"""

import argparse
import sys
from dataclasses import dataclass, fields, replace
from pathlib import Path

from t2v.checks import InputError
from t2v.commands.continuing import Continues, check_continued, read_continue, settings_after
from t2v.commands.controlnets import read_controlnets
from t2v.commands.like import read_like, tell_apart
from t2v.commands.options import REPEATED, build_parser, fields_of_options, in_options
from t2v.commands.tries import Sheet, read_sheet
from t2v.devices import check_device
from t2v.engine.check_weights import check_weights
from t2v.library.results import check_target
from t2v.program import Parser
from t2v.tasks import Settings
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.original_prompts import with_original_prompts
from t2v.tasks.presets import preset
from t2v.weights.models_folder import check_models_folder, use_models_folder

PROG = "generate.py"  # in a clone; installed it is t2v


@dataclass(frozen=True)
class Order:
    """One run as it was asked for: settings and files are checked, nothing is loaded yet."""

    settings: Settings
    output: Path | None
    save_control: Path | None
    device: str | None
    as_json: bool
    with_settings: bool = True
    continues: Continues | None = None

    def seen_path(self, name: str) -> Path | None:
        """Where a thing that the model sees ("clip", "canny" ...) is to be kept; None: nowhere."""
        if self.save_control is None:
            return None
        controlled = isinstance(self.settings, ControlledSettings)
        if name == (self.settings.task if controlled else "clip"):
            return self.save_control
        return self.save_control.with_stem(f"{self.save_control.stem}-{name}") if name != "clip" else None

    def seen_paths(self) -> list[Path]:
        """All files of --save-control that this run will write."""
        names = ["clip"]
        if isinstance(self.settings, ControlledSettings):
            names = [part.task for part in self.settings.parts()]
        return [path for name in names if (path := self.seen_path(name)) is not None]


def read_order(argv: list[str] | None = None, prog: str = PROG) -> Order | Sheet:
    """The run, or the pictures to try, that the arguments (default: the process's) ask for.

    InputError in the options' words. prog: what the program was called by.
    """
    try:
        use_models(sys.argv[1:] if argv is None else argv, prog)
        continues, argv = read_continue(argv, prog)
        like, argv = read_like(argv, prog)
        after = None if continues is None else settings_after(continues, like)
        taken = like if after is None else after
        arguments = build_parser(prog, taken).parse_args(argv)
        if getattr(arguments, "preset", None) is not None:  # read again, what it sets being the defaults
            sets = preset(arguments.model, arguments.preset)
            arguments = build_parser(prog, taken, sets).parse_args(argv)
        if like is not None:
            tell_apart(arguments, like)
        if continues is not None and after is not None:
            check_continued(arguments, continues, after)
        order = _checked(arguments, taken)
        return replace(order, continues=continues) if isinstance(order, Order) else order
    except InputError as error:
        raise InputError(in_options(str(error))) from None


def use_models(argv: list[str], prog: str) -> None:
    """The folder of models, told before names are read there: by ``--like`` and ``--continue``, too."""
    parser = Parser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument("--models", type=Path)
    folder = parser.parse_known_args(argv)[0].models
    if folder is not None:
        check_models_folder(folder)
        use_models_folder(folder)


def _checked(arguments: argparse.Namespace, like: Settings | None) -> Order | Sheet:
    kind = arguments.settings_class
    given = {field.name: getattr(arguments, field.name, None) for field in fields(kind)}
    for name in REPEATED:
        if isinstance(value := given.get(name), list):
            given[name] = "; ".join(value)
    if issubclass(kind, ControlledSettings) and (arguments.controlnets or like is None):
        usual = kind.conditioning_scale if like is None else getattr(like, "conditioning_scale", None)
        strength = arguments.conditioning_scale
        given |= read_controlnets(kind.task, arguments.controlnets, None if strength is usual else strength)
    settings = kind(**given)
    settings.check()
    if getattr(arguments, "original_prompts", False):
        settings = with_original_prompts(settings)
        settings.check()
    if arguments.device is not None:
        check_device(arguments.device)
    if getattr(arguments, "tried", None) is not None:
        check_weights(settings)
        return read_sheet(arguments, settings, fields_of_options())
    output = None if arguments.output is None else check_target(arguments.output, settings, "--output")
    control = getattr(arguments, "save_control", None)
    control = None if control is None else check_target(control, settings, "--save-control")
    order = Order(settings, output, control, arguments.device, arguments.json, arguments.with_settings)
    for path in order.seen_paths():
        check_target(path, settings, "--save-control")
        if output is not None and path.resolve() == output.resolve():
            raise InputError(f"--save-control is {path}, which is the video's own; give another file.")
    check_weights(settings)
    if isinstance(settings, ClipSettings):
        settings.open().check()
    return order
