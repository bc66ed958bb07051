"""IP-Adapters in use: a picture becomes the keys and values that a UNet attends to beside the text.

All of it is computed on the processor in float32, once a picture: the device has nothing more to hold than
those few keys, whichever profile keeps the weights, and the same picture comes of it everywhere.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from PIL import Image
from transformers import CLIPImageProcessorPil, CLIPVisionModelWithProjection

from t2v.diffusion.attention import text_attention_layers
from t2v.diffusion.picture_prompt import PicturePrompt
from t2v.diffusion.progress import Cancelled
from t2v.weights.files import files_of
from t2v.weights.network import Place, load_network
from t2v.weights.picture_adapters import PictureAdapter
from t2v.weights.refusals import ModelError, log_failure, reason
from t2v.weights.single_file.values import Values
from t2v.weights.source import CONFIG

PROJECTION = "image_proj."
Layers = Mapping[str, tuple[torch.Tensor, torch.Tensor]]


@torch.inference_mode()
def picture_layers(adapter: PictureAdapter, unet: Any, picture: np.ndarray) -> Layers:
    """What ``PicturePrompt.layers`` are, for this UNet and a picture, uint8 RGB (h, w, 3).

    ModelError where the adapter or its image encoder is broken, or was made for another network.
    """
    try:
        values = Values(adapter.path)
        weights = _weights(adapter, values, unet)
        projection = _projection(values, unet)
        tokens = projection(_encoded(adapter, picture))
        layers = {
            name: (tokens @ values[key].float().T, tokens @ values[value].float().T)
            for name, (key, value) in weights.items()
        }
        if not all(bool(one.isfinite().all()) for pair in layers.values() for one in pair):
            raise ModelError(
                f"ip_adapter {adapter.name}, or its image encoder, holds weights that are no numbers (NaN), "
                "so nothing can be drawn with it; fetch it again or choose another."
            )
        return layers
    except (ModelError, Cancelled):
        raise
    except Exception as error:
        log_failure(f"loading {adapter.name}", error)
        raise ModelError(
            f"ip_adapter {adapter.name} is broken and cannot be loaded ({reason(error)}); fetch it again or "
            "choose another."
        ) from error


def picture_prompt(adapter: PictureAdapter, unet: Any, picture: np.ndarray, strength: float) -> PicturePrompt:
    """A picture, uint8 RGB (h, w, 3), as a pipeline is given it: ``pipeline.picture = picture_prompt(...)``.

    unet: the pipeline's. strength: 0..1. Raises as ``picture_layers``.
    """
    return PicturePrompt(picture_layers(adapter, unet, picture), strength)


def _weights(adapter: PictureAdapter, values: Values, unet: Any) -> dict[str, tuple[str, str]]:
    """Text attention layer -> names of its tensors in the file, which are numbered as diffusers lists them.

    ModelError where the layers are others than those of this UNet.
    """
    layers = text_attention_layers(unet)
    listed = [name.removesuffix(".processor") for name in unet.attn_processors]
    names = {}
    for number, name in enumerate(one for one in listed if one in layers):
        pair = [f"ip_adapter.{2 * number + 1}.to_{part}_ip.weight" for part in "kv"]
        wanted = [layers[name].to_k.weight.shape, layers[name].to_v.weight.shape]
        if [values[one].shape if one in values else None for one in pair] != wanted:
            told = "does not fit the model, as it was made for another network"
            raise ModelError(f"ip_adapter {adapter.name} {told}; choose one made for this kind of model.")
        names[name] = (pair[0], pair[1])
    return names


def _projection(values: Values, unet: Any) -> torch.nn.Module:
    """What makes tokens, as wide as text, of what an image encoder gives; diffusers tells its kind."""
    state = {
        name.removeprefix(PROJECTION): values[name].float() for name in values if name.startswith(PROJECTION)
    }
    made: torch.nn.Module = unet._convert_ip_adapter_image_proj_to_diffusers(state, low_cpu_mem_usage=False)
    return made.float().eval()


def _encoded(adapter: PictureAdapter, picture: np.ndarray) -> torch.Tensor:
    """What the adapter reads: (2 c) or (2 n c), of no picture and of this one."""
    at = Place(
        f"the image encoder of ip_adapter {adapter.name}",
        str(adapter.encoder),
        "",
        tuple(files_of(str(adapter.encoder), True, CONFIG)),
        True,
    )
    encoder: Any = load_network(CLIPVisionModelWithProjection, at, "cpu", torch.float32)
    side = encoder.config.image_size
    process = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    pixels = process(Image.fromarray(picture), return_tensors="pt").pixel_values.float()
    if adapter.reads_whole:
        whole: torch.Tensor = encoder(pixels).image_embeds
        return torch.cat([torch.zeros_like(whole), whole])
    both = torch.cat([torch.zeros_like(pixels), pixels])
    parts: torch.Tensor = encoder(both, output_hidden_states=True).hidden_states[-2]
    return parts
