"""Measure the family on scenes and prompts it never saw: ``python -m miniature.evaluate --json``.

Every figure of the card comes from here. Single pictures are drawn by stock diffusers' own pipelines, videos
(``videos.py``) by this project's. A model that is not there is reported as null.
"""

import argparse
import json
import logging
import math
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
from diffusers.utils import logging as diffusers_logging
from PIL import Image
from transformers.utils import logging as transformers_logging

from miniature.autoencoder import measure_autoencoder
from miniature.cases import ELSEWHERE_KEPT, WORDS, edit_pairs, scenes_for
from miniature.controls import CONTROLS, control_picture, load_controlled
from miniature.data import held_out_pictures, held_out_scenes
from miniature.editor import load_editor
from miniature.exam import QUICK, Exam, Plan
from miniature.fit import pick_device
from miniature.judges.clip import retrieval
from miniature.judges.reader import measure_reader, read
from miniature.judges.scenes import CLASSES, KEPT_STYLE, telling
from miniature.likeness import first_frame, plates
from miniature.measures import change_elsewhere, edges_of, f_score, figure_height, joints_near, order_right
from miniature.package import load_pipeline
from miniature.quick_exam import compared_sheet, quick, quick_steps
from miniature.shapes import PIXELS, TASKS, WEIGHTS
from miniature.sheet import contact_sheet
from miniature.style import GUIDANCE as STYLE_GUIDANCE
from miniature.style import load_styled
from miniature.videos import canny_video, depth_video, editor_video, pose_video, text_to_video
from miniature.world import EDITS, Scene, draw, joints, sample_scene

log = logging.getLogger(__name__)

SHEET_PROMPTS = 32
Figures = dict[str, object]


def autoencoder(exam: Exam) -> Figures:
    """Reconstruction of held-out scenes."""
    vae = load_pipeline(exam.weights / "text-to-image", exam.device).vae
    return measure_autoencoder(vae, held_out_pictures(exam.plan.pictures).to(exam.device))


def clip(exam: Exam) -> Figures:
    """Top-1 retrieval among 64 captions."""
    return {"retrieval_top1": retrieval(exam.judges.clip, exam.plan.groups)}


def reader(exam: Exam) -> Figures:
    """The second judge's own figures."""
    return measure_reader(exam.judges.reader, exam.plan.read)


def agreement(exam: Exam) -> Figures:
    """What both judges say of the world's own pictures of held-out scenes."""
    rng = exam.rng(0)
    scenes = [sample_scene(rng, "held-out") for _ in range(exam.plan.read)]
    pictures = np.stack([draw(scene, PIXELS) for scene in scenes])
    return {name: exam.judges.share(pictures, scenes, name) for name in CLASSES}


def text_to_image(exam: Exam) -> Figures:
    """Held-out prompts: how often each judge sees the place, subject and colour asked for."""
    scenes, pictures = exam.prompt_pictures()
    return {name: exam.judges.share(pictures, scenes, name) for name in WORDS}


def _controlled(exam: Exam, control: str) -> tuple[list[Scene], np.ndarray, np.ndarray]:
    """Held-out scenes, what the ControlNet makes of their control pictures and captions, and what is true."""
    scenes = scenes_for(control, exam.rng(1, CONTROLS.index(control)), exam.plan.controls)
    shown = [Image.fromarray(control_picture(control, scene)) for scene in scenes]
    pipe = load_controlled(exam.weights, control)
    made = exam.draw(pipe, [telling(scene) for scene in scenes], image=shown)
    return scenes, made, np.stack([draw(scene, PIXELS) for scene in scenes])


def canny(exam: Exam) -> Figures:
    """Edges wanted against edges got; ``reachable`` is what the autoencoder leaves of the true pictures."""
    scenes, made, true = _controlled(exam, "canny")
    wanted = [edges_of(picture) for picture in true]

    def score(pictures: np.ndarray) -> float:
        return float(np.mean([f_score(w, edges_of(p)) for w, p in zip(wanted, pictures, strict=True)]))

    return {"f_score": score(made), "reachable": score(exam.through_autoencoder(true))}


def pose(exam: Exam) -> Figures:
    """Joints read where they were wanted; ``reachable`` is the same for the true pictures."""
    scenes, made, true = _controlled(exam, "pose")

    def share(pictures: np.ndarray) -> float:
        found = read(exam.judges.reader, pictures).joints
        near = [joints_near(joints(s)[0], f, figure_height(s)) for s, f in zip(scenes, found, strict=True)]
        return float(np.mean(near))

    return {"joints_right": share(made), "reachable": share(true)}


def depth(exam: Exam) -> Figures:
    """Subject and ground in the right order of depth; ``reachable`` is the same for the true pictures."""
    scenes, made, true = _controlled(exam, "depth")

    def share(pictures: np.ndarray) -> float:
        maps = read(exam.judges.reader, pictures).nearness
        return float(np.mean([a for s, m in zip(scenes, maps, strict=True) for a in order_right(s, m)]))

    return {"order_right": share(made), "reachable": share(true)}


def editor(exam: Exam) -> Figures:
    """Instructions obeyed, and what changed where nothing was asked.

    The change is measured after edits of ELSEWHERE_KEPT only, because place, hour, weather and style change
    the whole picture; ``change_of_autoencoder`` is what encoding and decoding alone change there.
    """
    pipe, obeyed, changes, floor = load_editor(exam.weights), {}, [], []
    for index, kind in enumerate(EDITS):
        before, texts, after = zip(*edit_pairs(exam.rng(2, index), kind, exam.plan.edits), strict=True)
        sources = np.stack([draw(scene, PIXELS) for scene in before])
        made = exam.draw(
            pipe,
            list(texts),
            image=[Image.fromarray(source) for source in sources],
            **TASKS["pix2pix"],
        )
        obeyed[kind] = exam.judges.share(made, list(after), kind)
        if kind in ELSEWHERE_KEPT:
            changes += map(change_elsewhere, before, after, sources, made)
            floor += map(change_elsewhere, before, after, sources, exam.through_autoencoder(sources))
    return {
        "obeyed": exam.judges.overall(obeyed),
        "by_kind": obeyed,
        "change_elsewhere": float(np.mean(changes)),
        "change_of_autoencoder": float(np.mean(floor)),
    }


def style(exam: Exam) -> Figures:
    """How often the judges see the style in pictures with its weights loaded, with keyword and without."""
    pipe = load_styled(exam.weights)
    plain = held_out_scenes(exam.plan.prompts)[: exam.plan.styled]
    styled = [replace(scene, style=KEPT_STYLE) for scene in plain]
    asked = {"with_keyword": styled, "without_keyword": plain}
    drawn = {
        name: exam.draw(pipe, [telling(scene) for scene in scenes], guidance_scale=STYLE_GUIDANCE)
        for name, scenes in asked.items()
    }
    return {name: exam.judges.share(pictures, styled, "style") for name, pictures in drawn.items()}


BASE, CLIP, READER = "text-to-image", "judge-clip", "judge-reader"
# name -> (folders it cannot do without, function)
MEASURES: dict[str, tuple[tuple[str, ...], Callable[[Exam], Figures]]] = {
    "autoencoder": ((BASE,), autoencoder),
    "clip": ((CLIP,), clip),
    "reader": ((READER,), reader),
    "agreement": ((CLIP, READER), agreement),
    "text-to-image": ((BASE,), text_to_image),
    "text-to-video": ((BASE,), text_to_video),
    "canny": ((BASE, "controlnet-canny"), canny),
    "canny-video": ((BASE, "controlnet-canny"), canny_video),
    "pose": ((BASE, "controlnet-pose", READER), pose),
    "pose-video": ((BASE, "controlnet-pose", READER), pose_video),
    "depth": ((BASE, "controlnet-depth", READER), depth),
    "depth-video": ((BASE, "controlnet-depth", READER), depth_video),
    "editor": ((BASE, "editor"), editor),
    "editor-video": ((BASE, "editor"), editor_video),
    "style": ((BASE, "style"), style),
    "quick": ((BASE, "quick"), quick),
    "quick-steps": ((BASE, "quick"), quick_steps),
    "first-frame": ((BASE,), first_frame),
    "plates": ((BASE, READER), plates),
}


def evaluate(exam: Exam, wanted: tuple[str, ...] = tuple(MEASURES)) -> Figures:
    """All figures of the measures ``wanted``, null where a model is missing, and the seconds each took."""
    figures: Figures = {}
    seconds = {}
    for name in wanted:
        needed, measure = MEASURES[name]
        missing = [folder for folder in needed if not (exam.weights / folder).exists()]
        if missing:
            log.info("%s: not measured, %s missing", name, " and ".join(missing))
            figures[name] = None
            continue
        began = time.monotonic()
        figures[name] = _rounded(measure(exam))
        seconds[name] = round(time.monotonic() - began, 1)
        log.info("%s: %s", name, figures[name])
    return {**figures, "plan": asdict(exam.plan), "device": str(exam.device), "seconds": seconds}


def _rounded(value):
    """Four decimals everywhere; null for what could not be measured on so few samples."""
    if isinstance(value, dict):
        return {name: _rounded(each) for name, each in value.items()}
    if isinstance(value, float):
        return None if math.isnan(value) else round(value, 4)
    return value


def _sheet(exam: Exam) -> Image.Image:
    scenes, pictures = exam.prompt_pictures()
    shown = [Image.fromarray(picture) for picture in pictures[:SHEET_PROMPTS]]
    return contact_sheet(shown, [telling(scene) for scene in scenes[:SHEET_PROMPTS]])


def _quiet() -> None:
    """No bars and no advice of the libraries between our own lines on stderr."""
    for library in (diffusers_logging, transformers_logging):
        library.set_verbosity_error()
        library.disable_progress_bar()


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, measure, print."""
    parser = argparse.ArgumentParser(prog="python -m miniature.evaluate", description=__doc__)
    parser.add_argument("--json", action="store_true", help="print one line of JSON")
    parser.add_argument("--quick", action="store_true", help="few samples, few steps: under a minute")
    parser.add_argument("--samples", type=int, metavar="N", help="at most N prompts, videos, edits and so on")
    parser.add_argument("--weights", type=Path, default=WEIGHTS, help="folder of the family")
    parser.add_argument("--only", choices=tuple(MEASURES), nargs="+", default=tuple(MEASURES), metavar="NAME",
                        help=f"only these: {', '.join(MEASURES)}")  # fmt: skip
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument(
        "--sheet",
        type=Path,
        help="also write a contact sheet of the first prompts here, of quick-steps one a way",
    )
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    _quiet()
    plan = QUICK if options.quick else Plan()
    if options.samples is not None:
        if options.samples < 1:
            parser.error(f"--samples is {options.samples}; at least 1 is needed.")
        plan = plan.at_most(options.samples)
    exam = Exam(options.weights, pick_device(options.device), plan)
    figures = evaluate(exam, tuple(options.only))
    if options.sheet is not None:
        sheet = compared_sheet(exam) if exam.compared else _sheet(exam)
        sheet.save(options.sheet, quality=88)
        log.info("wrote %s", options.sheet)
    sys.stdout.write(json.dumps(figures, indent=None if options.json else 1) + "\n")


if __name__ == "__main__":
    main()
