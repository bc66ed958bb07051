"""The one training loop: any stage, any loss, resumable, bounded by time, in one process or several.

Several processes (``torchrun --nproc-per-node 2 -m miniature.train``) each take a part of every batch, step
on their own, and meet every few steps to average their parameters (local SGD, arXiv 1805.09767). On a CPU
whose cores others use too that is much faster than one process with several threads, which wait for each
other thousands of times a step.
"""

import contextlib
import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn

from miniature.shapes import Stage

log = logging.getLogger(__name__)

CHECKPOINT_S = 180  # seconds between checkpoints
WARM_UP_STEPS = 100
LOG_EVERY = 50
ROUND = 8  # steps between meetings of the workers

Rate = Callable[[str], float]  # the share of a stage's learning rate at which the parameter of a name learns


def pick_device(name: str | None = None) -> torch.device:
    """The device asked for; else a CUDA GPU, Apple's, or the CPU, whichever is there first."""
    if name is not None:
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def low_precision(device: torch.device) -> contextlib.AbstractContextManager:
    """bfloat16 arithmetic where it is faster (CPUs with avx512-bf16 or amx, CUDA); float32 elsewhere."""
    if device.type in ("cpu", "cuda"):
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def learning_rate(stage: Stage, step: int, progress: float) -> float:
    """Warm-up over the first steps, then level, then a half cosine to 2 % at the stage's end."""
    warm_up = min(1.0, (step + 1) / WARM_UP_STEPS)
    fall = max(0.0, progress - stage.falls_from) / (1 - stage.falls_from)
    cosine = 0.5 + 0.5 * torch.cos(torch.tensor(min(fall, 1.0) * torch.pi)).item()
    return stage.learning_rate * warm_up * (0.02 + 0.98 * cosine)


def join_workers() -> None:
    """Meet the other processes of a torchrun; nothing to do without one."""
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        dist.init_process_group("gloo")


def workers() -> int:
    """How many processes train together."""
    return dist.get_world_size() if dist.is_initialized() else 1


def worker() -> int:
    """Which of them this is; number 0 writes the files."""
    return dist.get_rank() if dist.is_initialized() else 0


def wait_for_workers() -> None:
    """Until all processes are here."""
    if workers() > 1:
        dist.barrier()


def same_rate(name: str) -> float:
    """Every parameter learns at the stage's own rate."""
    return 1.0


class Trainer:
    """Parameters, their moving average and the optimizer of one stage, and where they are kept.

    ``rate`` says at what share of the stage's learning rate the parameter of a name learns.
    """

    def __init__(self, stage: Stage, parts: nn.ModuleDict, folder: Path, rate: Rate = same_rate):
        self.stage, self.parts, self.checkpoint = stage, parts, folder / f"{stage.name}.pt"
        if workers() > 1:  # all begin with worker 0's parameters
            for tensor in parts.state_dict().values():
                dist.broadcast(tensor, src=0)
        named = [(name, p) for name, p in parts.named_parameters() if p.requires_grad]
        self.parameters = [p for _, p in named]
        self.average = [p.detach().clone() for p in self.parameters]
        self.rates = list(dict.fromkeys(rate(name) for name, _ in named))
        groups = [{"params": [p for name, p in named if rate(name) == each]} for each in self.rates]
        self.optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
        self.step, self.seconds = 0, 0.0

    def save(self) -> None:
        """Write everything needed to go on, whole or not at all."""
        if worker() > 0:
            return
        state = {
            "parts": self.parts.state_dict(),
            "average": self.average,
            "optimizer": self.optimizer.state_dict(),
            "step": self.step,
            "seconds": self.seconds,
        }
        part = self.checkpoint.with_suffix(".part")
        torch.save(state, part)
        part.replace(self.checkpoint)

    def resume(self) -> bool:
        """Go on from the checkpoint; False where there is none."""
        if not self.checkpoint.exists():
            return False
        device = self.parameters[0].device
        state = torch.load(self.checkpoint, map_location=device, weights_only=True)
        self.parts.load_state_dict(state["parts"])
        self.average = state["average"]
        self.optimizer.load_state_dict(state["optimizer"])
        self.step, self.seconds = state["step"], state["seconds"]
        log.info("%s: resumed at step %d, %.1f min", self.stage.name, self.step, self.seconds / 60)
        return True

    @torch.no_grad()
    def use_average(self) -> None:
        """Put the moving average into the models."""
        for parameter, average in zip(self.parameters, self.average, strict=True):
            parameter.copy_(average)

    def update(self, loss: torch.Tensor, progress: float) -> None:
        """One optimizer step."""
        for group, rate in zip(self.optimizer.param_groups, self.rates, strict=True):
            group["lr"] = rate * learning_rate(self.stage, self.step, progress)
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
        self.optimizer.step()
        self.step += 1

    @torch.no_grad()
    def close_round(self, seconds: float) -> None:
        """After ROUND steps: the mean of all workers' parameters and seconds, then the moving average."""
        self.seconds += seconds
        if workers() > 1:
            sizes = [p.numel() for p in self.parameters]
            own_seconds = self.parameters[0].new_tensor([self.seconds])
            flat = torch.cat([*(p.flatten() for p in self.parameters), own_seconds])
            dist.all_reduce(flat)
            flat /= workers()
            means, self.seconds = flat[:-1].split(sizes), flat[-1].item()
            for parameter, mean in zip(self.parameters, means, strict=True):
                parameter.copy_(mean.view_as(parameter))
        rounds = self.step / ROUND
        decay = min(self.stage.ema**ROUND, (1 + rounds) / (10 + rounds))  # short memory while all is new
        torch._foreach_lerp_(self.average, self.parameters, 1 - decay)


def load_stage(stage: Stage, parts: nn.ModuleDict, folder: Path, rate: Rate = same_rate) -> bool:
    """Put the moving average of the stage's newest checkpoint into ``parts``; False where there is none."""
    trainer = Trainer(stage, parts, folder, rate)
    found = trainer.resume()
    if found:
        trainer.use_average()
    parts.eval()
    return found


def fit(
    stage: Stage,
    parts: nn.ModuleDict,
    start: Callable[[int], Callable[[], torch.Tensor]],
    folder: Path,
    minutes: float,
    rate: Rate = same_rate,
) -> int:
    """Train ``parts`` in place for ``minutes`` of running time in all, earlier runs of the stage included.

    ``start(step)`` gathers material from that step on and returns a function that draws a batch and gives its
    scalar loss; it is not called when nothing is left to do. Checkpoints lie in ``folder``. Leaves the moving
    average in ``parts`` and returns the number of steps taken.
    """
    folder.mkdir(parents=True, exist_ok=True)
    trainer = Trainer(stage, parts, folder, rate)
    trainer.resume()
    torch.manual_seed(trainer.step * workers() + worker())
    budget_s = minutes * 60
    if trainer.seconds < budget_s:
        parts.train()
        _run(trainer, start(trainer.step), budget_s)
        trainer.save()
    trainer.use_average()
    parts.eval()
    return trainer.step


def _run(trainer: Trainer, loss_of_step: Callable[[], torch.Tensor], budget_s: float) -> None:
    losses, last_save = [], time.monotonic()
    while trainer.seconds < budget_s:
        started = time.monotonic()
        for _ in range(ROUND):
            loss = loss_of_step()
            trainer.update(loss, trainer.seconds / budget_s)
            losses.append(loss.detach())  # no number yet: a GPU would have to be waited for
        trainer.close_round(time.monotonic() - started)
        if len(losses) >= LOG_EVERY:
            done, mean = f"{trainer.seconds / 60:.1f} of {budget_s / 60:.1f} min", torch.stack(losses).mean()
            log.info("%s: step %d, %s, loss %.4f", trainer.stage.name, trainer.step, done, mean)
            losses = []
        if time.monotonic() - last_save > CHECKPOINT_S:
            trainer.save()
            last_save = time.monotonic()
