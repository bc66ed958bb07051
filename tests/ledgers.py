"""Programs on one output folder, one after the other: opened, closed, and what they are given."""

from pathlib import Path

import numpy as np
from puppet import Puppet, wait

from t2v.jobs import worker
from t2v.jobs.queue import Jobs
from t2v.video.write import write_video


def opened(folder: Path, *, free: bool = True) -> tuple[Jobs, Puppet]:
    """A program on the folder; free: one whose device waits for nobody."""
    puppet = Puppet()
    if free:
        puppet.steps.release(10_000)
        puppet.seeing.release(10_000)
    return Jobs(puppet, folder), puppet


def close(jobs: Jobs, puppet: Puppet) -> None:
    puppet.steps.release(10_000)
    puppet.seeing.release(10_000)
    jobs.close()


def all_ended(jobs: Jobs, *visitors: str | None) -> list[tuple[str, str]]:
    """Prompt and state of everybody's runs once none is under way, in the order they were asked for."""
    views = [view for visitor in visitors for view in jobs.runs(visitor)]
    return [(view.settings.prompt, wait(jobs, view.id, lambda one: one.finished).state) for view in views]


def write_little(monkeypatch) -> None:
    """Videos of a few bytes: their making is another file's matter."""

    def write(path, resolved, frames):
        path.write_bytes(b"video of %d" % len(list(frames)))
        return path

    monkeypatch.setattr(worker, "write_result", write)


def temporary_clip(tmp_path: Path) -> Path:
    """A clip that goes when its program does."""
    frames = np.full((3, 32, 64, 3), 90, np.uint8)
    folder = tmp_path / "temporary"
    folder.mkdir()
    return write_video(folder / "my clip.mp4", frames, 4)
