"""A plot of the results: a bar for every time in them, as a PNG."""

import io
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

WIDTH_PX, LABELS_PX, FIGURES_PX = 1200, 560, 90
BAR_PX, GAP_PX, TITLE_PX, MARGIN_PX = 18, 8, 34, 12
INK, PAPER = "#222222", "white"
COLOURS = ("#2f6fb0", "#d98a2b", "#5a9a57", "#a5527f")
SECONDS = "s"
# what a case is called by: random weights, and how a time came about, are told wherever the time is
NAMING = (
    *("network", "source", "task", "sampler", "steps", "profile", "case"),
    *("weights", "video", "how"),
)


@dataclass(frozen=True)
class Bar:
    """One time. of: the case, which is written once where several bars in a row have it. side: the column's
    name. share: of the longest bar of the same video, 0 to 1; bars of different videos are not comparable."""

    part: str
    of: str
    side: str
    shown: str
    share: float


def times_in(row: dict[str, str]) -> dict[str, str]:
    """Seconds as written, by the column's name without its unit; columns left blank are left out."""
    found = {}
    for column, value in row.items():
        name, _, unit = column.rpartition(", ")
        if unit == SECONDS and value:
            found[name] = value
    return found


def seconds(written: str) -> float:
    """The number of "1,944"."""
    return float(written.replace(",", ""))


def bars_of(parts: dict[str, dict]) -> list[Bar]:
    """The bars, in the parts' order. Parts in which no time was taken have none."""
    bars = []
    for part, told in parts.items():
        longest: dict[str, float] = {}
        for row in told["rows"]:
            times = [seconds(written) for written in times_in(row).values()]
            longest[row["video"]] = max([longest.get(row["video"], 0.0), *times])
        for row in told["rows"]:
            named = [row[name] for name in NAMING if name in row]
            for side, written in times_in(row).items():
                share = seconds(written) / longest[row["video"]] if longest[row["video"]] > 0 else 0.0
                bars.append(Bar(part, "; ".join(named), side, f"{written} s", share))
    return bars


def plotted(parts: dict[str, dict]) -> bytes:
    """The PNG. parts: name -> what ``save_part`` keeps of it, in the order to plot them in."""
    bars = bars_of(parts)
    titles = len({bar.part for bar in bars})
    cases = len({(bar.part, bar.of) for bar in bars})
    height = 2 * MARGIN_PX + titles * TITLE_PX + cases * (GAP_PX + BAR_PX) + len(bars) * BAR_PX
    picture = Image.new("RGB", (WIDTH_PX, height), PAPER)
    pen, font, bold = ImageDraw.Draw(picture), ImageFont.load_default(13), ImageFont.load_default(17)
    sides = list(dict.fromkeys(bar.side for bar in bars))
    room_px = WIDTH_PX - LABELS_PX - FIGURES_PX - MARGIN_PX
    y, part, of = MARGIN_PX, "", ""
    for bar in bars:
        if bar.part != part:
            pen.text((MARGIN_PX, y + 8), bar.part, fill=INK, font=bold)
            y, part, of = y + TITLE_PX, bar.part, ""
        if bar.of != of:
            y, of = y + GAP_PX, bar.of
            pen.text((MARGIN_PX, y), bar.of, fill=INK, font=font)
            y += BAR_PX
        pen.text((LABELS_PX - 8, y + 1), bar.side, fill=INK, font=font, anchor="ra")
        end = LABELS_PX + max(1, round(bar.share * room_px))
        pen.rectangle(
            (LABELS_PX, y + 2, end, y + BAR_PX - 3), fill=COLOURS[sides.index(bar.side) % len(COLOURS)]
        )
        pen.text((end + 6, y + 1), bar.shown, fill=INK, font=font)
        y += BAR_PX
    data = io.BytesIO()
    picture.save(data, "PNG", optimize=True)
    return data.getvalue()
