"""courses.py, course_text.py: how things move over time, and how that is written."""

import numpy as np
import pytest

from t2v.checks import InputError
from t2v.diffusion.course_text import CAMERA, read_motion
from t2v.diffusion.courses import Course, Key, sampled
from t2v.diffusion.options import Camera
from t2v.diffusion.views import placed, views


def course(text: str) -> Course:
    (part,) = read_motion(text)
    return part.course


def places(text: str, num_frames: int = 9, height: int = 100, width: int = 200):
    return sampled(course(text), num_frames, height, width)


def test_keys_are_met_and_between_them_all_is_even():
    how = places("0: 0,0 | 4: 40,-20 x2 90deg | 8: 80,0 x4")
    assert how.places[:, 0].tolist() == [0, 10, 20, 30, 40, 50, 60, 70, 80]
    assert how.places[:, 1] == pytest.approx([0, -5, -10, -15, -20, -15, -10, -5, 0])
    assert how.sizes == pytest.approx(2.0 ** (np.arange(9) / 4))  # as often larger in each frame
    assert np.degrees(how.turns) == pytest.approx([0, 22.5, 45, 67.5, 90, 67.5, 45, 22.5, 0])
    assert not how.only_moves and places("8: 80,0").only_moves


def test_a_key_may_be_a_share_of_the_clip_and_a_place_of_the_picture():
    assert places("50%: 10%,10% | 100%: 0,0", 5).places.tolist() == [
        [0, 0],
        [10, 5],
        [20, 10],
        [10, 5],
        [0, 0],
    ]


def test_behind_its_last_key_a_thing_stays_or_goes_back_the_way_it_came():
    assert places("2: 20,0", 7).places[:, 0].tolist() == [0, 10, 20, 20, 20, 20, 20]
    assert places("2: 20,0 | to and fro", 7).places[:, 0].tolist() == [0, 10, 20, 10, 0, 10, 20]
    assert places("100%: 40,0 | to and fro", 5).places[:, 0].tolist() == [0, 20, 40, 20, 0]


def test_ease_starts_and_stops_gently_at_each_key():
    eased = places("4: 40,0 | 8: 40,40 | ease").places
    assert eased[[0, 2, 4, 6, 8]].tolist() == [[0, 0], [20, 0], [40, 0], [40, 20], [40, 40]]
    assert eased[1, 0] == pytest.approx(40 * (3 / 16 - 2 / 64)) and eased[5, 1] == eased[1, 0]


def test_a_line_is_passed_at_even_speed_whatever_its_corners():
    how = places("line 0,0 30,0 30,10 30,10 0,10 x2 70deg", 8)
    apart = np.hypot(*np.diff(how.places, axis=0).T)
    assert apart[[0, 1, 2, 4, 5, 6]] == pytest.approx([10] * 6)
    assert how.places[[0, 3, 4, 7]].tolist() == [[0, 0], [30, 0], [30, 10], [0, 10]]
    assert how.sizes[[0, -1]] == pytest.approx([1, 2]) and np.degrees(how.turns) == pytest.approx(
        10 * np.arange(8)
    )
    assert places("line 10%,0 20%,0 | to and fro", 5).places[:, 0] == pytest.approx([0, 20, 40, 20, 0])
    assert places("line 0,0 0,0", 3).places.tolist() == [[0, 0]] * 3
    eased = places("line 0,0 80,0 | ease").places[:, 0]
    assert eased[[0, 4, 8]] == pytest.approx([0, 40, 80]) and eased[1] < 5


def test_the_beginning_stays_the_same_however_many_frames_follow():
    for text in ("3: 20,10 x2 | 5: 0,0", "2: 20,0 | to and fro | ease"):
        short, long = places(text, 4), places(text, 40)
        assert np.array_equal(short.places, long.places[:4]) and np.array_equal(short.sizes, long.sizes[:4])


def test_what_the_camera_could_do_all_along_is_a_course():
    straight = Camera(3, -2, zoom=1.1, turn=5)
    keys = Course((Key(0, 0, 0), Key(8, 24, -16, 1.1**8, 40)))
    assert np.allclose(views(9, straight, 64, 96), views(9, Camera(course=keys), 64, 96), atol=1e-9)
    there = Camera(3, 0, path="to and fro")
    assert np.allclose(placed(9, there, 64, 96).places, places("100%: 12,0 | to and fro").places)
    for num_frames in (1, 2):
        assert np.array_equal(sampled(keys, num_frames, 8, 8).places[0], [0, 0])


def test_each_thing_has_a_part_of_its_own():
    text = "Camera: 7: -60,0 x1.2; red  car: 0%: 0,0 | 100%: 60,0\n2 cats: line 0,0 5%,5% | ease"
    parts = read_motion(text + "; 3: 1.5,-.5 ×2 -3°")
    assert [part.thing for part in parts] == ["Camera", "red car", "2 cats", None]
    assert parts[0].thing.lower() == CAMERA
    assert parts[1].course == Course((Key(0, 0, 0), Key(1, 60, 0)), in_shares=True)
    assert parts[2].course.is_line and parts[2].course.ease and not parts[2].course.loop
    assert parts[3].course.keys == (Key(0, 0, 0), Key(3, 1.5, -0.5, 2, -3))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (" ;\n", "motion is empty"),
        ("red car", "motion has 'red car'; write keys"),
        ("7: 0", "motion has '7: 0'; write keys"),
        ("7: 1,2,3", "motion has '7: 1,2,3'"),
        ("7: nan,0", "motion has '7: nan,0'"),
        ("7: 1,1 | quickly", "motion has 'quickly'"),
        ("0: 1,1 | 7: 2,2", "motion begins elsewhere"),
        ("5: 1,1 | 3: 2,2", "motion has a key at 3 behind one at 5; let them rise"),
        ("50%: 1,1 | 3: 2,2", "motion has both frame numbers and shares"),
        ("3: 10,1% | 4: 5,5", "motion has places in both pixels and shares"),
        ("0: 0,0 | 7: 5%,5", "motion has places in both pixels and shares"),
        ("7: 5,5%", "motion has places in both pixels and shares"),
        ("line 0,0 1,1% 5%,3", "motion has a line in both pixels and shares"),
        ("line 0,0", "motion has a line of 0 points"),
        ("1: 2,2 | line 0,0 1,1", "motion has both a line and keys"),
        ("car: ease", "motion has a part without a key"),
        ("3: 0,0 x9", "motion has the size x9; give from x0.1 to x8"),
        ("3: 0,0 9999deg", "motion turns by 9999 degrees"),
        ("3: 99999,0", "motion goes to 99999,0; stay within 16384 pixels"),
        ("3: 0,5000%", "motion goes to 0,50; stay within 16 times the picture"),
        ("150%: 1,1", "motion has a key at 150%"),
        ("-1: 1,1", "motion has a key at -1"),
        ("a: 1: 1,1; A: 2: 2,2", "motion has two parts for 'a'"),
        ("1: 1,1; 2: 2,2", "motion has two parts that name nothing"),
        (": 3: 1,1", "motion has a part without a name"),
        ("1" * 9000, "motion has 9000 characters"),
        (" | ".join(f"{n}: 1,1" for n in range(1, 300)), "motion has 300 keys"),
        (f"3: {'9' * 400},0", "motion has the number"),
    ],
)
def test_what_goes_wrong_is_told_in_one_sentence(text, told):
    with pytest.raises(InputError) as refused:
        read_motion(text)
    assert str(refused.value).startswith(told) and str(refused.value).endswith(".")


def test_a_course_made_in_python_is_checked_too():
    for keys in ((), (Key(1, 0, 0),), (Key(0, 0, 0), Key(0, 1, 1)), (Key(0, 0, 0), Key(2, float("nan"), 0))):
        with pytest.raises(InputError, match="^motion "):
            Camera(course=Course(keys)).check()
