"""What the deep part of a UNet made, kept for the steps that follow (DeepCache, arXiv 2312.00858, Sect. 3).

From one step to the next the deep features hardly change. So every N-th step computes the whole UNet, and
those between only its first down and its last up block, which meet what was kept there: it enters the last up
block as what comes from below. The UNet's own forward is called each time, so that whatever stands around its
blocks (weights that are moved, embeddings of other models) is as ever.
"""

from collections.abc import Hashable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import torch
from einops import rearrange

from t2v.checks import InputError
from t2v.memory.memory import Memory
from t2v.memory.placing import dtype_of
from t2v.memory.profiles import is_offloaded

DOWN, MIDDLE = "down_block_additional_residuals", "mid_block_additional_residual"


@dataclass(eq=False)
class DeepFeatures:
    """Keeps them for one UNet and one run. every: N >= 1 steps, of which the first is computed whole.

    Of every frame, by its number, so that chunks never matter: what entered the last up block (b c h w), and
    what ControlNets added to the skips there, which is kept as long. Both stay where the UNet computes, or in
    the machine's memory where its weights wait there too: of Stable Diffusion 1.5 at 512 pixels 10 MB a frame
    in half precision with both branches, under ControlNets 26 MB. InputError for a UNet without a deep part.
    """

    unet: Any
    memory: Memory
    every: int = 1
    is_known: bool = False  # whether the prediction that has begun takes what was kept
    _frames: dict[int, torch.Tensor] = field(default_factory=dict)
    _added: dict[int, list[torch.Tensor]] = field(default_factory=dict)
    _of: Hashable = None  # of which frames and ControlNets they are
    _step: int = -2
    _age: int = 0  # steps since they were made
    _branches: int = 0  # of what is kept
    _now: int = 0  # of what is computed
    _laid: torch.memory_format = torch.contiguous_format

    def __post_init__(self) -> None:
        blocks = (getattr(self.unet, "down_blocks", ()), getattr(self.unet, "up_blocks", ()))
        if self.every > 1 and min(map(len, blocks)) < 2:
            raise InputError(
                f"cache_steps is {self.every}, and this model's UNet has no deep part to keep; choose 1."
            )

    def begin(self, step: int, branches: int, of: Hashable) -> None:
        """Decide how the prediction at a time step is computed, in whatever chunks, and however often tried.

        branches: of guidance, now. of: what must be as it was at the step before. Where it is not, as where
        other frames have joined, or where branches come back, all is computed.
        """
        follows = step == self._step + 1 and of == self._of
        self.is_known = follows and self._age + 1 < self.every and branches <= self._branches
        self._age = self._age + 1 if self.is_known else 0
        self._step, self._of, self._now = step, of, branches
        if not self.is_known:
            self._branches = branches
            self._frames.clear()
            self._added.clear()

    @contextmanager
    def around(self, frames: range, added: Mapping[str, Any]) -> Iterator[None]:
        """One call of the UNet, for these frames: what it makes is kept, or what was kept is taken.

        added: what ControlNets add in it.
        """
        if self.every == 1:
            yield
            return
        with ExitStack() as installed:
            if self.is_known:
                self._skip(frames, installed)
            else:
                below = self.unet.up_blocks[-2]
                hook = below.register_forward_hook(lambda _, __, made: self._keep(frames, made, added))
                installed.callback(hook.remove)
            yield

    def added(self, frames: range) -> dict[str, Any]:
        """What ControlNets added for these frames, as the UNet takes it: nothing to what is not computed."""
        if not self._added:
            return {}
        rows = [self._added[frame] for frame in frames]
        skips = tuple(self._batch(list(each)) for each in zip(*rows, strict=True))
        none = skips[0].new_zeros(())
        deeper = 1 + sum(map(_skips, self.unet.down_blocks)) - len(skips)
        return {DOWN: (*skips, *[none] * deeper), MIDDLE: none}

    def _keep(self, frames: range, made: torch.Tensor, added: Mapping[str, Any]) -> None:
        is_last = made.is_contiguous(memory_format=torch.channels_last)
        self._laid = torch.channels_last if is_last else torch.contiguous_format
        shallow = added[DOWN][: len(self.unet.up_blocks[-1].resnets)] if added else ()
        rows = [self._by_frame(one, frames) for one in (made, *shallow)]
        for place, frame in enumerate(frames):
            self._frames[frame] = rows[0][place]
            if shallow:
                self._added[frame] = [each[place] for each in rows[1:]]

    def _by_frame(self, batch: torch.Tensor, frames: range) -> torch.Tensor:
        """((b f) c h w) to (f b c h w), where it is kept."""
        kept = batch.to("cpu") if is_offloaded(self.memory.profile) else batch
        return rearrange(kept, "(b f) c h w -> f b c h w", f=len(frames))

    def _batch(self, rows: list[torch.Tensor]) -> torch.Tensor:
        """Of each frame (b c h w), to ((b f) c h w) where it is computed; of branches the last, told most."""
        found = rearrange(torch.stack(rows)[:, -self._now :], "f b c h w -> (b f) c h w")
        found = found.to(self.memory.device, dtype_of(self.unet))
        return found.contiguous(memory_format=self._laid)

    def _skip(self, frames: range, installed: ExitStack) -> None:
        """Let the UNet pass over its deep blocks; the one below the last gives what was kept."""
        *others, below = self.unet.up_blocks[:-1]
        middle = [] if self.unet.mid_block is None else [self.unet.mid_block]
        kept = self._batch([self._frames[frame] for frame in frames])
        none = kept.new_zeros(())
        for block in self.unet.down_blocks[1:]:
            _stand_in(block, (none, (none,) * _skips(block)), installed)
        for block in (*middle, *others):
            _stand_in(block, none, installed)
        _stand_in(below, kept, installed)


def _skips(block: Any) -> int:
    """How many skips a down block gives."""
    return len(block.resnets) + (getattr(block, "downsamplers", None) is not None)


def _stand_in(block: Any, made: Any, installed: ExitStack) -> None:
    """Let a block give this instead of computing anything; hooks that move its weights sleep too."""
    own = block.__dict__.get("forward")
    block.forward = lambda *_, **__: made

    def put_back() -> None:
        if own is None:
            del block.forward
        else:
            block.forward = own

    installed.callback(put_back)
