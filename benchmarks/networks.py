"""The networks measured: the miniature, and random ones of real shapes (Stable Diffusion 1.5's, its peers')
and smaller."""

import warnings
from typing import Any

import diffusers
import torch
import transformers
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    UNet2DConditionModel,
    UNet3DConditionModel,
    UNetMotionModel,
)
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.weights.load import load_pipeline

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
SD15 = "Stable Diffusion 1.5's shape"
TINY = "tiny random network"
SDXL, TINY_XL = "Stable Diffusion XL's shape", "tiny random network of XL's kind"
SILENT = "network without arithmetic"
ANIMATEDIFF, MODELSCOPE = "AnimateDiff's UNetMotionModel", "ModelScope's UNet3DConditionModel"
TINY_ANIMATEDIFF, TINY_MODELSCOPE = f"tiny {ANIMATEDIFF}", f"tiny {MODELSCOPE}"


class SilentUNet(UNet2DConditionModel):
    """Answers at once that there is no noise: to count the calls that a pipeline makes."""

    def forward(self, sample: torch.Tensor, *_: object, **__: object) -> UNet2DConditionOutput:
        return UNet2DConditionOutput(sample=torch.zeros_like(sample))


SMALL = {
    "sample_size": 8,
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
    "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
    "layers_per_block": 1,
    "cross_attention_dim": 16,
    "attention_head_dim": 2,
    "norm_num_groups": 4,
}
XL = {
    "sample_size": 128,
    "block_out_channels": (320, 640, 1280),
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
    "transformer_layers_per_block": (1, 2, 10),
    "attention_head_dim": (5, 10, 20),
    "cross_attention_dim": 2048,
    "use_linear_projection": True,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 256,
    "projection_class_embeddings_input_dim": 2816,
}
SMALL_XL = {
    **SMALL,
    "cross_attention_dim": 32,
    "addition_embed_type": "text_time",
    "addition_time_embed_dim": 4,
    "projection_class_embeddings_input_dim": 6 * 4 + 16,
}
SMALL_MOTION = {
    "block_out_channels": (8, 16),
    "down_block_types": ("CrossAttnDownBlockMotion", "DownBlockMotion"),
    "up_block_types": ("UpBlockMotion", "CrossAttnUpBlockMotion"),
    "layers_per_block": 1,
    "cross_attention_dim": 16,
    "num_attention_heads": 2,
    "motion_num_attention_heads": 2,
    "norm_num_groups": 4,
}
SMALL_3D = {
    "block_out_channels": (32, 32),  # its layers over time norm 32 groups, whatever is asked for
    "down_block_types": ("CrossAttnDownBlock3D", "DownBlock3D"),
    "up_block_types": ("UpBlock3D", "CrossAttnUpBlock3D"),
    "layers_per_block": 1,
    "cross_attention_dim": 16,
    "attention_head_dim": 8,
}
UNETS = {
    SD15: (UNet2DConditionModel, {"sample_size": 64, "cross_attention_dim": 768, "attention_head_dim": 8}),
    TINY: (UNet2DConditionModel, SMALL),
    SDXL: (UNet2DConditionModel, XL),
    TINY_XL: (UNet2DConditionModel, SMALL_XL),
    SILENT: (SilentUNet, SMALL),
    # Stable Diffusion 1.5 with the layers over time that the adapter v1-5-2 brings
    ANIMATEDIFF: (UNetMotionModel, {"sample_size": 64, "cross_attention_dim": 768}),
    # text-to-video-ms-1.7b's: the class's own numbers
    MODELSCOPE: (UNet3DConditionModel, {"sample_size": 32}),
    TINY_ANIMATEDIFF: (UNetMotionModel, SMALL_MOTION),
    TINY_MODELSCOPE: (UNet3DConditionModel, SMALL_3D),
}
SMALL_TEXT = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
TEXTS = {
    SD15: {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12},
    TINY: SMALL_TEXT,
    SILENT: SMALL_TEXT,
}


def load(network: str, device: str, dtype: str) -> TextToVideoPipeline:
    """One of UNETS with random weights, the same at every call; or "miniature", a folder, a hub id."""
    quiet()
    torch.set_flush_denormal(True)  # random weights bring numbers so small that the CPU becomes slow on them
    if network not in UNETS:
        return load_pipeline(network, device, DTYPES[dtype])
    text = CLIPTextConfig(vocab_size=49408, max_position_embeddings=77, **TEXTS[network])
    torch.manual_seed(0)
    pipeline = TextToVideoPipeline(
        vae=small_vae().to(DTYPES[dtype]).eval(),
        text_encoder=CLIPTextModel(text).to(DTYPES[dtype]).eval(),
        tokenizer=letters_tokenizer(),
        unet=random_unet(network, device, DTYPES[dtype]),
        scheduler=DDIMScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            steps_offset=1,
            clip_sample=False,
            set_alpha_to_one=False,
        ),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def quiet() -> None:
    """The peer tells of its deprecation at every call, and loading draws progress bars."""
    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.disable_progress_bar()
    warnings.filterwarnings("ignore", message="torch.meshgrid|Default grid_sample")


def shape_only(network: str) -> Any:
    """The network on the meta device: it has shapes and no numbers, so its arithmetic can be counted."""
    kind, shape = UNETS[network]
    with torch.device("meta"):
        return kind(**shape).eval()


def random_unet(network: str, device: str, dtype: torch.dtype) -> Any:
    """Filled in place in its final precision: the usual way takes 4 bytes a weight and half a minute."""
    unet = shape_only(network).to(dtype).to_empty(device=device)
    unet.requires_grad_(False)
    for name, weight in unet.named_parameters():
        if weight.ndim > 1:
            weight.normal_(std=weight[0].numel() ** -0.5)
        else:
            weight.fill_(1.0 if name.endswith("weight") else 0.0)
    for numbers in unet.buffers():  # frames' positions, as random as the rest
        numbers.normal_()
    return unet


def small_vae() -> AutoencoderKL:
    """For its 8 pixels a cell: with random weights the decoder is left out of the measurement."""
    return AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
    )


def letters_tokenizer() -> CLIPTokenizer:
    """77 tokens, as Stable Diffusion's, that spells every word; it needs no files."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    return CLIPTokenizer(vocab={name: i for i, name in enumerate(names)}, merges=[], model_max_length=77)
