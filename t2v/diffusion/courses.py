"""How things move over time: keyframes or a drawn line, for the camera and for what moves before it."""

from dataclasses import dataclass

import numpy as np

from t2v.checks import InputError

SIZES = (0.1, 8.0)
MOST_TURN, MOST_PX, MOST_SHARE = 3600.0, 16_384.0, 16.0
MOST_KEYS = 200


@dataclass(frozen=True)
class Key:
    """Where a thing is at a time: a frame's number, or a share of the clip, 0..1.

    x, y: from where it was at first, to the right and downwards, pixels or shares of the picture's sides.
    size: as often as at first. turn: degrees, clockwise.
    """

    at: float
    x: float
    y: float
    size: float = 1.0
    turn: float = 0.0


@dataclass(frozen=True)
class Course:
    """How one thing moves. keys: rising in time, the first at 0 and where the thing is anyway.

    in_shares: their times are shares of the clip. in_picture: their places are shares of the picture. ease:
    it starts and stops gently at every key, or on a line at its ends. loop: behind the last key it goes back
    the way it came, and on so; of a course in shares there in the first half of the clip and back in the
    second; else it stays there. is_line: the keys are the corners of a line that is passed
    at even speed, and their times are found by its length.
    """

    keys: tuple[Key, ...]
    in_shares: bool = False
    in_picture: bool = False
    ease: bool = False
    loop: bool = False
    is_line: bool = False

    def check(self) -> "Course":
        """Itself; InputError where a key is out of range or out of order."""
        if not self.keys or self.keys[0] != Key(0.0, 0.0, 0.0):
            raise InputError("motion begins elsewhere than where the thing is; let it begin with 0: 0,0.")
        if len(self.keys) > MOST_KEYS:
            raise InputError(f"motion has {len(self.keys)} keys; at most {MOST_KEYS} are allowed.")
        for before, after in zip(self.keys, self.keys[1:], strict=False):
            if not after.at > before.at:
                raise InputError(
                    f"motion has a key at {after.at:g} behind one at {before.at:g}; let them rise."
                )
        most, unit = (MOST_SHARE, "times the picture") if self.in_picture else (MOST_PX, "pixels")
        for key in self.keys:
            if not max(abs(key.x), abs(key.y)) <= most:
                raise InputError(f"motion goes to {key.x:g},{key.y:g}; stay within {most:g} {unit}.")
            if not SIZES[0] <= key.size <= SIZES[1]:
                raise InputError(
                    f"motion has the size x{key.size:g}; give from x{SIZES[0]:g} to x{SIZES[1]:g}."
                )
            if not abs(key.turn) <= MOST_TURN:
                raise InputError(
                    f"motion turns by {key.turn:g} degrees; give from -{MOST_TURN:g} to {MOST_TURN:g}."
                )
        return self


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a thing is in every frame: places (f, 2), (x, y) pixels from where it was at first; sizes (f,),
    as often as at first; turns (f,), radians, clockwise."""

    places: np.ndarray
    sizes: np.ndarray
    turns: np.ndarray

    @property
    def only_moves(self) -> bool:
        """Whether its size and direction stay as they are."""
        return bool((self.sizes == 1).all() and (self.turns == 0).all())


def sampled(course: Course, num_frames: int, height: int, width: int) -> Placed:
    """Where a thing on this course is in each frame; height, width: of a frame, in pixels."""
    last = num_frames - 1
    sides = np.array([width, height] if course.in_picture else [1.0, 1.0])
    places = np.array([(key.x, key.y) for key in course.keys]) * sides
    sizes = np.log([key.size for key in course.keys])  # so that it comes nearer at an even speed
    turns = np.radians([key.turn for key in course.keys])
    times = np.array([key.at for key in course.keys]) * (last if course.in_shares else 1)
    if course.is_line:  # the times are those of an even speed
        passed = np.concatenate([[0.0], np.cumsum(np.hypot(*np.diff(places, axis=0).T))])
        share = passed / passed[-1] if passed[-1] > 0 else times / max(last, 1)
        times, sizes, turns = share * last, sizes[-1] * share, turns[-1] * share
    now = _times_of(course, num_frames, float(times[-1]))
    after = np.clip(np.searchsorted(times, now, side="left"), 1, max(len(times) - 1, 1))
    if len(times) == 1:
        return Placed(np.zeros((num_frames, 2)), np.ones(num_frames), np.zeros(num_frames))
    apart = times[after] - times[after - 1]
    share = np.divide(now - times[after - 1], apart, out=np.zeros(num_frames), where=apart > 0)
    if course.ease and not course.is_line:
        share = _eased(share)

    def mixed(values: np.ndarray) -> np.ndarray:
        part = share if values.ndim == 1 else share[:, None]
        return values[after - 1] + (values[after] - values[after - 1]) * part

    return Placed(mixed(places), np.exp(mixed(sizes)), mixed(turns))


def _times_of(course: Course, num_frames: int, end: float) -> np.ndarray:
    """The time on its course, 0..end in frames, at which each frame shows the thing: (f,)."""
    now, last = np.arange(num_frames, dtype=np.float64), float(num_frames - 1)
    if course.loop and course.in_shares:
        now = last - np.abs(last - 2 * now)  # there in the first half of the clip, back in the second
    elif course.loop and end > 0:
        now = end - np.abs(end - np.mod(now, 2 * end))
    now = np.clip(now, 0.0, end)
    return end * _eased(now / end) if course.is_line and course.ease and end > 0 else now


def _eased(share: np.ndarray) -> np.ndarray:
    return share * share * (3 - 2 * share)
