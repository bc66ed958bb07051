"""What the tensors of a file of a known kind tell further: its generation, what it is for, what it lacks."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from t2v.weights.single_file.generations import FOLDED, SD1, SDXL, Generation, by_structure, by_width
from t2v.weights.single_file.header import Tensor

UNET, VAE, EMA = "model.diffusion_model.", "first_stage_model.", "model_ema."
CONTROL, ADAPTER = "control_model.", "adapter."
COLOURS = (1, 3)  # channels of the pictures that a T2I-Adapter is shown
JOBS = {4: "text", 8: "editing", 9: "inpainting"}  # channels that a UNet takes -> what it is for
OTHERS = (  # beginnings of names in a UNet's place -> which model it is
    ("double_blocks.", "Flux"), ("joint_blocks.", "Stable Diffusion 3"),
    ("transformer_blocks.", "another kind"),
    ("blocks.", "another kind"), ("layers.", "another kind"), ("single_blocks.", "Flux"),
)  # fmt: skip

TAESD = "TAESD's kind"  # what a small VAE for drafts is of
TAESD_FIRST, TAESD_OWN = (
    "decoder.layers.0.weight",
    "1.weight",
)  # of its decoder: diffusers' names, its makers'
ANOTHER = "another kind of model"
Names = Mapping[str, Tensor]


@dataclass(frozen=True)
class Details:
    """As in ``FileKind``, where each is explained."""

    generation: Generation | None = None
    other: str = ""
    layout: str = ""
    job: str = ""
    ema: bool = False
    missing: tuple[str, ...] = ()
    is_lcm: bool = False


def begins(names: Names, *starts: str) -> bool:
    """Whether any name begins so. In one text they are searched ten times as fast as one by one."""
    text = "\n" + "\n".join(names)
    return any(f"\n{start}" in text for start in starts)


def mentions(names: Names, *words: str) -> bool:
    """Whether any name has one of these in it; where a word ends in a line's end, at its own end."""
    text = "\n".join([*names, ""])
    return any(word in text for word in words)


def within(names: Names, prefix: str) -> Names:
    """The tensors behind a prefix, or all where it is nowhere."""
    inside = {name[len(prefix) :]: one for name, one in names.items() if name.startswith(prefix)}
    return inside if inside else names


def unet_names(names: Names) -> Names:
    """The tensors of the UNet of a checkpoint, or of a UNet alone."""
    return within(names, UNET)


def _of_unet(kind: str, names: Names) -> Details:
    core = unet_names(names)
    original = core.get("input_blocks.0.0.weight")
    first = core.get("conv_in.weight") if original is None else original
    layout = "diffusers" if original is None else "original"
    if first is None or len(first.shape) != 4:
        other = next((name for start, name in OTHERS if begins(core, start)), "another kind")
        return Details(other=other)
    generation, other = _generation_of_unet(core)
    missing: tuple[str, ...] = ()
    if kind == "checkpoint":
        texts = [one.prefix for one in (generation.texts if generation else SD1.texts)]
        lacking = [not begins(names, VAE), not all(begins(names, text) for text in texts)]
        missing = tuple(part for part, gone in zip(("VAE", "text encoder"), lacking, strict=True) if gone)
    cond = ("time_embed.cond_proj.weight", "time_embedding.cond_proj.weight")
    return Details(
        generation,
        other,
        layout,
        job=JOBS.get(first.shape[1], "other"),
        ema=begins(names, EMA + "diffusion_model"),
        missing=missing,
        is_lcm=any(name in core for name in cond),
    )


def _generation_of_unet(core: Names) -> tuple[Generation | None, str]:
    """By the width of the text that it reads; networks smaller than any published one by their structure."""
    width = text_width(core)
    added = "label_emb.0.0.weight" in core or "add_embedding.linear_1.weight" in core
    if width is None:
        return None, "another kind"
    if width == 1280 and added:
        return None, "Stable Diffusion XL's refiner"
    flat = any(name.endswith("proj_in.weight") and len(one.shape) == 2 for name, one in core.items())
    generation = by_structure(width, added, flat)
    if generation is not None and generation is not SDXL and added:
        return None, "Stable Diffusion unCLIP"
    return generation, "" if generation is not None else "another kind"


def text_width(core: Names) -> int | None:
    """How wide the text is that a UNet or ControlNet with these tensors reads; None without any."""
    return next(
        (
            one.shape[1]
            for name, one in core.items()
            if name.endswith("attn2.to_k.weight") and len(one.shape) == 2
        ),
        None,
    )


def _of_controlnet(kind: str, names: Names) -> Details:
    core = within(names, CONTROL)
    generation, other = _generation_of_unet(core)
    return Details(generation, other, "original" if "input_blocks.0.0.weight" in core else "diffusers")


def _of_lora(kind: str, names: Names) -> Details:
    """By the width of what its layers for text's keys read."""
    if begins(names, "lora_te2_", "lora_te1_", "text_encoder_2."):
        return Details(SDXL)
    if begins(
        names, "lora_transformer", "transformer.", "lora_unet_double_blocks", "lora_unet_single_blocks"
    ):
        return Details(other=ANOTHER)
    widths = (
        one.shape[-1] if len(one.shape) == 2 else one.shape[1]
        for name, one in names.items()
        if re.search(r"attn2[._](?:to_k|processor\.to_k)\w*\.(?:lora_down|lora_A|lora\.down|down)", name)
        and len(one.shape) in (2, 4)
    )
    width = next(widths, None)
    return Details(None if width is None else by_width(width))


def _of_embedding(kind: str, names: Names) -> Details:
    if "clip_g" in names:
        return Details(SDXL)
    widths = {one.shape[-1] for name, one in names.items() if one.shape and "string_to_token" not in name}
    return Details(by_width(widths.pop()) if len(widths) == 1 else None)


def _of_vae(kind: str, names: Names) -> Details:
    core = within(names, VAE)
    if "decoder.conv_in.weight" not in core:
        first = names.get(TAESD_FIRST, names.get(TAESD_OWN))
        is_ours = first is None or first.shape[1:2] == (4,)
        return Details(
            other=TAESD if is_ours else ANOTHER, layout="original" if TAESD_OWN in names else "diffusers"
        )
    original = any(name.startswith("encoder.down.") for name in core)
    latent = core["decoder.conv_in.weight"].shape[1:2]
    return Details(
        other="" if latent == (4,) else ANOTHER,
        layout="original" if original else "diffusers",
    )


def _of_adapter(kind: str, names: Names) -> Details:
    width = next((one.shape[-1] for name, one in names.items() if re.search(r"to_k_ip\.weight$", name)), None)
    return Details(None if width is None else by_width(width))


def folded(core: Names) -> tuple[int, int]:
    """Pixels a side that a T2I-Adapter folds into a cell, and its pictures' channels; 0, 0 for others'.

    core: its tensors without ``ADAPTER``.
    """
    first = core.get("conv_in.weight", core.get("body.0.in_conv.weight"))
    taken = first.shape[1] if first is not None and len(first.shape) == 4 else 0
    return next(
        ((side, taken // side**2) for side in FOLDED if taken in {side**2 * one for one in COLOURS}), (0, 0)
    )


def _of_t2i_adapter(kind: str, names: Names) -> Details:
    core = within(names, ADAPTER)
    side, _ = folded(core)
    layout = "diffusers" if begins(core, "body.0.resnets.") else "original"
    if side not in FOLDED:
        return Details(other=ANOTHER, layout=layout)
    return Details(FOLDED[side], layout=layout)


def is_taesd(names: Mapping[str, object]) -> bool:
    """Whether tensors of these names are a VAE of TAESD's kind, or half of one."""
    own = TAESD_OWN in names and "3.conv.0.weight" in names
    return own or TAESD_FIRST in names or "encoder.layers.0.weight" in names


READERS: Mapping[str, Callable[[str, Names], Details]] = {
    "checkpoint": _of_unet,
    "unet": _of_unet,
    "controlnet": _of_controlnet,
    "lora": _of_lora,
    "embedding": _of_embedding,
    "vae": _of_vae,
    "ip-adapter": _of_adapter,
    "t2i-adapter": _of_t2i_adapter,
}


def details(kind: str, names: Names) -> Details:
    """What these tensors, of a file of this kind, tell further."""
    reader = READERS.get(kind)
    return Details() if reader is None else reader(kind, names)
