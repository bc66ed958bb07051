"""The work that shortcuts leave, counted and timed: calls of a run, and blocks of real networks' shapes."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import torch
from diffusers import AutoencoderKL, AutoencoderTiny, UNet2DConditionModel
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.gpu_models import VAE
from benchmarks.made_up.models import CONFIGS
from t2v.diffusion.deep_features import DeepFeatures
from t2v.diffusion.guidance import Guidance
from t2v.diffusion.options import Shortcuts
from t2v.diffusion.sampling import make_scheduler
from t2v.memory.memory import Memory

log = logging.getLogger(__name__)

WHOLE, OUTER, ALONE = "whole", "outer blocks", "whole, one branch"
SCHEDULE = {"_class_name": "DDIMScheduler", "beta_start": 0.00085, "beta_end": 0.012, "steps_offset": 1}


def calls(steps: int, way: Shortcuts) -> dict[str, dict[int, int]]:
    """How often a run of DDIM asks for the whole network or its outer blocks: kind -> branches -> times."""
    times = make_scheduler("ddim", SCHEDULE, steps).timesteps
    guidance = Guidance(torch.zeros(2, 1, 1), scales=(7.5,), within=way.within)
    deep = DeepFeatures(_Blocks(), Memory(dict, log.info), way.cache_steps)
    found: dict[str, dict[int, int]] = {WHOLE: {}, OUTER: {}}
    for step in range(steps):
        branches = guidance.count(times, step)
        deep.begin(step, branches, "all frames")
        kind = found[OUTER if deep.is_known else WHOLE]
        kind[branches] = kind.get(branches, 0) + 1
    return found


class _Blocks:
    """Of what a UNet is, as much as a count needs."""

    down_blocks = up_blocks = (None, None)


def costs(generation: str, cells: int, timed: int) -> dict[str, dict[str, float]]:
    """Of each kind of call its share of the whole one's FLOPs, and of its seconds, the least of so many."""
    found = {kind: {"flops": 0.0, "seconds": math.inf} for kind in (WHOLE, OUTER, ALONE)}
    with torch.device("meta"):
        unet = UNet2DConditionModel(**CONFIGS[generation])
    for kind, one in found.items():
        with around_call(unet, generation, cells, kind) as call, FlopCounterMode(display=False) as counter:
            call()
        one["flops"] = counter.get_total_flops()
    if timed:
        torch.manual_seed(0)
        unet = UNet2DConditionModel(**CONFIGS[generation]).to(torch.bfloat16).eval()
        unet = unet.to(memory_format=torch.channels_last)
    for number in range(timed):
        for kind, one in found.items():
            with around_call(unet, generation, cells, kind) as call:
                began_s = time.process_time()
                call()
                one["seconds"] = min(one["seconds"], time.process_time() - began_s)
        log.info("%s: round %d of %d", generation, number + 1, timed)
    whole = found[WHOLE]
    return {kind: {unit: one[unit] / whole[unit] for unit in one} for kind, one in found.items()}


@contextmanager
def around_call(
    unet: UNet2DConditionModel, generation: str, cells: int, kind: str
) -> Iterator[Callable[[], object]]:
    """A call of one frame; before that of the outer blocks a whole one has been made."""
    rows, own = 1 if kind == ALONE else 2, {"device": unet.device, "dtype": unet.dtype}
    noise = torch.randn(rows, 4, cells, cells, **own)
    text = torch.randn(rows, 77, CONFIGS[generation]["cross_attention_dim"], **own)
    added = {"text_embeds": torch.randn(rows, 1280, **own), "time_ids": torch.ones(rows, 6, **own)}
    told = {"added_cond_kwargs": added} if generation == "sdxl" else {}
    deep = DeepFeatures(unet, Memory(lambda: {"unet": unet}, log.info), 2)
    call = partial(unet, noise, torch.tensor(500, device=unet.device), text, **told)
    with torch.inference_mode():
        for step in range(2 if kind == OUTER else 1):
            deep.begin(step, rows, "this frame")
            with deep.around(range(1), {}):
                if kind == OUTER and step == 0:
                    call()
                else:
                    yield call


def decoded_share() -> float:
    """FLOPs of TAESD's decoder on one picture, as a share of those of Stable Diffusion's VAE."""
    counts = []
    with torch.device("meta"), torch.inference_mode():
        latents = torch.zeros(1, 4, 64, 64)
        for vae in (AutoencoderTiny(), AutoencoderKL(**VAE)):
            with FlopCounterMode(display=False) as counter:
                vae.decode(latents)
            counts.append(counter.get_total_flops())
    return float(counts[0] / counts[1])
