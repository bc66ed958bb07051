import cv2
import numpy as np
import pytest
from clips import ffmpeg
from conftest import ROOT, SHARED

from t2v.checks import InputError
from t2v.detectors import canny, looks_like_edges, looks_like_skeleton
from t2v.detectors.depth import normalise_clip
from t2v.detectors.pose import _areas, _crop, peaks
from t2v.detectors.skeleton import COLOURS, LIMBS, NECK, People, coco_to_openpose, draw_skeletons
from t2v.video.video import read_video
from t2v.video.write import write_video

DATA = SHARED / "data"
COCO = (
    "nose", "left eye", "right eye", "left ear", "right ear", "left shoulder", "right shoulder", "left elbow",
    "right elbow", "left wrist", "right wrist", "left hip", "right hip", "left knee", "right knee",
    "left ankle", "right ankle",
)  # fmt: skip
OPENPOSE = (
    "nose", "neck", "right shoulder", "right elbow", "right wrist", "left shoulder", "left elbow",
    "left wrist", "right hip", "right knee", "right ankle", "left hip", "left knee", "left ankle",
    "right eye", "left eye", "right ear", "left ear",
)  # fmt: skip
# a person facing us, in a picture of 256x256: their right is on our left
STANDING = {
    "nose": (128, 50), "left eye": (138, 42), "right eye": (118, 42), "left ear": (150, 46),
    "right ear": (106, 46), "left shoulder": (160, 84), "right shoulder": (96, 84), "left elbow": (180, 120),
    "right elbow": (76, 120), "left wrist": (190, 156), "right wrist": (66, 156), "left hip": (146, 150),
    "right hip": (110, 150), "left knee": (150, 194), "right knee": (106, 194), "left ankle": (152, 236),
    "right ankle": (104, 236),
}  # fmt: skip


def standing(score=1.0, shift=0):
    joints = np.array([[STANDING[name] for name in COCO]], float) + shift
    return People(joints, np.full((1, 17), score))


def test_canny_is_white_on_black_and_obeys_its_thresholds():
    frames = np.full((2, 40, 60, 3), 90, np.uint8)
    frames[0, :, 30:] = 255
    frames[1, :, 30:] = (90, 110, 90)  # a faint step, in one channel only
    control = canny(frames)
    assert control.shape == frames.shape and control.dtype == np.uint8
    assert set(np.unique(control)) == {0, 255}
    assert (control[0].max(axis=(0, 2)) > 0).sum() == 1 and control[0, 20, 28:32].max() == 255
    assert control[1].max() == 0
    assert canny(frames, 20, 60)[1, 20, 28:32].max() == 255


def test_canny_thresholds_are_checked():
    frames = np.zeros((1, 8, 8, 3), np.uint8)
    for low, high, said in (
        (200, 100, "low_threshold is 200"),
        (-1, 100, "low_"),
        (1, float("nan"), "high_"),
    ):
        with pytest.raises(InputError, match=said):
            canny(frames, low, high)


def test_coco_joints_become_openposes():
    people = coco_to_openpose(standing())
    for name, joint in zip(OPENPOSE, people.joints[0], strict=True):
        assert tuple(joint) == STANDING.get(name, (128, 84)), name  # the neck: between the shoulders


def test_the_neck_is_as_sure_as_the_less_sure_shoulder():
    coco = standing()
    coco.scores[0, COCO.index("left shoulder")] = 0.1
    assert coco_to_openpose(coco).scores[0, NECK] == 0.1


def test_joints_and_limbs_have_openposes_colours():
    picture = draw_skeletons(coco_to_openpose(standing()), 256, 256, 0.3)
    assert picture.shape == (256, 256, 3) and picture.dtype == np.uint8
    places = {**STANDING, "neck": (128, 84)}
    for name, colour in zip(OPENPOSE, COLOURS, strict=True):
        x, y = places[name]
        assert tuple(picture[y, x]) == colour, name
    joints = coco_to_openpose(standing()).joints[0]
    for (a, b), colour in zip(LIMBS, COLOURS, strict=False):
        x, y = ((joints[a] + joints[b]) / 2).round().astype(int)
        assert np.abs(picture[y, x] - 0.6 * np.array(colour)).max() <= 1, (OPENPOSE[a], OPENPOSE[b])
    assert (picture.max(axis=2) == 0).mean() > 0.9


def test_unsure_joints_and_their_limbs_are_left_out():
    coco = standing()
    coco.scores[0, COCO.index("right elbow")] = 0.2
    picture = draw_skeletons(coco_to_openpose(coco), 256, 256, 0.3)
    assert picture[110:130, 70:92].max() == 0  # the elbow, and half of both limbs that meet there
    assert tuple(picture[156, 66]) == COLOURS[OPENPOSE.index("right wrist")]
    nobody = draw_skeletons(coco_to_openpose(standing(0.1)), 256, 256, 0.3)
    assert nobody.max() == 0


def test_several_people_and_thickness_by_size():
    two = People(np.concatenate([standing().joints * 2, standing().joints * 2 + 60]), np.ones((2, 17)))
    picture = draw_skeletons(coco_to_openpose(two), 512, 512, 0.3)
    assert tuple(picture[100, 256]) == COLOURS[0] and tuple(picture[160, 316]) == COLOURS[0]
    one = draw_skeletons(coco_to_openpose(People(standing().joints * 2, np.ones((1, 17)))), 512, 512, 0.3)
    small = draw_skeletons(coco_to_openpose(standing()), 256, 256, 0.3)
    thigh = one[350, 200:230].max(axis=1) > 60, small[175, 100:115].max(axis=1) > 60
    assert 7 <= thigh[0].sum() <= 10 and 3 <= thigh[1].sum() <= 6


def test_a_peak_between_cells_is_found():
    y, x = np.mgrid[:64, :48]
    places = [(20.3, 30.6), (5.0, 6.0), (46.8, 62.7), (0.0, 0.0)]
    bells = [0.9 * np.exp(-((x - px) ** 2 + (y - py) ** 2) / 8) for px, py in places]
    cells, scores = peaks(np.array([bells], np.float32))
    assert np.abs(cells[0] - places).max() < 0.4  # at the edge half of the bell is missing
    assert np.abs(cells[0, :2] - places[:2]).max() < 0.01
    assert scores[0] == pytest.approx([bell.max() for bell in bells], rel=1e-6)
    flat, none = peaks(np.zeros((1, 1, 8, 6), np.float32))
    assert np.isfinite(flat).all() and none.max() == 0


def test_crops_show_their_area_and_map_back():
    frame = np.zeros((100, 200, 3), np.uint8)
    frame[60:63, 150:153] = 255
    area = _areas(np.array([[130.0, 20, 170, 90]]), 48 / 64)
    assert area[0, 2] / area[0, 3] == pytest.approx(48 / 64)
    assert area[0, 3] == pytest.approx(70 * 1.25) and area[0, :2] + area[0, 2:] / 2 == pytest.approx(
        [150, 55]
    )
    crop = _crop(frame, area[0], 96, 128)
    y, x = (np.argwhere(crop[..., 0] > 127).mean(axis=0)).tolist()
    assert area[0, :2] + np.array([x, y]) / [95, 127] * area[0, 2:] == pytest.approx([151, 61], abs=0.4)


def test_nearness_has_one_scale_for_the_clip():
    nearness = np.zeros((3, 20, 30))
    nearness[0], nearness[1], nearness[2] = 1.0, 2.0, 3.0
    nearness[:, 0, 0] = (900, -900, 5)  # a few wild pixels
    control = normalise_clip(nearness)
    assert control.shape == (3, 20, 30, 3) and control.dtype == np.uint8
    assert [int(np.median(frame)) for frame in control] == [0, 128, 255]
    assert normalise_clip(np.full((2, 4, 4), 7.0)).max() == 0


def skeleton_clip():
    return np.stack([draw_skeletons(coco_to_openpose(standing(shift=k)), 256, 256, 0.3) for k in range(4)])


def test_skeletons_are_told_from_other_pictures():
    skeletons = skeleton_clip()
    assert looks_like_skeleton(skeletons)
    assert looks_like_skeleton(np.concatenate([np.zeros_like(skeletons), skeletons]))  # walks in later
    assert not looks_like_skeleton(np.zeros_like(skeletons))
    assert not looks_like_skeleton(canny(skeletons))
    assert not looks_like_skeleton(255 - skeletons)
    assert not looks_like_skeleton(np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), np.uint8))
    fireworks = np.zeros((2, 64, 64, 3), np.uint8)
    fireworks[:, 20:26, 20:40] = (255, 120, 0)  # one colour on black is no skeleton
    assert not looks_like_skeleton(fireworks)


@pytest.mark.slow
@pytest.mark.skipif(not DATA.is_dir(), reason=f"the real clips are not here: {DATA}")
@pytest.mark.parametrize("folder", ["pose", "video", "depth"])
def test_real_clips_are_told_apart(folder):
    clips = sorted((DATA / folder).glob("*.mp4"))
    assert clips
    for clip in clips:
        assert looks_like_skeleton(read_video(clip).frames) == (folder == "pose"), clip.name


def drawn(draw, background=0):
    """Three frames, 256 x 256, of what ``draw`` puts on a picture, a little further on in each."""
    frames = np.full((3, 256, 256, 3), background, np.uint8)
    for k, frame in enumerate(frames):
        draw(frame, 3 * k)
    return frames


def night_sky(frame, k):
    places = np.random.default_rng(4).integers(0, 256, (150, 2))
    frame[places[:, 0], (places[:, 1] + k) % 256] = 255


def credits_of_a_film(frame, k):
    for row in range(30, 250, 14):
        cv2.putText(frame, "written and drawn by", (60, row - k), cv2.FONT_HERSHEY_PLAIN, 0.7, (255,) * 3)


def lightning(frame, k):
    corners = np.cumsum(np.random.default_rng(5).integers(-9, 22, (24, 2)), axis=0) + k
    cv2.polylines(frame, [corners.astype(np.int32)], False, (255,) * 3)
    frame[:] = np.maximum(frame, cv2.GaussianBlur(frame, (0, 0), 5) * 3)


def brush_drawing(frame, k):
    cv2.ellipse(frame, (128 + k, 128), (90, 60), 0, 0, 360, (255,) * 3, 4, cv2.LINE_AA)
    cv2.circle(frame, (128 + k, 128), 30, (255,) * 3, 3, cv2.LINE_AA)


def silhouette(frame, k):
    cv2.circle(frame, (128 + k, 150), 50, (255,) * 3, -1)


@pytest.mark.slow
@pytest.mark.parametrize("thresholds", [(100, 200), (20, 60)])
@pytest.mark.parametrize("crf", [None, 17, 30])
def test_edges_are_recognised_through_compression(tmp_path, thresholds, crf):
    for name in ("canny/car.mp4", "canny/dog.mp4", "pix2pix/panda.mp4", "depth/horse.mp4"):
        footage = read_video(ROOT / "examples" / name, max_frames=3).frames
        edges = canny(footage, *thresholds)
        if crf is not None:
            write_video(tmp_path / "edges.mp4", edges, 4)
            ffmpeg("-i", tmp_path / "edges.mp4", "-c:v", "libx264", "-crf", crf, tmp_path / "smaller.mp4")
            edges = read_video(tmp_path / "smaller.mp4").frames
        assert looks_like_edges(edges), name
        assert looks_like_edges([np.zeros_like(edges[0]), *edges])  # they begin later
        assert not looks_like_edges([*edges[:2], footage[0]])


@pytest.mark.parametrize("draw", [night_sky, credits_of_a_film, lightning, brush_drawing, silhouette])
def test_what_is_white_on_black_is_not_edges_for_that(draw):
    frames = drawn(draw)
    assert frames.max() == 255 and not looks_like_edges(frames)
    assert not looks_like_edges(255 - frames)  # black on white, as on paper
    edges = canny(frames)
    assert draw in (night_sky, credits_of_a_film) or looks_like_edges(edges)


@pytest.mark.slow
def test_no_footage_drawing_or_control_is_taken_for_edges():
    """Also not as a photograph without colour, with hard light or by night."""
    noise = np.random.default_rng(0).integers(0, 255, (3, 64, 64, 3), np.uint8)
    assert not any(looks_like_edges(frames) for frames in (noise, np.zeros_like(noise), skeleton_clip()))
    coloured = canny(skeleton_clip())
    coloured[..., 2] = 0
    assert not looks_like_edges(coloured)
    clips = sorted((ROOT / "examples").glob("*/*.mp4")) + sorted(DATA.glob("*/*.mp4"))
    assert len(clips) >= 16
    for clip in clips:
        frames = read_video(clip, max_frames=3).frames
        grey = np.repeat(frames.mean(axis=3, keepdims=True), 3, axis=3)
        variants = [frames, grey, (grey - 150) * 3, (grey - 90) * 9, grey / 4, 255 - grey]
        assert not any(looks_like_edges(np.clip(one, 0, 255).astype(np.uint8)) for one in variants), clip.name
