"""How trainers spell the tensors of a LoRA: kohya, LyCORIS, diffusers in both its ways, PEFT."""

import re
from typing import NamedTuple

# The end of a tensor's name -> what it is of its layer, as layers.py calls it.
ENDS = {
    "lora_down": "down", "lora_A": "down", "down": "down",
    "lora_up": "up", "lora_B": "up", "up": "up",
    "lora_mid": "mid", "alpha": "alpha", "dora_scale": "dora_scale", "lora_magnitude_vector": "magnitude",
    "diff": "diff", "diff_b": "diff_b", "w_norm": "diff", "b_norm": "diff_b",
    **{name: name for name in ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2")},
    **{name: name for name in ("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b")},
    "lokr_t2": "lokr_t2",
}  # fmt: skip
MARKS = (".lora_linear_layer", ".lora", "_lora")  # between a layer's name and its halves, in diffusers' ways
PEFT = "base_model.model."
UNET, TEXT, TEXT_2 = "unet", "text_encoder", "text_encoder_2"
STARTS = (  # beginnings of names -> the network, as pipelines call it; the longest first
    ("text_encoders.clip_l.transformer.", TEXT), ("text_encoders.clip_g.transformer.", TEXT_2),
    ("model.diffusion_model.", UNET), ("diffusion_model.", UNET),
    ("text_encoder_2.", TEXT_2), ("text_encoder.", TEXT), ("unet.", UNET),
    ("lora_unet_", UNET), ("lora_te1_", TEXT), ("lora_te2_", TEXT_2), ("lora_te_", TEXT),
    ("lycoris_text_model_", TEXT), ("lycoris_", UNET),
)  # fmt: skip
OF_XL = re.compile(r"lora_te[12]_|text_encoder_2\.|text_encoders\.clip_g\.", re.ASCII)


class Spelled(NamedTuple):
    """A tensor's name, taken apart. network: "unet", "text_encoder" or "text_encoder_2"; layer: its path
    there with underscores, whatever the trainer's own signs; what: a value of ENDS, or "up_bias".
    """

    network: str
    layer: str
    what: str


def spelled(name: str) -> Spelled | None:
    """What a tensor of this name is; None for names that no trainer known here gives."""
    stem, _, end = name.removesuffix(".weight").removesuffix(".default").rpartition(".")
    if end == "bias" and stem.endswith((".lora_B", ".lora_up")):
        stem, what = stem.rpartition(".")[0], "up_bias"
    else:
        what = ENDS.get(end, "")
    mark = next((one for one in MARKS if stem.endswith(one)), "")
    if not what or not stem or (end in ("down", "up") and not mark):
        return None
    network, path = _network(stem.removesuffix(mark).replace(".processor.", "."))
    return Spelled(network, path.replace(".", "_"), what)


def _network(stem: str) -> tuple[str, str]:
    """The network that a layer belongs to, and the rest of its name."""
    stem = stem.removeprefix(PEFT)
    for start, network in STARTS:
        if stem.startswith(start):
            return network, stem.removeprefix(start).removeprefix(PEFT)
    return (TEXT if stem.startswith("text_model.") else UNET), stem
