"""An engine whose GPU is lent for the time of a call: on Hugging Face's ZeroGPU, by their package ``spaces``.

What is decorated with ``spaces.GPU`` runs in a process of its own, forked from this one, and only there is
the GPU; what goes in and what it yields is pickled. So weights are loaded here, before, and a run goes there
as its resolved settings alone; its steps, what it sees and its frames come back one by one. How long the GPU
is wanted has to be told beforehand: that is computed from frames and steps.
"""

import importlib
import math
import multiprocessing
import os
import pickle
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch

from t2v.diffusion.progress import Cancelled, Step
from t2v.engine.engine import Engine
from t2v.engine.previews import Previews
from t2v.memory.profiles import HIGH
from t2v.tasks import Resolved
from t2v.tasks.resolved import See

PACKAGE = "spaces"
LENT_S = 20.0  # to be handed the GPU, and to bring weights, decoding and detectors there
STEP_S = 0.1  # for a frame of 512x512 pixels, guided: what large models want, with something to spare
FULL_PX = 512 * 512
CONTROLNETS = 0.5  # of a step's time, each of them

OnStep = Callable[[Step], None] | None
Told = tuple[str, Any]  # "step", "seen", "frame" or "failed", and what


def seconds_of(resolved: Resolved[Any], last: bool | None = None) -> int:
    """For how many seconds a run wants the GPU. last: as in ``LentEngine.still``; None: a whole video."""
    frames = 1 if last is False else resolved.num_frames
    size = resolved.width * resolved.height / FULL_PX
    step_s = STEP_S * size * (1 + CONTROLNETS * len(resolved.networks))
    return math.ceil(LENT_S + frames * resolved.num_inference_steps * step_s)


class LentEngine(Engine):
    """As Engine, but that it draws where the GPU is lent, which has room for all weights."""

    heeds_profiles = False

    def __init__(self, device: str | None = None, dtype: str | torch.dtype | None = None) -> None:
        super().__init__(device, dtype, HIGH, graphs=False)  # each run begins with none
        self._previews = Previews(decodes=False)  # which are made here
        self._owner = os.getpid()
        self._stop = multiprocessing.get_context("fork").Event()  # forked processes share it

        def draw(resolved: Resolved[Any], last: bool | None = None) -> Iterator[Told]:
            yield from self._there(resolved, last)

        self._lent = importlib.import_module(PACKAGE).GPU(duration=seconds_of)(draw)

    def frames(
        self, resolved: Resolved[Any], on_step: OnStep = None, on_seen: See | None = None
    ) -> Generator[np.ndarray]:
        """As of every engine."""
        yield from self._here(resolved, None, on_step, on_seen)

    def still(
        self,
        resolved: Resolved[Any],
        on_step: OnStep = None,
        on_seen: See | None = None,
        last: bool = False,
    ) -> np.ndarray:
        """As of every engine."""
        (picture,) = self._here(resolved, last, on_step, on_seen)
        return picture

    def _here(
        self, resolved: Resolved[Any], last: bool | None, on_step: OnStep, on_seen: See | None
    ) -> Iterator[np.ndarray]:
        """Passes on what comes from there; whoever is told may end it, there too."""
        self._means(resolved, None, None)  # weights that are loaded there would be gone afterwards
        self._stop.clear()
        told = self._lent(resolved, last)
        try:
            for kind, what in told:
                if kind == "failed":
                    raise what
                if kind == "frame":
                    yield what
                elif kind == "seen" and on_seen is not None:
                    on_seen(*what)
                elif kind == "step" and on_step is not None:
                    on_step(replace(what, latents=torch.from_numpy(what.latents)))
        finally:
            self._stop.set()
            for _ in told:  # it ends at its next step, and the GPU is given back
                pass

    def _there(self, resolved: Resolved[Any], last: bool | None) -> Iterator[Told]:
        """In the process that has the GPU. A thread draws, as steps are told from deep inside of it."""
        if os.getpid() != self._owner:
            self._lock = threading.RLock()  # another thread may have held it at the fork, and is not here
        events: queue.SimpleQueue[Told | None] = queue.SimpleQueue()
        thread = threading.Thread(target=self._draw, args=(resolved, last, events.put), daemon=True)
        thread.start()
        while (event := events.get()) is not None:
            yield event
        thread.join()

    def _draw(self, resolved: Resolved[Any], last: bool | None, tell: Callable[[Told | None], None]) -> None:
        def on_step(step: Step) -> None:
            if self._stop.is_set():
                raise Cancelled
            latents: Any = step.latents.detach().float().cpu().numpy()
            tell(("step", replace(step, latents=latents)))

        def on_seen(name: str, frames: np.ndarray) -> None:
            tell(("seen", (name, frames)))

        try:
            if last is None:
                for frame in super().frames(resolved, on_step, on_seen):
                    if self._stop.is_set():
                        break
                    tell(("frame", frame))
            else:
                tell(("frame", super().still(resolved, on_step, on_seen, last)))
        except Cancelled:
            pass
        except Exception as error:
            tell(("failed", _sendable(error)))
        finally:
            tell(None)


def _sendable(error: Exception) -> Exception:
    """The error itself, where it outlives being sent; else one that says the same."""
    try:
        same: Exception = pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return same
