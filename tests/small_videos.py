"""Trained video models of some thousand random weights, with the real classes, in diffusers' format."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from conftest import small_tokenizer
from diffusers import (
    AutoencoderKL,
    AutoencoderKLCogVideoX,
    AutoencoderKLWan,
    CogVideoXDDIMScheduler,
    CogVideoXDPMScheduler,
    CogVideoXPipeline,
    CogVideoXTransformer3DModel,
    DDIMScheduler,
    DiffusionPipeline,
    TextToVideoSDPipeline,
    UNet3DConditionModel,
    UniPCMultistepScheduler,
    WanPipeline,
    WanTransformer3DModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    T5Config,
    T5EncoderModel,
    T5TokenizerFast,
    UMT5Config,
    UMT5EncoderModel,
)

WORDS = ("a", "red", "blue", "car", "dog", "on", "street", "blurry")
PIECES = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
PIECES += [(f"▁{word}", -2.0 - 0.1 * number) for number, word in enumerate(WORDS)]
TEXT_SIZES = {
    "vocab_size": 32,
    "d_model": 16,
    "d_kv": 4,
    "d_ff": 32,
    "num_layers": 1,
    "num_heads": 4,
    "feed_forward_proj": "gated-gelu",
}


def small_t5_tokenizer() -> T5TokenizerFast:
    """T5's kind of tokenizer, of a few words and the letters that spell all others."""
    return T5TokenizerFast(vocab=PIECES, extra_ids=0, model_max_length=226)


def small_modelscope() -> TextToVideoSDPipeline:
    """ModelScope's text-to-video: frames of 64 pixels."""
    torch.manual_seed(0)
    text = CLIPTextConfig(
        vocab_size=54,
        hidden_size=16,
        intermediate_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        max_position_embeddings=16,
        bos_token_id=0,
        eos_token_id=1,
        pad_token_id=1,
    )
    unet = UNet3DConditionModel(
        sample_size=8,
        block_out_channels=(8, 16),
        down_block_types=("CrossAttnDownBlock3D", "DownBlock3D"),
        up_block_types=("UpBlock3D", "CrossAttnUpBlock3D"),
        layers_per_block=1,
        cross_attention_dim=16,
        attention_head_dim=4,
        norm_num_groups=2,
    )
    vae = AutoencoderKL(
        block_out_channels=(4, 4, 4, 4),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
    )
    schedule = {"beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
    scheduler = DDIMScheduler(**schedule, clip_sample=False, set_alpha_to_one=False, steps_offset=1)
    return _quiet(TextToVideoSDPipeline(vae, CLIPTextModel(text), small_tokenizer(), unet, scheduler))


def small_cogvideox(newer: bool = False) -> CogVideoXPipeline:
    """CogVideoX: nine frames of 96x64 pixels. newer: of 1.5's kind, which groups latent frames in pairs."""
    torch.manual_seed(0)
    transformer = CogVideoXTransformer3DModel(
        num_attention_heads=2,
        attention_head_dim=16 if newer else 8,
        in_channels=4,
        out_channels=4,
        time_embed_dim=4,
        text_embed_dim=16,
        num_layers=1,
        sample_width=12,
        sample_height=8,
        sample_frames=9,
        patch_size=2,
        patch_size_t=2 if newer else None,
        temporal_compression_ratio=4,
        max_text_seq_length=226,
        use_rotary_positional_embeddings=newer,
        patch_bias=not newer,
    )
    vae = AutoencoderKLCogVideoX(
        down_block_types=("CogVideoXDownBlock3D",) * 4,
        up_block_types=("CogVideoXUpBlock3D",) * 4,
        block_out_channels=(4, 4, 4, 4),
        latent_channels=4,
        layers_per_block=1,
        norm_num_groups=2,
        temporal_compression_ratio=4,
    )
    schedule = {"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}
    scheduler: Any = CogVideoXDPMScheduler if newer else CogVideoXDDIMScheduler
    text = T5EncoderModel(T5Config(**TEXT_SIZES))
    return _quiet(CogVideoXPipeline(small_t5_tokenizer(), text, vae, transformer, scheduler(**schedule)))


def small_wan() -> WanPipeline:
    """Wan, of the 2.1's kind."""
    torch.manual_seed(0)
    transformer = WanTransformer3DModel(
        patch_size=(1, 2, 2),
        num_attention_heads=2,
        attention_head_dim=12,
        in_channels=16,
        out_channels=16,
        text_dim=16,
        freq_dim=16,
        ffn_dim=32,
        num_layers=1,
        cross_attn_norm=True,
        qk_norm="rms_norm_across_heads",
        rope_max_seq_len=32,
    )
    vae = AutoencoderKLWan(
        base_dim=3, z_dim=16, dim_mult=[1, 1, 1, 1], num_res_blocks=1, temperal_downsample=[False, True, True]
    )
    scheduler = UniPCMultistepScheduler(
        prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=3.0
    )
    text = UMT5EncoderModel(UMT5Config(**TEXT_SIZES))
    return _quiet(WanPipeline(small_t5_tokenizer(), text, vae, scheduler, transformer))


SMALL: dict[str, Callable[[], DiffusionPipeline]] = {
    "modelscope": small_modelscope,
    "cogvideox": small_cogvideox,
    "wan": small_wan,
}


def saved(pipeline: DiffusionPipeline, folder: Path) -> str:
    """The pipeline in a folder, as people get it."""
    pipeline.save_pretrained(folder)
    return str(folder)


def _quiet(pipeline: Any) -> Any:
    for part in pipeline.components.values():
        if isinstance(part, torch.nn.Module):
            part.eval().requires_grad_(False)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline
