"""IP-Adapters of every kind and their image encoder, as small random models of the real classes make them."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

from t2v.diffusion.attention import text_attention_layers

WHOLE, PARTS = 12, 32  # how wide what the image encoder makes of a picture, and of its parts, is
TOKENS = 4


def a_picture(seed: int = 0, side: int = 40) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side + 9, 3), np.uint8)


def save_image_encoder(folder: Path, whole: int = WHOLE, parts: int = PARTS) -> Path:
    torch.manual_seed(5)
    config = CLIPVisionConfig(
        hidden_size=parts,
        projection_dim=whole,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        image_size=32,
        patch_size=8,
    )
    CLIPVisionModelWithProjection(config).save_pretrained(folder)
    return folder


def adapter_state(unet: Any, kind: str = "plain", seed: int = 7) -> dict[str, dict[str, torch.Tensor]]:
    """As the trainers' own files have it. kind: "plain", "plus" or "full". It acts, as if trained."""
    made = torch.Generator().manual_seed(seed)
    width = unet.config.cross_attention_dim

    def some(*shape: int, std: float = 0.3) -> torch.Tensor:
        return torch.randn(*shape, generator=made) * std

    layers = text_attention_layers(unet)
    listed = [name.removesuffix(".processor") for name in unet.attn_processors]
    own: dict[str, torch.Tensor] = {}
    for number, name in enumerate(one for one in listed if one in layers):
        for part in ("k", "v"):
            shape = layers[name].to_k.weight.shape
            own[f"{2 * number + 1}.to_{part}_ip.weight"] = some(*shape)
    norm = {"norm.weight": torch.ones(width), "norm.bias": some(width)}
    projections = {
        "plain": {"proj.weight": some(TOKENS * width, WHOLE), "proj.bias": some(TOKENS * width), **norm},
        "full": {
            "proj.0.weight": some(PARTS, PARTS),
            "proj.0.bias": some(PARTS),
            "proj.2.weight": some(width, PARTS),
            "proj.2.bias": some(width),
            "proj.3.weight": torch.ones(width),
            "proj.3.bias": some(width),
        },
        "plus": _resampler(some, width),
    }
    return {"image_proj": projections[kind], "ip_adapter": own}


def _resampler(some: Any, width: int, hidden: int = 16, inner: int = 64, depth: int = 4) -> dict[str, Any]:
    state = {
        "latents": some(1, 6, hidden),
        "proj_in.weight": some(hidden, PARTS),
        "proj_in.bias": some(hidden),
        "proj_out.weight": some(width, hidden),
        "proj_out.bias": some(width),
        "norm_out.weight": torch.ones(width),
        "norm_out.bias": some(width),
    }
    for layer in range(depth):
        at = f"layers.{layer}"
        for norm in (f"{at}.0.norm1", f"{at}.0.norm2", f"{at}.1.0"):
            state |= {f"{norm}.weight": torch.ones(hidden), f"{norm}.bias": some(hidden)}
        state |= {
            f"{at}.0.to_q.weight": some(inner, hidden),
            f"{at}.0.to_kv.weight": some(2 * inner, hidden),
            f"{at}.0.to_out.weight": some(hidden, inner),
            f"{at}.1.1.weight": some(4 * hidden, hidden),
            f"{at}.1.3.weight": some(hidden, 4 * hidden),
        }
    return state


def save_adapter(path: Path, state: dict[str, dict[str, torch.Tensor]]) -> Path:
    """As .safetensors, or as a pickle of both parts."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".safetensors":
        flat = {f"{part}.{name}": one for part, held in state.items() for name, one in held.items()}
        save_file({name: one.contiguous() for name, one in flat.items()}, path)
    else:
        torch.save(state, path)
    return path


def save_with_encoder(folder: Path, unet: Any, kind: str = "plain", name: str = "ip.safetensors") -> Path:
    save_image_encoder(folder / "image_encoder")
    return save_adapter(folder / name, adapter_state(unet, kind))
