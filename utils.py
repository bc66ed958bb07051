"""The original project's helpers by their names, over t2v, for scripts that import them; and our own ones.

Frames of these calls are float tensors or arrays as the original passed them around: (f c h w) in 0..255 or
-1..1 on the way in, (f h w c) in 0..1 when written. Where a path is None, a file of its own is made under
outputs/ (the original wrote every result to the same name). A watermark is not drawn, so asking for one is
refused.
"""

import secrets
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor2_0
from einops import rearrange

from t2v.detectors import DepthDetector, PoseDetector, canny
from t2v.diffusion.attention import CrossFrameAttention, FirstFrameBank
from t2v.engine.original import check_watermark, size_of
from t2v.library.results import OUTPUTS
from t2v.video.video import Video, clip_frames, fit_video, read_video
from t2v.video.write import add_audio, read_settings, write_video

__all__ = [
    "CrossFrameAttnProcessor",
    "Video",
    "add_audio",
    "clip_frames",
    "create_gif",
    "create_video",
    "fit_video",
    "pre_process_canny",
    "pre_process_depth",
    "pre_process_pose",
    "prepare_video",
    "read_settings",
    "read_video",
    "write_video",
]


def prepare_video(
    video_path: str,
    resolution: int,
    device: str | torch.device,
    dtype: torch.dtype,
    normalize: bool = True,
    start_t: float = 0,
    end_t: float = -1,
    output_fps: float = -1,
) -> tuple[torch.Tensor, float]:
    """A clip as a tensor (f c h w) on the device, -1..1 (0..255 without normalize), and its rate.

    resolution: the longer side in pixels; both sides are rounded to multiples of 64, and what does not fit
    their shape is cut off. start_t, end_t: seconds, -1 to the clip's end. output_fps -1: the clip's own.
    InputError for a clip that cannot be read.
    """
    clip = clip_frames(
        video_path,
        start_s=start_t,
        end_s=None if end_t == -1 else end_t,
        fps=None if output_fps == -1 else output_fps,
    )
    width, height = size_of(clip, resolution)
    video = fit_video(clip, width=width, height=height)
    frames = torch.tensor(rearrange(video.frames, "f h w c -> f c h w")).to(device, dtype)
    return frames / 127.5 - 1.0 if normalize else frames, video.fps


def pre_process_canny(
    input_video: torch.Tensor, low_threshold: float = 100, high_threshold: float = 200
) -> torch.Tensor:
    """Edges of frames (f c h w) in 0..255, as a float32 tensor of that shape in 0..1."""
    return _control(canny(_frames(input_video), low_threshold, high_threshold))


def pre_process_pose(input_video: torch.Tensor, apply_pose_detect: bool = True) -> torch.Tensor:
    """Skeletons of the people in frames, as ``pre_process_canny``; False: the frames are skeletons already.

    DetectorError where the detector's weights are not to be had.
    """
    frames = _frames(input_video)
    return _control(PoseDetector(device=str(input_video.device))(frames) if apply_pose_detect else frames)


def pre_process_depth(input_video: torch.Tensor, apply_depth_detect: bool = True) -> torch.Tensor:
    """Nearness in frames, as ``pre_process_pose``."""
    frames = _frames(input_video)
    return _control(DepthDetector(device=str(input_video.device))(frames) if apply_depth_detect else frames)


def create_video(
    frames: Iterable[Any],
    fps: float,
    rescale: bool = False,
    path: str | None = None,
    watermark: str | None = None,
) -> str:
    """Write frames (h w c) in 0..1 (-1..1 with rescale) as an MP4, or a GIF by its name; return its path."""
    check_watermark(watermark)
    return str(write_video(_place(path, ".mp4"), _pictures(frames, rescale), fps))


def create_gif(
    frames: Iterable[Any],
    fps: float,
    rescale: bool = False,
    path: str | None = None,
    watermark: str | None = None,
) -> str:
    """The same, a GIF that plays without end where path is None."""
    check_watermark(watermark)
    return str(write_video(_place(path, ".gif"), _pictures(frames, rescale), fps))


class CrossFrameAttnProcessor:
    """Cross-frame attention for ``unet.set_attn_processor``, in every layer: text attention stays as it is.

    unet_chunk_size: how many guidance branches the batch holds, laid out as "(b f)": 2 with guidance, 1
    without. The pipeline of this project does not use it: its own reads frame 0 across chunks as well.
    """

    def __init__(self, unet_chunk_size: int = 2) -> None:
        self._first_frame = CrossFrameAttention("self-attention", FirstFrameBank(branches=unet_chunk_size))
        self._text = AttnProcessor2_0()

    def __call__(
        self,
        attn: Attention,
        hidden_states: torch.Tensor,
        encoder_hidden_states: torch.Tensor | None = None,
        attention_mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """hidden_states: ((b f), l, c), to the same shape."""
        if encoder_hidden_states is None:
            return self._first_frame(attn, hidden_states, attention_mask=attention_mask)
        return self._text(attn, hidden_states, encoder_hidden_states, attention_mask)


def _frames(video: torch.Tensor) -> np.ndarray:
    """Frames (f c h w) in 0..255 as uint8 RGB (f h w c)."""
    return rearrange(video.float().cpu(), "f c h w -> f h w c").numpy().astype(np.uint8)


def _control(pictures: np.ndarray) -> torch.Tensor:
    return rearrange(torch.tensor(pictures).float() / 255.0, "f h w c -> f c h w")


def _pictures(frames: Iterable[Any], rescale: bool) -> Iterator[np.ndarray]:
    """Frames (h w c) in 0..1, or -1..1, as uint8."""
    for frame in frames:
        values = np.asarray(frame, dtype=np.float32)
        values = (values + 1) / 2 if rescale else values
        yield (np.clip(values, 0, 1) * 255).astype(np.uint8)


def _place(path: str | None, suffix: str) -> Path:
    if path is not None:
        return Path(path)
    OUTPUTS.mkdir(exist_ok=True)
    return OUTPUTS / f"frames-{secrets.token_hex(6)}{suffix}"
