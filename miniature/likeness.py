"""What attention at full resolution is for: frames that look like the first, and places without a subject."""

import logging
from dataclasses import replace

import numpy as np

from miniature.cases import SINGLE, WORDS
from miniature.data import held_out_scenes
from miniature.exam import Exam
from miniature.judges.reader import read
from miniature.judges.scenes import telling
from miniature.package import load_pipeline
from miniature.shapes import DEFAULTS, PIXELS
from miniature.videos import Figures, consistency
from miniature.world import Scene, draw, sample_scene

log = logging.getLogger(__name__)

EMPTY = replace(SINGLE, empty=1.0, falling=0.0)
# Where subjects stand and places have little but ground, in the reader's cells; and the share of these that a
# subject covers at least. By it 97 % of the world's own pictures have one, and 5 % of its empty ones.
STAGE, LEAST = (slice(20, 29), slice(6, 26)), 0.03
ASKED_PX = (DEFAULTS["motion_x"], DEFAULTS["motion_y"])


def first_frame(exam: Exam) -> Figures:
    """Videos of held-out prompts with cross-frame attention and without it, from the same noise.

    What both judges see in all frames, and how alike these are (``videos.consistency``).
    """
    from t2v.tasks.text_to_video import TextToVideoSettings  # the program itself: training runs without it

    plan = exam.plan
    scenes = held_out_scenes(plan.prompts)[: plan.guided]
    each = [scene for scene in scenes for _ in range(plan.frames)]
    told: Figures = {}
    for name, enabled in {"method": True, "without_cross_frame": False}.items():
        videos = []
        for seed, scene in enumerate(scenes):
            settings = TextToVideoSettings(
                telling(scene),
                model=str(exam.weights / "text-to-image"),
                seed=seed,
                num_frames=plan.frames,
                num_inference_steps=plan.steps,
                motion_x=ASKED_PX[0],
                motion_y=ASKED_PX[1],
                method="paper",  # one picture under a camera hardly has other frames to attend to
                cross_frame_attention=enabled,
            )
            videos.append(exam.model.generate(settings).frames)
        log.info("%s: %d videos drawn", name, len(videos))
        frames = np.concatenate(videos)
        seen = {word: exam.judges.share(frames, each, word) for word in WORDS}
        told[name] = {**seen, **consistency(exam, np.stack(videos), ASKED_PX)}
    return told


def plates(exam: Exam) -> Figures:
    """Prompts that name a place alone: the place, and how often the reader sees a subject after all.

    ``reachable``: how often it sees one in the world's own empty pictures.
    """
    rng = exam.rng(6)
    scenes = [sample_scene(rng, "train", EMPTY) for _ in range(exam.plan.styled)]
    pipe = load_pipeline(exam.weights / "text-to-image")
    made = exam.draw(pipe, [telling(scene) for scene in scenes])
    return {
        "place": exam.judges.share(made, scenes, "place"),
        "subject_seen": _crowded(exam, made),
        "reachable": _crowded(exam, _true(scenes)),
    }


def _true(scenes: list[Scene]) -> np.ndarray:
    return np.stack([draw(scene, PIXELS) for scene in scenes])


def _crowded(exam: Exam, pictures: np.ndarray) -> float:
    """Share of pictures in which the reader sees a subject where subjects stand."""
    covered = read(exam.judges.reader, pictures).covered[:, *STAGE] > 0.5
    return float((covered.mean(axis=(1, 2)) >= LEAST).mean())
