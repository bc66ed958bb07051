"""The command line's way in: Ctrl-C is told in one sentence from the first moment on."""

from typing import NoReturn

from t2v.entry import enter, leave_with, tidied_up_once

STOPPED = "Stopped; no video was written."


def command(prog: str) -> NoReturn:
    """Run what the process's arguments say, and end. prog: the program's name, for its help."""
    enter(130, STOPPED)
    from t2v.commands.generate import main
    from t2v.program import end

    tidied_up_once()
    try:
        status = main(prog=prog)
    except KeyboardInterrupt:  # just before main could hear it
        status = 130
    leave_with(status)
    end(status)


def t2v() -> NoReturn:
    """The console command of an installed package."""
    command("t2v")
