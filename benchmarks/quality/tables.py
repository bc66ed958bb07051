"""Markdown tables of rows of figures, and the picture of the first prompt's clips."""

import io
from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from benchmarks.quality.measures import Column, Figures

FRAME_PX, GAP_PX, LABEL_PX = 96, 3, 18  # of the picture
MOST_FRAMES = 8  # of a clip; of longer ones as many, evenly spread
MAX_BYTES = 300_000
QUALITIES = (85, 75, 65, 50, 35)


def table(rows: dict[str, list[Figures]], columns: Sequence[Column], first: str = "") -> str:
    """A row a name, each figure over its clips; a dash where no clip has one."""
    lines = [f"| {first} | {' | '.join(c.head for c in columns)} |", f"|{'---|' * (len(columns) + 1)}"]
    for name, clips in rows.items():
        cells = [cell([clip[column.key] for clip in clips], column) for column in columns]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def cell(values: list[float], column: Column) -> str:
    if not np.isfinite(values).any():
        return "–"
    written = format(float(column.over(values)), column.form)
    return written.removeprefix("-") if set(written) <= set("-0.%") else written  # no minus zero


def sheet(rows: dict[str, np.ndarray]) -> bytes:
    """Clips (f, h, w, 3), a labelled row each: a JPEG of at most 300 kB."""
    row_px = FRAME_PX + LABEL_PX
    most = max(len(frames) for frames in rows.values())
    page = Image.new("RGB", (min(most, MOST_FRAMES) * (FRAME_PX + GAP_PX), len(rows) * row_px), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for i, (name, frames) in enumerate(rows.items()):
        pen.text((4, i * row_px + 1), name, fill="black", font=font)
        chosen = np.linspace(0, len(frames) - 1, min(len(frames), MOST_FRAMES)).round().astype(int)
        for k, frame in enumerate(frames[chosen]):
            page.paste(_thumbnail(frame), (k * (FRAME_PX + GAP_PX), i * row_px + LABEL_PX))
    return _small_enough(page)


def _thumbnail(frame: np.ndarray) -> Image.Image:
    """The middle of a frame as a square."""
    side = min(frame.shape[:2])
    top, left = (frame.shape[0] - side) // 2, (frame.shape[1] - side) // 2
    square = Image.fromarray(frame[top : top + side, left : left + side])
    return square.resize((FRAME_PX, FRAME_PX), Image.Resampling.LANCZOS)


def _small_enough(page: Image.Image) -> bytes:
    for quality in QUALITIES:
        data = io.BytesIO()
        page.save(data, "JPEG", quality=quality)
        if data.tell() <= MAX_BYTES:
            break
    return data.getvalue()
