"""What a file of weights is, told by the names and shapes of its tensors, without torch."""

import math
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from t2v.weights.single_file.details import (
    CONTROL,
    EMA,
    OTHERS,
    UNET,
    VAE,
    Names,
    begins,
    details,
    is_taesd,
    mentions,
    within,
)
from t2v.weights.single_file.generations import SD1, SD2, SDXL, Generation
from t2v.weights.single_file.header import Header

KINDS = {  # key -> for people
    "checkpoint": "a checkpoint",
    "unet": "a UNet alone",
    "vae": "a VAE",
    "lora": "a LoRA",
    "embedding": "a textual inversion",
    "controlnet": "a ControlNet",
    "control-lora": "a Control-LoRA",
    "t2i-adapter": "a T2I-Adapter",
    "t2i-style": "a T2I-Adapter for styles",
    "t2i-fuser": "a fuser of T2I-Adapters",
    "ip-adapter": "an IP-Adapter",
    "motion": "a motion module",
    "text": "a text encoder alone",
    "upscaler": "an upscaler",
    "unknown": "a file of an unknown kind",
}
PRECISIONS = {
    "F32": "float32", "F16": "float16", "BF16": "bfloat16", "F64": "float64", "F8_E4M3": "fp8",
    "F8_E5M2": "fp8",
}  # fmt: skip
TITLES = ("modelspec.title", "ss_output_name")  # of a file's metadata
LONGEST_TITLE = 200
SCALES = re.compile(
    r"\.(?:scale_weight|weight_scale(?:_2)?|scale_input|input_scale|absmax|quant_map|quant_state\.\w+|qweight"
    r"|qzeros|SCB|comfy_quant)$|(?:^|\.)scaled_fp8$",
    re.ASCII,
)
# what such names have in them: looked for before each of thousands is held against an expression
SCALE_WORDS = (
    "scale_weight", "weight_scale", "scale_input", "input_scale", "scaled_fp8", "absmax", "quant_map",
    "quant_state", "qweight", "qzeros", "SCB", "comfy_quant",
)  # fmt: skip
LORA_WORDS = (
    "lora", "hada_", "lokr_", "dora_scale", "oft_", ".diff\n", ".diff_b\n", "_norm\n", ".on_input\n",
    ".down.weight\n", ".up.weight\n",
)  # fmt: skip
LORA = re.compile(
    r"\.(?:lora_(?:down|up|A|B|mid)(?:\.default)?\.weight|lora(?:_linear_layer)?\.(?:down|up)\.weight"
    r"|(?:down|up)\.weight|hada_\w+|lokr_\w+|dora_scale|oft_\w+|diff(?:_b)?|[wb]_norm|on_input"
    r"|lora\.(?:down|up)|lora_[AB])$|_lora\.(?:down|up)\.weight$",
    re.ASCII,
)


@dataclass(frozen=True)
class FileKind:
    """What a file is.

    kind: a key of KINDS. generation: of Stable Diffusion; None where the file does not tell, and ``other``
    names another model where it does. layout: "original", "diffusers" or "" of the names. job: what its UNet
    is for, a value of JOBS, "other", or "" where it has none. precision: of the UNet's weights, or of all.
    is_scaled: its numbers mean nothing without scales beside them. prediction: "epsilon", "v_prediction" or
    None where nothing tells; zero_snr: its noise ends in noise alone. ema: the averaged UNet is there too.
    missing: parts that a checkpoint lacks, "VAE", "text encoder". is_lcm: distilled to few steps, with a
    place for the guidance. title: what the file says that it is called. size: in bytes.
    """

    kind: str
    generation: Generation | None = None
    other: str = ""
    layout: str = ""
    job: str = ""
    precision: str = ""
    is_scaled: bool = False
    prediction: str | None = None
    zero_snr: bool = False
    ema: bool = False
    missing: tuple[str, ...] = ()
    is_lcm: bool = False
    title: str = ""
    size: int = 0

    @property
    def family(self) -> str:
        """Which model it is, or is for, by name: "Stable Diffusion 1.x", "Flux"; "" where nothing tells."""
        return self.other if self.generation is None else self.generation.name

    @property
    def words(self) -> str:
        """What it is, in words: "a LoRA for Stable Diffusion 1.x"."""
        joint = "of" if self.kind in ("checkpoint", "unet", "vae", "text") else "for"
        what = KINDS[self.kind]
        if self.job in ("editing", "inpainting"):
            what += f" for {self.job}"
        return f"{what} {joint} {self.family}" if self.family else what


def recognise(header: Header, path: Path | None = None) -> FileKind:
    """What a file with this header is. path: its own, beside which a yaml of its name may tell more."""
    names = header.tensors
    kind = next((kind for kind, is_it in SIGNS if is_it(names)), "unknown")
    found = details(kind, names)
    generation = found.generation
    if generation is None and not found.other:
        generation = _told(header.metadata)
    prediction, zero_snr = _prediction(header, path)
    if prediction is None and generation is SD1:
        prediction = "epsilon"
    return FileKind(
        kind=kind,
        generation=generation,
        other=found.other,
        layout=found.layout,
        job=found.job,
        precision=_precision(names),
        is_scaled=mentions(names, *SCALE_WORDS) and any(map(SCALES.search, names)),
        prediction=prediction if kind in ("checkpoint", "unet") else None,
        zero_snr=zero_snr and kind in ("checkpoint", "unet"),
        ema=found.ema,
        missing=found.missing,
        is_lcm=found.is_lcm,
        title=" ".join(header.metadata[key][:LONGEST_TITLE] for key in TITLES if key in header.metadata),
        size=header.size,
    )


def _is_controlnet(names: Names) -> bool:
    return begins(
        names, CONTROL, "input_hint_block.", "controlnet_cond_embedding.", "controlnet_down_blocks."
    )


def _is_lora(names: Names) -> bool:
    """Most of its tensors are halves of layers, or whole differences."""
    if not mentions(names, *LORA_WORDS):
        return False
    return 2 * sum(LORA.search(name) is not None for name in names) > len(names)


def _is_embedding(names: Names) -> bool:
    if "emb_params" in names or begins(names, "string_to_param") or {"clip_l", "clip_g"} & names.keys():
        return True
    one = next(iter(names.values())) if len(names) == 1 else None
    return one is not None and len(one.shape) <= 2 and one.shape[-1:] in ((768,), (1024,))


def _is_vae(names: Names) -> bool:
    core = within(names, VAE)
    both = "encoder.conv_in.weight" in core and "decoder.conv_in.weight" in core
    return both or is_taesd(names)


def _is_bare_unet(names: Names) -> bool:
    original = "input_blocks.0.0.weight" in names and begins(names, "output_blocks.")
    return original or ("conv_in.weight" in names and "time_embedding.linear_1.weight" in names)


SIGNS: tuple[tuple[str, Callable[[Names], bool]], ...] = (  # the surest first
    ("control-lora", lambda names: "lora_controlnet" in names),
    ("controlnet", _is_controlnet),
    ("ip-adapter", lambda names: begins(names, "ip_adapter.", "image_proj.")),
    ("motion", lambda names: any("motion_modules." in name for name in names)),
    ("lora", _is_lora),
    ("checkpoint", lambda names: begins(names, UNET) and begins(names, VAE, "cond_stage", "conditioner.")),
    ("unet", lambda names: begins(names, UNET) or _is_bare_unet(names)),
    ("vae", _is_vae),
    ("t2i-style", lambda names: "style_embedding" in names),
    ("t2i-fuser", lambda names: begins(names, "spatial_feat_mapping.")),
    ("t2i-adapter", lambda names: begins(names, "body.0.block1.", "body.0.in_conv.", "adapter.body.")),
    ("embedding", _is_embedding),
    ("text", lambda names: any(name.endswith("embeddings.token_embedding.weight") for name in names)),
    ("upscaler", lambda names: "model.0.weight" in names or begins(names, "body.0.rdb1.", "model.1.sub.")),
    ("unet", lambda names: begins(names, *(start for start, _ in OTHERS))),
)


def _precision(names: Names) -> str:
    """The kind of numbers that most of the values are, of the UNet where there is one."""
    counts: Counter[str] = Counter()
    for name, one in names.items():
        if name.startswith(UNET) or not name.startswith((VAE, EMA, "cond_stage", "conditioner.")):
            counts[one.dtype] += math.prod(one.shape)
    most = counts.most_common(1)
    return PRECISIONS.get(most[0][0], "whole numbers") if most else ""


def _prediction(header: Header, path: Path | None) -> tuple[str | None, bool]:
    """What the network predicts, and whether its noise ends in noise alone, as far as anything tells."""
    zero_snr = "ztsnr" in header.tensors
    if "v_pred" in header.tensors:
        return "v_prediction", zero_snr
    said = header.metadata.get("modelspec.prediction_type", "").lower()
    if said.startswith("v"):
        return "v_prediction", zero_snr
    if said.startswith("eps"):
        return "epsilon", zero_snr
    return (None if path is None else _of_yaml(path.with_suffix(".yaml"))), zero_snr


def _of_yaml(path: Path) -> str | None:
    """What a file's configuration says of it, as its makers put it beside: ``parameterization: "v"``."""
    try:
        if not path.is_file() or path.stat().st_size > 100_000:
            return None
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
    if re.search(r"^\s*parameterization:\s*[\"']?v[\"']?\s*$", text, re.MULTILINE):
        return "v_prediction"
    return "epsilon" if re.search(r"^\s*unet_config:", text, re.MULTILINE) else None


def _told(metadata: Mapping[str, str]) -> Generation | None:
    """The generation that a file says it is of, where its shapes do not tell."""
    said = f"{metadata.get('modelspec.architecture', '')} {metadata.get('ss_base_model_version', '')}".lower()
    if "xl" in said:
        return SDXL
    if re.search(r"diffusion-v2|sd_?v?2", said):
        return SD2
    return SD1 if re.search(r"diffusion-v1|sd_?v?1", said) else None
