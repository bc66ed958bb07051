"""Few steps measured: held-out prompts in 1 to 8 steps, beside the model that taught them in many."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from diffusers import DDIMScheduler, DPMSolverMultistepScheduler, LCMScheduler, SchedulerMixin, TCDScheduler
from PIL import Image

from miniature.cases import WORDS
from miniature.data import held_out_scenes
from miniature.exam import Exam
from miniature.judges.scenes import telling
from miniature.package import load_pipeline
from miniature.quick import STEPS, load_quick
from miniature.shapes import DEFAULTS
from miniature.sheet import contact_sheet
from t2v.evaluation.sharpness import sharpness

ON_SHEET = 10  # prompts in a row of the sheet


@dataclass(frozen=True)
class Drawn:
    """One way of drawing: by the LoRA or without it, the sampler (None: the LoRA's own), steps, guidance."""

    is_quick: bool
    sampler: type[SchedulerMixin] | None
    steps: int
    guidance: float = 1.0


WAYS: Mapping[str, Drawn] = {
    **{f"quick, {steps}": Drawn(True, None, steps) for steps in (1, 2, STEPS, 2 * STEPS)},
    f"quick by TCD, {STEPS}": Drawn(True, TCDScheduler, STEPS),
    f"without it by LCM, {STEPS}": Drawn(False, LCMScheduler, STEPS),
    "teacher, DPM++ 12": Drawn(False, DPMSolverMultistepScheduler, 12, DEFAULTS["guidance_scale"]),
    "teacher, DDIM 25": Drawn(False, DDIMScheduler, 25, DEFAULTS["guidance_scale"]),
}


def quick(exam: Exam) -> dict[str, object]:
    """Held-out prompts in the steps that the LoRA is made for."""
    return _judged(exam, _pictures(exam, Drawn(True, None, STEPS)))


def quick_steps(exam: Exam) -> dict[str, object]:
    """The same in other numbers of steps, and without it; seconds are those of drawing all prompts.

    The pictures stay with the exam, for a sheet.
    """
    figures: dict[str, object] = {}
    for name, way in WAYS.items():
        began = time.monotonic()
        exam.compared[name] = _pictures(exam, way)
        seconds = time.monotonic() - began
        figures[name] = {**_judged(exam, exam.compared[name]), "seconds": seconds}
    return figures


def _pictures(exam: Exam, way: Drawn) -> np.ndarray:
    pipe = load_quick(exam.weights) if way.is_quick else load_pipeline(exam.weights / "text-to-image")
    if way.sampler is not None:
        pipe.scheduler = way.sampler.from_config(DDIMScheduler.from_config(pipe.scheduler.config).config)
    texts = [telling(scene) for scene in held_out_scenes(exam.plan.prompts)]
    return exam.draw(pipe, texts, num_inference_steps=way.steps, guidance_scale=way.guidance)


def _judged(exam: Exam, pictures: np.ndarray) -> dict[str, object]:
    scenes = held_out_scenes(exam.plan.prompts)
    shares = {name: exam.judges.share(pictures, scenes, name) for name in WORDS}
    return {**shares, "sharpness": sharpness(pictures)}


def compared_sheet(exam: Exam) -> Image.Image:
    """The first prompts, a row for each way that ``quick_steps`` has drawn them in, its name below."""
    shown = {name: pictures[:ON_SHEET] for name, pictures in exam.compared.items()}
    pictures = [Image.fromarray(picture) for row in shown.values() for picture in row]
    columns = len(next(iter(shown.values())))
    return contact_sheet(pictures, [name for name in shown for _ in range(columns)], columns)
