"""A first look at a clip: how large it is, what its pictures are, how fast they come.

One frame is decoded; the first packets are read beside it, but not decoded.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from t2v.video.colour import Picture
from t2v.video.guarded_ffmpeg import run, unreadable
from t2v.video.stamps import LOOKED_AT, Stamps, judge

# ffmpeg's own decoders of these lose the transparency that WebM files keep beside the picture
_ALPHA_DECODERS = {"vp8": "libvpx", "vp9": "libvpx-vp9"}


@dataclass(frozen=True)
class ClipInfo:
    """What a look tells: upright size in square pixels, kind of picture, time stamps.

    decoding: ffmpeg's options before the input, for its frames to be decoded in full.
    """

    width: int
    height: int
    picture: Picture
    stamps: Stamps
    decoding: tuple[str, ...] = ()

    @property
    def fps(self) -> float:
        return self.stamps.fps


def look(path: Path) -> ClipInfo:
    """A look at a clip, rotation and pixel shape applied; InputError where it cannot be read."""
    # showinfo is the one place where ffmpeg prints the rate as an exact fraction (30000/1001, not 29.97).
    one = ["-map", "0:V:0", "-vf", "showinfo=checksum=0", "-frames:v", "1", "-f", "null", "-"]
    packets = ["-map", "0:V:0", "-c", "copy", "-frames:v", str(LOOKED_AT), "-f", "framecrc", "pipe:1"]
    # What is wrong behind the first frame is for those who read on.
    found, log = run(path, "info", [], [*one, *packets], must_succeed=False)
    line = r"^\[Parsed_showinfo.* fmt:(\S+) .*sar:(\d+)/(\d+) s:(\d+)x(\d+) i:(\S)"
    frame = re.search(line, log, re.MULTILINE)
    if frame is None:
        raise unreadable(path, log)
    sar_num, sar_den, width, height = map(int, frame.groups()[1:5])
    pixel_shape = sar_num / sar_den if sar_num and sar_den else 1.0
    stream = _line(r"^ +Stream #.*Video: (?!.*attached pic).*", log)
    decoding = _decoding(stream, log)
    picture = Picture.of(
        "yuva420p" if "-c:v" in decoding else frame[1],
        _line(r"^\[Parsed_showinfo.*\] color_range:.*", log),
        (width, height),
        # the field's letter of the first frame, or what the header says of all
        is_interlaced=frame[6] in "TB" or re.search(r"[(, ](top|bottom) (first|coded)", stream) is not None,
    )
    stamps = judge(
        path, stream, _line(r"^\[Parsed_showinfo.*config in .*", log), found.decode("ascii", "replace")
    )
    if stamps.is_even and log.startswith("Input #0, mov,"):
        decoding = (*decoding, "-ignore_editlist", "1")
    return ClipInfo(max(1, round(width * pixel_shape)), height, picture, stamps, decoding)


def _decoding(stream: str, log: str) -> tuple[str, ...]:
    codec = re.search(r"Video: (\w+)", stream)
    of_alpha = _ALPHA_DECODERS.get(codec[1]) if codec is not None else None
    if of_alpha is None or re.search(r"^ +alpha_mode +: 1$", log, re.MULTILINE) is None:
        return ()
    return ("-c:v", of_alpha)


def _line(pattern: str, log: str) -> str:
    """The first line like that, or nothing."""
    found = re.search(pattern, log, re.MULTILINE)
    return "" if found is None else found[0]
