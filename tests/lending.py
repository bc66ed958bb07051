"""A stand-in for the package ``spaces``, which lends a GPU for the time of a call where there are some.

Of it this is known, and done here as it does it: the decorated generator runs in a forked process, arguments
and what it yields are pickled, and the duration is asked with the same arguments.
"""

from pathlib import Path

STAND_IN = """
import multiprocessing
import os

told = []  # (duration, process) of each call, and whatever ``note`` gives
note = lambda: None

def GPU(duration):
    def decorate(function):
        def lent(*asked):
            forking = multiprocessing.get_context("fork")
            there, here = forking.SimpleQueue(), forking.SimpleQueue()

            def work():
                here.put(os.getpid())
                for one in function(*there.get()):
                    here.put((one,))
                here.put(None)

            process = forking.Process(target=work, daemon=True)
            process.start()
            there.put(asked)
            told.append((duration(*asked), here.get(), note()))
            while (found := here.get()) is not None:
                yield found[0]
            process.join()

        return lent

    return decorate
"""


def stand_in(folder: Path) -> None:
    """As a package that can be imported, where its folder is looked through."""
    (folder / "spaces.py").write_text(STAND_IN)
