"""utils.py: the original's helpers by their names, on real frames."""

import imageio.v3
import numpy as np
import pytest
import torch
from conftest import seeded, small_unet

from t2v.checks import InputError
from t2v.detectors import DetectorError
from t2v.diffusion.attention import cross_frame_attention
from t2v.video.video import read_video
from utils import (
    CrossFrameAttnProcessor,
    create_gif,
    create_video,
    pre_process_canny,
    pre_process_depth,
    pre_process_pose,
    prepare_video,
)


def steps(count: int = 3) -> np.ndarray:
    """Frames (f h w c) in 0..1, each of one grey."""
    return np.stack([np.full((16, 24, 3), k / 4, np.float32) for k in range(count)])


def test_videos_and_gifs_are_written(tmp_path, monkeypatch):
    path = create_video(steps(), 4, path=str(tmp_path / "out.mp4"))
    video = read_video(path)
    assert path == str(tmp_path / "out.mp4") and video.fps == 4 and video.frames.shape == (3, 16, 24, 3)
    assert np.abs(video.frames[:, 8, 8, 0].astype(int) - [0, 63, 127]).max() <= 3
    path = create_gif(torch.tensor(steps() * 2 - 1), 4, rescale=True, path=str(tmp_path / "out.gif"))
    frames = imageio.v3.imread(path, index=None)
    assert frames.shape == (3, 16, 24, 3) and frames[:, 0, 0, 0].tolist() == [0, 63, 127]
    assert imageio.v3.immeta(path)["duration"] == 250
    monkeypatch.chdir(tmp_path)
    made = {create_video(steps(), 4), create_video(steps(), 4), create_gif(steps(), 4)}
    assert len(made) == 3 and all((tmp_path / name).is_file() for name in made)


@pytest.mark.parametrize("write", [create_video, create_gif])
def test_what_cannot_be_written_is_refused(write, tmp_path):
    with pytest.raises(InputError, match="watermark is 'logo.png', and none is drawn here"):
        write(steps(), 4, path=str(tmp_path / "x.mp4"), watermark="logo.png")
    with pytest.raises(InputError, match="ends in"):
        write(steps(), 4, path=str(tmp_path / "x.txt"))
    with pytest.raises(InputError, match="fps is 0"):
        write(steps(), 0, path=str(tmp_path / f"x.{'gif' if write is create_gif else 'mp4'}"))
    assert list(tmp_path.iterdir()) == []


def test_a_clip_is_prepared_as_it_was(square_clip):
    frames, fps = prepare_video(square_clip, 130, "cpu", torch.float32, normalize=False)
    assert frames.shape == (5, 3, 64, 128) and fps == 6 and frames.min() >= 0 and frames.max() > 200
    frames, fps = prepare_video(square_clip, 64, "cpu", torch.float16, start_t=0.3, end_t=0.8, output_fps=4)
    assert frames.shape == (2, 3, 64, 64) and fps == 4 and frames.dtype == torch.float16
    assert frames.min() >= -1 and frames.max() <= 1 and frames.min() < -0.5


def test_control_pictures(square_clip):
    frames, _ = prepare_video(square_clip, 128, "cpu", torch.float32, normalize=False)
    edges = pre_process_canny(frames, 50, 120)
    assert edges.shape == frames.shape and set(edges.unique().tolist()) == {0.0, 1.0}
    for ready in (pre_process_pose(frames, False), pre_process_depth(frames, apply_depth_detect=False)):
        assert torch.equal(ready, frames.to(torch.uint8).float() / 255)
    for detect in (pre_process_pose, pre_process_depth):
        with pytest.raises(DetectorError, match="detector's weights"):
            detect(frames)


@torch.inference_mode()
def test_the_attention_processor_is_ours_in_every_layer():
    unet = small_unet().eval()
    noisy = torch.randn(6, 4, 16, 16, generator=seeded())  # two branches of three frames
    text = torch.randn(6, 5, 16, generator=seeded(1))
    with cross_frame_attention(unet) as bank:
        bank.expect(2, first_chunk=True)
        ours = unet(noisy, 500, text).sample
    plain = unet(noisy, 500, text).sample
    unet.set_attn_processor(CrossFrameAttnProcessor(unet_chunk_size=2))
    theirs = unet(noisy, 500, text).sample
    assert torch.allclose(ours, theirs, atol=1e-5) and not torch.allclose(plain, theirs, atol=1e-3)
