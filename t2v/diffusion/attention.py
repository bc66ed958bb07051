"""Cross-frame attention: each frame's queries, the first frame's keys and values (paper, Sect. 3.3.2)."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from einops import rearrange

from t2v.memory.replay import Places


@dataclass
class FirstFrameBank:
    """Keys and values that the first frame left in each self-attention layer, for one prediction.

    branches: guidance branches b in the batch, which is laid out as "(b f)". alike: how many of them, one
    after another, are shown the same but for their text. first_chunk: whether the
    batch now in the network begins with frame 0 (then the layers write here) or not (then they read).
    kept: layer name -> keys, values, each (b, heads, l, d). places: where they are put, for calls that
    are recorded and replayed: those read and write the same places each time. None: they stay where they were
    made.
    """

    branches: int = 1
    alike: tuple[int, ...] = (1,)
    first_chunk: bool = True
    kept: dict[str, tuple[torch.Tensor, ...]] = field(default_factory=dict)
    places: Places | None = None

    def expect(self, branches: int, first_chunk: bool, alike: tuple[int, ...] | None = None) -> None:
        """Say what the next call of the network holds; a first chunk forgets the time step before.

        alike: None where no branch is like another.
        """
        self.branches, self.first_chunk = branches, first_chunk
        self.alike = (1,) * branches if alike is None else alike
        if first_chunk:
            self.kept.clear()

    def put_in_place(self) -> None:
        """Move what a first chunk left to where it lasts, after each call of the network."""
        if self.places is None or not self.first_chunk:
            return
        for layer, made in self.kept.items():
            lasting = (layer, *((one.shape, one.dtype, one.device) for one in made))
            if lasting not in self.places:
                self.places[lasting] = tuple(torch.empty_like(one) for one in made)
            places = self.places[lasting]
            self.kept[layer] = tuple(place.copy_(one) for place, one in zip(places, made, strict=True))

    @property
    def address(self) -> int:
        """Where a later chunk reads, which a recording of it always does; 0 where it reads nothing."""
        kept = () if self.first_chunk else next(iter(self.kept.values()), ())
        return kept[0].data_ptr() if kept else 0


class CrossFrameAttention:
    """Attention processor of one self-attention layer: Softmax(Q^k K^1T / sqrt(c)) V^1 for every frame k.

    Keys and values are projected for frame 0 only, once per prediction. The frames' queries are folded
    into one long sequence, so that frame 0's keys are shared and never copied.
    """

    def __init__(self, layer: str, bank: FirstFrameBank) -> None:
        self.layer = layer
        self.bank = bank

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """hidden_states: ((b f), l, c), to the same shape. Self-attention only: the text must be absent."""
        if encoder_hidden_states is not None or attention_mask is not None:
            raise ValueError(f"{self.layer} is not plain self-attention; cross-frame attention does not fit.")
        b = self.bank.branches
        if self.bank.first_chunk:
            first = rearrange(hidden_states, "(b f) l c -> b f l c", b=b)[:, 0]
            self.bank.kept[self.layer] = tuple(
                rearrange(project(first), "b l (h d) -> b h l d", h=attn.heads)
                for project in (attn.to_k, attn.to_v)
            )
        key, value = self.bank.kept[self.layer]
        query = rearrange(attn.to_q(hidden_states), "(b f) l (h d) -> b h (f l) d", b=b, h=attn.heads)
        mixed = F.scaled_dot_product_attention(query, key, value, scale=attn.scale)
        mixed = rearrange(mixed, "b h (f l) d -> (b f) l (h d)", l=hidden_states.shape[1])
        return attn.to_out[1](attn.to_out[0](mixed))


def self_attention_layers(network: torch.nn.Module) -> dict[str, Attention]:
    """The layers in which pixels attend to pixels (diffusers' ``attn1``), by name, in the network's order."""
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, Attention) and name.endswith("attn1")
    }


def text_attention_layers(network: torch.nn.Module) -> dict[str, Attention]:
    """The layers in which pixels attend to the text (diffusers' ``attn2``), by name."""
    return {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, Attention) and name.endswith("attn2")
    }


@contextmanager
def processed(layers: Mapping[str, Attention], by: Callable[[str, Any], Any]) -> Iterator[None]:
    """While it lasts, each layer attends by what is made of its name and its processor; then as before."""
    found = {name: layer.processor for name, layer in layers.items()}
    try:
        for name, layer in layers.items():
            layer.processor = by(name, found[name])
        yield
    finally:
        for name, layer in layers.items():
            layer.processor = found[name]


@contextmanager
def cross_frame_attention(
    network: torch.nn.Module, enabled: bool = True, places: Places | None = None
) -> Iterator[FirstFrameBank]:
    """Install CrossFrameAttention on the network's self-attention layers; take it out again, come what may.

    Only those layers are touched, so text attention and adapters on it stay as they were found. places: the
    bank's.
    """
    bank = FirstFrameBank(places=places)
    layers = self_attention_layers(network) if enabled else {}
    try:
        with processed(layers, lambda name, _: CrossFrameAttention(name, bank)):
            yield bank
    finally:
        bank.kept.clear()
