"""Whether the networks of a model, or of a ControlNet, are of the kind that is drawn with here.

diffusers' classes can be configured in many more ways; in some a network wants inputs that nobody gives it,
and would end a run midway. Each is refused when it is loaded.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from diffusers import T2IAdapter
from transformers import CLIPTokenizer

from t2v.diffusion.controls import ControlNet
from t2v.diffusion.options import own_cells
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.adapter_fits import check_adapter_fits
from t2v.weights.guides import build_of, generally, refuse_another
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source

SHARED = ("cross_attention_dim", "block_out_channels", "layers_per_block")  # of a ControlNet and its UNet
FURTHER_INPUTS = (
    "class_embed_type",
    "num_class_embeds",
    "addition_embed_type",
    "encoder_hid_dim",
    "encoder_hid_dim_type",
)
OTHER_ATTENTION = ("only_cross_attention", "dual_cross_attention")
PICTURE_CHANNELS = 3
BESIDE = "addition_embed_type"  # what tells that a network is told something beside its text
SIX = 6  # numbers: the picture's size, what was cut off of it, and the size it is drawn in


def check_parts(name: str, pipeline: VideoPipeline, editor: bool) -> None:
    """ModelError where a model's networks do not fit one another or want what is not given them here."""
    unet, vae = pipeline.unet.config, pipeline.vae.config
    _check_channels(name, pipeline, editor)
    second = getattr(pipeline, "text_encoder_2", None)
    _check_inputs(f"model {name}", "UNet", unet, second)
    encoders = [pipeline.text_encoder, *([] if second is None else [second])]
    width = sum(one.config.hidden_size for one in encoders)
    if _widths(unet["cross_attention_dim"]) != {width}:
        reads = _plain(unet["cross_attention_dim"])
        texts = "text encoders that write it" if second is not None else "a text encoder that writes it"
        raise ModelError(
            f"model {name} has a UNet that reads text {reads} wide (cross_attention_dim), and "
            f"{texts} {width} wide; choose a model whose parts belong together."
        )
    if unet["out_channels"] != vae["latent_channels"]:
        raise ModelError(
            f"model {name} has a UNet that gives {unet['out_channels']} channels, not the "
            f"{vae['latent_channels']} of its VAE; choose a text-to-image model."
        )
    scale = vae["scaling_factor"]
    if not isinstance(scale, (int, float)) or not math.isfinite(scale) or scale <= 0:
        raise ModelError(f"model {name} has the scaling_factor {scale!r}, no number above 0; fetch it again.")
    if (vae["in_channels"], vae["out_channels"]) != (PICTURE_CHANNELS, PICTURE_CHANNELS):
        raise ModelError(f"model {name} has a VAE of other pictures than RGB; choose another.")
    try:
        own_cells(unet["sample_size"])
    except ValueError as error:
        raise ModelError(f"model {name} has a UNet whose {error}; fetch it again.") from error
    if vae.get("latents_mean") is not None:
        raise ModelError(
            f"model {name} has a VAE whose latents are shifted (latents_mean), which is not done here; "
            "choose another VAE or model."
        )
    for tokenizer, encoder in zip(_tokenizers(pipeline), encoders, strict=True):
        _check_words(name, tokenizer, encoder.config)


def check_fits(
    source: str,
    network: ControlNet,
    model: str,
    pipeline: VideoPipeline,
    instead: Callable[[], str] = generally,
) -> None:
    """ModelError where a ControlNet was made for another kind of model, or wants what it is not given.

    instead: what to choose then, the rest of a sentence.
    """
    made_for = build_of(network.config, is_bundled=Source.parse(source).is_bundled)
    own = build_of(pipeline.unet.config, is_bundled=Source.parse(model).is_bundled)
    refuse_another(source, made_for, own, instead)
    if isinstance(network, T2IAdapter):
        check_adapter_fits(source, network, model, pipeline)
        return
    for name in SHARED:
        has, wanted = (_plain(each.config[name]) for each in (network, pipeline.unet))
        if has != wanted:
            raise ModelError(
                f"controlnet {source} does not fit model {model}: its {name} is {has}, the model's {wanted}; "
                "choose a ControlNet made for this kind of model."
            )
    _check_inputs(
        f"controlnet {source}", "network", network.config, getattr(pipeline, "text_encoder_2", None)
    )
    halved = 2 ** (len(network.config["conditioning_embedding_out_channels"]) - 1)
    for what, has, wanted in (
        ("latent channels", network.config["in_channels"], pipeline.vae.config.latent_channels),
        ("channels of its pictures", network.config["conditioning_channels"], PICTURE_CHANNELS),
        ("pixels a latent cell", halved, pipeline.cell_px),
    ):
        if has != wanted:
            raise ModelError(
                f"controlnet {source} does not fit model {model}, as it is made for other {what} ({has}, not "
                f"{wanted}); choose a ControlNet made for this kind of model."
            )


def _check_channels(source: str, pipeline: VideoPipeline, editor: bool) -> None:
    latent, taken = pipeline.vae.config.latent_channels, pipeline.unet.config.in_channels
    if editor and taken != 2 * latent:
        raise ModelError(
            f"model {source} cannot edit, as its UNet sees no picture; choose an InstructPix2Pix model such "
            "as timbrooks/instruct-pix2pix."
        )
    if not editor and taken != latent:
        raise ModelError(
            f"model {source} is made for editing or inpainting (its UNet takes {taken} channels, not "
            f"{latent}); choose a text-to-image model."
        )


def _check_inputs(owner: str, what: str, config: Mapping[str, Any], second: Any | None) -> None:
    """second: the text encoder that tells a text as a whole; None where the model has none."""
    further = [name for name in FURTHER_INPUTS if config.get(name) is not None]
    if second is not None:
        _check_told(owner, what, config, second.config.projection_dim)
        further.remove(BESIDE)
    if further:
        raise ModelError(
            f"{owner} has a {what} with a further input ({further[0]}), which nothing gives it here; choose "
            "a plain one."
        )
    other = [name for name in OTHER_ATTENTION if _any(config.get(name))]
    if other:
        raise ModelError(
            f"{owner} has a {what} with {other[0]}, which does not fit here; choose a plain one."
        )


def _check_told(owner: str, what: str, config: Mapping[str, Any], width: int) -> None:
    """ModelError for a network that is not told beside the text what Stable Diffusion XL is.

    width: of the text as a whole.
    """
    if config.get(BESIDE) != "text_time":
        told = "the text as a whole and the picture's size beside the text"
        raise ModelError(f"{owner} has a {what} that is not told {told}; choose one for Stable Diffusion XL.")
    reads = config.get("projection_class_embeddings_input_dim")
    given = SIX * (config.get("addition_time_embed_dim") or 0) + width
    if reads != given:
        raise ModelError(
            f"{owner} has a {what} that is told {reads} numbers beside the text, where there are {given} of "
            "them; choose a model whose parts belong together."
        )


def _check_words(name: str, tokenizer: CLIPTokenizer, encoder: Any) -> None:
    """Numbers of words, or more words than the encoder has places for, would end the program on a GPU."""
    places, longest = encoder.max_position_embeddings, tokenizer.model_max_length
    if not 2 < longest <= places:
        raise ModelError(
            f"model {name} has a tokenizer of texts of {longest:.4g} places, and a text encoder of "
            f"{places}; choose a model whose parts belong together."
        )
    added = tokenizer.added_tokens_encoder
    known = [number for word, number in tokenizer.get_vocab().items() if word not in added]
    marks = tokenizer("", padding="max_length", max_length=longest).input_ids
    most = max((*known, *marks))
    if most >= encoder.vocab_size:
        raise ModelError(
            f"model {name} has a tokenizer of {most + 1} words, and a text encoder of {encoder.vocab_size}; "
            "choose a model whose parts belong together."
        )


def _tokenizers(pipeline: VideoPipeline) -> list[CLIPTokenizer]:
    second = getattr(pipeline, "tokenizer_2", None)
    return [pipeline.tokenizer, *([] if second is None else [second])]


def _widths(value: object) -> set[object]:
    return set(value) if isinstance(value, (list, tuple)) else {value}


def _any(value: object) -> bool:
    return any(value) if isinstance(value, (list, tuple)) else bool(value)


def _plain(value: object) -> object:
    return tuple(value) if isinstance(value, (list, tuple)) else value
