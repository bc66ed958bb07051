"""Who looks at the clips: the bundled judges, and CLIP and DINO where they are asked for and can be had."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from benchmarks.quality.asks import Ask
from miniature.exam import Judges
from miniature.judges.clip import ClipJudge, load_clip
from miniature.judges.reader import load_reader, read
from miniature.judges.scenes import judge_input
from t2v.evaluation.eyes import Eyes, ReadingEyes, load_class_token, load_clip_eyes
from t2v.weights.source import MINIATURE

WORDS = ("subject", "colour", "place")


@dataclass(frozen=True, eq=False)
class BundledClip:
    """The first judge as eyes that read."""

    judge: ClipJudge

    def pictures(self, pictures: np.ndarray) -> np.ndarray:
        return self.judge.pictures(pictures).numpy()

    def captions(self, captions: Sequence[str]) -> np.ndarray:
        return self.judge.captions(captions).numpy()


@dataclass(frozen=True, eq=False)
class BundledReader:
    """The second judge as eyes: what it has pooled of a picture before it names anything."""

    parts: nn.ModuleDict

    @torch.no_grad()
    def pictures(self, pictures: np.ndarray) -> np.ndarray:
        pooled = []
        hook = self.parts["reader"].classes.register_forward_pre_hook(lambda _, args: pooled.append(args[0]))
        try:
            self.parts["reader"](judge_input(pictures))
        finally:
            hook.remove()
        return nn.functional.normalize(pooled[0].float(), dim=-1).numpy()


@dataclass(frozen=True, eq=False)
class Watchers:
    """judges: who name what they see. clip: for text and frames; dino: for the subject's consistency."""

    judges: Judges
    clip: ReadingEyes
    dino: Eyes
    named: str

    def masks(self, frames: np.ndarray) -> np.ndarray:
        """Where the subject is, bool (f, h, w): the largest piece that the second judge sees covered."""
        covered = read(self.judges.reader, frames).covered
        size = frames.shape[2], frames.shape[1]
        return np.stack([largest_piece(cv2.resize(one, size) > 0.5) for one in covered])

    def fidelity(self, frames: np.ndarray, ask: Ask) -> dict[str, float]:
        """Share of frames in which both judges see what was asked for, by word."""
        scenes = [ask.scene] * len(frames)
        return {name: self.judges.share(frames, scenes, name)["both"] for name in WORDS}


def largest_piece(mask: np.ndarray) -> np.ndarray:
    """The largest connected part of a mask, bool (h, w); the mask where there is none."""
    count, numbers, facts, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
    return mask if count < 2 else numbers == 1 + facts[1:, cv2.CC_STAT_AREA].argmax()


def watchers(clip: str | None = None, dino: str | None = None, weights: Path = MINIATURE.parent) -> Watchers:
    """The bundled judges, with CLIP and DINO from a folder or the hub in their place where named."""
    first, second = load_clip(weights / "judge-clip"), load_reader(weights / "judge-reader")
    return Watchers(
        Judges(first, second),
        BundledClip(first) if clip is None else load_clip_eyes(clip),
        BundledReader(second) if dino is None else load_class_token(dino),
        f"Frames and text by {clip or 'the first bundled judge'}, subjects by {dino or 'the second'}",
    )
