import numpy as np
import pytest
from conftest import SHARED

from t2v.checks import InputError
from t2v.detectors import canny, looks_like_skeleton
from t2v.detectors.depth import normalise_clip
from t2v.detectors.pose import _areas, _crop, peaks
from t2v.detectors.skeleton import COLOURS, LIMBS, NECK, People, coco_to_openpose, draw_skeletons
from t2v.video.video import read_video

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
