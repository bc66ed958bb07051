"""What a network computes before it is told its text: once a frame, for all guidance branches at once.

Up to its first text attention nothing tells the branches of a frame apart: latents and time are the same. So
the layers before it that weigh most compute one branch, and what they make is handed to all. The rest
(norms, sums) is left as it is: to compute it takes no longer than to hand it on.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch

from t2v.diffusion.attention import FirstFrameBank
from t2v.diffusion.called_as import called_as
from t2v.diffusion.time_rows import tells_with_time


@contextmanager
def once_before_text(network: torch.nn.Module, bank: FirstFrameBank) -> Iterator[None]:
    """Let the layers before the text compute each frame once; they are as before afterwards, come what may.

    bank: the network's, which knows how many of the branches in a call see the same; batches are laid out as
    "(b f)". Nothing is done to networks that are told something with the time, in which branches differ from
    the start.
    """
    layers = [] if tells_with_time(network) else list(layers_before_text(network))
    with called_as(Once, layers, of_branches=bank):
        yield


def layers_before_text(network: Any) -> Iterator[torch.nn.Module]:
    """Convolutions and self-attention that come before the first text attention, in the network's order."""
    yield network.conv_in
    for block in network.down_blocks:
        if getattr(block, "attentions", None):
            yield block.resnets[0]
            yield block.attentions[0].transformer_blocks[0].attn1
            return
        yield from block.resnets
        yield from block.downsamplers or ()


class Once:
    """Calls a layer with the rows of the first of those branches that see the same, for all of them."""

    of_branches: FirstFrameBank

    def __call__(self, rows: torch.Tensor, *args: Any, **told: Any) -> torch.Tensor:
        """Rows ((b f) ...), to what the layer makes of them; the bank tells attention how many are left."""
        layer: Any = super()
        bank, alike = self.of_branches, self.of_branches.alike
        if len(alike) == sum(alike):
            made: torch.Tensor = layer.__call__(rows, *args, **told)
            return made
        branches = rows.chunk(sum(alike))
        first = [branches[sum(alike[:number])] for number in range(len(alike))]
        fewer = first[0] if len(first) == 1 else torch.cat(first)
        if len(fewer) == 1:  # a batch of one may be rounded otherwise, and the chunk size must not matter
            fewer = rows[:2]
        bank.branches = len(alike)
        made = layer.__call__(fewer, *args, **told)
        bank.branches = sum(alike)
        each = torch.split(made, len(first[0]))[: len(alike)]
        return torch.cat([one for one, count in zip(each, alike, strict=True) for _ in range(count)])
