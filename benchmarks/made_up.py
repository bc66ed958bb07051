"""Made-up files of every kind that people have, with the names and shapes of the published ones.

They are as long as real ones and hold nothing: a disk keeps no room for zeros that nobody wrote.
"""

import json
import math
import re
from collections.abc import Callable
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from benchmarks.original_names import open_clip, original_clip, original_unet, original_vae

BYTES = {"F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "U8": 1, "I64": 8}
Shapes = dict[str, tuple[int, ...]]

SD1 = {
    "sample_size": 64, "block_out_channels": (320, 640, 1280, 1280), "attention_head_dim": 8,
    "cross_attention_dim": 768,
}  # fmt: skip
SD2 = {
    **SD1,
    "attention_head_dim": (5, 10, 20, 20),
    "cross_attention_dim": 1024,
    "use_linear_projection": True,
}
SDXL = {
    **SD2, "block_out_channels": (320, 640, 1280), "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048, "transformer_layers_per_block": (1, 2, 10),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "addition_embed_type": "text_time", "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}  # fmt: skip
CONFIGS = {"sd1": SD1, "sd2": SD2, "sdxl": SDXL}


def _shapes(state: dict[str, Any]) -> Shapes:
    return {name: tuple(one.shape) for name, one in state.items()}


def _network(name: str, **changes: Any) -> Any:
    """A network of the real class and size, without values."""
    import diffusers
    import torch

    with torch.device("meta"):
        return getattr(diffusers, name)(**changes)


@lru_cache(maxsize=32)
def unet(generation: str, prefix: str = "model.diffusion_model.", **changes: Any) -> Shapes:
    return _shapes(original_unet(_network("UNet2DConditionModel", **CONFIGS[generation], **changes), prefix))


@lru_cache(maxsize=8)
def diffusers_unet(generation: str) -> Shapes:
    return _shapes(_network("UNet2DConditionModel", **CONFIGS[generation]).state_dict())


def _vae() -> Any:
    blocks = {"down_block_types": ("DownEncoderBlock2D",) * 4, "up_block_types": ("UpDecoderBlock2D",) * 4}
    return _network(
        "AutoencoderKL",
        **blocks,
        block_out_channels=(128, 256, 512, 512),
        layers_per_block=2,
        latent_channels=4,
    )


@lru_cache(maxsize=4)
def vae(prefix: str = "first_stage_model.") -> Shapes:
    return _shapes(original_vae(_vae(), prefix))


@lru_cache(maxsize=4)
def text(width: int, layers: int, prefix: str, is_open: bool = False) -> Shapes:
    import torch
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    config = CLIPTextConfig(
        vocab_size=49408, hidden_size=width, num_hidden_layers=layers, intermediate_size=4 * width,
        num_attention_heads=width // 64, projection_dim=width,
    )  # fmt: skip
    with torch.device("meta"):
        encoder = (CLIPTextModelWithProjection if is_open else CLIPTextModel)(config)
        return _shapes((open_clip if is_open else original_clip)(encoder, prefix))


TEXTS: dict[str, Callable[[], Shapes]] = {
    "sd1": lambda: text(768, 12, "cond_stage_model.transformer."),
    "sd2": lambda: text(1024, 23, "cond_stage_model.model.", True),
    "sdxl": lambda: {
        **text(768, 12, "conditioner.embedders.0.transformer."),
        **text(1280, 31, "conditioner.embedders.1.model.", True),
    },
}


def whole(generation: str, **changes: Any) -> Shapes:
    return {**unet(generation, **changes), **vae(), **TEXTS[generation]()}


def ema(generation: str) -> Shapes:
    flat = {"model_ema." + "".join(name.split(".")[1:]): one for name, one in unet(generation).items()}
    return {**whole(generation), **flat, "model_ema.decay": ()}


def _layers(generation: str) -> Shapes:
    """The layers of a UNet's attention, by diffusers' names."""
    own = diffusers_unet(generation)
    return {
        name.removesuffix(".weight"): one
        for name, one in own.items()
        if "attn" in name and name.endswith(("to_q.weight", "to_k.weight", "to_v.weight"))
    }


def kohya(generation: str, ends: Callable[[tuple[int, ...]], Shapes]) -> Shapes:
    made: Shapes = {}
    for name, shape in _layers(generation).items():
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
    for name, shape in _layers(generation).items():
        made[f"unet.{name}.lora_A.weight"] = (8, shape[1])
        made[f"unet.{name}.lora_B.weight"] = (shape[0], 8)
    return made


def processors(generation: str) -> Shapes:
    made: Shapes = {}
    for name, shape in _layers(generation).items():
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


def controlnet(generation: str, prefix: str = "control_model.") -> Shapes:
    """By the first ControlNets' names."""
    made = {name: one for name, one in unet(generation, prefix).items() if "output_blocks" not in name}
    hints = {f"{prefix}input_hint_block.{2 * number}.weight": (16, 3, 3, 3) for number in range(8)}
    zeros = {f"{prefix}zero_convs.{number}.0.weight": (320, 320, 1, 1) for number in range(12)}
    return {**made, **hints, **zeros}


def diffusers_controlnet(generation: str) -> Shapes:
    config = {
        key: value for key, value in CONFIGS[generation].items() if not key.startswith(("sample", "up_"))
    }
    return _shapes(_network("ControlNetModel", **config).state_dict())


def t2i_adapter(kind: str = "full_adapter", colours: int = 3) -> Shapes:
    """By diffusers' names."""
    shape = {
        "full_adapter": {"downscale_factor": 8},
        "full_adapter_xl": {"downscale_factor": 16},
        "light_adapter": {"downscale_factor": 8, "channels": (320, 640, 1280), "num_res_blocks": 4},
    }[kind]
    return _shapes(_network("T2IAdapter", adapter_type=kind, in_channels=colours, **shape).state_dict())


def original_t2i_adapter(kind: str = "full_adapter", colours: int = 3) -> Shapes:
    """By the first ones' names: all layers of a full one in a row, two of them a level."""
    made: Shapes = {}
    for name, one in t2i_adapter(kind, colours).items():
        new = name.removeprefix("adapter.")
        if kind == "light_adapter":
            new = new.replace(".resnets.", ".body.")
        else:
            new = re.sub(r"body\.(\d)\.in_conv", lambda found: f"body.{2 * int(found[1])}.in_conv", new)
            new = re.sub(
                r"body\.(\d)\.resnets\.(\d)",
                lambda found: f"body.{2 * int(found[1]) + int(found[2])}",
                new,
            )
        made[new] = one
    return made


def style_adapter() -> Shapes:
    made: Shapes = {"style_embedding": (1, 8, 1024), "proj": (1024, 768), "ln_pre.weight": (1024,)}
    return {**made, **{f"transformer_layes.{layer}.ln_1.weight": (1024,) for layer in range(3)}}


def adapters_fuser() -> Shapes:
    made: Shapes = {"task_embedding": (16, 768), "positional_embedding": (4, 768)}
    for number, width in enumerate((320, 640, 1280, 1280)):
        made[f"spatial_feat_mapping.{number}.1.weight"] = (768, width)
        made[f"spatial_ch_projs.{number}.weight"] = (width, 768)
    return made


def ip_adapter(width: int) -> Shapes:
    made: Shapes = {"image_proj.proj.weight": (4 * width, 1024), "image_proj.norm.weight": (width,)}
    for number in range(1, 32, 2):
        made |= {f"ip_adapter.{number}.to_{part}_ip.weight": (320, width) for part in "kv"}
    return made


def flux() -> Shapes:
    made: Shapes = {}
    for number in range(19):
        made |= {f"double_blocks.{number}.img_attn.qkv.weight": (9216, 3072)}
    return made


def scaled() -> Shapes:
    own = whole("sd1")
    layers = [name for name, one in own.items() if name.startswith("model.") and len(one) == 2]
    return {**own, **{name.replace(".weight", ".scale_weight"): () for name in layers}, "scaled_fp8": (2,)}


def motion() -> Shapes:
    of = "down_blocks.{}.motion_modules.0.temporal_transformer.norm.weight"
    return {of.format(number): (320,) for number in range(4)}


# name -> tensors, kind of numbers, metadata; and what is found: kind, generation, and what else
MADE_UP: dict[str, tuple[Callable[[], Shapes], str, dict[str, str], dict[str, Any]]] = {
    "sd1 fp16": (partial(whole, "sd1"), "F16", {}, {
        "kind": "checkpoint", "generation": "sd1", "job": "text", "precision": "float16",
        "prediction": "epsilon", "missing": (), "ema": False}),
    "sd1 fp32": (partial(whole, "sd1"), "F32", {}, {"kind": "checkpoint", "precision": "float32"}),
    "sd1 bf16": (partial(whole, "sd1"), "BF16", {}, {"kind": "checkpoint", "precision": "bfloat16"}),
    "sd1 fp8": (partial(whole, "sd1"), "F8_E4M3", {}, {"precision": "fp8", "is_scaled": False}),
    "sd1 scaled fp8": (scaled, "F8_E4M3", {}, {"kind": "checkpoint", "is_scaled": True}),
    "sd1 ema": (partial(ema, "sd1"), "F32", {}, {"kind": "checkpoint", "ema": True, "missing": ()}),
    "sd1 without vae": (lambda: {**unet("sd1"), **TEXTS["sd1"]()}, "F16", {}, {
        "kind": "checkpoint", "missing": ("VAE",)}),
    "sd1 without text": (lambda: {**unet("sd1"), **vae()}, "F16", {}, {
        "kind": "checkpoint", "missing": ("text encoder",)}),
    "sd1 inpainting": (partial(whole, "sd1", in_channels=9), "F16", {}, {"job": "inpainting"}),
    "sd1 pix2pix": (partial(whole, "sd1", in_channels=8), "F16", {}, {"job": "editing"}),
    "sd1 v-prediction key": (lambda: {**whole("sd1"), "v_pred": (), "ztsnr": ()}, "F16", {}, {
        "prediction": "v_prediction", "zero_snr": True}),
    "sd1 lcm": (partial(whole, "sd1", time_cond_proj_dim=256), "F16", {}, {"is_lcm": True}),
    "sd2": (partial(whole, "sd2"), "F16", {}, {
        "kind": "checkpoint", "generation": "sd2", "prediction": None, "missing": ()}),
    "sd2 v told": (partial(whole, "sd2"), "F16", {"modelspec.prediction_type": "v"}, {
        "prediction": "v_prediction"}),
    "sd2 epsilon told": (partial(whole, "sd2"), "F16", {"modelspec.prediction_type": "epsilon"}, {
        "prediction": "epsilon"}),
    "sd2 inpainting": (partial(whole, "sd2", in_channels=9), "F16", {}, {
        "job": "inpainting", "generation": "sd2"}),
    "sdxl": (partial(whole, "sdxl"), "F16", {}, {
        "kind": "checkpoint", "generation": "sdxl", "job": "text", "missing": ()}),
    "sdxl v-prediction": (lambda: {**whole("sdxl"), "v_pred": (), "ztsnr": ()}, "F16", {}, {
        "generation": "sdxl", "prediction": "v_prediction", "zero_snr": True}),
    "sdxl inpainting": (partial(whole, "sdxl", in_channels=9), "F16", {}, {"job": "inpainting"}),
    "unet sd1": (partial(unet, "sd1"), "F16", {}, {"kind": "unet", "generation": "sd1"}),
    "unet sd1 bare": (partial(unet, "sd1", ""), "F16", {}, {
        "kind": "unet", "generation": "sd1", "layout": "original"}),
    "unet sd1 diffusers": (partial(diffusers_unet, "sd1"), "F16", {}, {
        "kind": "unet", "generation": "sd1", "layout": "diffusers"}),
    "unet sdxl diffusers": (partial(diffusers_unet, "sdxl"), "F16", {}, {
        "kind": "unet", "generation": "sdxl"}),
    "vae": (partial(vae, ""), "F32", {}, {"kind": "vae", "generation": None, "layout": "original"}),
    "vae prefixed": (vae, "F32", {}, {"kind": "vae", "layout": "original"}),
    "vae diffusers": (lambda: _shapes(_vae().state_dict()), "F32", {}, {
        "kind": "vae", "layout": "diffusers"}),
    "vae told": (partial(vae, ""), "F32", {"modelspec.architecture": "stable-diffusion-xl-v1-base/vae"}, {
        "kind": "vae", "generation": "sdxl"}),
    "taesd": (lambda: {"decoder.layers.0.weight": (64, 4, 3, 3), "encoder.layers.0.weight": (64, 3, 3, 3)},
        "F16", {}, {"kind": "vae", "other": "TAESD's kind"}),
    "lora kohya sd1": (partial(kohya, "sd1", lora_ends), "F16", {}, {"kind": "lora", "generation": "sd1"}),
    "lora kohya sd2": (partial(kohya, "sd2", lora_ends), "F16", {}, {"kind": "lora", "generation": "sd2"}),
    "lora kohya sdxl": (sdxl_text_lora, "F16", {}, {"kind": "lora", "generation": "sdxl"}),
    "lora peft": (partial(peft, "sd1"), "F16", {}, {"kind": "lora", "generation": "sd1"}),
    "lora diffusers": (partial(processors, "sd1"), "F16", {}, {"kind": "lora", "generation": "sd1"}),
    "loha": (partial(kohya, "sd1", hada_ends), "F16", {"ss_base_model_version": "sd_v1"}, {
        "kind": "lora", "generation": "sd1"}),
    "lokr": (partial(kohya, "sd1", lokr_ends), "F16", {}, {"kind": "lora"}),
    "lora whole differences": (partial(kohya, "sd1", lambda shape: {"diff": shape}), "F16", {}, {
        "kind": "lora"}),
    "lora flux": (lambda: {f"transformer.blocks.{number}.attn.to_q.lora_A.weight": (16, 3072)
        for number in range(9)}, "F16", {}, {"kind": "lora", "generation": None}),
    "embedding sd1": (lambda: {"emb_params": (4, 768)}, "F32", {}, {
        "kind": "embedding", "generation": "sd1"}),
    "embedding sd2": (lambda: {"emb_params": (4, 1024)}, "F32", {}, {
        "kind": "embedding", "generation": "sd2"}),
    "embedding diffusers": (lambda: {"<cat-toy>": (768,)}, "F32", {}, {
        "kind": "embedding", "generation": "sd1"}),
    "embedding sdxl": (lambda: {"clip_l": (8, 768), "clip_g": (8, 1280)}, "F32", {}, {
        "kind": "embedding", "generation": "sdxl"}),
    "controlnet sd1": (partial(controlnet, "sd1"), "F16", {}, {"kind": "controlnet", "generation": "sd1"}),
    "controlnet with model": (lambda: {**whole("sd1"), **controlnet("sd1")}, "F16", {}, {
        "kind": "controlnet", "generation": "sd1"}),
    "controlnet diffusers sd1": (partial(diffusers_controlnet, "sd1"), "F16", {}, {
        "kind": "controlnet", "generation": "sd1"}),
    "controlnet diffusers sdxl": (partial(diffusers_controlnet, "sdxl"), "F16", {}, {
        "kind": "controlnet", "generation": "sdxl"}),
    "control-lora": (lambda: {"lora_controlnet": (), **{f"input_blocks.{number}.1.proj_in.up": (320, 128)
        for number in range(4)}}, "F16", {}, {"kind": "control-lora"}),
    "t2i-adapter": (t2i_adapter, "F16", {}, {
        "kind": "t2i-adapter", "generation": "sd1", "layout": "diffusers"}),
    "t2i-adapter original": (original_t2i_adapter, "F16", {}, {
        "kind": "t2i-adapter", "generation": "sd1", "layout": "original"}),
    "t2i-adapter grey": (partial(original_t2i_adapter, colours=1), "F16", {}, {
        "kind": "t2i-adapter", "generation": "sd1"}),
    "t2i-adapter light": (partial(original_t2i_adapter, "light_adapter"), "F16", {}, {
        "kind": "t2i-adapter", "generation": "sd1", "layout": "original"}),
    "t2i-adapter old.pth": (original_t2i_adapter, "F16", {}, {"kind": "t2i-adapter", "generation": "sd1"}),
    "t2i-adapter sdxl": (partial(t2i_adapter, "full_adapter_xl"), "F16", {}, {
        "kind": "t2i-adapter", "generation": "sdxl", "layout": "diffusers"}),
    "t2i-adapter sdxl original": (partial(original_t2i_adapter, "full_adapter_xl", 1), "F16", {}, {
        "kind": "t2i-adapter", "generation": "sdxl", "layout": "original"}),
    "t2i-adapter for styles": (style_adapter, "F16", {}, {"kind": "t2i-style"}),
    "t2i-adapters' fuser": (adapters_fuser, "F16", {}, {"kind": "t2i-fuser"}),
    "ip-adapter sd1": (partial(ip_adapter, 768), "F16", {}, {"kind": "ip-adapter", "generation": "sd1"}),
    "ip-adapter sdxl": (partial(ip_adapter, 2048), "F16", {}, {"kind": "ip-adapter", "generation": "sdxl"}),
    "motion module": (motion, "F16", {}, {"kind": "motion"}),
    "text encoder": (lambda: text(768, 12, ""), "F16", {}, {"kind": "text"}),
    "upscaler": (lambda: {"model.0.weight": (64, 3, 3, 3), "model.1.sub.0.RDB1.weight": (32, 64, 3, 3)},
        "F32", {}, {"kind": "upscaler"}),
    "flux": (flux, "BF16", {}, {"kind": "unet", "generation": None, "other": "Flux"}),
    "something else": (lambda: {"encoder.layer.0.attention.self.query.weight": (768, 768),
        "embeddings.word_embeddings.weight": (30522, 768)}, "F32", {}, {"kind": "unknown"}),
}  # fmt: skip


def write_made_up(path: Path, shapes: Shapes, dtype: str, metadata: dict[str, str]) -> Path:
    """A .safetensors file with these tensors, all zeros, none of which is on the disk."""
    held: dict[str, Any] = {"__metadata__": metadata} if metadata else {}
    end = 0
    for name, shape in shapes.items():
        begin, end = end, end + math.prod(shape) * BYTES[dtype]
        held[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    header = json.dumps(held).encode()
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(8 + len(header) + end)
    return path


def write_pickled(path: Path, shapes: Shapes) -> Path:
    """A file of torch's with these tensors, all zeros in float16, which share what the largest one takes."""
    import torch

    zeros = torch.zeros(max(map(math.prod, shapes.values())), dtype=torch.float16)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({name: zeros[: math.prod(shape)].view(shape) for name, shape in shapes.items()}, path)
    return path


def file_name(name: str) -> str:
    """What a file of this name in MADE_UP is called."""
    return name if name.endswith(".pth") else f"{name}.safetensors"


def write_all(folder: Path) -> dict[str, Path]:
    """All of MADE_UP, by name."""
    return {
        name: write_pickled(folder / name, shapes())
        if name.endswith(".pth")
        else write_made_up(folder / file_name(name), shapes(), dtype, metadata)
        for name, (shapes, dtype, metadata, _) in MADE_UP.items()
    }
