"""Guided videos of a family with ControlNets and an editor: seconds a task, and the memory of long clips."""

import logging
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from diffusers import ControlNetModel, StableDiffusionPipeline, UNet2DConditionModel

from benchmarks.networks import SMALL, TINY, load, quiet
from benchmarks.speed import alone, here, highest_memory_mb
from miniature.examples import Action, scenes_of
from miniature.world import Scene, Subject, depth, draw, skeleton
from t2v.engine.engine import Engine
from t2v.library.results import write_result
from t2v.tasks import TASKS
from t2v.video.write import write_video
from t2v.weights.refusals import ModelError

logger = logging.getLogger(__name__)

FPS = 8
SEED = 0
SCENE = Scene("street", (Subject("robot", "red", pose="walking"),), seed=7)
WALK_PX = 2  # sideways, a frame
STEP_FRAMES = 8  # that two of its steps take
# task -> what is asked for, how frames of its clip are drawn, further settings
CASES: dict[str, tuple[str, Callable, dict]] = {
    "canny": ("a blue robot is walking on the street", draw, {}),
    "pose": ("a blue robot is walking on the street", skeleton, {"control_ready": True}),
    "depth": ("a blue robot is walking on the street", depth, {"control_ready": True}),
    "pix2pix": ("make the robot blue", draw, {}),
}


@dataclass(frozen=True)
class GuidedCase:
    """One video to draw from a clip of square frames. num_inference_steps None: the model's own."""

    task: str
    frames: int
    num_inference_steps: int | None = None
    size: int = 256
    model: str = "miniature"


@dataclass(frozen=True)
class GuidedPlan:
    """timed: for seconds a task; long: alike in all but length, for memory."""

    timed: tuple[GuidedCase, ...]
    long: tuple[GuidedCase, ...]


@dataclass(frozen=True)
class Drawn:
    """What a case took. peak_mb: the process's highest resident memory, Python, PyTorch and weights in it."""

    seconds: float
    peak_mb: float
    frames: int
    steps: int


def guided_plan(model: str) -> GuidedPlan:
    """What ``python -m benchmarks`` runs."""
    return GuidedPlan(
        timed=tuple(GuidedCase(task, 16, model=model) for task in CASES),
        long=tuple(GuidedCase("canny", frames, num_inference_steps=2, model=model) for frames in (30, 300)),
    )


def quick_guided_plan() -> GuidedPlan:
    """The same paths in seconds, with tiny random networks."""
    small = {"num_inference_steps": 2, "size": 64, "model": TINY}
    return GuidedPlan(
        timed=tuple(GuidedCase(task, 3, **small) for task in CASES),
        long=tuple(GuidedCase("canny", frames, **small) for frames in (3, 12)),
    )


def timing_rows(plan: GuidedPlan, processes: bool) -> list[dict[str, str]]:
    """A row a task; ModelError where there are weights for none."""
    rows, missing = [], None
    for case in plan.timed:
        try:
            drawn = measure(case, processes)
        except ModelError as error:
            logger.warning("%s is left out: %s", case.task, error)
            missing = error
            continue
        rows.append(
            {
                "task": case.task,
                "video": f"{drawn.frames} frames, {drawn.steps} steps, {case.size}x{case.size}",
                "s": f"{drawn.seconds:.2f}",
                "s a frame": f"{drawn.seconds / drawn.frames:.2f}",
                "peak MB": f"{drawn.peak_mb:.0f}",
            }
        )
        logger.info("%s", "; ".join(rows[-1].values()))
    if not rows:
        raise missing
    return rows


def memory_rows(plan: GuidedPlan, processes: bool) -> list[dict[str, str]]:
    """A row a length, and how much more memory it takes than the first."""
    rows, least = [], None
    for case in plan.long:
        drawn = measure(case, processes)
        least = drawn.peak_mb if least is None else least
        rows.append(
            {
                "task": case.task,
                "video": f"{drawn.frames} frames, {drawn.steps} steps, {case.size}x{case.size}",
                "peak MB": f"{drawn.peak_mb:.0f}",
                "more than the first": f"{drawn.peak_mb / least - 1:.1%}",
            }
        )
        logger.info("%s", "; ".join(rows[-1].values()))
    return rows


def measure(case: GuidedCase, processes: bool) -> Drawn:
    """Draw a case once, in a fresh process where memory is to be told."""
    return (alone if processes else here)(draw_case, case)


def draw_case(case: GuidedCase) -> Drawn:
    """From the clip's file to the video's, the weights being loaded."""
    quiet()
    prompt, _, options = CASES[case.task]
    with tempfile.TemporaryDirectory() as folder:
        source = save_tiny_family(Path(folder)) if case.model == TINY else case.model
        settings = TASKS[case.task](
            clip_for(case.task, case.frames, case.size, Path(folder)),
            prompt,
            model=source,
            seed=SEED,
            num_inference_steps=case.num_inference_steps,
            width=case.size,
            height=case.size,
            **options,
        )
        model = Engine(device="cpu")
        run = model.resolve(settings)  # loads the weights
        started = time.perf_counter()
        write_result(Path(folder) / "video.mp4", run, model.frames(run))
        seconds = time.perf_counter() - started
        return Drawn(seconds, highest_memory_mb("cpu"), run.num_frames, run.num_inference_steps)


def clip_for(task: str, frames: int, size: int, folder: Path) -> str:
    """A clip of square frames that suits the task, written into the folder: its path."""
    action = Action(across=WALK_PX * frames / size, cycles=max(1, frames // STEP_FRAMES))
    paint = CASES[task][1]
    pictures = (_rgb(paint(scene, size)) for scene in scenes_of(SCENE, action, frames))
    return str(write_video(folder / "clip.mp4", pictures, FPS))


def _rgb(picture):
    return picture if picture.ndim == 3 else picture[..., None].repeat(3, axis=2)


def save_tiny_family(folder: Path) -> str:
    """A model with ControlNets and an editor beside it, all random and tiny; the model's folder."""
    pipeline = load(TINY, "cpu", "float32")
    parts = {name: part for name, part in pipeline.components.items() if name != "image_encoder"}
    StableDiffusionPipeline(**parts, requires_safety_checker=False).save_pretrained(folder / "text-to-image")
    torch.manual_seed(0)
    for task in ("canny", "pose", "depth"):
        ControlNetModel.from_unet(pipeline.unet).save_pretrained(folder / f"controlnet-{task}")
    UNet2DConditionModel(**{**SMALL, "in_channels": 8}).save_pretrained(folder / "editor")
    return str(folder / "text-to-image")
