"""What the cases of ``benchmarks.gpu`` share: the pipeline, how it draws, and how its calls are timed."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch

from benchmarks.gpu_models import of_sd15
from benchmarks.sides import PROMPT, Case
from t2v.diffusion.options import Motion
from t2v.diffusion.sampling import make_scheduler
from t2v.memory.compiled import Compiled
from t2v.memory.profiles import CPU, HIGH

Told = dict[str, Any]


@dataclass(eq=False)
class Bench:
    """What cases share. kept: latents by the way that they were drawn in, of one seed."""

    device: str
    dtype: torch.dtype
    tiny: bool
    ends: float
    kept: dict[str, torch.Tensor] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    together: bool = True  # the layout that was quicker
    _pipeline: Any = None

    @property
    def pipeline(self) -> Any:
        if self._pipeline is None:
            self._pipeline = of_sd15(self.device, self.dtype, self.tiny)
            self._pipeline.memory.place(HIGH if self.device == "cuda" else CPU, self.device)
            if self.tiny and self.device == "cpu":  # where the compiler alone takes minutes
                self._pipeline.memory.compiled = Compiled(self._pipeline.tell, "eager")
        return self._pipeline

    @property
    def size(self) -> int:
        return 64 if self.tiny else 512

    @property
    def steps(self) -> int:
        return 4 if self.tiny else 50

    def wait(self) -> None:
        if self.device == "cuda":
            torch.cuda.synchronize()

    @property
    def video(self) -> str:
        """What most cases draw."""
        return (
            f"8 frames, {self.steps} steps, {self.size}x{self.size}, {str(self.dtype).removeprefix('torch.')}"
        )

    def timed(self, way: Callable[[], Any]) -> tuple[float, Any]:
        self.wait()
        began = time.perf_counter()
        made = way()
        self.wait()
        return time.perf_counter() - began, made

    def repeated(self, way: Callable[[], Any], times: int = 3) -> tuple[list[float], Any]:
        """Seconds of each call, of which the first ones may record or compile; and what the last one made."""
        runs = [self.timed(way) for _ in range(times)]
        return [round(seconds, 4) for seconds, _ in runs], runs[-1][1]

    def draw(
        self, frames: int = 8, steps: int | None = None, pipeline: Any = None, **told: Any
    ) -> torch.Tensor:
        """Latents (1 f c h w) of the usual video."""
        pipeline = self.pipeline if pipeline is None else pipeline
        steps = self.steps if steps is None else steps
        size = told.pop("size", self.size)
        case = Case("", frames, 0, steps)
        times = make_scheduler("ddim", pipeline.scheduler.config, steps).timesteps
        t1, t0 = (int(times[number]) for number in case.motion_steps)
        call = {"motion": Motion(t0=t0, t1=t1), "chunk_size": 8, **told}
        return pipeline(
            PROMPT,
            num_frames=frames,
            height=size,
            width=size,
            num_inference_steps=steps,
            generator=torch.Generator().manual_seed(0),
            **call,
        )

    def use(self, graphs: bool = False, together: bool | None = None, compiled: bool = False) -> None:
        """Draw so from now on."""
        together = self.together if together is None else together
        self.pipeline.unet.to(memory_format=torch.channels_last if together else torch.contiguous_format)
        memory = self.pipeline.memory
        memory.replays.forget()
        memory.graphs, memory.asks_compiled = graphs, compiled

    def frames(self, latents: torch.Tensor) -> np.ndarray:
        return np.stack(list(self.pipeline.decode(latents))).astype(int)

    def apart(self, one: torch.Tensor, other: torch.Tensor) -> Told:
        """How two videos differ: latents, and 8-bit frames, of which one in a thousand is told too."""
        levels = np.abs(self.frames(one) - self.frames(other))
        return {
            "latents differ by at most": float((one - other).abs().max()),
            "latents reach": float(one.abs().max()),
            "frames differ by at most": int(levels.max()),
            "of them by more than 1": float((levels > 1).mean()),
        }
