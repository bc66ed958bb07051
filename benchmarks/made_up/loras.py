"""LoRA and its kin, in every spelling: what stands beside the layers of a UNet's attention."""

from collections.abc import Callable

from benchmarks.made_up.models import Shapes, diffusers_unet


def attention_layers(generation: str) -> Shapes:
    """The layers of a UNet's attention, by diffusers' names."""
    own = diffusers_unet(generation)
    return {
        name.removesuffix(".weight"): one
        for name, one in own.items()
        if "attn" in name and name.endswith(("to_q.weight", "to_k.weight", "to_v.weight"))
    }


def kohya(generation: str, ends: Callable[[tuple[int, ...]], Shapes]) -> Shapes:
    made: Shapes = {}
    for name, shape in attention_layers(generation).items():
        for end, one in ends(shape).items():
            made[f"lora_unet_{name.replace('.', '_')}.{end}"] = one
    return made


def lora_ends(shape: tuple[int, ...]) -> Shapes:
    return {"lora_down.weight": (8, shape[1]), "lora_up.weight": (shape[0], 8), "alpha": ()}


def hada_ends(shape: tuple[int, ...]) -> Shapes:
    return {
        "hada_w1_a": (shape[0], 8), "hada_w1_b": (8, shape[1]), "hada_w2_a": (shape[0], 8),
        "hada_w2_b": (8, shape[1]), "alpha": (),
    }  # fmt: skip


def lokr_ends(shape: tuple[int, ...]) -> Shapes:
    return {"lokr_w1": (8, 8), "lokr_w2": (shape[0] // 8, shape[1] // 8), "alpha": ()}


def peft(generation: str) -> Shapes:
    made: Shapes = {}
    for name, shape in attention_layers(generation).items():
        made[f"unet.{name}.lora_A.weight"] = (8, shape[1])
        made[f"unet.{name}.lora_B.weight"] = (shape[0], 8)
    return made


def processors(generation: str) -> Shapes:
    made: Shapes = {}
    for name, shape in attention_layers(generation).items():
        block, _, part = name.rpartition(".")
        made[f"unet.{block}.processor.{part}_lora.down.weight"] = (4, shape[1])
        made[f"unet.{block}.processor.{part}_lora.up.weight"] = (shape[0], 4)
    return made


def sdxl_text_lora() -> Shapes:
    of = "text_model_encoder_layers_{}_self_attn_q_proj"
    made = kohya("sdxl", lora_ends)
    for number in range(12):
        for encoder, width in (("te1", 768), ("te2", 1280)):
            for end, one in lora_ends((width, width)).items():
                made[f"lora_{encoder}_{of.format(number)}.{end}"] = one
    return made
