"""Whose clip is looked at next: counted and ordered, without a clock."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page import glances
from t2v.page.clip import clip_tab
from t2v.page.clip.clip_tab import ClipPanel
from t2v.page.glances import Glances, Shown
from t2v.page.studio import Studio
from t2v.page.turns import SMALL_AT_ONCE, Turns
from t2v.page.uploads import examples
from t2v.tasks.canny import CannySettings
from t2v.tasks.depth import DepthSettings
from t2v.video.clips import Clip
from t2v.video.write import write_video


class Doors:
    """Work that waits until the test lets it go on; who is inside, how many were at most, who has been."""

    def __init__(self) -> None:
        self.inside: list[str] = []
        self.ended: list[str] = []
        self.most = 0
        self._open = {}

    def work(self, name: str) -> str:
        self.inside.append(name)
        self.most = max(self.most, len(self.inside))
        self._open.setdefault(name, threading.Event()).wait(60)
        self.inside.remove(name)
        self.ended.append(name)
        return name

    def open(self, *names: str) -> None:
        for name in names:
            self._open.setdefault(name, threading.Event()).set()

    async def are_in(self, count: int) -> None:
        """Wait until so many are inside."""
        async with asyncio.timeout(60):
            while len(self.inside) < count:
                await asyncio.sleep(0.01)


def test_large_clips_come_one_at_a_time_and_never_keep_a_small_one_waiting():
    doors = Doors()

    async def visitors():
        turns = Turns()

        def takes(name: str):
            return asyncio.create_task(turns.take(lambda: name.startswith("large"), doors.work, name))

        large = [takes(f"large {number}") for number in (1, 2, 3)]
        await doors.are_in(1)
        doors.open("small")
        assert await takes("small") == "small" and doors.ended == ["small"]
        doors.open("large 1", "large 2", "large 3")
        await asyncio.gather(*large)

    asyncio.run(visitors())
    assert doors.ended[0] == "small" and len(doors.ended) == 4
    assert doors.most == 2  # a large one and the small one


def test_small_clips_take_turns_and_a_fault_gives_the_turn_on():
    doors, names = Doors(), [f"small {number}" for number in range(SMALL_AT_ONCE + 1)]

    async def visitors():
        turns = Turns()
        tasks = [asyncio.create_task(turns.take(lambda: False, doors.work, name)) for name in names]
        await doors.are_in(SMALL_AT_ONCE)
        doors.open(*names)
        await asyncio.gather(*tasks)
        for _ in range(SMALL_AT_ONCE + 1):
            with pytest.raises(ZeroDivisionError):
                await turns.take(lambda: True, lambda: 1 / 0)
            with pytest.raises(KeyError):
                await turns.take({}.popitem, str)
        assert await turns.take(lambda: True, str, 7) == "7"

    asyncio.run(visitors())
    assert set(doors.ended) == set(names) and doors.most == SMALL_AT_ONCE


@pytest.fixture
def panel(tmp_path) -> ClipPanel:
    engine = Engine("cpu")
    jobs = Jobs(engine, tmp_path)
    with gr.Blocks() as page:
        panel = clip_tab.build(Studio(engine, jobs), CannySettings)
        panel.wire()
    panel.handlers = {function.name: function.fn for function in page.fns.values()}
    yield panel
    jobs.close()


def test_three_large_clips_do_not_delay_a_fourth_visitors_glance(panel, monkeypatch):
    """The page's own handlers: whoever chose a small clip has the glance and the plan while others wait."""
    doors, plain = Doors(), panel.studio.glances.clip
    large = [one.clip for one in examples("pose")][:3]
    small = next(one.clip for one in examples("canny") if one.clip not in large)
    monkeypatch.setattr(glances, "LARGE_PIXELS", 1)
    panel.studio.glances._sizes.get(small, lambda: 1)

    def clip(settings: CannySettings) -> Shown:
        if settings.clip == small:
            return plain(settings)
        raise InputError(doors.work(settings.clip))

    monkeypatch.setattr(panel.studio.glances, "clip", clip)
    values = {name: panel.form[name].value for name in panel.watched}

    def asked(clip: str) -> list:
        return ["", "", *panel.panes.empty(), *(values | {"clip": clip}).values()]

    async def visitors():
        show, plan = panel.handlers["_show_clip"], panel.handlers["_show_plan"]
        waiting = [asyncio.create_task(show(*asked(clip))) for clip in large]
        waiting.append(asyncio.create_task(anext(plan(*asked(large[0])))))
        await doors.are_in(1)
        _, _, pane, *_ = await show(*asked(small))
        assert "<video" in pane
        assert "frames" in (await anext(plan(*asked(small))))[1]
        assert len(doors.inside) == 1 and doors.ended == []
        doors.open(*large)
        await asyncio.gather(*waiting)

    asyncio.run(visitors())
    assert set(doors.ended) == set(large) and doors.most == 1


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """The name of each clip of which a frame is read in full, once a frame."""
    names, plain = [], Clip.__iter__

    def counted(self):
        for frame in plain(self):
            names.append(self.path.name)
            yield frame

    monkeypatch.setattr(Clip, "__iter__", counted)
    return names


@pytest.mark.slow
@pytest.mark.parametrize(("pixels", "frames"), [(96 * 64 * 5, 5), (96 * 64 // 2, 1), (10**9, 20)])
def test_of_large_frames_a_glance_reads_few(read, monkeypatch, tmp_path, pixels, frames):
    clip = str(write_video(tmp_path / "clip.mp4", np.zeros((20, 64, 96, 3), np.uint8), 10))
    monkeypatch.setattr(glances, "MAX_READ_PIXELS", pixels)
    previews = Glances()
    settings = DepthSettings(clip, "", width=96, height=64, control_ready=True)
    shown = previews.clip(settings)
    assert (shown.num_frames, shown.is_partial) == (frames, frames < 20)
    assert len(read) == frames
    assert previews.controls(settings)["depth"].num_frames == frames and len(read) == frames
    assert previews.count(settings) == 20  # what a run takes stays what it is
    few = previews.clip(replace(settings, num_frames=1))
    assert (few.num_frames, few.is_partial) == (1, False)


def test_what_is_large_goes_by_the_pixels_of_a_frame(tmp_path):
    small = str(write_video(tmp_path / "clip.mp4", np.zeros((2, 64, 96, 3), np.uint8), 10))
    previews = Glances()
    assert not previews.is_large(CannySettings(small, ""))
    previews._sizes.get(str(Path("eight-k.gif")), lambda: 7680 * 4320)
    assert previews.is_large(CannySettings("eight-k.gif", ""))
