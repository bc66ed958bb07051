"""checks.py: what passes, what is refused, and that a refusal names the field."""

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from t2v.checks import (
    InputError,
    check_choice,
    check_flag,
    check_int,
    check_number,
    check_text,
    counted,
    plain,
)
from t2v.tasks.text_to_video import TextToVideoSettings


class Broken:
    """Nobody can say what it is."""

    def __repr__(self) -> str:
        raise RuntimeError("broken")


def deep() -> list:
    value: list = []
    for _ in range(100_000):
        value = [value]
    return value


ODD = {
    "digits": 10**5000,
    "NaN that signals": Decimal("sNaN"),
    "table": np.zeros((3, 3)),
    "array": np.array([1, 2]),
    "broken": Broken(),
    "nested": deep(),
}


@pytest.mark.parametrize("kind", ODD)
def test_values_that_cannot_be_compared_or_shown_are_refused_in_one_line(kind):
    value = ODD[kind]
    for call in (
        lambda: check_number("fps", plain(value), 0, 60),
        lambda: check_int("fps", plain(value), 0, 60),
        lambda: check_text("fps", plain(value), 5),
        lambda: check_flag("fps", plain(value)),
        lambda: check_choice("fps", plain(value), ["a"]),
        lambda: replace(TextToVideoSettings("a cat"), fps=value).check(),
    ):
        with pytest.raises(InputError, match="^fps is [^\n]{1,90}; [^\n]*[.]$"):
            call()
    with pytest.raises(InputError, match="^seed is "):
        replace(TextToVideoSettings("a cat"), seed=value).check()


def test_a_refusal_is_one_line_whatever_it_repeats():
    said = str(InputError("clip is 'a\nb\r\x1b[1m\u202egpm\u2028\ud83d', \u732b\U0001f408 and \u00e9 stay."))
    assert said == "clip is 'a\\nb\\r\\x1b[1m\\u202egpm\\u2028\\ud83d', \u732b\U0001f408 and \u00e9 stay."


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e308, "5", None, True, [], 10**400, -1])
def test_numbers_out_of_range_or_kind_are_refused(value):
    with pytest.raises(InputError, match="^fps is .*from 0 to 60"):
        check_number("fps", value, 0, 60)


def test_a_comma_is_told_to_be_a_point():
    with pytest.raises(InputError, match="^guidance is '1,5'; .* from 1 to 30 with a point, as in 1.5.$"):
        check_number("guidance", "1,5", 1, 30)


def test_numbers_in_range_pass():
    assert check_number("fps", 60, 0, 60) == 60.0
    assert check_int("steps", 25.0, 1, 50) == 25 and isinstance(check_int("steps", 25.0, 1, 50), int)


@pytest.mark.parametrize("value", [2.5, 51, 0, math.nan, 1e308, "3", False, 10**400])
def test_whole_numbers_are_whole_and_in_range(value):
    with pytest.raises(InputError, match="steps"):
        check_int("steps", value, 1, 50)


def test_multiples():
    assert check_int("width", 256, 64, 2048, 8) == 256
    with pytest.raises(InputError, match="multiple of 8 from 64 to 2048"):
        check_int("width", 250, 64, 2048, 8)


def test_texts():
    assert check_text("prompt", "a" * 10, 10) == "a" * 10
    no_texts = (("a" * 11, "11 characters"), (5, "give a text"), ("a\0b", "NUL"), ("\ud800", "half a letter"))
    for bad, said in no_texts:
        with pytest.raises(InputError, match=said):
            check_text("prompt", bad, 10)


def test_a_megabyte_of_value_makes_a_short_sentence():
    with pytest.raises(InputError) as refusal:
        check_choice("scheduler", "x" * 2**20, ["ddim", "lcm"])
    assert len(str(refusal.value)) < 200 and "ddim, lcm" in str(refusal.value)


def test_flags():
    assert check_flag("motion_field", False) is False
    with pytest.raises(InputError, match="motion_field"):
        check_flag("motion_field", "no")


def test_one_is_one():
    assert [counted(number, "frame") for number in (0, 1, 2)] == ["0 frames", "1 frame", "2 frames"]


def test_unhashable_choices_are_refused_too():
    with pytest.raises(InputError, match="warp"):
        check_choice("warp", {}, ["subcell"])
