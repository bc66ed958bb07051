"""A stand-in for the device whose every step waits for the test, and what tests of the queue do with it."""

import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from runs import resolved

from t2v.diffusion.progress import Step
from t2v.jobs.job import JobView
from t2v.jobs.queue import Jobs
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings

PATIENCE_S = 20
STEPS = 4


class Puppet:
    """Takes a step whenever ``steps`` is released, decodes when ``decoding`` is set, fails if told to.

    With a clip, it shows what it sees whenever ``seeing`` is released.
    """

    def __init__(self):
        self.steps = threading.Semaphore(0)
        self.seeing = threading.Semaphore(0)
        self.decoding = threading.Event()
        self.decoding.set()
        self.fail_resolve: Exception | None = None
        self.fail_step: Exception | None = None
        self.started: list[str] = []

    def resolve(self, settings):
        if self.fail_resolve is not None:
            raise self.fail_resolve
        sized = replace(settings, width=64, height=32, num_frames=3, fps=4.0)
        return replace(resolved(sized, num_inference_steps=STEPS), asked=settings)

    def frames(self, run, on_step, on_seen):
        self.started.append(run.asked.prompt)
        if isinstance(run.asked, CannySettings):
            for name, value in (("clip", 90), ("canny", 255)):
                self.seeing.acquire()
                on_seen(name, np.full((run.num_frames, 32, 64, 3), value, np.uint8))
        for i in range(STEPS):
            self.steps.acquire()
            if self.fail_step is not None:
                raise self.fail_step
            latents = torch.full((1, run.num_frames, 4, 4, 8), float(i))
            on_step(Step(i + 1, STEPS, "all frames", (i + 1) / STEPS, latents))
        for k in range(run.num_frames):
            self.decoding.wait(PATIENCE_S)
            yield np.full((run.height, run.width, 3), 40 * k, np.uint8)

    def generate(self, settings):
        raise RuntimeError("no warming up today")

    def preview(self, latents):
        value = int(latents[0, 0, 0, 0, 0]) + 1
        return np.full((latents.shape[1], 4, 8, 3), value, np.uint8)


def settings(prompt="a red car", **options):
    return TextToVideoSettings(prompt, num_frames=3, **options)


def wait(jobs: Jobs, job_id: str, accept) -> JobView:
    """The first view that ``accept`` likes; the test fails where none comes."""
    deadline = time.monotonic() + PATIENCE_S
    while not accept(view := jobs.follow(job_id)):
        assert time.monotonic() < deadline, view
        time.sleep(0.005)
    return view


def finish(jobs: Jobs, puppet: Puppet, job_id: str) -> JobView:
    puppet.steps.release(STEPS)
    return wait(jobs, job_id, lambda view: view.finished)


def files(jobs: Jobs) -> list[Path]:
    """All but the locks of runs under way and what the queue keeps of itself."""
    found = jobs.output_folder.rglob("*")
    kept = [path for path in found if path.is_file() and path.name != ".lock"]
    return sorted(path for path in kept if not any(part.startswith(".queue") for part in path.parts))


def own_files(jobs: Jobs) -> set[Path]:
    """The ledger's, in the output folder itself; kept clips are not among them."""
    return {path for path in jobs.output_folder.glob(".queue*") if path.is_file()}
