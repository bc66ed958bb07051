"""What is asked: held-out prompts of subjects that have a path, and two ways of moving, and their truth."""

from dataclasses import dataclass, replace

import numpy as np

from miniature.judges.scenes import telling
from miniature.world import COLOURS, Scene, Subject, draw, held_out, mask
from miniature.world.kinds import KINDS
from miniature.world.sample import TRAINING
from t2v.evaluation.layers import Speed

# Ten subjects that go somewhere by their nature.
MOVERS = ("car", "boat", "balloon", "rocket", "ball", "cat", "dog", "horse", "fish", "robot")
EACH = 4  # prompts of a subject
MOST = EACH * len(MOVERS)
SIDE_PX = 256


@dataclass(frozen=True)
class Question:
    """A motion asked for. subject, background: (x, y), pixels per frame; one motion where both are the same.

    A clip that knows but one motion is asked for the subject's.
    """

    key: str
    title: str
    subject: Speed
    background: Speed

    @property
    def layered(self) -> bool:
        return self.subject != self.background


LAYERS = Question("layers", "Subject and background apart", (8.0, 0.0), (0.0, 0.0))
PLAIN = Question("plain", "One motion", (6.0, 0.0), (6.0, 0.0))
QUESTIONS = (LAYERS, PLAIN)


@dataclass(frozen=True)
class Ask:
    """A prompt as a scene, so that the judges know what is right, and its number, which is its seed."""

    scene: Scene
    seed: int

    @property
    def prompt(self) -> str:
        return telling(self.scene)

    @property
    def thing(self) -> str:
        """The words of the subject, as "red car"."""
        subject = self.scene.subjects[0]
        return f"{subject.colour} {subject.kind}"


def asks(count: int) -> list[Ask]:
    """So many prompts, 1..40, that the bundled model never saw in training, the subjects in turn."""
    by_kind = [_held_out(kind) for kind in MOVERS]
    turns = [scenes[turn] for turn in range(EACH) for scenes in by_kind]
    return [Ask(scene, seed) for seed, scene in enumerate(turns[:count])]


def _held_out(kind: str) -> list[Scene]:
    """EACH scenes of a subject in colours and places that are as different as they can be."""
    pairs = [(c, p) for p in TRAINING.places for c in COLOURS if held_out(kind, c, p)]
    rng = np.random.default_rng(MOVERS.index(kind))
    chosen: list[tuple[str, str]] = []
    for pair in (pairs[i] for i in rng.permutation(len(pairs))):
        others = {word for one in chosen for word in one}
        if len(chosen) < EACH and others.isdisjoint(pair):
            chosen.append(pair)
    chosen += [pair for pair in pairs if pair not in chosen][: EACH - len(chosen)]
    return [Scene(place, (Subject(kind, colour, y=KINDS[kind].ground),)) for colour, place in chosen]


def true_clip(ask: Ask, question: Question, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """The world's own clip of what is asked: frames uint8 (f, 256, 256, 3) and masks bool (f, 256, 256).

    Halfway through, everything is where the scene has it.
    """
    subject = ask.scene.subjects[0]
    own = np.subtract(question.subject, question.background)
    scenes = []
    for k in range(frames):
        done = (k - (frames - 1) / 2) / SIDE_PX
        moved = replace(subject, x=subject.x + own[0] * done, y=subject.y + own[1] * done)
        x, y = (float(px * done) for px in question.background)
        scenes.append(replace(ask.scene, subjects=(moved,), camera=(x, y), seed=ask.seed))
    return np.stack([draw(s, SIDE_PX) for s in scenes]), np.stack([mask(s, SIDE_PX) for s in scenes])
