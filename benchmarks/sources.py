"""Every kind of source by every task: seconds to load and a step, and memory, or the sentence that refuses.

The bundled miniature, and small random models of the real classes, written on the spot as people have them.
"""

import logging
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from diffusers import ControlNetModel, UNet2DConditionModel

from benchmarks.guided import CASES, SEED, clip_for, save_tiny_family
from benchmarks.networks import quiet
from benchmarks.sides import PROMPT
from benchmarks.small_files import (
    State,
    checkpoint,
    checkpoint_of_xl,
    parts_of_1,
    parts_of_xl,
    write_safetensors,
)
from benchmarks.speed import highest_memory_mb
from benchmarks.table import Row
from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.tasks import TASKS, Settings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.source import BUNDLED

logger = logging.getLogger(__name__)

EDIT = "pix2pix"
SOURCE_TASKS = (TextToVideoSettings.task, *CASES)
RANK = 4
FEW = 4


@dataclass(frozen=True)
class Named:
    """One kind of source. model, editor: as a run names them, the latter where the task edits. controlnet:
    what it takes for every kind of picture; None: what lies beside the model. most_steps: that suit it."""

    kind: str
    model: str
    editor: str
    controlnet: str | None = None
    most_steps: int = 1000


@dataclass(frozen=True)
class SourcePlan:
    """Videos of square frames, alike for all sources but those of few steps. bundled: whether the miniature
    is among them."""

    frames: int = 8
    size: int = 128
    steps: int = 6
    bundled: bool = True

    def steps_of(self, source: Named) -> int:
        return min(self.steps, source.most_steps)


@dataclass(frozen=True)
class Ran:
    """What one source came to in one task. refused: the sentence; the rest is of what was drawn. Seconds are
    the processor's, of this process, as others may use the machine; step_s: the middle one of the later
    steps, which are of all frames."""

    refused: str = ""
    load_s: float = 0.0
    step_s: float = 0.0
    peak_mb: float = 0.0


def made_sources(folder: Path) -> list[Named]:
    """All but the bundled one, in files in the folder."""
    one, edits = parts_of_1(), parts_of_1(in_channels=8)
    xl, xl_edits = parts_of_xl(), parts_of_xl(in_channels=8)
    states = {
        "own": checkpoint(one),
        "own editing": checkpoint(edits),
        "own xl": checkpoint_of_xl(xl),
        "own xl editing": checkpoint_of_xl(xl_edits),
        "own lcm": checkpoint(parts_of_1(time_cond_proj_dim=256)),
        "style": lora_of(one["unet"]),
    }
    files = {
        name: str(write_safetensors(folder / f"{name}.safetensors", one)) for name, one in states.items()
    }
    network = _controlnet(one["unet"], folder / "controlnet")
    xl_network = _controlnet(xl["unet"], folder / "controlnet of XL")
    family, with_lora = save_tiny_family(folder / "family"), f"+{files['style']}@0.7"
    return [
        Named("diffusers folder", family, family),
        Named("single file", files["own"], files["own editing"], network),
        Named("single file + LoRA", files["own"] + with_lora, files["own editing"] + with_lora, network),
        Named("SDXL, single file", files["own xl"], files["own xl editing"], xl_network),
        Named("LCM, single file", files["own lcm"], files["own lcm"], network, FEW),
    ]


def lora_of(unet: UNet2DConditionModel) -> State:
    """A LoRA for all queries, keys and values, in kohya's spelling."""
    made: State = {}
    for name, weight in unet.state_dict().items():
        if name.endswith(("to_q.weight", "to_k.weight", "to_v.weight")):
            layer = "lora_unet_" + name.removesuffix(".weight").replace(".", "_")
            made[f"{layer}.lora_down.weight"] = torch.randn(RANK, weight.shape[1]) / RANK
            made[f"{layer}.lora_up.weight"] = torch.randn(weight.shape[0], RANK) / RANK
            made[f"{layer}.alpha"] = torch.tensor(float(RANK))
    return made


def _controlnet(unet: UNet2DConditionModel, folder: Path) -> str:
    torch.manual_seed(0)
    ControlNetModel.from_unet(unet).save_pretrained(folder)
    return str(folder)


def settings_for(source: Named, task: str, plan: SourcePlan, folder: Path) -> Settings:
    """What a run is asked for; the folder gets its clip, where it follows one."""
    own = {
        "seed": SEED,
        "width": plan.size,
        "height": plan.size,
        "num_inference_steps": plan.steps_of(source),
    }
    if task == TextToVideoSettings.task:
        return TextToVideoSettings(PROMPT, model=source.model, num_frames=plan.frames, method="paper", **own)
    prompt, _, options = CASES[task]
    clip = clip_for(task, plan.frames, plan.size, folder)
    if task == EDIT:
        return TASKS[task](clip, prompt, model=source.editor, **own, **options)
    return TASKS[task](clip, prompt, model=source.model, controlnet=source.controlnet, **own, **options)


def run_once(source: Named, task: str, plan: SourcePlan) -> Ran:
    """Load and draw; what is refused is told. Loading has checking and reading the clip in it."""
    quiet()
    engine, ends = Engine(device="cpu"), []
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_for(source, task, plan, Path(folder))
        began = time.process_time()
        try:
            run = engine.resolve(settings)
            load_s = time.process_time() - began
            for _ in engine.frames(run, on_step=lambda _: ends.append(time.process_time())):
                pass
        except InputError as error:
            return Ran(refused=str(error).replace(f"{Path(source.editor).parent}/", ""))
    later_half = ends[len(ends) // 2 - 1 :]  # at first the paper's method draws one frame alone
    step_s = statistics.median(later - earlier for earlier, later in pairwise(later_half))
    return Ran("", load_s, step_s, highest_memory_mb("cpu"))


def source_rows(plan: SourcePlan, run: Callable[..., Any]) -> list[Row]:
    """A row a source and task. run: ``alone`` or ``here``."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        bundled = [Named("the bundled miniature", BUNDLED, BUNDLED)] if plan.bundled else []
        for source in (*bundled, *made_sources(Path(folder))):
            for task in SOURCE_TASKS:
                rows.append(_row(source, task, plan, run(run_once, source, task, plan)))
                logger.info("%s", "; ".join(rows[-1].values()))
    return rows


def _row(source: Named, task: str, plan: SourcePlan, ran: Ran) -> Row:
    is_drawn = not ran.refused
    return {
        "source": source.kind,
        "task": task,
        "video": f"{plan.frames} frames, {plan.steps_of(source)} steps, {plan.size}x{plan.size}",
        "to load, s": f"{ran.load_s:.3g}" if is_drawn else "",
        "a step, s": f"{ran.step_s:.3g}" if is_drawn else "",
        "peak MB": f"{ran.peak_mb:.0f}" if is_drawn else "",
        "comes to": "drawn" if is_drawn else f"refused: {ran.refused}",
    }
