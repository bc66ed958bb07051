"""What a network makes of the time, and of what it is told beside its text: one row a guidance branch.

Matrix products with as many rows as frames round differently for different batch sizes. Here they always have
as many rows as there are branches, and so a video is the same to the last bit at every chunk size; where all
frames are told the same they are also done once instead of once a frame.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch
from einops import rearrange

from t2v.diffusion.attention import FirstFrameBank
from t2v.diffusion.called_as import called_as

# Of Stable Diffusion XL, and of its ControlNets for many kinds of pictures (ControlNetUnionModel)
ALIKE = ("add_embedding", "control_add_embedding")
# A union's layers for its pictures, which differ from frame to frame. Their attention goes along the batch,
# as they were trained so: the branches of a frame look at one another, and frames must not.
BY_PICTURE = ("transformer_layes", "spatial_ch_projs")


@contextmanager
def few_time_rows(network: torch.nn.Module, bank: FirstFrameBank, told_apart: bool = False) -> Iterator[None]:
    """Embed the time once for the whole batch, and what is told beside the text once for each branch.

    bank: the network's, which knows how many branches b there are in a call; batches are laid out as "(b f)".
    told_apart: whether frames are told different things beside their text.
    """
    embedding: Any = network.time_embedding
    own = dict(network.named_children())
    alike = [own[name] for name in ALIKE if name in own]
    if alike:
        alike += [one for name, one in network.named_modules() if name.endswith("time_emb_proj")]
    apart = [layer for name in BY_PICTURE for layer in _layers(own.get(name, ()))]
    with ExitStack() as hooks:
        first = embedding.register_forward_pre_hook(lambda _, args: (args[0][:1], *args[1:]))
        hooks.callback(first.remove)
        hooks.enter_context(called_as(FrameByFrame, alike, of_branches=bank, each=told_apart))
        hooks.enter_context(called_as(FrameByFrame, apart, of_branches=bank, each=True))
        if apart:  # means of it are taken, and rounded by how it lies there
            laid = own["conv_in"].register_forward_hook(lambda _, __, made: made.contiguous())
            hooks.callback(laid.remove)
        yield


def tells_with_time(network: torch.nn.Module) -> bool:
    """Whether a network is told something with the time, in which guidance branches or frames may differ."""
    return any(name in (*ALIKE, *BY_PICTURE) for name, _ in network.named_children())


def _layers(parts: Any) -> tuple[torch.nn.Module, ...]:
    return tuple(parts) if isinstance(parts, (torch.nn.ModuleList, tuple)) else (parts,)


class FrameByFrame:
    """Calls a layer with the rows of one frame at a time. each: else those of the first frame serve all."""

    of_branches: FirstFrameBank
    each: bool

    def __call__(self, rows: torch.Tensor, *args: Any) -> torch.Tensor:
        """Rows ((b f) ...), to what the layer makes of them."""
        layer: Any = super()
        first, *others = rearrange(rows, "(b f) ... -> f b ...", b=self.of_branches.branches).unbind()
        made: torch.Tensor = layer.__call__(first.contiguous(), *args)
        if not others:
            return made
        more = (
            [layer.__call__(one.contiguous(), *args) for one in others] if self.each else [made] * len(others)
        )
        return rearrange([made, *more], "f b ... -> (b f) ...")
