"""``--continue FILE``: a run begins where a video ends, and takes from it what is not given beside it."""

import argparse
import atexit
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.checks import InputError
from t2v.commands.tries import COMMANDS
from t2v.library.continuing import continued, write_last_frame
from t2v.program import Parser
from t2v.tasks import TASKS, Settings
from t2v.tasks.text_to_video import TextToVideoSettings

OPTION, JOIN = "--continue", "--join"
HELP = (
    "go on from this video's last frame: the file begins with what follows it. Options not given are "
    "the video's own where this program made it"
)
JOIN_HELP = "write that video and what follows it as one, without its sound"


@dataclass(frozen=True)
class Continues:
    """The video that is gone on from, and whether both become one."""

    video: Path
    is_joined: bool


def add_options(group: Any, kind: type) -> None:
    """Both options, of the task that can begin with a picture."""
    if kind is TextToVideoSettings:
        group.add_argument(OPTION, dest="continues", metavar="FILE", help=HELP)
        group.add_argument(JOIN, action="store_true", help=JOIN_HELP)


def read_continue(argv: Sequence[str] | None, prog: str) -> tuple[Continues | None, list[str]]:
    """What ``--continue`` and ``--join`` say, None where they are not there; and the other arguments.

    argv: None takes the process's. InputError for one that makes no sense.
    """
    given = sys.argv[1:] if argv is None else list(argv)
    if {"-h", "--help"} & set(given):
        return None, given
    parser = Parser(prog=prog, add_help=False, allow_abbrev=False)
    parser.add_argument(OPTION, dest="continues")
    parser.add_argument(JOIN, action="store_true")
    found, rest = parser.parse_known_args(given)
    if found.continues is None:
        if found.join:
            raise InputError(f"{JOIN} is given, and {OPTION} is not; add it, with the video to join.")
        return None, rest
    named = rest[0] if rest and rest[0] in (*TASKS, *COMMANDS) else None
    if named in COMMANDS and found.join:
        raise InputError(f"{JOIN} is given, and {named} draws pictures of a video's beginning; leave it out.")
    task = TextToVideoSettings.task
    if named in TASKS and named != task:
        raise InputError(f"{OPTION} is given, and the task is {named}; choose {task}.")
    return Continues(Path(found.continues), found.join), rest if named is not None else [task, *rest]


def settings_after(continues: Continues, like: Settings | None) -> TextToVideoSettings:
    """What a run takes from the video; its last frame lies in a folder that is gone when the program ends.

    like: of ``--like``, beside which there can be none.
    """
    if like is not None:
        raise InputError(f"--like and {OPTION} are both given, and each says what is taken; leave one out.")
    folder = tempfile.TemporaryDirectory(prefix="t2v-continue-")
    atexit.register(folder.cleanup)
    picture = write_last_frame(continues.video, Path(folder.name))
    return continued(continues.video, picture)


def check_continued(arguments: argparse.Namespace, continues: Continues, taken: TextToVideoSettings) -> None:
    """InputError where the first frame is not the video's last, or the video would be overwritten."""
    if arguments.first_frame != taken.first_frame:
        raise InputError(f"--first-frame and {OPTION} are both given; leave one out.")
    output = None if arguments.output is None else Path(arguments.output)
    if output is not None and output.exists() and output.samefile(continues.video):
        raise InputError(f"--output is {output}, which is continued; give another file.")
