"""A bar on stderr that follows a run.

with Bar() as bar:
    video = engine.generate(settings, bar.show)
"""

import sys
from typing import Any

from tqdm import tqdm

FORMAT = "{desc} {percentage:3.0f}%|{bar:30}| {elapsed}<{remaining}"


class Bar:
    """The bar. It comes with the first step, so that a refusal before that stands alone.

    is_shown: None, only where stderr is a terminal, so that no log is filled with it.
    """

    def __init__(self, is_shown: bool | None = None) -> None:
        terminal = sys.stderr is not None and sys.stderr.isatty()
        self._is_shown = terminal if is_shown is None else is_shown and sys.stderr is not None
        self._bar: tqdm | None = None

    def show(self, step: Any) -> None:
        """The bar at a ``Step`` of the pipeline's: an ``on_step``."""
        if not self._is_shown:
            return
        words = f"{step.label}, step {step.done}/{step.total}"
        if self._bar is None:
            self._bar = tqdm(desc=words, total=1.0, initial=step.fraction, bar_format=FORMAT, file=sys.stderr)
        self._bar.set_description_str(words, refresh=False)
        self._bar.update(step.fraction - self._bar.n)

    def close(self) -> None:
        """Leave it as it stands and go to the next line."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *error: object) -> None:
        self.close()
