"""A bar on stderr that follows a run.

with Bar() as bar:
    video = engine.generate(settings, bar.show)
"""

import sys
import time
from typing import Any

from tqdm import tqdm

FORMAT = "{desc} {percentage:3.0f}%|{bar:30}| {elapsed}<{remaining}"
UNTIMED = "{desc} {percentage:3.0f}%|{bar:30}| {elapsed}"


class Bar:
    """The bar. It comes with the first step, so that a refusal before that stands alone.

    is_shown: None, only where stderr is a terminal, so that no log is filled with it.
    """

    def __init__(self, is_shown: bool | None = None) -> None:
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._is_shown = terminal if is_shown is None else is_shown and sys.stderr is not None
        self._bar: tqdm | None = None
        self._has_waited = False  # in the step under way

    def show(self, step: Any) -> None:
        """The bar at a ``Step`` of the pipeline's: an ``on_step``."""
        if not self._is_shown:
            return
        words = f"{step.label}, step {step.done}/{step.total}"
        bar = self._begun(words, step.fraction)
        bar.set_description_str(words, refresh=False)
        if not self._has_waited:
            bar.bar_format = FORMAT
            bar.update(step.fraction - bar.n)
            return
        self._has_waited = False
        bar.n = bar.last_print_n = step.fraction
        bar.last_print_t = time.time()
        bar.refresh()

    def wait(self, words: str, begins: bool) -> None:
        """Say what a step waits for, which tells nothing of the others' pace. begins: or that it is over."""
        if not self._is_shown:
            return
        bar = self._begun(words, 0.0)
        if begins:
            self._has_waited, bar.bar_format = True, UNTIMED
            bar.set_description_str(words)

    def _begun(self, words: str, fraction: float) -> Any:
        if self._bar is None:
            told = {"desc": words, "bar_format": FORMAT, "file": sys.stderr}
            self._bar = tqdm(total=1.0, initial=fraction, **told)
        return self._bar

    def close(self) -> None:
        """Leave it as it stands and go to the next line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
