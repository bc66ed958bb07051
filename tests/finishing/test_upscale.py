"""Frames of twice the size: the same in strips, moving with the picture, nearer to the truth."""

import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from miniature.finisher import build_finisher, through_autoencoder
from miniature.package import load_pipeline
from miniature.shapes import TEXT_TO_IMAGE
from miniature.world import clip, draw, sample_scene
from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.evaluation.movement import change
from t2v.finishing import upscale
from t2v.finishing.network import FinisherNetwork
from t2v.finishing.upscale import Finisher, load_finisher
from t2v.tasks.settings import LIMITS
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.encode import MAX_SIDE
from t2v.weights import beside
from t2v.weights.source import FINISHER


@pytest.fixture
def stirred() -> Finisher:
    """A small finisher that adds something of its own."""
    torch.manual_seed(0)
    network = FinisherNetwork(channels=6, blocks=2)
    with torch.no_grad():
        network.tail.weight.normal_(std=0.2)
    return Finisher(network.eval())


@pytest.fixture
def weights(tmp_path, monkeypatch) -> Path:
    """A copy of the bundled weights, in their place."""
    folder = Path(shutil.copytree(FINISHER, tmp_path / "finisher"))
    for module in (beside, upscale):
        monkeypatch.setattr(module, "FINISHER", folder)
    return folder


def noise(height: int, width: int, seed: int = 0) -> np.ndarray:
    """A soft random picture."""
    rough = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return cv2.GaussianBlur(rough, (0, 0), 1.0)


def lanczos(frame: np.ndarray) -> np.ndarray:
    return cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_LANCZOS4)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    return int(np.abs(one.astype(int) - other).max())


@pytest.mark.parametrize("size", [(8, 8), (64, 40), (7, 33), (1, 1)])
def test_every_size_is_doubled(stirred, size):
    doubled = stirred(noise(*size))
    assert doubled.shape == (2 * size[0], 2 * size[1], 3) and doubled.dtype == np.uint8


def test_an_untrained_one_interpolates():
    frame = noise(24, 40)
    cubic = cv2.resize(frame, None, fx=2, fy=2, interpolation=cv2.INTER_CUBIC)
    assert apart(Finisher(build_finisher().eval())(frame), cubic) <= 1


def test_strips_change_nothing(stirred, monkeypatch):
    frame = noise(50, 36)
    whole = stirred(frame)
    assert np.ptp(whole.astype(int) - lanczos(frame)) > 10  # there is something to go wrong
    for rows in (1, 7, 25, 49):
        monkeypatch.setattr(upscale, "STRIP_PIXELS", rows * 36 + 5)
        assert apart(stirred(frame), whole) <= 1


def test_a_picture_that_moves_is_doubled_to_one_that_moves(stirred):
    picture = noise(60, 70)
    first, second = picture[:40, :50], picture[3:43, 5:55]
    one, other = stirred(first), stirred(second)
    edge = 2 * stirred.network.margin
    assert apart(one[6 + edge : -edge, 10 + edge : -edge], other[edge : -6 - edge, edge : -10 - edge]) <= 1


def test_frames_are_doubled_one_by_one(stirred):
    frames = [noise(16, 24, seed) for seed in range(3)]
    alone = [stirred(frame) for frame in frames]
    assert all(np.array_equal(stirred(frames[index]), alone[index]) for index in (2, 0, 1))


def test_the_largest_frames_can_be_written_when_doubled():
    assert 2 * max(LIMITS["width"][1], LIMITS["height"][1]) <= MAX_SIDE


def test_the_bundled_weights_are_small():
    assert sum(path.stat().st_size for path in FINISHER.iterdir()) <= 1_500_000


def test_a_copy_without_them_says_so_before_anything_is_drawn(weights):
    (weights / "config.json").unlink()
    with pytest.raises(InputError, match="^upscale is 2, and its weights are not in this copy; choose 1"):
        check_weights(TextToVideoSettings("a car", upscale=2))
    with pytest.raises(InputError, match="^upscale is 2"):
        load_finisher()
    check_weights(TextToVideoSettings("a car", upscale=1))


def test_broken_weights_are_refused_in_a_sentence(weights):
    (file,) = weights.glob("*.safetensors")
    tensors = load_file(file)
    tensors.pop("tail.bias")
    save_file(tensors, file)
    with pytest.raises(InputError, match="finisher.* is broken and cannot be loaded .*1 missing tensor"):
        load_finisher()
    file.write_bytes(b"no tensors at all")
    with pytest.raises(InputError, match="finisher .* is broken and cannot be loaded"):
        load_finisher()


@pytest.fixture(scope="module")
def autoencoder():
    return load_pipeline(TEXT_TO_IMAGE).vae


@pytest.mark.slow
def test_held_out_scenes_come_nearer_to_the_worlds_own(autoencoder):
    finisher, rng = load_finisher(), np.random.default_rng(5)
    gains = []
    for scene in (sample_scene(rng, "held-out") for _ in range(6)):
        own = draw(scene, 512).astype(float)
        small = through_autoencoder(autoencoder, draw(scene, 256)[None])[0]
        errors = [np.square(way(small) - own).mean() for way in (finisher, lanczos)]
        gains.append(10 * np.log10(errors[1] / errors[0]))
    assert np.mean(gains) > 1.0 and min(gains) > 0.0


@pytest.mark.slow
def test_a_moving_clip_does_not_flicker_more(autoencoder):
    scene = sample_scene(np.random.default_rng(8), "held-out")
    frames = through_autoencoder(autoencoder, clip(scene, (6.0, 0.0), 4))
    flickers = []
    for way in (load_finisher(), lanczos):
        doubled = [way(frame) for frame in frames]
        pairs = zip(doubled[:-1], doubled[1:], strict=True)
        flickers.append(np.mean([change(*pair, np.array((12.0, 0.0))) for pair in pairs]))
    assert flickers[0] <= 1.02 * flickers[1]  # the same, as far as one clip can tell
