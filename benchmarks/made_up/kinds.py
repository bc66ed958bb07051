"""Every kind of file that people have: how one is made, and what is to be found in it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from benchmarks.made_up.adapters import (
    adapters_fuser,
    controlnet,
    diffusers_controlnet,
    ip_adapter,
    original_t2i_adapter,
    style_adapter,
    t2i_adapter,
)
from benchmarks.made_up.loras import hada_ends, kohya, lokr_ends, lora_ends, peft, processors, sdxl_text_lora
from benchmarks.made_up.models import (
    TEXTS,
    Shapes,
    diffusers_unet,
    ema,
    flux,
    motion,
    scaled,
    shapes_of,
    text,
    unet,
    vae,
    vae_network,
    whole,
)

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
    "vae diffusers": (lambda: shapes_of(vae_network().state_dict()), "F32", {}, {
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
