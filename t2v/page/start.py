"""The app's way in: Ctrl-C ends it without a traceback from the first moment on."""

import sys
from collections.abc import Collection
from typing import NoReturn

from t2v.entry import enter


def app(prog: str, tasks: Collection[str] | None = None) -> NoReturn:
    """Serve the page as the process's arguments say, and end.

    prog: the program's name, for its help; tasks: the tabs on the page, None for all.
    """
    enter(0, "Ended.")
    from t2v.page.serve import main

    sys.exit(main(tasks=tasks, prog=prog))


def t2v_app() -> NoReturn:
    """The console command of an installed package."""
    app("t2v-app")
