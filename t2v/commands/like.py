"""``--like FILE``: a run takes its task and all options from a video, and then what is given beside it."""

import argparse
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path

from t2v.checks import InputError
from t2v.commands.tries import COMMANDS, KIND
from t2v.program import Parser
from t2v.tasks import TASKS, Settings, settings_of
from t2v.tasks.clip import ClipSettings

OPTION = "--like"
HELP = (
    "a video of this program (mp4, webm, gif, webp, png, zip), or settings as .json: its task and every "
    "option are taken, its seed too; what else is given is changed. Its clip lies beside it, or is given"
)
CLIPS = (".mp4", ".mov", ".webm", ".mkv", ".avi", ".gif")


def read_like(argv: Sequence[str] | None, prog: str) -> tuple[Settings | None, list[str]]:
    """The settings of the file that ``--like`` names, None without; and the other arguments, task first.

    argv: None takes the process's. InputError for a file without settings, or of another task than is named.
    """
    parser = Parser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument(OPTION)
    found, rest = parser.parse_known_args(sys.argv[1:] if argv is None else list(argv))
    if found.like is None:
        return None, rest
    like = settings_of(Path(found.like))
    named = rest[0] if rest and rest[0] in TASKS else None
    if rest and rest[0] in COMMANDS:  # pictures of what the file's settings make
        named = KIND.task
    if named not in (None, like.task):
        told = f"task is {named}, and {Path(found.like).name} was made by {like.task}"
        raise InputError(f"{told}; leave the task out, or give another file.")
    return like, rest if named is not None else [like.task, *rest]


def take_all(command: argparse.ArgumentParser, like: Settings) -> None:
    """All that is not given is as in ``like``."""
    command.set_defaults(**{field.name: getattr(like, field.name) for field in fields(like)})


def tell_apart(arguments: argparse.Namespace, like: Settings) -> None:
    """Of clip and prompt one alone may be given, which argparse takes for the clip: a text is the prompt."""
    if not isinstance(like, ClipSettings) or arguments.clip == like.clip or arguments.prompt != like.prompt:
        return
    if Path(arguments.clip).suffix.lower() not in CLIPS and not Path(arguments.clip).exists():
        arguments.clip, arguments.prompt = like.clip, arguments.clip
