"""Files from the hub, and how much of each has come, for whoever shows it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.weights.sizes import unit_of

LEAST = 1_000_000  # bytes: less is told in megabytes, too


@dataclass(frozen=True)
class Fetching:
    """How a file stands that is being fetched. done, total: bytes; 0 in all where nobody knows."""

    place: str
    file: str
    done: int
    total: int

    @property
    def words(self) -> str:
        """ "Fetching unet/model.safetensors, 0.4 of 3.4 GB"."""
        unit, name = unit_of(max(self.total, LEAST))
        of = f" of {self.total / unit:.1f}" if self.total else ""
        return f"Fetching {self.file}, {self.done / unit:.1f}{of} {name}"


Listen = Callable[[Fetching], None]
_listen: ContextVar[Listen | None] = ContextVar("told of what is fetched", default=None)


@contextmanager
def told_of_fetching(listen: Listen) -> Iterator[None]:
    """Within it ``listen`` hears of all that this thread fetches; what it raises ends the fetching.

    What has come by then is kept, and the next try goes on from there.
    """
    token = _listen.set(listen)
    try:
        yield
    finally:
        _listen.reset(token)


def fetch(place: str, file: str, local: bool) -> Path:
    """A file of a hub id, on this disk. local: nothing is fetched. Raises as the hub's client does."""
    from huggingface_hub import hf_hub_download  # its import takes a while

    listen = _listen.get()
    told: dict[str, Any] = {} if listen is None else {"tqdm_class": _bar(place, file, listen)}
    return Path(hf_hub_download(place, file, local_files_only=local, **told))


def _bar(place: str, file: str, listen: Listen) -> Any:
    """The hub's own bar, which also tells."""
    from huggingface_hub.utils.tqdm import tqdm

    class Told(tqdm):
        def __init__(self, *given: Any, **named: Any) -> None:
            super().__init__(*given, **named)  # type: ignore[no-untyped-call]
            self._come = int(named.get("initial") or 0)

        def update(self, n: float | None = 1) -> bool | None:
            self._come += int(n or 0)
            listen(Fetching(place, file, self._come, int(self.total or 0)))
            return super().update(n)

    return Told
