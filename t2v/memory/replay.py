"""Calls of networks on a GPU, recorded once as CUDA graphs and replayed: the same kernels, without Python.

A UNet of Stable Diffusion starts some 1500 kernels a call, and a fast GPU waits for Python to start them. A
graph starts them all at once. It reads and writes the same places of memory at every replay, so what goes in
is copied into tensors that stay where they are, and what comes out is copied from there.
"""

import logging
import os
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch

from t2v.failures import is_out_of_memory

logger = logging.getLogger(__name__)

NAME = "T2V_CUDA_GRAPHS"  # in the environment: 0 leaves graphs out
OFF = ("0", "off", "false", "no")
MOST = 12  # graphs of a network; a run of one size has three or four
SEEN_BEFORE = 1  # calls of a shape before it is recorded, as what is called once is not worth it
FREEU = ("s1", "s2", "b1", "b2")  # numbers that diffusers leaves on a UNet's blocks

Places = dict[Hashable, tuple[torch.Tensor, ...]]
Left = dict[str, tuple[torch.Tensor, ...]]


class Record(Protocol):
    """Runs a call, and gives what it made with a way to run the same again into the same tensors."""

    def __call__(self, call: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """See above."""


class CudaGraphs:
    """Records by CUDA's own means, all into one pool of memory.

    What one graph leaves in the pool another may write over, but for tensors that somebody holds.
    """

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._pool: Any = None
        self._stream: Any = None

    def __call__(self, call: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        """As ``Record``; the call is run once before it is recorded, as libraries make themselves ready."""
        with torch.cuda.device(self._device):
            if self._stream is None:
                cuda: Any = torch.cuda  # whose streams have no types
                self._stream, self._pool = cuda.Stream(), cuda.graph_pool_handle()
            here = torch.cuda.current_stream()
            self._stream.wait_stream(here)
            with torch.cuda.stream(self._stream):
                call()
            here.wait_stream(self._stream)
            graph = torch.cuda.CUDAGraph()
            # other threads decode and write meanwhile: their calls are none of this recording's
            told: dict[str, Any] = {"stream": self._stream, "capture_error_mode": "thread_local"}
            try:
                with torch.cuda.graph(graph, pool=self._pool, **told):
                    made = call()
            finally:
                torch.cuda.set_stream(here)  # a recording that fails may leave its own
        return made, graph.replay


@dataclass(eq=False)
class Recording:
    """One recorded call. given: the tensors that it reads. left: as the call left it for others."""

    given: list[torch.Tensor]
    made: Any
    replay: Callable[[], None]
    left: Left


@dataclass(frozen=True, eq=False)
class Kind:
    """What a call is beside its arguments. state: all that its way depends on.

    left: what it leaves for other calls, or finds there, in lasting places; a replay puts it there again.
    """

    state: Hashable = None
    left: Left = field(default_factory=dict)


@dataclass(eq=False)
class Known:
    """What is known of a network. signature: of its weights and ways, as they were recorded.

    seen: how often a call of a kind was made that is not recorded; those that cannot be are in ``never``.
    """

    signature: Hashable = None
    recordings: OrderedDict[Hashable, Recording] = field(default_factory=OrderedDict)
    seen: dict[Hashable, int] = field(default_factory=dict)
    never: set[Hashable] = field(default_factory=set)
    places: Places = field(default_factory=dict)

    def forget(self) -> None:
        """All that holds the device's memory; in place, as runs have the places."""
        self.recordings.clear()
        self.seen.clear()
        self.places.clear()


class Replays:
    """The recorded calls of some networks, those used last. record: makes a Record for a device."""

    def __init__(self, record: Callable[[torch.device], Record] = CudaGraphs) -> None:
        self._make, self._record = record, dict[torch.device, Record]()
        self._known: WeakKeyDictionary[torch.nn.Module, Known] = WeakKeyDictionary()

    def begin(self, network: torch.nn.Module) -> Places | None:
        """Make ready for a run: where what calls leave for one another has its lasting place.

        None where this network's calls cannot be recorded, as others look into it or move its weights.
        """
        signature = signature_of(network)
        if signature is None:
            return None
        known = self._known.setdefault(network, Known(signature))
        if known.signature != signature:
            known.forget()
            known.never.clear()
            known.signature = signature
        return known.places

    def call(
        self, network: torch.nn.Module, call: Callable[..., Any], kind: Kind, *args: Any, **told: Any
    ) -> Any:
        """What call(*args, **told) gives, replayed where the same was recorded.

        call: the network, or what stands for it. Arguments are tensors and plain values, in lists, tuples and
        dicts; so is what comes out.
        """
        known = self._known.get(network)
        if known is None:
            return call(*args, **told)
        key = (kind.state, kind_of((args, told)))
        if key not in known.recordings and not self._is_due(known, key):
            return call(*args, **told)
        if key not in known.recordings:
            recording = self._recorded(call, kind, args, told)
            if recording is None:
                known.never.add(key)
                return call(*args, **told)
            known.recordings[key] = recording
            while len(known.recordings) > MOST:
                known.recordings.popitem(last=False)
        known.recordings.move_to_end(key)
        recording = known.recordings[key]
        for place, one in zip(recording.given, tensors_of((args, told)), strict=True):
            place.copy_(one, non_blocking=True)
        recording.replay()
        kind.left.update(recording.left)
        return with_tensors(recording.made, iter([one.clone() for one in tensors_of(recording.made)]))

    @staticmethod
    def _is_due(known: Known, key: Hashable) -> bool:
        """Whether a call is to be recorded now; it is counted."""
        known.seen[key] = known.seen.get(key, 0) + 1
        return key not in known.never and known.seen[key] > SEEN_BEFORE

    def _recorded(self, call: Callable[..., Any], kind: Kind, args: Any, told: Any) -> Recording | None:
        """A call recorded; None where it cannot be, of which nobody but the log hears."""
        found = dict(kind.left)

        def again(*given: Any, **more: Any) -> Any:  # compiled, it would be compiled anew for what was left
            kind.left.clear()
            kind.left.update(found)
            return call(*given, **more)

        try:
            given = [one.clone() for one in tensors_of((args, told))]
            own_args, own_told = with_tensors((args, told), iter(given))
            device = given[0].device
            if device not in self._record:
                self._record[device] = self._make(device)
            made, replay = self._record[device](lambda: again(*own_args, **own_told))
        except Exception as error:
            logger.info("a network's call could not be recorded, so it is made as it is: %s", error)
            if is_out_of_memory(error):
                self.forget()
            kind.left.clear()
            kind.left.update(found)
            return None
        return Recording(given, made, replay, dict(kind.left))

    def forget(self) -> bool:
        """Let go of all recordings, as where weights move or memory runs out; whether there were any."""
        had = any(known.recordings for known in self._known.values())
        for known in self._known.values():
            known.forget()
        self._record.clear()  # and with it the pool
        return had


def are_wanted() -> bool:
    """Whether graphs are used where nobody says; the environment's T2V_CUDA_GRAPHS=0 leaves them out."""
    return os.environ.get(NAME, "").lower() not in OFF


def signature_of(network: torch.nn.Module) -> Hashable:
    """Where a network's weights are, and by which ways it computes; None where others look into it.

    Hooks and exchanged ways (offloading, eight bits, adapters) may compute in Python what no graph repeats.
    """
    for module in network.modules():
        hooks = module._forward_hooks or module._forward_pre_hooks
        if hooks or "forward" in vars(module) or hasattr(module, "_diffusers_hook"):
            return None
    blocks: Any = getattr(network, "up_blocks", ())
    freeu = tuple(getattr(block, name, None) for block in blocks for name in FREEU)
    weights = (*network.parameters(), *network.buffers())
    kinds = tuple(type(one.processor) for one in network.modules() if hasattr(one, "processor"))
    return freeu, kinds, tuple((one.data_ptr(), one.dtype, one.device) for one in weights)


def kind_of(value: Any) -> Hashable:
    """What a recording depends on: the shapes of tensors, and all other values."""
    if isinstance(value, torch.Tensor):
        return tuple(value.shape), value.dtype, value.device
    if isinstance(value, dict):
        return tuple((name, kind_of(one)) for name, one in value.items())
    if isinstance(value, (list, tuple)):
        return type(value).__name__, tuple(kind_of(one) for one in value)
    kind: Hashable = value
    return kind


def tensors_of(value: Any) -> Iterator[torch.Tensor]:
    """The tensors in lists, tuples and dicts, in order."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from tensors_of(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            yield from tensors_of(one)


def with_tensors(value: Any, tensors: Iterator[torch.Tensor]) -> Any:
    """The same lists, tuples and dicts with other tensors, in order."""
    if isinstance(value, torch.Tensor):
        return next(tensors)
    if isinstance(value, dict):
        return type(value)(**{name: with_tensors(one, tensors) for name, one in value.items()})
    if isinstance(value, (list, tuple)):
        return type(value)(with_tensors(one, tensors) for one in value)
    return value
