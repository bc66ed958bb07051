"""How a run calls a network: as it is, compiled, or replayed from a recording; the same numbers each way."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0

from t2v.diffusion.attention import CrossFrameAttention, FirstFrameBank, cross_frame_attention
from t2v.diffusion.before_text import once_before_text
from t2v.diffusion.text_rows import TextAttention, few_text_rows
from t2v.diffusion.time_rows import few_time_rows
from t2v.memory.memory import Memory
from t2v.memory.replay import Kind, Places

ON_THE_WAY_DOWN = "down_intrablock_additional_residuals"  # what T2I-Adapters add, as UNets call it
PLAIN = (  # that compute, and do nothing beside it
    AttnProcessor,
    AttnProcessor2_0,
    CrossFrameAttention,
    TextAttention,
)


@contextmanager
def made_for_frames(
    network: torch.nn.Module,
    cross_frame: bool = True,
    places: Places | None = None,
    told_apart: bool = False,
) -> Iterator[FirstFrameBank]:
    """Let a network draw frames "(b f)", nothing of them twice; it is left as found, come what may.

    Gives the bank that is to hear of each call. cross_frame: whether frames attend to the first one. places,
    told_apart: as in ``FirstFrameBank`` and ``few_time_rows``.
    """
    with (
        cross_frame_attention(network, cross_frame, places) as bank,
        few_time_rows(network, bank, told_apart),
        few_text_rows(network),
        once_before_text(network, bank),
    ):
        yield bank


@dataclass(frozen=True, eq=False)
class Caller:
    """A network of a run, with all that its way depends on.

    ways: what was installed in it, as numbers and flags. layers: its attention. is_recordable: see
    ``Replays.begin``.
    """

    network: Any
    memory: Memory
    bank: FirstFrameBank
    ways: tuple[int | bool, ...]
    layers: tuple[Attention, ...]
    is_recordable: bool

    @classmethod
    def of(
        cls, network: torch.nn.Module, memory: Memory, bank: FirstFrameBank, *ways: int | bool
    ) -> "Caller":
        """Of a network in which all is installed but for the bank's lasting places, which it gets here."""
        layers = tuple(one for one in network.modules() if isinstance(one, Attention))
        return cls(network, memory, bank, ways, layers, bank.places is not None)

    def __call__(self, *args: Any, **told: Any) -> Any:
        """As the network itself."""
        if not self._is_plain():
            return self._called(self.network, *args, **told)
        compiles = self.memory.compiles and len(args[0]) > self.bank.branches  # one frame is not worth it
        way = partial(self._called, partial(self.memory.call, self.network) if compiles else self.network)
        if not (self.is_recordable and self.memory.records):
            return way(*args, **told)
        state = (compiles, *self.ways, self.bank.alike)
        state += (self.bank.first_chunk, self.bank.address)
        kind = Kind(state, self.bank.kept)
        return self.memory.replays.call(self.network, way, kind, *args, **told)

    def _called(self, way: Callable[..., Any], *args: Any, **told: Any) -> Any:
        made = way(*args, **_with_own_list(told))
        self.bank.put_in_place()
        return made

    def unrecorded(self, *args: Any, **told: Any) -> Any:
        """As the network itself, where others look into it, which no recording repeats."""
        return self.network(*args, **_with_own_list(told))

    def _is_plain(self) -> bool:
        """Whether nobody listens to what the network does, which would be heard at the first call alone."""
        if self.network._forward_hooks or self.network._forward_pre_hooks:
            return False
        return all(type(layer.processor) in PLAIN for layer in self.layers)


def _with_own_list(told: dict[str, Any]) -> dict[str, Any]:
    """What a UNet empties while it computes is given it as a list of its own: a call may be made twice."""
    given = told.get(ON_THE_WAY_DOWN)
    return told if given is None else {**told, ON_THE_WAY_DOWN: list(given)}
