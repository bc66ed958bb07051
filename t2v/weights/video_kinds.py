"""Trained video models: all that is true of every model of one kind stands in one record. Without torch.

Motion is in their weights, so they know none of the paper's ways. diffusers' own pipelines draw with them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.weights.files import read_object
from t2v.weights.source import CONFIG, MODEL_INDEX, Source

MOST_FRAMES, MOST_PX = 1024, 4096  # that a config may say a model was made for
VIDEO_UNET, CLIP, T5 = "UNet3DConditionModel", "CLIPTextModel", "T5EncoderModel"
CLIP_WORDS, T5_WORDS = ("CLIPTokenizer", "CLIPTokenizerFast"), ("T5Tokenizer", "T5TokenizerFast")
COG, COG_VAE = "CogVideoXTransformer3DModel", "AutoencoderKLCogVideoX"
TRANSFORMER = "transformer"  # the folder of what draws
WAN_TRANSFORMER, WAN_VAE = "WanTransformer3DModel", "AutoencoderKLWan"


@dataclass(frozen=True)
class Made:
    """What a model was made for. width, height: pixels of its frames; multiple_px: that sides have to be
    multiples of. num_frames: of its videos, for which there are latent_frames; group: it draws one frame and
    whole groups of so many more."""

    width: int
    height: int
    num_frames: int
    latent_frames: int
    multiple_px: int = 8
    group: int = 1

    def drawn(self, num_frames: int) -> int:
        """The frames it draws for a video of so many: no fewer."""
        return 1 + math.ceil((num_frames - 1) / self.group) * self.group


Configs = Mapping[str, Mapping[str, Any]]  # part -> its config


@dataclass(frozen=True)
class VideoKind:
    """What holds for every trained video model of a kind.

    name: for people. pipeline: diffusers' class, by which a model's index says what it is. parts: folder ->
    classes that it may be of, the first of a network. denoiser: the part that draws. may_lack: parts that
    some have not. schedulers: classes. hub_ids: where they are given out. suits: settings field -> value.
    fps: at which its videos move as filmed. half: the precision it was made for on a GPU. made: what by its
    configs, usual where those tell nothing. reads: where the denoiser's config says how wide its text is.
    values: what an index tells its pipeline beside the parts.
    """

    name: str
    pipeline: str
    parts: Mapping[str, tuple[str, ...]]
    denoiser: str
    schedulers: tuple[str, ...]
    hub_ids: tuple[str, ...]
    suits: Mapping[str, float]
    fps: float
    half: str
    made: Callable[[Configs], Made]
    reads: str
    may_lack: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


def _made_modelscope(configs: Configs) -> Made:
    px = 2 ** (_length(configs, "vae", "block_out_channels", 4) - 1)
    side = px * _whole(configs, "unet", "sample_size", 32, MOST_PX // px)
    return Made(side, side, 16, 16, px)


def _made_cogvideox(configs: Configs) -> Made:
    """Latent frames, of which the first is of one frame, are decoded in pairs: their number is odd."""
    px = 2 ** (_length(configs, "vae", "block_out_channels", 4) - 1)
    width = px * _whole(configs, TRANSFORMER, "sample_width", 90, MOST_PX // px)
    height = px * _whole(configs, TRANSFORMER, "sample_height", 60, MOST_PX // px)
    frames = _whole(configs, TRANSFORMER, "sample_frames", 49, MOST_FRAMES)
    multiple = px * _whole(configs, TRANSFORMER, "patch_size", 2, 8)
    each = _whole(configs, "vae", "temporal_compression_ratio", 4, 16)
    return Made(width, height, frames, 1 + (frames - 1) // each, multiple, 2 * each)


def _made_wan(configs: Configs) -> Made:
    px = _whole(configs, "vae", "scale_factor_spatial", 8, 64)
    patch = configs.get(TRANSFORMER, {}).get("patch_size")
    rows = patch[1] if isinstance(patch, list) and len(patch) == 3 and patch[1] in (1, 2, 4) else 2
    width, height, frames = (832, 480, 81) if px <= 8 else (1280, 704, 121)
    each = _whole(configs, "vae", "scale_factor_temporal", 4, 16)
    return Made(width, height, frames, 1 + (frames - 1) // each, px * rows, each)


MODELSCOPE = VideoKind(
    name="ModelScope text-to-video",
    pipeline="TextToVideoSDPipeline",
    parts={
        "unet": (VIDEO_UNET,),
        "vae": ("AutoencoderKL",),
        "text_encoder": (CLIP,),
        "tokenizer": CLIP_WORDS,
    },
    denoiser="unet",
    schedulers=(
        "DDIMScheduler",
        "DPMSolverMultistepScheduler",
        "EulerDiscreteScheduler",
        "EulerAncestralDiscreteScheduler",
        "PNDMScheduler",
        "UniPCMultistepScheduler",
    ),
    hub_ids=("ali-vilab/text-to-video-ms-1.7b", "damo-vilab/text-to-video-ms-1.7b"),
    suits={"num_inference_steps": 50, "guidance_scale": 9.0},
    fps=8,
    half="float16",
    made=_made_modelscope,
    reads="cross_attention_dim",
)
COGVIDEOX = VideoKind(
    name="CogVideoX",
    pipeline="CogVideoXPipeline",
    parts={TRANSFORMER: (COG,), "vae": (COG_VAE,), "text_encoder": (T5,), "tokenizer": T5_WORDS},
    denoiser=TRANSFORMER,
    schedulers=("CogVideoXDDIMScheduler", "CogVideoXDPMScheduler"),
    hub_ids=("zai-org/CogVideoX-2b", "zai-org/CogVideoX-5b", "THUDM/CogVideoX-2b", "THUDM/CogVideoX-5b"),
    suits={"num_inference_steps": 50, "guidance_scale": 6.0},
    fps=8,
    half="bfloat16",
    made=_made_cogvideox,
    reads="text_embed_dim",
)
WAN = VideoKind(
    name="Wan",
    pipeline="WanPipeline",
    parts={
        TRANSFORMER: (WAN_TRANSFORMER,),
        "transformer_2": (WAN_TRANSFORMER,),
        "vae": (WAN_VAE,),
        "text_encoder": ("UMT5EncoderModel",),
        "tokenizer": T5_WORDS,
    },
    denoiser=TRANSFORMER,
    schedulers=("UniPCMultistepScheduler", "FlowMatchEulerDiscreteScheduler"),
    hub_ids=("Wan-AI/Wan2.1-T2V-1.3B-Diffusers", "Wan-AI/Wan2.1-T2V-14B-Diffusers"),
    suits={"num_inference_steps": 50, "guidance_scale": 5.0},
    fps=16,
    half="bfloat16",
    made=_made_wan,
    reads="text_dim",
    may_lack=("transformer_2",),
    values=("boundary_ratio", "expand_timesteps"),
)
VIDEO_KINDS = (MODELSCOPE, COGVIDEOX, WAN)


def video_kind(source: Source) -> VideoKind | None:
    """The kind of a trained video model; None for what draws pictures, and for what is not known here.

    A folder is told by its index, a hub id by its name, or by its index where that is on this machine.
    """
    if source.kind == "folder":
        return by_index(source.folder / MODEL_INDEX)
    if source.kind != "hub":
        return None
    known = next((one for one in VIDEO_KINDS if source.base in one.hub_ids), None)
    folder = _cached(source.base)
    return known if known is not None or folder is None else by_index(folder / MODEL_INDEX)


def by_index(path: Path) -> VideoKind | None:
    """The kind that an index names; None where it names none of these, or cannot be read."""
    try:
        named = read_object(path).get("_class_name")
    except (OSError, ValueError):
        return None
    return next((one for one in VIDEO_KINDS if one.pipeline == named), None)


def made_for(source: Source, kind: VideoKind) -> Made:
    """What a model was made for, by its configs; of one that is not here, what its kind usually is."""
    folder = source.folder if source.kind == "folder" else _cached(source.base)
    return kind.made({} if folder is None else {part: _config(folder / part) for part in kind.parts})


def _cached(hub_id: str) -> Path | None:
    """The folder of a hub id's files on this machine; None where nothing of it is here."""
    from huggingface_hub import try_to_load_from_cache  # its import takes a while

    index = try_to_load_from_cache(hub_id, MODEL_INDEX)
    return Path(index).parent if isinstance(index, str) else None


def _config(folder: Path) -> Mapping[str, Any]:
    try:
        return read_object(folder / CONFIG)
    except (OSError, ValueError):
        return {}


def _whole(configs: Configs, part: str, name: str, usual: int, most: int) -> int:
    """A whole number of a config, from 1 to ``most``; what is usual where it is none."""
    value = configs.get(part, {}).get(name)
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return value if is_whole and 1 <= value <= most else usual  # type: ignore[operator,return-value]


def _length(configs: Configs, part: str, name: str, usual: int) -> int:
    value = configs.get(part, {}).get(name)
    return len(value) if isinstance(value, list) and 1 <= len(value) <= 6 else usual
