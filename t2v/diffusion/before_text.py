"""What a network computes before it is told its text: once a frame, for all guidance branches at once.

Up to its first text attention nothing tells the branches of a frame apart: latents and time are the same. So
the layers before it that weigh most compute one branch, and what they make is handed to all. The rest
(norms, sums) is left as it is: to compute it takes no longer than to hand it on.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import accumulate
from typing import Any

import torch

from t2v.diffusion.attention import FirstFrameBank
from t2v.diffusion.time_rows import tells_with_time


@contextmanager
def once_before_text(network: torch.nn.Module, bank: FirstFrameBank) -> Iterator[None]:
    """Let the layers before the text compute each frame once; taken out again, come what may.

    bank: the network's, which knows how many of the branches in a call see the same; batches are laid out as
    "(b f)". Nothing is done to networks that are told something with the time, in which branches differ from
    the start.
    """
    with ExitStack() as hooks:
        if not tells_with_time(network):
            for layer in layers_before_text(network):
                once = _Once(bank)
                hooks.callback(layer.register_forward_pre_hook(once.before).remove)
                hooks.callback(layer.register_forward_hook(once.after).remove)
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


class _Once:
    """A layer's hooks: it gets the rows of the first of those branches that see the same, for all of them."""

    def __init__(self, bank: FirstFrameBank) -> None:
        self.bank = bank
        self.rows = 0  # of a branch

    def before(self, _: Any, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
        """Rows ((b f) ...) to those of fewer branches; the bank tells attention how many are left."""
        alike = self.bank.alike
        if len(alike) == sum(alike):
            return None
        branches = args[0].chunk(sum(alike))
        self.rows = len(branches[0])
        first = [branches[number] for number in accumulate(alike[:-1], initial=0)]
        rows = first[0] if len(first) == 1 else torch.cat(first)
        if len(rows) == 1:  # a batch of one may be rounded otherwise, and the chunk size must not matter
            rows = args[0][:2]
        self.bank.branches = len(alike)
        return (rows, *args[1:])

    def after(self, _: Any, __: Any, made: torch.Tensor) -> torch.Tensor | None:
        """What was made for those, to all that see the same."""
        alike = self.bank.alike
        if len(alike) == sum(alike):
            return None
        self.bank.branches = sum(alike)
        branches = torch.split(made, self.rows)[: len(alike)]
        return torch.cat([one for one, count in zip(branches, alike, strict=True) for _ in range(count)])
