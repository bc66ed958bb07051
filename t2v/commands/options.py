"""The options of ``generate.py``: one for every field of every task, and the words of refusals about them.

A field of a new task that is not listed here gets an option of its own name.
"""

import argparse
import re
import sys
from collections.abc import Mapping
from dataclasses import MISSING
from pathlib import Path
from types import MappingProxyType
from typing import Any

from t2v.commands import continuing, like, tries
from t2v.commands.option_words import CONTROLNETS, GROUPS, OTHERS
from t2v.program import Parser
from t2v.tasks import TASKS, Settings
from t2v.tasks.choices import CHOICES
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings
from t2v.tasks.original_prompts import ADDED
from t2v.tasks.presets import KIND as PRESET_KIND
from t2v.tasks.presets import PRESETS
from t2v.video.formats import ENDINGS
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.models_folder import MODELS

OPTIONS = {
    **{name: option for group in GROUPS.values() for name, option in group.items()},
    **{name: (own.option, own.help) for kind in TASKS.values() for name, own in kind.own.items()},
}
OF_CONTROLNETS = ("controlnet", "also")  # fields that --controlnet fills together
PAIRS = {"guided_from": "guided_until"}  # fields that one option fills with two numbers
REPEATED = ("subject", "motion", "painted")  # options for several things, joined by semicolons
FURTHER = {  # commands of another kind, each with a parser of its own
    "finish": "make a finished video smoother, larger, or another kind of file",
    "batch": "make many videos, one a line of a file",
    "models": "list the folder of models, and what each of its files is",
}
OF_RUNS = ("device",)  # options that belong to no Settings
ALIASES = {"model": ("--base-model",)}
UNSET = {"seed": "drawn at random and shown"}  # what a field left None means
UNSET_WITH_CLIP = {
    "width": "in the clip's shape",
    "height": "in the clip's shape",
    "fps": "the clip's",
    "num_frames": "all of the clip",
    "end_s": "the clip's end",
}
MODELS_HINT = f"the folder of models, whose files are known by their names (default: {MODELS})"
PRESET = (
    "how much trouble it is worth: draft (few steps), standard, best (more steps, and what else helps), "
    "paper (its numbers and method); options beside it win"
)
CONTROLNET = (
    "weights of this task's ControlNet, or of a T2I-Adapter: a hub id, a file or a folder, and behind it "
    "@SCALE where it is to be followed less or more (default: what suits the model). TASK, TASK=WEIGHTS or "
    "TASK=WEIGHTS@SCALE adds one of another task "
    "({others}) on the same clip. May be given several times"
)


def build_parser(
    prog: str, taken: Settings | None = None, preset_values: Mapping[str, Any] = MappingProxyType({})
) -> Parser:
    """One subcommand for every task in TASKS, and those that try. prog: what the program was called by.

    taken: settings of a file, which its task has where nothing else is given. preset_values: what a preset
    sets, as the defaults of the task that has presets.
    """
    parser = Parser(prog=prog, description="Make a short video.", allow_abbrev=False)
    commands = parser.add_subparsers(dest="task", metavar="TASK", required=True)
    for name, about in FURTHER.items():
        commands.add_parser(name, help=about)
    for name, kind in TASKS.items():
        about = (sys.modules[kind.__module__].__doc__ or name).strip().splitlines()[0]
        given = "CLIP PROMPT" if issubclass(kind, ClipSettings) else "PROMPT"
        command = commands.add_parser(
            name,
            usage=f"{prog} {name} {given} [-o FILE.mp4] [options]",
            help=about,
            description=about,
            epilog=_epilog() if issubclass(kind, ControlledSettings) else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.set_defaults(settings_class=kind)
        _add_options(command, kind, taken if isinstance(taken, kind) else None)
        if kind is PRESET_KIND:
            command.add_argument_group("the preset").add_argument("--preset", choices=PRESETS, help=PRESET)
            command.set_defaults(**preset_values)
    for name, about in tries.COMMANDS.items():
        usage = f"{prog} {name} PROMPT [-o GRID.png] [options]"
        command = commands.add_parser(name, usage=usage, help=about, description=about, allow_abbrev=False)
        command.set_defaults(settings_class=tries.KIND, tried=name)
        _add_options(command, tries.KIND, taken if isinstance(taken, tries.KIND) else None, "GRID.png")
        tries.add_own_options(command, name)
    return parser


def fields_of_options() -> dict[str, str]:
    """Options' names, without the hyphens in front -> the fields that they fill."""
    return {option.lstrip("-"): name for name, (option, _) in OPTIONS.items()}


def in_options(sentence: str) -> str:
    """A refusal that names Settings fields, with their options in their place, as people here know them."""
    first, _, rest = sentence.partition(" ")
    names = [name for name in OPTIONS if "_" in name]
    whole = rf"(?<![\w./'-])({'|'.join(names)})(?![\w./'-])"
    rest = re.sub(whole, lambda found: _as_option(found[1]), rest)
    return f"{_as_option(first)} {rest}"


def _as_option(name: str) -> str:
    if name in OF_RUNS:
        return f"--{name}"
    if name in OF_CONTROLNETS:
        return "--controlnet"
    flag = OPTIONS.get(name, (name,))[0]
    return name if flag.startswith("--no-") else flag


def other_tasks(task: str) -> list[str]:
    return [name for name, kind in TASKS.items() if issubclass(kind, ControlledSettings) and name != task]


def _add_options(
    command: argparse.ArgumentParser, kind: type[Settings], taken: Settings | None, file: str = "FILE.mp4"
) -> None:
    """The options of all of a task's fields, in groups, and those that every task has."""
    for title in GROUPS:
        mine = [field for field in kind.in_order() if _group_of(field.name) == title]
        group = command.add_argument_group(title) if mine else None
        for field in mine:
            _add_option(group, kind, field.name, field.default, taken is not None)
        if title == CONTROLNETS and group is not None:
            hint = CONTROLNET.format(others=", ".join(other_tasks(kind.task)))
            group.add_argument(
                "--controlnet", dest="controlnets", action="append", default=[], metavar="WEIGHTS", help=hint
            )
    if taken is not None:
        like.take_all(command, taken)
    run = command.add_argument_group("the run")
    run.add_argument(like.OPTION, metavar="FILE", help=like.HELP)
    continuing.add_options(run, kind)
    own = f", in {ENDINGS} (.zip: PNG frames, .png: one frame; default: a new MP4 in outputs/)"
    is_video = file.endswith(".mp4")
    where = f"the file to write{own if is_video else ' (default: a new one in outputs/)'}"
    run.add_argument("-o", "--output", metavar=file, help=where)
    if is_video:
        hint = "leave the settings out of the file"
        run.add_argument("--no-settings", dest="with_settings", action="store_false", help=hint)
    if issubclass(kind, ClipSettings):
        hint = "write there what the model saw; of further ControlNets, to files of that name and theirs"
        run.add_argument("--save-control", metavar="FILE.mp4", help=hint)
    if kind.task in ADDED:
        hint = f'add the original project\'s words to the prompt: "{ADDED[kind.task].words}"'
        hint += ", and its negative prompt where none is given" if ADDED[kind.task].negative else ""
        run.add_argument("--original-prompts", action="store_true", help=hint)
    run.add_argument("--device", help="cpu, cuda, cuda:N or mps (default: the best there is)")
    run.add_argument("--models", type=Path, metavar="DIR", help=MODELS_HINT)
    run.add_argument("--json", action="store_true", help="print the result as one line of JSON on stdout")


def _group_of(name: str) -> str | None:
    """The group of a field's option; None for those that --controlnet fills."""
    if name in OF_CONTROLNETS:
        return None
    return next((title for title, group in GROUPS.items() if name in group), OTHERS)


def _add_option(group: Any, kind: type[Settings], name: str, default: Any, is_taken: bool) -> None:
    """The option of one Settings field: its limits looked up where the task keeps them.

    is_taken: a file gives a value already, so that nothing has to be given and a switch can be put back.
    """
    if name in PAIRS.values():
        return
    flag, hint = OPTIONS.get(name, (f"--{name.replace('_', '-')}", name.replace("_", " ")))
    flags = (flag, *ALIASES.get(name, ()))
    if default is MISSING:
        count = {"nargs": "?"} if is_taken else {}
        group.add_argument(name, metavar=name.upper(), help=hint.format(asks=kind.asks), **count)
    elif isinstance(default, bool):
        action = "store_false" if default else "store_true"
        group.add_argument(*flags, dest=name, action=action, help=hint)
        if is_taken:
            back = f"--{flag.removeprefix('--no-')}" if default else f"--no-{flag.removeprefix('--')}"
            if any(back == option for option, _ in OPTIONS.values()):  # as --motion, beside --no-motion
                back = f"--{name.replace('_', '-')}"
            action = "store_true" if default else "store_false"
            group.add_argument(back, dest=name, action=action, help=argparse.SUPPRESS)
    elif name in PAIRS:
        end = kind.__dataclass_fields__[PAIRS[name]].default
        low, high = kind.limits[name]
        group.set_defaults(**{PAIRS[name]: end})
        group.add_argument(
            flag, dest=name, nargs=2, type=_number, action=_Pair, default=default, metavar=("START", "END"),
            help=f"{hint}; {low:g} to {high:g} each (default: {default:g} {end:g})",
        )  # fmt: skip
    elif name in kind.limits:
        low, high = kind.limits[name]
        unset = UNSET | (UNSET_WITH_CLIP if issubclass(kind, ClipSettings) else {})
        shown = unset.get(name, "what suits the model") if default is None else f"{default:g}"
        hint = f"{hint}; {low:g} to {high:.10g} (default: {shown})"
        group.add_argument(*flags, dest=name, type=_number, default=default, metavar="N", help=hint)
    else:
        hint += f": {', '.join(CHOICES[name])}" if name in CHOICES else ""
        default_told = "what suits the model" if name in ("scheduler", "spacing", "dtype") else default
        hint += f" (default: {default_told})" if default_told else ""
        how = {"action": "append"} if name in REPEATED else {}
        group.add_argument(*flags, dest=name, default=default, metavar="TEXT", help=hint, **how)


class _Pair(argparse.Action):
    """Two numbers, of which the second goes into the field that belongs to the first's."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        first, second = values
        setattr(namespace, self.dest, first)
        setattr(namespace, PAIRS[self.dest], second)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        point = " (write it with a point, as 1.5)" if "," in text else ""
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is not a number{point}") from None
    return int(number) if number.is_integer() and abs(number) < 2**53 else number


def _epilog() -> str:
    rows = "\n".join(f"  {source}  ({keyword})" for source, keyword in STABLE_DIFFUSION.dreambooth.items())
    return f"DreamBooth models for --base-model, each with the keyword to put in the prompt:\n{rows}"
