"""``python -m benchmarks.steady``: its clips, and a page from a small run."""

import numpy as np
import pytest

from benchmarks import steady
from benchmarks.steady_clips import OTHERWISE, READY, folder_clips, world_clips
from t2v.tasks import TASKS
from t2v.video.video import read_video
from t2v.video.write import write_video


def test_clips_of_the_world_are_for_every_task_that_follows_one(tmp_path):
    clips = list(world_clips(tmp_path, 3))
    assert {clip.task for clip in clips} == {"canny", "pix2pix", "depth", "pose"}
    for clip in clips:
        TASKS[clip.task](str(clip.path), clip.prompt, **clip.options).check()
        assert read_video(clip.path).frames.shape == (3, 256, 256, 3), clip.name
        assert clip.options == (READY if clip.task in ("pose", "depth") else {})


def test_clips_of_a_folder_go_to_the_tasks_of_their_kind(tmp_path):
    for place in ("video/deer", "depth/other", "pose/dance1_corr"):
        (tmp_path / place).parent.mkdir()
        write_video(tmp_path / f"{place}.mp4", np.zeros((2, 64, 64, 3), np.uint8), 4)
    found = {(clip.name, clip.task): (clip.prompt, clip.options) for clip in folder_clips(tmp_path)}
    assert found == {
        ("video/deer.mp4", "canny"): ("a brown deer in a forest", {}),
        ("video/deer.mp4", "pix2pix"): ("make it snow", {}),
        ("depth/other.mp4", "depth"): (OTHERWISE, READY),
        ("pose/dance1_corr.mp4", "pose"): ("a panda is dancing on the beach", READY),
    }


@pytest.mark.slow
def test_a_small_run_writes_its_page(tmp_path):
    few = ["--frames", "3", "--steps", "1", "--only", "cat", "--output", str(tmp_path)]
    few += ["--kept", str(tmp_path / "kept")]
    assert steady.main([*few, "--sheet", str(tmp_path / "sheet.png")]) == 0
    page = (tmp_path / "STEADY.md").read_text()
    (row,) = (line for line in page.splitlines() if line.startswith("| world: "))
    name, task, *errors, share, other, sharp = row.strip("| ").split(" | ")
    assert (name, task) == ("world: cat, panned", "pix2pix") and "1 steps, 3 to 3 frames" in page
    clip, through, frozen, drawn, steadied = map(float, errors)
    assert clip < 0.5 < through < frozen and steadied < drawn
    assert float(share.strip("*")) == pytest.approx(steadied / drawn, abs=0.01)
    assert 0 < float(other) < 1 and sharp.endswith("%")
    assert (tmp_path / "sheet.png").stat().st_size > 1000
    assert len(list((tmp_path / "kept").iterdir())) == 1
    assert steady.main(few) == 0 and row in (tmp_path / "STEADY.md").read_text()
