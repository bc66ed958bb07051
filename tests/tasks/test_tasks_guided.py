"""tasks/: the settings of guided videos, what they refuse, and what they take from their clip."""

import json
import math
import tracemalloc
from dataclasses import asdict, fields, replace
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from runs import resolved

from t2v.checks import InputError
from t2v.detectors import DetectorError, canny
from t2v.tasks import TASKS
from t2v.tasks.canny import CannySettings
from t2v.tasks.clip import ClipSettings, fitted_size
from t2v.tasks.controlled import Also
from t2v.tasks.depth import DepthSettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.tasks.resolved import Means
from t2v.tasks.suits import Network
from t2v.video.write import write_video


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> str:
    """Twelve frames at 6 a second: a bright square that moves to the right."""
    frames = np.full((12, 64, 128, 3), 30, np.uint8)
    for index, frame in enumerate(frames):
        frame[16:48, 8 * index : 8 * index + 24] = 220
    return str(write_video(tmp_path_factory.mktemp("clips") / "square.mp4", frames, 6))


GUIDED = {name: kind for name, kind in TASKS.items() if issubclass(kind, ClipSettings)}


@pytest.fixture(params=GUIDED.values(), ids=GUIDED)
def good(request, clip):
    return request.param(clip, "a red car")


def test_the_defaults_pass(good):
    good.check()
    assert TASKS[good.task] is type(good)
    json.dumps(asdict(good), allow_nan=False)


def test_every_number_has_limits_and_is_held_to_them(good):
    kinds = ("int", "float", "int | None", "float | None")
    numbers = {each.name for each in fields(good) if getattr(each.type, "__name__", str(each.type)) in kinds}
    assert numbers == set(good.limits)
    for field, (low, high) in good.limits.items():
        for bad in (low - 8, high + 8, math.nan, math.inf, "8", True, [8]):
            with pytest.raises(InputError, match=f"^{field} is "):
                replace(good, **{field: bad}).check()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("clip", ""),
        ("clip", 5),
        ("clip", "nothing-here.mp4"),
        ("prompt", " "),
        ("negative_prompt", None),
        ("model", ""),
        ("scheduler", "plms"),
        ("width", 250),
        ("start_s", None),
        ("cross_frame_attention", "yes"),
    ],
)
def test_bad_values_are_refused_by_name(good, field, value):
    with pytest.raises(InputError, match=field):
        replace(good, **{field: value}).check()


def test_times_windows_and_thresholds_in_the_wrong_order_are_refused(clip):
    good = CannySettings(clip, "a car")
    for change, told in (
        ({"start_s": 2.0, "end_s": 1.0}, "end_s is 1"),
        ({"guidance_start": 0.6, "guidance_end": 0.4}, "guidance_start is 0.6"),
        ({"low_threshold": 90, "high_threshold": 80}, "low_threshold is 90"),
        ({"controlnet": " "}, "controlnet is empty"),
        ({"control_ready": 1}, "control_ready"),
        ({"num_frames": 20_000, "width": 2048, "height": 2048, "num_inference_steps": 9}, "fewer frames"),
    ):
        with pytest.raises(InputError, match=told):
            replace(good, **change).check()


def test_further_controlnets_are_checked(clip):
    good = CannySettings(clip, "a car", also=(Also("depth", conditioning_scale=0.5),))
    good.check()
    assert [part.task for part in good.parts()] == ["canny", "depth"]
    assert [part.conditioning_scale for part in good.parts()] == [1.0, 0.5]
    for also, told in (
        ((Also("canny"),), "choose one of pose, depth"),
        ((Also("depth"), Also("depth")), "choose one of pose"),
        ((Also("pix2pix"),), "also is 'pix2pix'"),
        (({"task": "depth"},), "Also"),
        ((Also("depth", conditioning_scale=-1.0),), "conditioning_scale is -1"),
    ):
        with pytest.raises(InputError, match=told):
            replace(good, also=also).check()
    both = replace(good, also=(Also("depth"), Also("pose")), control_ready=True)
    with pytest.raises(InputError, match="^control_ready is set, .* only edges.* depth and skeletons; drop"):
        both.check()


def test_controlnets_left_out_are_chosen(clip):
    settings = CannySettings(clip, "a car", also=(Also("depth"), Also("pose", "my/own")))
    run = resolved(settings)
    assert run.networks == (
        Network("canny", "lllyasviel/control_v11p_sd15_canny"),
        Network("depth", "lllyasviel/control_v11f1p_sd15_depth"),
        Network("pose", "my/own"),
    )
    filled = run.filled()
    assert filled.controlnet == "lllyasviel/control_v11p_sd15_canny"
    assert [each.controlnet for each in filled.also] == ["lllyasviel/control_v11f1p_sd15_depth", "my/own"]
    assert PoseSettings.hub_ids["stable-diffusion-1"] == "lllyasviel/control_v11p_sd15_openpose"
    assert resolved(Pix2PixVideoSettings(clip, "x")).networks == ()


@pytest.mark.parametrize(
    ("wanted", "size"),
    [
        ((None, None), (360, 184)),
        ((None, 128), (256, 128)),
        ((512, None), (512, 256)),
        ((256, 256), (256, 256)),
    ],
)
def test_size_follows_the_clips_shape(wanted, size):
    assert fitted_size((128, 64), wanted, 256) == size


def test_size_of_extreme_clips_stays_within_limits():
    assert fitted_size((8000, 20), (None, None), 256) == (2048, 64)
    assert fitted_size((640, 640), (None, None), 512) == (512, 512)


def test_settings_are_filled_in_from_the_clip(clip):
    whole = resolved(DepthSettings(clip, "a car"), 256, num_inference_steps=20)
    assert (whole.width, whole.height, whole.fps, whole.num_frames) == (360, 184, 6.0, 12)
    assert (whole.num_inference_steps, whole.seed) == (20, 5)
    asked = DepthSettings(clip, "a car", start_s=0.5, end_s=1.5, fps=3, height=64, seed=0, chunk_size=4.0)
    part = resolved(asked, 256)
    assert (part.width, part.height, part.fps, part.num_frames, part.seed) == (128, 64, 3.0, 3, 0)
    filled = part.filled()
    assert (filled.seed, filled.num_frames, filled.start_s, filled.end_s) == (0, 3, 0.5, 1.5)
    assert isinstance(filled.chunk_size, int) and None not in {filled.controlnet, filled.guidance_scale}
    assert resolved(filled, 512, seed=9).filled() == filled  # it asks for this very run
    capped = resolved(DepthSettings(clip, "a car", num_frames=4), 64)
    assert capped.num_frames == 4 and capped.asked.read(capped.taken).frames.shape == (4, 64, 88, 3)


def test_frames_read_are_those_asked_for(clip):
    settings = CannySettings(clip, "a car", start_s=0.5, end_s=1.5, width=128, height=64)
    frames = settings.read(settings.taken(64)).frames
    lefts = [int(np.argmax(frame[32, :, 0] > 120)) for frame in frames]
    assert [round(left / 8) for left in lefts] == [3, 4, 5, 6, 7, 8]


def test_frames_come_one_by_one_as_they_are_read(clip):
    settings = CannySettings(clip, "a car", start_s=0.5, fps=3, width=96, height=64)
    for taken in (settings.taken(64), replace(settings.taken(64), is_ready=True)):
        assert np.array_equal(np.stack(list(settings.stream(taken))), settings.read(taken).frames)


def test_frames_are_steadied_where_that_is_asked_for_or_suits(good):
    """Along the clip at the video's size; nothing is done to them where it is not."""
    drawn = np.random.default_rng(0).integers(100, 120, (12, 64, 128, 3)).astype(np.uint8)
    run = resolved(good, 96, steady=1.0)
    assert run.steady == 1 and run.filled().steady == 1
    steadied = np.stack(list(resolved(replace(good, width=128, height=64), steady=1.0).finished(iter(drawn))))
    still = np.s_[:, :8]  # above the square that moves
    assert np.std(steadied[still]) < 0.7 * np.std(drawn[still])
    given = iter(drawn)
    assert resolved(good).steady == 0 and resolved(good).finished(given) is given
    assert resolved(replace(good, steady=0.0), steady=1.0).finished(given) is given


def test_only_ready_skeletons_show_nothing_of_the_background(clip):
    taken = resolved(DepthSettings(clip, "a car", control_ready=True)).taken
    assert taken.is_ready and not DepthSettings(clip, "a car").is_bare(taken)
    pose = PoseSettings(clip, "a car")
    assert pose.is_bare(taken) and not pose.is_bare(replace(taken, is_ready=False))


def test_canny_pictures_are_opencvs_and_ready_ones_stay(clip):
    settings = CannySettings(clip, "a car", low_threshold=50, high_threshold=120)
    frames = settings.read(settings.taken(64)).frames
    ((_, pictures),) = settings.all_pictures(frames)
    for frame, picture in zip(frames, pictures, strict=True):
        edges = cv2.Canny(cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY), 50, 120)
        assert np.array_equal(picture, np.repeat(edges[..., None], 3, axis=2))
    assert 0 < (pictures > 0).mean() < 0.2
    assert next(settings.all_pictures(frames, is_ready=True))[1] is frames
    assert replace(settings, control_ready=True).taken(64).is_ready


@pytest.mark.parametrize("kind", [DepthSettings, PoseSettings])
def test_where_no_detector_is_to_be_had_a_ready_clip_can_be_declared(clip, kind):
    settings = kind(clip, "a car")
    frames = settings.read(settings.taken(64)).frames
    with pytest.raises(DetectorError, match=r"; ready .* \(control_ready\) and the examples work"):
        next(settings.all_pictures(frames))
    ((task, pictures),) = settings.all_pictures(frames, is_ready=True)
    assert task == kind.task and pictures is frames
    canny = CannySettings(clip, "a car", also=(Also(kind.task),))
    seen = canny.all_pictures(frames)
    assert next(seen)[0] == "canny"
    with pytest.raises(DetectorError, match="and the examples work without them.$"):
        next(seen)


def skeletons() -> np.ndarray:
    canvas = np.zeros((2, 96, 96, 3), np.uint8)
    for index in range(12):  # limbs in all colours of the circle
        colour = tuple(
            int(c) for c in cv2.cvtColor(np.uint8([[[15 * index, 255, 255]]]), cv2.COLOR_HSV2RGB)[0, 0]
        )
        for frame in canvas:
            cv2.line(frame, (8 + 7 * index, 30), (12 + 7 * index, 50), colour, 3)
    return canvas


def test_a_skeleton_clip_is_used_as_it_is(clip, tmp_path):
    canvas = skeletons()
    assert PoseSettings(clip, "a car").detect(canvas, "cpu") is canvas
    danced = PoseSettings(str(write_video(tmp_path / "skeletons.mp4", canvas, 8)), "a bear")
    assert danced.taken(96).is_ready and resolved(danced, 96).filled().control_ready is True
    assert not replace(danced, also=(Also("canny"),)).taken(96).is_ready
    assert not PoseSettings(clip, "a car").taken(96).is_ready


def test_an_edge_clip_is_used_as_it_is(clip, tmp_path):
    footage = np.full((3, 96, 160, 3), 60, np.uint8)
    for k, frame in enumerate(footage):
        cv2.circle(frame, (60 + 8 * k, 48), 30, (220, 90, 40), -1)
    edges = write_video(tmp_path / "edges.mp4", canny(footage), 8)
    traced = CannySettings(str(edges), "a ball")
    taken = traced.taken(64)  # smaller than the clip: its lines are grey then
    assert taken.is_ready and resolved(traced, 64).filled().control_ready is True
    frames = traced.read(taken).frames
    assert next(traced.all_pictures(frames, is_ready=True))[1] is frames
    assert not replace(traced, also=(Also("depth"),)).taken(64).is_ready
    plain = write_video(tmp_path / "footage.mp4", footage, 8)
    for settings in (CannySettings(clip, "a car"), CannySettings(str(plain), "a ball")):
        assert not settings.taken(64).is_ready


def test_of_a_long_clip_little_is_kept_for_the_run(clip):
    run = resolved(CannySettings(clip, "a car", width=256, height=128))
    seen = {}
    tracemalloc.start()
    device = SimpleNamespace(device="cpu")
    kept = run.conditions(
        Means(device, [SimpleNamespace(config={})], None, see=lambda *told: seen.update([told]))
    )
    whole, _ = tracemalloc.get_traced_memory()
    taken = sum(frames.nbytes for frames in seen.values())
    seen.clear()
    rest, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert taken == 2 * 12 * 128 * 256 * 3 and whole - rest >= taken
    assert rest < taken / 10 and kept["controls"][0].packed.shape == (12, 128, 256, 3)
