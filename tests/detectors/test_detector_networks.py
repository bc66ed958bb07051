"""The detectors' networks: the real classes at tiny sizes, loaded from folders as from the hub."""

import gc
import shutil
import subprocess
import sys
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT
from safetensors.torch import load_file, save_file
from small_detectors import save_depth, save_person, save_pose

from t2v.checks import InputError
from t2v.detectors import DepthDetector, DetectorError, PoseDetector, looks_like_skeleton, pose
from t2v.detectors.depth import DEPTH
from t2v.detectors.loading import Wanted, load_network

DEPTH_KIND = "AutoModelForDepthEstimation"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    root = tmp_path_factory.mktemp("detectors")
    return {
        "depth": str(save_depth(root / "depth")),
        "person": str(save_person(root / "person")),
        "pose": str(save_pose(root / "pose")),
    }


def clip(count=5, height=40, width=56):
    return np.random.default_rng(0).integers(0, 255, (count, height, width, 3), np.uint8)


def test_depth_of_a_clip(weights):
    detector = DepthDetector(weights["depth"])
    control = detector(clip())
    assert control.shape == (5, 40, 56, 3) and control.dtype == np.uint8
    assert (control[..., 0] == control[..., 1]).all() and (control[..., 0] == control[..., 2]).all()
    assert control.min() == 0 and control.max() == 255
    again = detector(clip())
    assert np.abs(again.astype(int) - control).max() <= 1


def test_still_frames_have_one_depth_at_any_place_in_the_clip(weights):
    still = np.repeat(clip(1), 6, axis=0)  # more than a slice
    control = DepthDetector(weights["depth"])(still)
    assert control[0].std() > 10
    assert np.abs(control.astype(int) - control[0]).max() <= 1


def test_metric_depth_is_turned_into_nearness(weights, tmp_path):
    detector = DepthDetector(str(save_depth(tmp_path / "metric", "metric")))
    detector.load()
    network, processor = detector._loaded
    inputs = processor(images=[clip(1)[0]], input_data_format="channels_last", return_tensors="pt")
    with torch.inference_mode():
        metres = network(inputs["pixel_values"]).predicted_depth
    nearness = detector._nearness(clip(1))
    assert nearness.max() <= 1 / metres.min().item() + 1e-4
    assert nearness.min() >= 1 / metres.max().item() - 1e-4


def test_people_are_found_and_drawn(weights, monkeypatch):
    detector = PoseDetector(weights["pose"], weights["person"])
    frames = clip()
    detector.load()
    boxes = detector.find_people(frames)
    assert len(boxes) == 5 and all(1 <= len(one) <= 5 for one in boxes)
    for one in boxes:
        assert one.shape[1] == 4 and one.min() >= 0 and (one[:, 2] <= 56).all() and (one[:, 3] <= 40).all()
    people = detector.find_joints(frames[0], boxes[0])
    assert people.joints.shape == (len(boxes[0]), 17, 2) and people.scores.shape == (len(boxes[0]), 17)
    for joints, area in zip(people.joints, pose._areas(boxes[0], 48 / 64), strict=True):
        assert (joints >= area[:2] - 1e-6).all() and (joints <= area[:2] + area[2:] + 1e-6).all()
    monkeypatch.setattr(pose, "MIN_JOINT_SCORE", -100.0)
    control = detector(frames)
    assert control.shape == frames.shape and control.dtype == np.uint8 and control.max() > 100
    monkeypatch.setattr(pose, "MIN_JOINT_SCORE", 1e6)
    assert detector(frames).max() == 0


def test_a_frame_without_people_is_black(weights, monkeypatch):
    monkeypatch.setattr(pose, "MIN_PERSON_SCORE", 1.0)
    control = PoseDetector(weights["pose"], weights["person"])(clip(2))
    assert control.shape == (2, 40, 56, 3) and control.max() == 0
    assert not looks_like_skeleton(control)


def refusal(call):
    with pytest.raises(DetectorError) as refused:
        call(clip(1))
    text = str(refused.value)
    assert isinstance(refused.value, InputError) and "\n" not in text and text.count(". ") == 0
    return text


def test_networks_are_kept_for_the_next_run(weights):
    first, second = DepthDetector(weights["depth"]), DepthDetector(weights["depth"])
    first.load()
    second.load()
    assert first._loaded[0] is second._loaded[0]
    assert not first._loaded[0].training


def test_weights_that_are_not_there(tmp_path, monkeypatch):
    for name, detector in ((DEPTH, DepthDetector()), (pose.PERSON, PoseDetector())):
        text = refusal(detector)  # the tests are offline, and nothing is cached
        assert text.count(name) == 1 and len(text) < 200
        assert "could not be fetched" in text and "examples work without them" in text
    text = refusal(DepthDetector(str(tmp_path / "nowhere")))
    assert str(tmp_path / "nowhere") in text and "folder" in text


def test_weights_that_are_broken(weights, tmp_path):
    folder = Path(shutil.copytree(weights["depth"], tmp_path / "torn"))
    whole = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").write_bytes(whole[: len(whole) // 2])
    assert "cannot be used" in refusal(DepthDetector(str(folder)))
    (folder / "model.safetensors").unlink()
    assert "cannot be used" in refusal(DepthDetector(str(folder)))
    (tmp_path / "empty").mkdir()
    assert "cannot be used" in refusal(DepthDetector(str(tmp_path / "empty")))


def test_a_tensor_that_never_arrived_is_told(weights, tmp_path):
    folder = Path(shutil.copytree(weights["depth"], tmp_path / "gaps"))
    held = load_file(folder / "model.safetensors")
    save_file(dict(list(held.items())[2:]), folder / "model.safetensors", metadata={"format": "pt"})
    assert "cannot be used (2 tensors are missing)" in refusal(DepthDetector(str(folder)))


def test_weights_of_another_kind(weights, tmp_path):
    animals = str(save_person(tmp_path / "animals", ("cat", "dog")))
    assert "know no person" in refusal(PoseDetector(weights["pose"], animals))
    hands = str(save_pose(tmp_path / "hands", joints=21))
    assert "17 joints" in refusal(PoseDetector(hands, weights["person"]))
    assert "cannot be used" in refusal(DepthDetector(weights["person"]))


def test_the_package_comes_without_torch():
    code = "import sys, t2v.detectors; sys.exit('torch' in sys.modules or 'transformers' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


def test_weights_that_were_replaced_are_read_anew_and_others_are_kept(tmp_path):
    wanted = [Wanted(str(tmp_path / name), DEPTH_KIND, "depth", "examples") for name in "abcd"]
    for one in wanted[:2]:
        save_depth(Path(one.weights))
    first, kept = (load_network(one, "cpu")[0] for one in wanted[:2])
    assert load_network(wanted[0], "cpu")[0] is first and load_network(wanted[1], "cpu")[0] is kept
    path = Path(wanted[0].weights) / "model.safetensors"
    state = load_file(path)
    save_file({name: 2 * one for name, one in state.items()}, path, metadata={"format": "pt"})
    old = weakref.ref(first)
    del first
    new = load_network(wanted[0], "cpu")[0]
    assert torch.equal(next(iter(new.state_dict().values())), 2 * state[next(iter(new.state_dict()))])
    gc.collect()
    assert old() is None and load_network(wanted[1], "cpu")[0] is kept
    for one in wanted[2:]:
        save_depth(Path(one.weights))
        load_network(one, "cpu")
    assert load_network(wanted[1], "cpu")[0] is kept  # of three the one used last but two
    path.write_bytes(b"")
    with pytest.raises(DetectorError, match="cannot be used"):
        load_network(wanted[0], "cpu")
