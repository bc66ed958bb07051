"""A picture as a prompt: what an IP-Adapter (arXiv 2308.06721) adds to the text attention of a UNet.

Every text attention layer gets keys and values of the picture beside those of the text, and what attending to
both gives is added: Softmax(Q K_t^T / sqrt(d)) V_t + strength * Softmax(Q K_p^T / sqrt(d)) V_p (its Eq. 5).
The same picture is shown to all frames, so its keys and values are computed once for all of a run.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from diffusers.models.attention_processor import Attention
from einops import rearrange

from t2v.diffusion.attention import FirstFrameBank, text_attention_layers
from t2v.diffusion.options import PICTURE_STRENGTH


@dataclass(frozen=True, eq=False)
class PicturePrompt:
    """What an adapter makes of a picture for one UNet.

    layers: name of a text attention layer -> keys and values, each (2 n c): of no picture, which is told the
    branches that are led away from, and of the picture. strength: 0..1, their share; 0 changes no bit.
    """

    layers: Mapping[str, tuple[torch.Tensor, torch.Tensor]]
    strength: float = PICTURE_STRENGTH


@contextmanager
def seeing_picture(
    network: torch.nn.Module, picture: PicturePrompt | None, bank: FirstFrameBank
) -> Iterator[None]:
    """Let the network's text attention see a picture in the last, most told guidance branch of a batch.

    It is done beside the layers' own processors, whatever they are, at their queries and before their last
    product; taken out again, come what may. bank: the network's, which knows how many branches b there are in
    a call; batches are laid out as "(b f)".
    """
    with ExitStack() as hooks:
        if picture is not None and picture.strength > 0:
            for name, layer in text_attention_layers(network).items():
                if name in picture.layers:
                    beside = _BesideText(layer.heads, bank, picture.layers[name], picture.strength)
                    for handle in beside.into(layer):
                        hooks.callback(handle.remove)
        yield


class _BesideText:
    """What one layer's queries find in the picture."""

    def __init__(
        self, heads: int, bank: FirstFrameBank, told: tuple[torch.Tensor, torch.Tensor], strength: float
    ) -> None:
        self.heads, self.bank, self.strength = heads, bank, strength
        self.told = tuple(rearrange(one, "b n (h d) -> b h n d", h=heads) for one in told)
        self.query: torch.Tensor | None = None

    def into(self, layer: Attention) -> list[Any]:
        """Hook into the layer: what takes it out again."""
        last: Any = layer.to_out
        return [layer.to_q.register_forward_hook(self.took), last[0].register_forward_pre_hook(self.added)]

    def took(self, _: Any, __: Any, query: torch.Tensor) -> None:
        self.query = query

    def added(self, _: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """What the text gave, ((b f) l c), and what the picture gives. Its keys are shared by all frames."""
        text, query, self.query = args[0], self.query, None
        assert query is not None
        key, value = self._on(query)
        folded = rearrange(query, "(b f) l (h d) -> b h (f l) d", b=self.bank.branches, h=self.heads)
        seen = F.scaled_dot_product_attention(folded, key, value)
        seen = rearrange(seen, "b h (f l) d -> (b f) l (h d)", l=query.shape[1])
        return (text + self.strength * seen, *args[1:])

    def _on(self, query: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Keys and values of each branch, where the queries are and as they are, also after these moved."""
        if (self.told[0].device, self.told[0].dtype) != (query.device, query.dtype):
            self.told = tuple(one.to(query) for one in self.told)
        less = self.bank.branches - 1
        return tuple(torch.cat([one[:1].expand(less, -1, -1, -1), one[1:]]) for one in self.told)
