"""Painted subjects as text: "32x32:330,6,26,6", a grid and the lengths of runs, bare and painted in turn.

The runs go row by row from the top left; what is left at the end is bare. Of several subjects the masks stand
between semicolons in their order, and one that is left empty is found by its words.
"""

import re
from collections.abc import Sequence

import cv2
import numpy as np

from t2v.checks import InputError

MOST_CELLS = 128  # along a side of the grid
MOST_CHARS = 40_000
_GRID = re.compile(r"(\d{1,4})x(\d{1,4}):(\d{1,6}(?:,\d{1,6})*)", re.ASCII)
FORM = "give it as the page writes it, as in 32x32:330,6,26,6"


def read_painted(text: str) -> list[np.ndarray | None]:
    """The masks, (rows, columns) bool, None where one is empty; InputError for anything else."""
    if len(text) > MOST_CHARS:
        raise InputError(f"painted has {len(text)} characters; at most {MOST_CHARS} are allowed.")
    return [_read(part.strip()) if part.strip() else None for part in text.split(";")]


def _read(text: str) -> np.ndarray:
    found = _GRID.fullmatch(text)
    if found is None:
        raise InputError(f"painted is '{text[:40]}'; {FORM}.")
    columns, rows = int(found[1]), int(found[2])
    if not (1 <= columns <= MOST_CELLS and 1 <= rows <= MOST_CELLS):
        raise InputError(f"painted has a grid of {columns}x{rows}; give sides from 1 to {MOST_CELLS}.")
    mask, at, is_on = np.zeros(columns * rows, bool), 0, False
    for run in map(int, found[3].split(",")):
        mask[at : at + run] = is_on
        at, is_on = at + run, not is_on
    if at > mask.size:
        raise InputError(f"painted has runs of {at} cells on a grid of {mask.size}; {FORM}.")
    if not mask.any():
        raise InputError("painted shows nothing; paint over the subject, or leave it out.")
    return mask.reshape(rows, columns)


def write_painted(masks: Sequence[np.ndarray | None]) -> str:
    """Masks, (rows, columns) bool or None, as text that ``read_painted`` reads."""
    return ";".join("" if mask is None else _written(mask) for mask in masks)


def _written(mask: np.ndarray) -> str:
    flat = np.concatenate([[False], mask.astype(bool).ravel()])
    turns = np.flatnonzero(np.diff(flat))
    runs = np.diff(np.concatenate([[0], turns, [mask.size] if len(turns) % 2 else []]))
    return f"{mask.shape[1]}x{mask.shape[0]}:" + ",".join(str(int(run)) for run in runs)


def in_size(mask: np.ndarray, width: int, height: int) -> np.ndarray:
    """A mask as one of a video's pixels, (height, width) bool, with its outline rounded."""
    smooth = cv2.resize(mask.astype(np.float32), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(smooth >= 0.5)
