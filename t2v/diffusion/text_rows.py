"""Text attention with fewer texts than rows: frames that are told the same share its keys and values."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0
from einops import rearrange

from t2v.diffusion.attention import processed, self_attention_layers, text_attention_layers


class TextAttention:
    """Attention processor of one text attention layer, in which all frames of a branch are told one text.

    A text's keys and values are projected once a call, not once a frame. Frames' queries are folded as in
    ``CrossFrameAttention``.
    """

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor,
        attention_mask: torch.Tensor | None = None,
        temb: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """hidden_states: ((t f) l c), to the same shape; encoder_hidden_states: (t n d), of f frames each."""
        text = encoder_hidden_states
        key, value = (
            rearrange(project(text), "t n (h d) -> t h n d", h=attn.heads)
            for project in (attn.to_k, attn.to_v)
        )
        query = attn.to_q(hidden_states).flatten(0, 1).unflatten(0, (len(text), -1))  # t (f l) (h d)
        query = rearrange(query, "t l (h d) -> t h l d", h=attn.heads)
        mixed = F.scaled_dot_product_attention(query, key, value, scale=attn.scale)
        mixed = rearrange(mixed, "t h l d -> t l (h d)").reshape(*hidden_states.shape[:2], -1)
        return attn.to_out[1](attn.to_out[0](mixed))


class TextEachRow:
    """Another processor of a text attention layer, which gets a text for every row of the batch."""

    def __init__(self, own: Any) -> None:
        self.own = own

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        *rest: Any,
        **named: Any,
    ) -> torch.Tensor:
        """As ``TextAttention``."""
        text = encoder_hidden_states
        if text is not None:
            text = text.repeat_interleave(len(hidden_states) // len(text), dim=0)
        mixed: torch.Tensor = self.own(attn, hidden_states, text, *rest, **named)
        return mixed


@contextmanager
def few_text_rows(network: torch.nn.Module) -> Iterator[None]:
    """Let the network take fewer texts than its batch has rows; taken out again, come what may.

    Each of t texts is told to as many rows, one after another. Processors of others, such as those that
    listen, find a text for each row, as ever.
    """
    to_text, own = text_attention_layers(network), self_attention_layers(network)
    layers = {
        name: layer
        for name, layer in network.named_modules()
        if isinstance(layer, Attention) and name not in own
    }

    def by(name: str, own: Any) -> Any:
        is_plain = name in to_text and type(own) in (AttnProcessor, AttnProcessor2_0)
        return TextAttention() if is_plain else TextEachRow(own)

    with processed(layers, by):
        yield
