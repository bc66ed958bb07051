"""A clip's time stamps: how fast its frames come, when they begin, and whether all that can be believed."""

import re
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from t2v.video.guarded_ffmpeg import run

LOOKED_AT = 3000  # packets: a minute and a half; a film need not be read to its end for its first frames
REORDERED_AT = 32  # packets after which an encoder has used frames out of their order, if it does at all
DELAY = 4  # frames by which encoders' reordering delays a picture
HONEST = 1.5  # a header's rate is believed up to so many times the rate at which frames come, and down to it,
USUAL = 0.1  # and where most frames follow each other at it, within this part, and only some are left out
ALIKE = 0.01  # part by which a rate that was guessed may be off to be taken for exact
SLOWEST = 1e-4  # frames a second: times that are days apart are no clip's
SAME_S = 0.0002  # no camera takes two frames within it
HELD = 1.5  # a GIF's last frame that stays for so many times the others' time is no part of its rate
ROUNDED_S = 0.02  # what rounding to hundredths may do to a time, and to the rate by which it is judged
STUCK = 0.2  # share of the frames that may follow at once on others, as invisible ones do
_DISCARD = 4  # a packet's flag: its frame is decoded, as others need it, but an edit list hides it
_CAN_REORDER = re.compile(r"Video: (h26[456]|hevc|vvc|mpeg[124]|msmpeg4|vc1|wmv3)")


@dataclass(frozen=True)
class Stamps:
    """What time stamps tell.

    fps: frames per second, the header's, or, where that is not to be believed, counted over their time span.
    starts_s: when the picture begins, in seconds after the clip's own beginning, which may be its sound's.
    is_even: every frame that can be decoded is to be taken once, spaced evenly: they are broken, or of a GIF
    and uneven only by being rounded to hundredths of a second.
    note: one sentence about that for people, without the file's name; None where there is nothing to say.
    """

    fps: float = 1.0
    starts_s: float = 0.0
    is_even: bool = False
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Packet:
    time_s: float  # when its frame is shown
    lasts_s: float
    is_hidden: bool
    tick_s: float  # the unit of its times


def judge(path: Path, stream: str, filters: str, packets: str) -> Stamps:
    """From ffmpeg's lines on the video's stream and on its filters' input, and framecrc's on its packets."""
    found = _packets(packets)
    fps = max(SLOWEST, _frame_rate(stream, filters, found))
    if not found:
        return Stamps(fps)
    hidden, first_s = sum(one.is_hidden for one in found), min(one.time_s for one in found)
    spaced = f"all frames are taken, evenly spaced, {fps:.4g} a second"
    if _is_broken(path, stream, found):
        return Stamps(fps, max(0.0, first_s), True, f"has broken time stamps, so {spaced}.")
    # A longer part was cut off by somebody who does not want it to be seen.
    if 0 < hidden <= DELAY:
        frames = "a frame" if hidden == 1 else f"{hidden} frames"
        return Stamps(fps, first_s, True, f"has an edit list that hides {frames}, and {spaced}.")
    if "Video: gif" in stream and found[-1].time_s - found[0].time_s > SAME_S:
        return _of_gif(found, fps)
    return Stamps(fps, min(one.time_s for one in found if not one.is_hidden or hidden == len(found)))


def _of_gif(packets: Sequence[_Packet], told: float) -> Stamps:
    """A GIF has no rate: what is told of it is guessed from the time of a few frames, which is rounded."""
    first_s, last = packets[0].time_s, packets[-1]
    fps = (len(packets) - 1) / (last.time_s - first_s)
    is_held = last.lasts_s * fps > HELD
    if not is_held:
        fps = len(packets) / (last.time_s + last.lasts_s - first_s)
    late = [(one.time_s - first_s) * fps - place for place, one in enumerate(packets)]
    uneven = max(late) - min(late)  # in frames
    if uneven < max(0.5, ROUNDED_S * fps):
        return Stamps(fps, first_s, is_even=uneven > 0.01 and not is_held and len(packets) < LOOKED_AT)
    # Some are really shown for longer than others.
    usual_s, counted = statistics.median(_gaps([one.time_s for one in packets])), _counted(packets)
    return Stamps(told if counted is None or abs(told * usual_s - 1) < USUAL else counted, first_s)


def _packets(lines: str) -> list[_Packet]:
    """In the file's order, as far as looked at; [] where any of them tells no time."""
    base = re.search(r"^#tb 0: (\d+)/(\d+)", lines, re.MULTILINE)
    if base is None:
        return []
    tick_s = int(base[1]) / int(base[2])
    packets = []
    line = r"^0, *-?\d+, *(-?\w+), *(\d+), *\d+, *\w+(?:, *F=0x(\w+))?"
    for found in re.finditer(line, lines, re.MULTILINE):
        time, lasts, flags = found.groups()
        if not time.lstrip("-").isdecimal() or abs(int(time)) > 1 << 62:
            return []
        is_hidden = bool(flags) and bool(int(flags, 16) & _DISCARD)
        packets.append(_Packet(int(time) * tick_s, int(lasts) * tick_s, is_hidden, tick_s))
    return packets


def _counted(packets: Sequence[_Packet]) -> float | None:
    """Frames per second, counted over the time for which they are shown; None where no time passes."""
    times = [one.time_s for one in packets]
    span_s = max(times, default=0.0) - min(times, default=0.0)
    if span_s < SAME_S:
        return None
    last = max(packets, key=lambda one: one.time_s)
    return len(times) / (span_s + max(last.lasts_s, span_s / (len(times) - 1)))


def _frame_rate(stream: str, filters: str, packets: Sequence[_Packet]) -> float:
    """Frames per second: the exact one if frames come evenly, their average in a clip of varying rate."""
    exact = re.search(r"frame_rate: (\d+)/(\d+)", filters)
    average = re.search(r" ([\d.]+)(k?) fps,", stream)
    rates, counted = [], _counted(packets)
    if exact is not None and int(exact[1]) and int(exact[2]):
        rates.append(int(exact[1]) / int(exact[2]))
    if average is not None and float(average[1]) > 0:
        rates.append(float(average[1]) * (1000 if average[2] else 1))
    if not rates:
        return 1.0 if counted is None else counted  # a still picture in a video's container
    told = rates[0] if abs(rates[0] - rates[-1]) < 0.01 else rates[-1]
    if counted is None:
        lasts_s = packets[0].lasts_s if len(packets) == 1 and average is None else 0.0
        return 1 / lasts_s if lasts_s > SAME_S else told
    # Without an average in the header, ffmpeg guesses: often the inverse of the time stamps' unit.
    if average is None:
        return told if abs(told / counted - 1) < ALIKE else counted
    usual_s = statistics.median(_gaps([one.time_s for one in packets]))
    is_honest = 1 / HONEST < told / counted < HONEST or abs(told * usual_s - 1) < USUAL
    return told if is_honest else counted


def _gaps(times: Sequence[float]) -> list[float]:
    """Seconds between frames in the order in which they are shown."""
    return [after - before for before, after in pairwise(sorted(times))]


def _is_broken(path: Path, stream: str, packets: Sequence[_Packet]) -> bool:
    """Whether frames come at equal or falling times; they are decoded only where they might."""
    times = [one.time_s for one in packets]
    gaps = _gaps(times)
    # Programs that write files put equal times one unit apart.
    tick_s = max(1.5 * packets[0].tick_s, SAME_S)
    if sum(gap < tick_s for gap in gaps) > STUCK * len(gaps) and sum(gaps) > 10 * tick_s * len(gaps):
        return True
    falls = any(after < before for before, after in pairwise(times))
    stays = any(gap < SAME_S for gap in gaps)
    reorders = _CAN_REORDER.search(stream) is not None
    if stays or (falls and not reorders):
        return _decoded_falls(path, [])
    if falls or not reorders or len(times) < 3:
        return False
    # Frames are shown in the file's order. That is right, unless the encoder meant another one.
    return _decoded_falls(path, [] if len(times) <= REORDERED_AT else ["-t", f"{times[REORDERED_AT]:.6f}"])


def _decoded_falls(path: Path, part: list[str]) -> bool:
    shown = ["-map", "0:V:0", "-vf", "showinfo=checksum=0", "-fps_mode", "passthrough",
             "-frames:v", str(LOOKED_AT), "-f", "null", "-"]  # fmt: skip
    log = run(path, "info", part, shown, must_succeed=False)[1]
    times = re.findall(r"^\[Parsed_showinfo.* pts_time:(-?[\d.]+(?:e[-+]?\d+)?) ", log, re.MULTILINE)
    return any(float(after) - float(before) < SAME_S for before, after in pairwise(times))
