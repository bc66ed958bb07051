"""Draws and measures, prompt by prompt, so that only figures and the first prompt's clips are kept."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from benchmarks.quality.asks import Ask, Question, true_clip
from benchmarks.quality.judges import Watchers
from benchmarks.quality.measures import Figures, measure
from benchmarks.quality.variants import TRUTH, Changes, settings_of, stills
from t2v.engine.engine import Engine
from t2v.tasks.text_to_video import TextToVideoSettings

log = logging.getLogger(__name__)

BY_JUDGE = f"{TRUTH}, masks by the judge"


@dataclass(eq=False)
class Artist:
    """Draws settings, and what is the same only once. base: fields that all rows share."""

    model: Engine
    base: dict[str, Any]
    drawn: dict[TextToVideoSettings, np.ndarray] = field(default_factory=dict)

    def clip(self, settings: TextToVideoSettings) -> np.ndarray:
        """The frames (f, h, w, 3); those without a motion field are the same whatever motion is asked for."""
        if not settings.motion_field:
            settings = replace(settings, motion_x=None, motion_y=None)
        if settings not in self.drawn:
            self.drawn[settings] = self.model.generate(settings).frames
        return self.drawn[settings]

    def forget(self) -> None:
        """Let go of all that no other question draws again."""
        self.drawn = {s: kept for s, kept in self.drawn.items() if s.num_frames == 1 or not s.motion_field}

    def single(self, ask: Ask) -> np.ndarray:
        """The prompt's picture (h, w, 3), drawn by itself."""
        settings = TextToVideoSettings(ask.prompt, **{"seed": ask.seed, **self.base, "num_frames": 1})
        return self.clip(settings)[0]


@dataclass(eq=False)
class Results:
    """A question's figures by row, a clip each, and the clips of the first prompt. agreed: IoU of the judge's
    masks with the true ones, of every frame of the world's own clips."""

    question: Question
    figures: dict[str, list[Figures]] = field(default_factory=dict)
    clips: dict[str, np.ndarray] = field(default_factory=dict)
    prompts: list[str] = field(default_factory=list)
    agreed: list[float] = field(default_factory=list)

    def add(self, name: str, frames: np.ndarray, figures: Figures) -> None:
        self.figures.setdefault(name, []).append(figures)
        if name != BY_JUDGE:  # the same clip
            self.clips.setdefault(name, frames)


def answer(
    question: Question,
    asked: Sequence[Ask],
    variants: Mapping[str, Changes],
    artist: Artist,
    watchers: Watchers,
    keep: Callable[[int, dict[str, np.ndarray]], None] = lambda number, clips: None,
) -> Results:
    """Draw and measure variants of a question; stills and truth stand in its table too.

    keep: gets every prompt's number and clips, by row, to be looked at.
    """
    results = Results(question)
    for ask in asked:
        results.prompts.append(ask.prompt)
        clips = {
            name: artist.clip(settings_of(ask, question, changes, artist.base))
            for name, changes in variants.items()
        }
        first = next(iter(clips.values()))
        _add_truth(results, ask, len(first), watchers, artist.single(ask))
        clips |= stills(first, question)
        for name, frames in clips.items():
            results.add(name, frames, measure(frames, question, ask, watchers, artist.single(ask)))
        keep(ask.seed, clips)
        artist.forget()
        log.info("%s: %s measured, %d of %d", question.title, ask.prompt, len(results.prompts), len(asked))
    return results


def _add_truth(results: Results, ask: Ask, count: int, watchers: Watchers, single: np.ndarray) -> None:
    question = results.question
    frames, masks = true_clip(ask, question, count)
    results.add(TRUTH, frames, measure(frames, question, ask, watchers, single, masks))
    if question.layered:
        results.add(BY_JUDGE, frames, measure(frames, question, ask, watchers, single))
        seen = watchers.masks(frames)
        results.agreed += [float((a & b).sum() / (a | b).sum()) for a, b in zip(seen, masks, strict=True)]
