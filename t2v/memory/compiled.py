"""Networks compiled by PyTorch: a first call of a minute or more, and quicker ones from then on.

Each number of frames at once, and each size, is compiled for itself: with sizes left open it takes three
times as long, and chunks of a video have one size.
"""

import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from threading import get_ident
from typing import Any
from weakref import WeakSet

import torch

from t2v.devices import lay_out
from t2v.failures import is_out_of_memory

logger = logging.getLogger(__name__)

NOTE = (
    "The networks are compiled: the first video of each size takes a minute or more longer, and those after "
    "it are quicker, for as long as the program runs."
)
FAILED = "The networks could not be compiled here, so they are used as they are; see the log for why."
COMPILING = "Compiling the networks, which takes a minute or more"
MOST = 32  # ways of one network at once: its first and later chunks, of some sizes


Listen = Callable[[bool], None]
_listen: ContextVar[Listen | None] = ContextVar("told of compiling", default=None)


@contextmanager
def told_of_compiling(listen: Listen) -> Iterator[None]:
    """Within it ``listen`` hears when this thread's networks begin to be compiled (True) and are (False).

    Both may come several times in a call of a network. It must not raise.
    """
    token = _listen.set(listen)
    try:
        yield
    finally:
        _listen.reset(token)


@contextmanager
def _told() -> Iterator[None]:
    """Whoever listens is told that it is being compiled as long as this block lasts."""
    listen = _listen.get()
    if listen is not None:
        listen(True)
    try:
        yield
    finally:
        if listen is not None:
            listen(False)


@contextmanager
def _heard() -> Iterator[None]:
    """PyTorch tells in this block whoever listens when it begins and ends to compile.

    It tells of all threads, one of which compiles at a time: those of other devices are not of this run.
    """
    listen = _listen.get()
    if listen is None:
        yield
        return
    thread, hear = get_ident(), listen

    def begins(_: object) -> None:
        if get_ident() == thread:
            hear(True)

    def ends(_: object) -> None:
        if get_ident() == thread:
            hear(False)

    handler: Any = torch._dynamo.callback.callback_handler
    handler.register_start_callback(begins)
    handler.register_end_callback(ends)
    try:
        yield
    finally:
        handler.remove_start_callback(begins)
        handler.remove_end_callback(ends)


def of_run(asked: bool, told: Sequence[str]) -> list[str]:
    """Of what a model told the sentences for a run. asked: whether it is to be compiled.

    Of compiling only then: before the first one that it takes long, or that it cannot be done here.
    """
    others = [one for one in told if one not in (NOTE, FAILED)]
    if not asked:
        return others
    return [*others, *([FAILED] if FAILED in told else [] if NOTE in told else [NOTE])]


class Compiled:
    """The compiled forms of some networks. backend: of ``torch.compile``. tell: hears of it, for people."""

    def __init__(self, tell: Callable[[str], object], backend: str = "inductor") -> None:
        self._tell, self._backend = tell, backend
        self._of: dict[torch.nn.Module, Callable[..., Any]] = {}
        self._laid: WeakSet[torch.nn.Module] = WeakSet()  # otherwise than suits calls as they are
        self._fails = False

    def keep_only(self, networks: tuple[torch.nn.Module, ...]) -> None:
        """Forget the forms of others."""
        self._of = {one: form for one, form in self._of.items() if one in networks}

    def lay_out(self, network: Any, device: str, compiles: bool) -> None:
        """Lay out weights for a run: where it is compiled with a pixel's channels side by side.

        So compiled norms read them too. And back for later runs, as the same seed gives the same bits.
        """
        if compiles and not self._fails:
            network.to(memory_format=torch.channels_last)
            self._laid.add(network)
        elif network in self._laid:
            lay_out(network, device)
            self._laid.remove(network)

    def call(self, network: torch.nn.Module, *args: Any, **told: Any) -> Any:
        """What the network gives, by its compiled form; by itself where that fails, which is told."""
        if self._fails:
            return network(*args, **told)
        if network not in self._of:
            self._tell(NOTE)
            with _told():  # the compiler is imported here, if it is the first time
                warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
                limits: Any = torch._dynamo.config
                limits.recompile_limit = max(limits.recompile_limit, MOST)
                self._of[network] = torch.compile(network, backend=self._backend, dynamic=False)
        own = {name: list(one) if isinstance(one, list) else one for name, one in told.items()}
        try:
            with _heard():
                return self._of[network](*args, **own)  # UNets empty lists, and it may be called once more
        except Exception as error:
            if is_out_of_memory(error) or is_being_recorded():  # which what cannot be recorded ends
                raise
            logger.warning("compiling failed", exc_info=error)
        self._fails = True
        self._of.clear()
        self._tell(FAILED)
        return network(*args, **told)


def is_being_recorded() -> bool:
    """Whether a call is made while CUDA records it, where an error is not the compiler's."""
    return torch.cuda.is_available() and torch.cuda.is_current_stream_capturing()
