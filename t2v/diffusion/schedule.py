"""A saved scheduler as numbers: what it tells of a model's noise, whatever its class is.

Checkpoints are saved with whichever sampler their makers used last, some of classes that cannot be built
here. Only what describes the noise, and so holds for every sampler, is taken from it; a sampler's own ways
(orders, solvers) are taken where that same sampler is asked for, and only those that it can have.
"""

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import diffusers
import numpy as np
from diffusers import SchedulerMixin

from t2v.checks import InputError
from t2v.diffusion.options import SCHEDULERS

TIMES = 1000  # T' and T, here as in the paper, are times of a schedule of so many
PURE_NOISE = 1e-6  # abar below which nothing is left of a picture; Stable Diffusion ends at 0.0047
OF_ANOTHER_NOISE = (
    "FlowMatch",
    "EDM",
    "CosineDPM",
    "VQDiffusion",
    "ScoreSde",
    "KarrasVe",
)  # classes' beginnings

Rule = tuple[Callable[[Any], bool], str]  # whether a value is allowed, and what is, in words


def _one_of(*values: object) -> Rule:
    return lambda value: any(value == one and type(value) is type(one) for one in values), " or ".join(
        str(one) for one in values
    )


def _between(low: float, high: float) -> Rule:
    return lambda value: _is_number(value) and low < value < high, f"a number between {low:g} and {high:g}"


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _are_betas(value: object) -> bool:
    values = value.tolist() if isinstance(value, np.ndarray) else value
    return (
        isinstance(values, (list, tuple))
        and len(values) == TIMES
        and all(_is_number(one) and 0 < one <= 1 for one in values)
    )


FLAG = _one_of(True, False)
ORDER = _one_of(1, 2, 3)
NOISE: dict[str, Rule] = {  # must be right
    "num_train_timesteps": _one_of(TIMES),
    "beta_start": _between(0, 1),
    "beta_end": _between(0, 1),
    "beta_schedule": _one_of("linear", "scaled_linear", "squaredcos_cap_v2"),
    "trained_betas": (_are_betas, f"{TIMES} numbers above 0, at most 1"),
    "prediction_type": _one_of("epsilon", "v_prediction", "sample"),
    "timestep_spacing": _one_of("leading", "trailing", "linspace"),
    "rescale_betas_zero_snr": FLAG,
}
SPACING: dict[str, Rule] = {  # of every sampler that knows it; left out where it is odd
    "set_alpha_to_one": FLAG,
    "use_karras_sigmas": FLAG,
    "use_exponential_sigmas": FLAG,
}
OWN: dict[str, dict[str, Rule]] = {  # a class -> its own ways; left out where they are odd
    "DPMSolverMultistepScheduler": {
        "solver_order": ORDER,
        "algorithm_type": _one_of("dpmsolver++", "sde-dpmsolver++"),
        "solver_type": _one_of("midpoint", "heun"),
        "lower_order_final": FLAG,
        "euler_at_final": FLAG,
        "use_lu_lambdas": FLAG,
        "final_sigmas_type": _one_of("zero", "sigma_min"),
    },
    "UniPCMultistepScheduler": {
        "solver_order": ORDER,
        "solver_type": _one_of("bh1", "bh2"),
        "lower_order_final": FLAG,
        "final_sigmas_type": _one_of("zero", "sigma_min"),
    },
    "EulerDiscreteScheduler": {"final_sigmas_type": _one_of("zero", "sigma_min")},
    "LCMScheduler": {"timestep_scaling": _between(0, 1000)},
}


def saved_scheduler(config: Mapping[str, Any]) -> SchedulerMixin:
    """A scheduler that carries what a saved one tells, from its file's values; InputError where they are odd.

    Of the saved class where it is a sampler's here; else a DDIM, as that one is never stepped.
    """
    saved = config.get("_class_name")
    kind = saved if isinstance(saved, str) and saved in SCHEDULERS.values() else SCHEDULERS["ddim"]
    plain = {name: value for name, value in config.items() if name != "_use_default_values"}
    scheduler = build(kind, plain, clip_sample=False)  # never of latents
    scheduler.register_to_config(**_ways(plain, kind))  # also the spacings that only other samplers know
    return scheduler


def build(kind: str, config: Mapping[str, Any], **chosen: Any) -> SchedulerMixin:
    """diffusers' scheduler of this class on the noise that ``config`` tells; InputError where that is odd.

    config: a scheduler's, with the name of its class as "_class_name". chosen: over all that it tells.
    """
    scheduler: type[SchedulerMixin] = getattr(diffusers, kind)
    told = {**_noise(config), **_ways(config, kind), **chosen}
    if told.get("prediction_type") == "sample" and kind == SCHEDULERS["euler-ancestral"]:
        raise InputError(
            "scheduler is euler-ancestral, which has no way for a model that predicts samples; choose ddim."
        )
    known = inspect.signature(scheduler.__init__).parameters
    return scheduler(**{name: value for name, value in told.items() if name in known})


def _noise(config: Mapping[str, Any]) -> dict[str, Any]:
    """What must be right, and is the same for all samplers."""
    kind = str(config.get("_class_name"))
    if kind.startswith(OF_ANOTHER_NOISE):
        raise InputError(
            f"the model's scheduler is a {kind}, whose noise is not Stable Diffusion's; choose another."
        )
    told = _told(config)
    for name, (is_right, allowed) in NOISE.items():
        if name in told and not is_right(told[name]):
            value = repr(told[name])[:60]
            raise InputError(
                f"the model's scheduler has the {name} {value}, not {allowed}; choose another model."
            )
    numbers = {name: told[name] for name in NOISE if name in told}
    # One more than the multiples that "leading" steps take, as all that Stable Diffusion grew into have it.
    # Older files lack it; diffusers' own pipeline puts it there as well.
    numbers["steps_offset"] = 1
    if numbers.get("trained_betas") is not None or numbers.get("rescale_betas_zero_snr"):
        _check_end(numbers)
    return numbers


def _check_end(numbers: dict[str, Any]) -> None:
    """Betas may end in noise alone; then the samplers must be told so, and epsilon says nothing there."""
    known = inspect.signature(diffusers.DDIMScheduler.__init__).parameters
    schedule = diffusers.DDIMScheduler(**{name: numbers[name] for name in numbers if name in known})
    if float(schedule.alphas_cumprod[-1]) > PURE_NOISE:
        return
    if numbers.get("prediction_type", "epsilon") == "epsilon":
        raise InputError(
            "the model's scheduler ends in pure noise (zero terminal SNR), where predicting epsilon tells "
            "nothing of a picture; set its prediction_type to v_prediction if the model was trained for it, "
            "or choose another."
        )
    numbers["rescale_betas_zero_snr"] = True


def _ways(config: Mapping[str, Any], kind: str) -> dict[str, Any]:
    """The spacing, and where the config is of this very class its own ways; none that are odd."""
    own = OWN.get(kind, {}) if config.get("_class_name") == kind else {}
    told, rules = _told(config), {**SPACING, **own}
    ways = {
        name: told[name] for name, (is_right, _) in rules.items() if name in told and is_right(told[name])
    }
    if ways.get("use_karras_sigmas"):
        ways.pop("use_exponential_sigmas", None)  # one of the two at most
    return ways


def _told(config: Mapping[str, Any]) -> dict[str, Any]:
    """What a config really tells: not what its class put in where nothing was told."""
    put_in = config.get("_use_default_values", ())
    return {name: value for name, value in config.items() if value is not None and name not in put_in}
