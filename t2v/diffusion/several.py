"""Several subjects in one picture: which place is whose, and the prompt without all of them."""

import re
from collections.abc import Sequence
from itertools import permutations

import cv2
import numpy as np

from t2v.diffusion.masks import filled, largest_piece
from t2v.diffusion.subject import above_otsu, mask_of, without

LEAST_PIECE = 0.15  # of the largest one, that may be a subject


def without_all(prompt: str, subjects: Sequence[str]) -> str:
    """The prompt without any of these words: "a cat and a red ball on snow" without both to "on snow"."""
    for words in subjects:
        prompt = without(prompt, words)
    return prompt if len(subjects) < 2 else re.sub(r"^((and|with|beside|near)\b[ ,]*)+", "", prompt)


def parted(heeded: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The masks of several subjects by what heeds each of them, (h, w): no place belongs to two of them.

    The words for colours are heeded by all of them a little, so what heeds any is looked at first. Where that
    falls into pieces, each subject gets the one by which all are best off, and else what heeds it most.
    """
    if len(heeded) < 2:
        return [mask_of(one) for one in heeded]
    even = np.stack([(one - one.mean()) / max(float(one.std()), 1e-9) for one in heeded])
    most = even.max(axis=0)
    found = above_otsu(most - most.min())
    pieces = _pieces(found, len(heeded) + 1)
    if len(pieces) >= len(heeded):
        gains = np.array([[one[piece].mean() for piece in pieces] for one in even])
        rows = range(len(heeded))
        best = max(permutations(range(len(pieces)), len(heeded)), key=lambda way: gains[rows, way].sum())
        return [filled(pieces[number]) for number in best]
    own = [found & (even.argmax(axis=0) == number) for number in range(len(heeded))]
    return [
        filled(largest_piece(mine)) if mine.any() else mask_of(one)
        for mine, one in zip(own, heeded, strict=True)
    ]


def _pieces(mask: np.ndarray, most: int) -> list[np.ndarray]:
    """The largest pieces that a mask (h, w) bool falls into, none much smaller than the first."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    areas = stats[1:, cv2.CC_STAT_AREA]
    order = [number for number in np.argsort(-areas)[:most] if areas[number] >= LEAST_PIECE * areas.max()]
    return [np.asarray(labels == 1 + number) for number in order]
