"""Motion over time as plain text: a line or a part between semicolons for each thing that moves:

    camera: 0: 0,0 | 7: -60,0 x1.2
    red car: 0%: 0,0 | 50%: 40,-10 | 100%: 60,0 x1.3 10deg | ease
    blue ball: line 0,0 25%,-10% 50%,0 | to and fro

A key is a frame (or a share of the clip), where the thing is then, from where it was at first (pixels, or
shares of the picture), and, if that changes, how large it is (x1.3) and how far turned (10deg, clockwise). A
line is passed at even speed over the whole clip. The thing is the camera, or words of the prompt; a part that
names none is of what moves anyway. Without torch, so that settings can be checked at once.
"""

import math
import re
from dataclasses import dataclass, replace

from t2v.checks import InputError
from t2v.diffusion.courses import MOST_KEYS, Course, Key

CAMERA = "camera"
EASE, TO_AND_FRO, LINE = "ease", "to and fro", "line"
MOST_CHARS = 8000
EXAMPLE = "'0: 0,0 | 7: 60,-10 x1.3'"
SHOWN = 40  # characters of a part that a refusal quotes
_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)"
_POINT = rf"({_NUMBER})(%?)\s*,\s*({_NUMBER})(%?)"
_LOOKS = rf"(?:\s+[x×]\s*({_NUMBER}))?(?:\s+({_NUMBER})\s*(?:deg|°))?"
_KEY = re.compile(rf"({_NUMBER})\s*(%?)\s*:\s*{_POINT}{_LOOKS}", re.IGNORECASE | re.ASCII)
_LINE = re.compile(rf"{LINE}((?:\s+{_POINT})+){_LOOKS}", re.IGNORECASE | re.ASCII)
_TIME = re.compile(rf"\s*{_NUMBER}\s*%?\s*", re.ASCII)


@dataclass(frozen=True)
class Part:
    """The course of one thing. thing: CAMERA, words of the prompt, or None where the text names none."""

    thing: str | None
    course: Course


def read_motion(text: str) -> tuple[Part, ...]:
    """The parts of a motion as text; InputError, one sentence, where it goes wrong."""
    if len(text) > MOST_CHARS:
        raise InputError(f"motion has {len(text)} characters; at most {MOST_CHARS} are allowed, shorten it.")
    parts = [_read_part(part.strip()) for part in re.split(r"[;\n]", text) if part.strip()]
    if not parts:
        raise InputError(f"motion is empty; write where things are at which frame, as in {EXAMPLE}.")
    names = [None if part.thing is None else part.thing.lower() for part in parts]
    for name in names:
        if names.count(name) > 1:
            told = "two parts that name nothing" if name is None else f"two parts for '{name[:SHOWN]}'"
            raise InputError(f"motion has {told}; give each thing one.")
    return tuple(parts)


def _read_part(text: str) -> Part:
    before, colon, rest = text.partition(":")
    thing: str | None = None
    if colon and _TIME.fullmatch(before) is None:
        thing, text = " ".join(before.split()), rest
        if not thing:
            raise InputError(f"motion has a part without a name before its colon; write it as in {EXAMPLE}.")
    ease = loop = False
    line: Course | None = None
    keys: list[tuple[Key, bool, set[str]]] = []  # with whether its time is a share, and its place's signs
    for item in (item.strip() for item in text.split("|")):
        if item.lower() == EASE:
            ease = True
        elif item.lower() == TO_AND_FRO:
            loop = True
        elif (found := _LINE.fullmatch(item)) is not None:
            line = _read_line(found)
        elif (found := _KEY.fullmatch(item)) is not None:
            keys.append(_read_key(found))
        else:
            raise InputError(
                f"motion has '{item[:SHOWN]}'; write keys as in {EXAMPLE}, a line as in 'line 0,0 40,-10', "
                f"'{EASE}' or '{TO_AND_FRO}'."
            )
    if (line is None) == (not keys):
        told = "both a line and keys" if keys else "a part without a key"
        raise InputError(f"motion has {told}; give keys as in {EXAMPLE}, or one line.")
    course = _course_of(keys) if line is None else line
    return Part(thing, replace(course, ease=ease, loop=loop))


def _read_key(found: re.Match[str]) -> tuple[Key, bool, set[str]]:
    time, sign, x, x_sign, y, y_sign, size, turn = found.groups()
    at = _number(time) / (100 if sign else 1)
    if at < 0 or (sign and at > 1):
        raise InputError(
            f"motion has a key at {time}{sign}; give a frame's number from 0, or a share from 0% to 100%."
        )
    signs = {sign for number, sign in ((x, x_sign), (y, y_sign)) if float(number)}
    return Key(at, *_place(x, x_sign, y, y_sign), *_looks(size, turn)), bool(sign), signs


def _read_line(found: re.Match[str]) -> Course:
    points = re.findall(_POINT, found[1], re.ASCII)
    size, turn = _looks(*found.groups()[-2:])
    places = [_place(*point) for point in points]
    signs = {sign for x, x_sign, y, y_sign in points for n, sign in ((x, x_sign), (y, y_sign)) if float(n)}
    if len(signs) > 1:
        raise InputError("motion has a line in both pixels and shares; give all as 40 or all as 10%.")
    if places[0] != (0.0, 0.0):
        places.insert(0, (0.0, 0.0))
    last = len(places) - 1
    if not 1 <= last < MOST_KEYS:
        raise InputError(f"motion has a line of {last} points after 0,0; give from 1 to {MOST_KEYS - 1}.")
    keys = [Key(n / last, x, y) for n, (x, y) in enumerate(places)]
    keys[-1] = replace(keys[-1], size=size, turn=turn)
    return Course(tuple(keys), in_shares=True, in_picture=signs == {"%"}, is_line=True).check()


def _course_of(found: list[tuple[Key, bool, set[str]]]) -> Course:
    keys = [key for key, _, _ in found]
    times = {is_share for key, is_share, _ in found if key.at > 0}
    signs = {sign for *_, its_signs in found for sign in its_signs}
    if len(times) > 1:
        raise InputError("motion has both frame numbers and shares; give all as in 7: or all as in 100%:.")
    if len(signs) > 1:
        raise InputError("motion has places in both pixels and shares; give all as 40 or all as 10%.")
    if keys[0].at > 0:
        keys.insert(0, Key(0.0, 0.0, 0.0))
    return Course(tuple(keys), in_shares=True in times, in_picture="%" in signs).check()


def _place(x: str, x_sign: str, y: str, y_sign: str) -> tuple[float, float]:
    return _number(x) / (100 if x_sign else 1), _number(y) / (100 if y_sign else 1)


def _looks(size: str | None, turn: str | None) -> tuple[float, float]:
    return (1.0 if size is None else _number(size)), (0.0 if turn is None else _number(turn))


def _number(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise InputError(f"motion has the number {text[:SHOWN]}; give one that is not as large.")
    return number
