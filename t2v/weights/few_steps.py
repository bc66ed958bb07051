"""Models distilled to few steps: which kind one is, told by files alone without loading, and what suits it.

By content alone only a latent consistency model can be told, whose UNet takes the guidance as an input. Of
all others the scheduler that a folder was saved with tells, or else what a file says of itself, or its name;
and of a LoRA that does it, only these two, or a card beside it. Where a name tells too little, that is said
and nothing is taken.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.checks import InputError, counted
from t2v.weights.card import lora_card
from t2v.weights.few_step_kinds import (
    HYPER,
    KINDS,
    LCM,
    LIGHTNING,
    PLAIN_WORDS,
    TCD,
    TURBO,
    FewSteps,
    kinds_named,
    names_model,
    pieces_of,
    steps_named,
)
from t2v.weights.files import is_file, is_folder, read_object
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.source import CONFIG, LORA_FILE, MODEL_INDEX, Source, as_path
from t2v.weights.video_kinds import video_kind

LEAST_STRENGTH = 0.5  # of a LoRA that does it: one put in by less leaves the model one of many steps
NO_GUIDANCE = 1.0
EMBEDDED = 8.0  # what latent consistency models were published with; they were trained from 3 to 13
KEPT_GUIDANCE = 5.0  # of Hyper-SD's LoRAs that are named CFG, whose makers say 5 to 8
BY_CARD = "by its card"
SCHEDULER = "scheduler/scheduler_config.json"


@dataclass(frozen=True)
class Found:
    """What a model, or a LoRA behind it, was found to be. who: it, as people call it. sign: what told so.

    is_taken: its settings are those of a run that leaves them open; else it is only said that it may be.
    by_lora: a LoRA makes the model so.
    """

    kind: FewSteps
    who: str
    sign: str
    steps: int
    guidance_scale: float
    is_taken: bool = True
    by_lora: bool = False

    @property
    def suits(self) -> dict[str, float]:
        """Settings' numbers that suit it."""
        return {"num_inference_steps": self.steps, "guidance_scale": self.guidance_scale}

    @property
    def sentence(self) -> str:
        """What people are told of it."""
        steps = counted(self.steps, "step")
        guidance = f"guidance {self.guidance_scale:g}{' (off)' if self.guidance_scale <= 1 else ''}"
        suits = f"{steps}, {guidance} and the sampler {self.kind.scheduler}"
        what = "LoRA" if self.by_lora else "model"
        if not self.is_taken:
            return f"{self.who} may be a {what} for few steps ({self.sign}); if it is, choose {suits}."
        draws = "which lets the model draw" if self.by_lora else "which draws"
        kind = f"a {what} of {self.kind.name}'s kind"
        return (
            f"{self.who} is taken for {kind} ({self.sign}), {draws} in few steps: {suits} are "
            "taken where you choose none."
        )


def few_steps(source: Source) -> Found | None:
    """What is taken for granted of a model, a LoRA's word before its own; None for one of many steps."""
    return next((one for one in signs_of(source) if one.is_taken), None)


def signs_of(source: Source) -> tuple[Found, ...]:
    """All that tells of few steps, the LoRAs behind the model first, nothing loaded or fetched for it."""
    if video_kind(source) is not None:
        return ()
    takes_guidance = _takes_guidance(source)
    own = _of_base(source, takes_guidance)
    return (*_of_loras(source, takes_guidance), *(() if own is None else (own,)))


def sentence(source: Source) -> str | None:
    """What people are told of a model in this; None where there is nothing, or where its own card says it."""
    told = few_steps(source)
    found = next(iter(signs_of(source)), None) if told is None else told
    return None if found is None or found.sign == BY_CARD else found.sentence


def _of_base(source: Source, takes_guidance: bool) -> Found | None:
    who = source.public_name.partition("+")[0]
    names = [_title(source.folder), _own_name(source)]
    steps = next((steps for name in names if (steps := steps_named(name)) is not None), None)

    def found(kind: FewSteps, sign: str) -> Found:
        guidance = EMBEDDED if takes_guidance else NO_GUIDANCE
        return Found(kind, who, sign, kind.steps if steps is None else steps, guidance)

    if takes_guidance:
        return found(LCM, "its UNet takes the guidance as an input")
    named = [kind for name in names for kind in kinds_named(name)]
    saved = _of_scheduler(_read(_here(source, SCHEDULER)))
    if saved is not None:
        kind, sign = saved
        # Stable Diffusion's own Turbo was saved with plain Euler, as Lightning is
        return found(TURBO if kind is LIGHTNING and TURBO in named else kind, sign)
    return found(named[0], "by its name") if named else None


def _of_scheduler(config: Mapping[str, Any]) -> tuple[FewSteps, str] | None:
    """By class and spacing. Models whose noise ends in noise alone are spaced so in many steps as well."""
    kind, sign = config.get("_class_name"), "by the {} that it was saved with"
    if kind in ("LCMScheduler", "TCDScheduler"):
        return (LCM if kind == "LCMScheduler" else TCD), sign.format(kind)
    ends_in_noise = config.get("rescale_betas_zero_snr") or config.get("prediction_type") == "v_prediction"
    if config.get("timestep_spacing") != "trailing" or ends_in_noise:
        return None
    spaced = {
        "EulerAncestralDiscreteScheduler": TURBO,
        "EulerDiscreteScheduler": LIGHTNING,
        "DDIMScheduler": HYPER,
    }
    found = spaced.get(str(kind))
    return None if found is None else (found, sign.format(f"{kind} with trailing steps"))


def _of_loras(source: Source, takes_guidance: bool) -> Iterator[Found]:
    try:
        strengths = source.strengths()
    except ModelError:  # the run says so
        return
    for adapter, strength in zip(source.adapters, strengths, strict=True):
        if strength < LEAST_STRENGTH:
            continue
        name = " ".join(_lora_names(source, adapter))
        card = lora_card(source, adapter)
        by_card = next((kind for kind in KINDS if kind.key == card.few_steps), None)
        kind = next(iter(kinds_named(name)), None) if by_card is None else by_card
        if kind is None:
            continue
        steps = steps_named(name)
        keeps_guidance = kind is HYPER and "cfg" in pieces_of(name)
        guidance = EMBEDDED if takes_guidance else KEPT_GUIDANCE if keeps_guidance else NO_GUIDANCE
        is_named = kind.key not in PLAIN_WORDS or steps is not None or names_model(name)
        is_sure = is_named or by_card is not None
        who = as_path(adapter).name if is_file(as_path(adapter)) else adapter
        sign = "by its name" if is_sure else f"by nothing but its name, which has {kind.name} in it"
        sign = sign if by_card is None else BY_CARD
        steps = int(card.defaults.get("num_inference_steps", kind.steps if steps is None else steps))
        guidance = card.defaults.get("guidance_scale", guidance)
        yield Found(kind, who, sign, steps, guidance, is_sure, by_lora=True)


def _lora_names(source: Source, adapter: str) -> Iterator[str]:
    """What a LoRA is called: in its file, and by people."""
    path = as_path(adapter)
    beside = source.companion(adapter, LORA_FILE)
    folder = path if beside is None else Path(beside)
    if is_file(path):
        yield _title(path)
        yield path.parent.name if path.name == LORA_FILE else path.stem
        return
    if is_file(folder / LORA_FILE):
        yield _title(folder / LORA_FILE)
    yield folder.name if is_folder(folder) else adapter


def _own_name(source: Source) -> str:
    """A folder's or file's own name without its ending, or all of a hub id."""
    kind = source.kind
    if kind == "file":
        return source.folder.stem
    return source.folder.resolve().name if kind == "folder" else source.base if kind == "hub" else ""


def _title(path: Path) -> str:
    """What a file's header says that it is called; "" where it says nothing or is none of ours."""
    if not is_file(path):
        return ""
    try:
        return look(path.name, path).title
    except ModelError:
        return ""


def _takes_guidance(source: Source) -> bool:
    """Whether the model's UNet has a place for the guidance: by its config, or a file's header."""
    if source.kind == "file":
        try:
            return look(source.base, source.folder).is_lcm
        except ModelError:
            return False
    return isinstance(_read(_here(source, f"unet/{CONFIG}")).get("time_cond_proj_dim"), int)


def _here(source: Source, file: str) -> Path | None:
    """A file of a model in diffusers' format where it lies on this machine; nothing is fetched."""
    if source.kind != "hub":
        return source.folder / file
    from huggingface_hub import try_to_load_from_cache  # its import takes a while

    index = try_to_load_from_cache(source.base, MODEL_INDEX)
    return Path(index).parent / file if isinstance(index, str) else None


def _read(path: Path | None) -> Mapping[str, Any]:
    """What a JSON file says; nothing where there is none or it is broken, which loading tells."""
    try:
        return {} if path is None else read_object(path)
    except (OSError, ValueError, InputError):
        return {}
