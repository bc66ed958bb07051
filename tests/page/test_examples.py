"""The example clips: an index that says what is there, and clips that are what it says."""

import json
from dataclasses import replace

import numpy as np
import pytest

from miniature.examples import EXAMPLES, FOLDER, INDEX, Action, frames_of, scenes_of, write_examples
from miniature.world import Scene, Subject, edits, joints, possible
from t2v.detectors import looks_like_skeleton
from t2v.engine.engine import Engine
from t2v.tasks.canny import CannySettings
from t2v.tasks.depth import DepthSettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.video.video import read_video

GUIDED = {kind.task: kind for kind in (CannySettings, PoseSettings, DepthSettings, Pix2PixVideoSettings)}

MAX_BYTES = 80_000
CAR = Scene("street", (Subject("car", "red"), Subject("ball", "blue", 0.2)), seed=3)


@pytest.fixture(scope="module")
def index():
    return json.loads((FOLDER / INDEX).read_text())


@pytest.fixture(scope="module")
def clips(index):
    """file -> the clip as it is read."""
    return {entry["file"]: read_video(FOLDER / entry["file"]) for told in index.values() for entry in told}


def test_every_guided_task_has_three_or_four_clips_and_no_others_lie_about(index):
    assert set(index) == set(GUIDED)
    assert all(3 <= len(told) <= 4 for told in index.values())
    listed = {entry["file"] for told in index.values() for entry in told}
    assert listed == {path.relative_to(FOLDER).as_posix() for path in FOLDER.rglob("*.mp4")}


def test_the_index_is_what_would_be_written_now(index, tmp_path):
    short = tuple(example for example in EXAMPLES if example.name == "waving")
    write_examples(tmp_path, short)
    assert json.loads((tmp_path / INDEX).read_text())["pose"] == index["pose"][1:2]
    told = [(task, entry["file"], entry["prompt"]) for task, entries in index.items() for entry in entries]
    assert told == [(example.task, example.file, example.prompt) for example in EXAMPLES]


def test_settings_of_every_example_can_be_run(index):
    for task, entries in index.items():
        for entry in entries:
            clip = str(FOLDER / entry["file"])
            GUIDED[task](clip, entry["prompt"], **entry.get("settings", {})).check()


@pytest.mark.slow
def test_clips_are_small_and_of_the_length_size_and_rate_they_should_be(clips):
    for file, video in clips.items():
        assert video.frames.shape == (16, 256, 256, 3) and video.fps == 8, file
        assert (FOLDER / file).stat().st_size < MAX_BYTES, file
        assert np.abs(np.diff(video.frames.astype(int), axis=0)).mean(axis=(1, 2, 3)).min() > 0.02, file


@pytest.mark.slow
def test_skeletons_are_recognised_and_nothing_else_is_taken_for_one(clips):
    for file, video in clips.items():
        assert looks_like_skeleton(video.frames) == file.startswith("pose/"), file


def test_clips_show_what_is_drawn_today(clips):
    for task in GUIDED:
        example = next(each for each in EXAMPLES if each.task == task)
        difference = np.abs(clips[example.file].frames.astype(int) - frames_of(example)).mean()
        assert difference < 3, example.file  # what compression leaves of it


def test_the_miniature_knows_every_word_asked_of_it(index):
    model = Engine(device="cpu")
    for task, entries in index.items():
        for entry in entries:
            if task != "pix2pix":
                assert model.unknown_words("miniature", entry["prompt"]) == (), entry["prompt"]


def test_instructions_are_ones_the_editor_learns():
    """Each is a wording for its own scene, where it changes something."""
    for example in EXAMPLES:
        if example.task == "pix2pix":
            rng = np.random.default_rng(0)
            kinds = possible(example.scene)
            wordings = {edits(example.scene, rng, kind, None)[0] for kind in kinds for _ in range(60)}
            assert example.prompt in wordings, example.prompt


def test_subject_and_camera_go_as_they_are_told():
    still = Action(across=0.5, followed=1.0)
    for scene in scenes_of(CAR, still, 4):
        assert scene.subjects[0].x + scene.camera[0] == pytest.approx(0.5)  # stays in the picture's middle
        assert scene.subjects[1] == CAR.subjects[1]
    passing = scenes_of(CAR, replace(still, followed=0.0), 4)
    assert [scene.subjects[0].x for scene in passing] == pytest.approx([0.25, 0.375, 0.5, 0.625])
    assert {scene.camera for scene in passing} == {(0.0, 0.0)}
    hopping = scenes_of(CAR, Action(up=0.2, hops=1, hop=0.1), 2)
    ground = CAR.subjects[0].y
    assert [scene.subjects[0].y for scene in hopping] == pytest.approx([ground + 0.1, ground - 0.1])
    dancer = Scene("moon", (Subject("robot", "red", pose="dancing"),))
    twice = [joints(scene) for scene in scenes_of(dancer, Action(cycles=2), 8)]
    assert np.allclose(twice[0], twice[4]) and not np.allclose(twice[0], twice[2], atol=2)


def test_the_same_example_gives_the_same_file(tmp_path):
    short = tuple(example for example in EXAMPLES if example.file == "depth/car.mp4")
    for name in ("one", "two"):
        write_examples(tmp_path / name, short)
    one, two = ((tmp_path / name / "depth" / "car.mp4").read_bytes() for name in ("one", "two"))
    assert one == two
