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
    with ExitStack() as hooks:

        def hook(handle: Any) -> None:
            hooks.callback(handle.remove)

        hook(embedding.register_forward_pre_hook(lambda _, args: (args[0][:1], *args[1:])))
        own = dict(network.named_children())
        if any(name in own for name in ALIKE):
            alike = [own[name] for name in ALIKE if name in own]
            alike += [one for name, one in network.named_modules() if name.endswith("time_emb_proj")]
            for module in alike:
                _frame_by_frame(module, bank, told_apart, hook)
        for name in BY_PICTURE:
            parts: Any = own.get(name, ())
            for module in parts if isinstance(parts, (torch.nn.ModuleList, tuple)) else (parts,):
                _frame_by_frame(module, bank, True, hook)
        if any(name in own for name in BY_PICTURE):  # means of it are taken, and rounded by how it lies there
            first: Any = own["conv_in"]
            hook(first.register_forward_hook(lambda _, __, made: made.contiguous()))
        yield


def tells_with_time(network: torch.nn.Module) -> bool:
    """Whether a network is told something with the time, in which guidance branches or frames may differ."""
    return any(name in (*ALIKE, *BY_PICTURE) for name, _ in network.named_children())


def _frame_by_frame(module: Any, bank: FirstFrameBank, each: bool, hook: Any) -> None:
    """Let a module see the rows ((b f) ...) of one frame at a time.

    each: else those of the first frame serve all. The module is called again from its own hook, and a frame
    alone passes through.
    """
    waiting: list[list[torch.Tensor]] = []

    def before(_: Any, args: tuple[Any, ...]) -> tuple[Any, ...]:
        first, *others = rearrange(args[0], "(b f) ... -> f b ...", b=bank.branches).unbind()
        waiting.append(others)
        return (first.contiguous(), *args[1:])

    def after(_: Any, args: tuple[Any, ...], made: torch.Tensor) -> torch.Tensor:
        others = waiting.pop()
        if not others:
            return made
        more = [module(rows.contiguous(), *args[1:]) for rows in others] if each else [made] * len(others)
        return rearrange([made, *more], "f b ... -> (b f) ...")

    hook(module.register_forward_pre_hook(before))
    hook(module.register_forward_hook(after))
