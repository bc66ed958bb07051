"""over_time.py: which prompts change along the video, and what is wrong with those that nearly do."""

import pytest

from t2v.checks import InputError
from t2v.diffusion.over_time import read_over_time, shares_of, texts_of, with_each_text

DAY = "0: a red car on the street | 7: a red car on the street at night"


def test_texts_and_places():
    found = read_over_time(DAY)
    assert found.texts == ("a red car on the street", "a red car on the street at night")
    assert (found.places, found.in_shares) == ((0, 7), False)
    assert found.frames(8) == found.frames(100) == (0, 7)
    shares = read_over_time(" 0% :a street|50%: rain: much of it |100%:night\n")
    assert shares.texts == ("a street", "rain: much of it", "night")
    assert shares.in_shares and shares.frames(9) == (0, 4, 8) and shares.frames(1) == (0, 0, 0)


@pytest.mark.parametrize(
    "plain",
    [
        "a red car",
        "3: a red car",
        "a car | a street",
        "0: a car | at night",
        "16:9 photo | 4:3 photo of a car",
        "at 7: a car | at 9: a car",
        "[cat|dog]",
        "",
        None,
        5,
    ],
)
def test_other_prompts_stay_what_they_are(plain):
    assert read_over_time(plain) is None
    if isinstance(plain, str):
        assert texts_of(plain) == (plain,) and with_each_text(plain, str.upper) == plain.upper()


@pytest.mark.parametrize(
    ("prompt", "sentence"),
    [
        ("0: day | dusk | 7: night", "prompt has a part without a number, 'dusk'; write it as in"),
        ("0: day | 7: ", "prompt says nothing at 7; write what is to be seen there."),
        (
            "0: day | 100%: night",
            "prompt has both frame numbers and shares; give all as in 7: or",
        ),
        ("4: day | 4: night", "prompt has 4 behind 4; let the numbers rise."),
        ("0%: day | 80%: dusk | 25.5%: night", "prompt has 25.5% behind 80%; let the numbers rise."),
        (
            "0: day | 1.5: night",
            "prompt has the frame number 1.5; give a whole one from 0, or a",
        ),
        ("-1: day | 5: night", "prompt has the frame number -1; give a whole one from 0, or a share as 50%."),
        ("0: day | 1.2.3: night", "prompt has the frame number 1.2.3; give a whole one"),
        ("0%: day | 101%: night", "prompt has the share 101%; give one from 0% to 100%."),
        ("0%: day | 9..%: night", "prompt has the share 9..%; give one from 0% to 100%."),
    ],
)
def test_what_is_nearly_of_the_form_is_refused_in_one_sentence(prompt, sentence):
    with pytest.raises(InputError) as refused:
        read_over_time(prompt)
    assert str(refused.value).startswith(sentence)
    assert with_each_text(prompt, lambda text: f"{text}!") == f"{prompt}!"  # whoever runs it is told


def test_frames_that_the_video_does_not_have_are_refused():
    read_over_time(DAY).check(8)
    read_over_time("0%: day | 100%: night").check(1)
    with pytest.raises(InputError, match="prompt names frame 7, and the last one is frame 6; give a lower"):
        read_over_time(DAY).check(7)


def test_each_text_can_be_changed_in_its_place():
    changed = with_each_text("0: day|50 : dusk, 3:1 | 99: night", lambda text: f"{text}, sharp")
    assert changed == "0: day, sharp | 50: dusk, 3:1, sharp | 99: night, sharp"
    assert with_each_text("0%: a | 9%: b", str.upper) == "0%: A | 9%: B"


def test_shares_go_from_one_text_to_the_next():
    rows = shares_of((0, 4, 6), range(8))
    assert rows[:5] == [[1, 0, 0], [0.75, 0.25, 0], [0.5, 0.5, 0], [0.25, 0.75, 0], [0, 1, 0]]
    assert rows[5:] == [[0, 0.5, 0.5], [0, 0, 1], [0, 0, 1]]
    assert [row[0] for row in shares_of((2, 4), range(4))] == [1, 1, 1, 0.5]
    assert shares_of((0, 3.5, 7), [3])[0][1] == pytest.approx(3 / 3.5)
    assert shares_of((0, 0), [0]) == [[1, 0]]  # of a single frame
