"""How decoded pictures become RGB: their colours, their fields, what shows through them."""

import re
from dataclasses import dataclass

_TRANSPARENT = re.compile(r"rgba|bgra|argb|abgr|yuva|^ya|gbrap|pal8")
# Pictures with transparent parts are laid on white: stickers and drawings are made to be seen on light pages,
# and their dark outlines would be lost on black.
_ON_WHITE = "format=rgba,split[a][b];[a]drawbox=c=white:t=fill:replace=1[w];[w][b]overlay=format=rgb"
_HDR = ("smpte2084", "arib-std-b67")  # PQ and HLG
_WHITE_NITS = 203  # of HDR's diffuse white (ITU-R BT.2408), which becomes SDR's
_KNEE = 0.9  # of white: what is darker keeps its colour, what is brighter is pressed together above it
_UNTAGGED = {"color_space": "bt2020nc", "color_primaries": "bt2020", "color_range": "tv"}  # in HDR


@dataclass(frozen=True)
class Picture:
    """What a clip's first frame tells about its kind of picture.

    untagged_hd: its colours are not said to be of any kind, and it is as large as those of BT.709.
    hdr: zscale's words for its light, where that is PQ or HLG. is_interlaced: frames are made of two fields.
    """

    is_transparent: bool = False
    untagged_hd: bool = False
    hdr: str | None = None
    is_interlaced: bool = False

    @classmethod
    def of(cls, pixels: str, colours: str, size: tuple[int, int], is_interlaced: bool) -> "Picture":
        """From ffmpeg's name of the pixels' format, showinfo's line on colours, and (width, height)."""
        told = dict(re.findall(r"(\w+):(\S+)", colours))
        # Players agree on this much: below it untagged footage is BT.601, as that of DVDs.
        is_hd = max(size) >= 1280 or min(size) > 576
        untagged = told.get("color_space", "unknown") == "unknown" and pixels.startswith("yuv")
        return cls(
            _TRANSPARENT.search(pixels) is not None,
            untagged and is_hd and not pixels.startswith("yuvj"),
            _light(told) if told.get("color_trc") in _HDR else None,
            is_interlaced,
        )

    @property
    def whole_frames(self) -> str:
        """Filters, each with a comma, that a frame needs while its neighbours still stand beside it."""
        # one frame for two fields: the rate stays as it is; frames that are not interlaced pass unchanged
        return "bwdif=mode=send_frame:deint=interlaced," if self.is_interlaced else ""

    @property
    def to_rgb(self) -> str:
        """Filters, each with a comma, that a frame needs before it is turned to RGB."""
        tags = "setparams=colorspace=bt709," if self.untagged_hd and self.hdr is None else ""
        light = "" if self.hdr is None else f"{self.hdr},"
        return f"{tags}{light}{_ON_WHITE + ',' if self.is_transparent else ''}"


def _light(told: dict[str, str]) -> str:
    """Filters from HDR to SDR: to light itself, in BT.709's primaries, pressed into SDR's range, to gamma."""
    space, primaries, levels = (
        told[name] if told.get(name, "unknown") != "unknown" else usual for name, usual in _UNTAGGED.items()
    )
    into = f"tin={told['color_trc']}:min={space}:pin={primaries}:rin={levels}"
    return (
        f"zscale={into}:t=linear:p=bt709:npl={_WHITE_NITS},format=gbrpf32le,"
        f"tonemap=mobius:param={_KNEE}:desat=0,zscale=t=bt709,format=gbrp"
    )
