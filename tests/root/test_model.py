"""model.py: scripts written for the original project run on."""

from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT

from model import Model, ModelType
from t2v.checks import InputError
from t2v.tasks.depth import DepthSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings

pytestmark = pytest.mark.slow

EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(device="cpu")


def test_text_to_video(model, model_folder, tmp_path):
    path = model.process_text2video(
        "a red car",
        model_name=str(model_folder),
        motion_field_strength_x=6,
        motion_field_strength_y=3,
        t0=44,
        t1=47,
        n_prompt="blue",
        chunk_size=2,
        video_length=2,
        watermark=None,
        merging_ratio=0.0,
        seed=0,
        resolution=64,
        fps=4,
        use_cf_attn=True,
        use_motion_field=True,
        smooth_bg=False,
        path=str(tmp_path / "new folder" / "out.mp4"),
    )
    video, told = read_video(path), read_settings(path)
    assert video.frames.shape == (2, 64, 64, 3) and video.fps == 4
    assert (told["t0"], told["t1"], told["num_inference_steps"], told["seed"]) == (881, 941, 50, 0)
    assert (told["motion_x"], told["motion_y"], told["negative_prompt"]) == (-6, -3, "blue")
    assert told["task"] == "text-to-video" and told["program"] == "Text2Video-Zero Studio"


def test_videos_that_follow_a_clip(model, family, square_clip, tmp_path, monkeypatch):
    """The depth detector's weights cannot be had here; nearness from brightness stands in for them."""
    monkeypatch.setattr(DepthSettings, "detect", lambda self, frames, device: 255 - frames)
    path = str(tmp_path / "out.mp4")
    quick = {"num_inference_steps": 2, "resolution": 130, "save_path": path, "chunk_size": 2}
    calls = {
        "canny": lambda: model.process_controlnet_canny(
            square_clip, "a car", low_threshold=50, high_threshold=90, model_name=family, **quick
        ),
        "depth": lambda: model.process_controlnet_depth(
            square_clip, "a car", controlnet_conditioning_scale=0.5, model_name=family, **quick
        ),
    }
    for task, call in calls.items():
        assert call() == path
        told = read_settings(path)
        assert (told["task"], told["prompt"], told["negative_prompt"]) == (task, "a car", "")
        assert (told["seed"], told["guidance_scale"], told["num_inference_steps"]) == (42, 9.0, 2)
        assert read_video(path).frames.shape == (5, 64, 128, 3)  # 130 x 78 in multiples of 64
    assert told["conditioning_scale"] == 0.5
    model.process_controlnet_canny_db(family, square_clip, "a car", seed=-1, **quick)
    told = read_settings(path)
    assert told["model"] == Path(family).name and told["high_threshold"] == 200 and told["seed"] >= 0


def test_a_ready_depth_clip_needs_no_detector(model, family, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(DepthSettings, "detect", lambda *given: seen.append(given))
    path = str(tmp_path / "out.mp4")
    quick = {"num_inference_steps": 1, "resolution": 64, "save_path": path, "model_name": family}
    model.process_controlnet_depth(str(EXAMPLES / "depth" / "car.mp4"), "a car", control_ready=True, **quick)
    told = read_settings(path)
    assert told["task"] == "depth" and told["control_ready"] is True and seen == []
    with pytest.raises(InputError, match="^control_ready is 1"):
        model.process_controlnet_depth(str(EXAMPLES / "depth" / "car.mp4"), "a car", control_ready=1, **quick)


def test_skeletons_are_read_at_four_frames_a_second(model, family, tmp_path, monkeypatch):
    skeletons = EXAMPLES / "pose" / "dancing.mp4"
    monkeypatch.chdir(tmp_path)
    path = model.process_controlnet_pose(
        str(skeletons), "a bear", num_inference_steps=1, resolution=64, model_name=family
    )
    told, video = read_settings(path), read_video(path)
    assert told["control_ready"] is True and video.fps == 4
    assert video.num_frames == 8 and Path(path).parent == Path("outputs")


def test_pix2pix(model, family, square_clip, tmp_path):
    path = str(tmp_path / "out.mp4")
    options = {"resolution": 64, "start_t": 0.3, "end_t": 0.8, "out_fps": 4, "image_guidance_scale": 1.2}
    model.process_pix2pix(square_clip, "make it red", save_path=path, model_name=family, **options)
    told, video = read_settings(path), read_video(path)
    assert (told["scheduler"], told["num_inference_steps"]) == ("euler-ancestral", 50)
    assert (told["image_guidance_scale"], told["guidance_scale"], told["seed"]) == (1.2, 7.5, 0)
    assert video.frames.shape == (2, 64, 64, 3) and video.fps == 4
    assert np.ptp(video.frames.astype(int)) > 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"watermark": "Text2Video-Zero"}, "watermark is 'Text2Video-Zero'"),
        ({"merging_ratio": 0.5}, "merging_ratio is 0.5"),
        ({"eta": 1.0}, "eta is 1.0"),
        ({"resolution": 63}, "resolution is 63"),
        ({"save_path": "out.avi"}, "ends in .mp4, .webm, .gif, .webp, .zip or .png"),
        ({"video_path": "nowhere.mp4"}, "clip is 'nowhere.mp4'"),
    ],
)
def test_what_cannot_be_done_is_refused(model, square_clip, options, told):
    with pytest.raises(InputError, match=told):
        model.process_controlnet_canny(**{"video_path": square_clip, "prompt": "a car", **options})


def test_text_to_video_refuses_indices_past_its_steps(model):
    with pytest.raises(InputError, match="t1 is 50"):
        model.process_text2video("a car", t1=50)


def test_the_originals_smoothing_is_done_at_its_strength(model_folder, tmp_path):
    quick = {"model_name": str(model_folder), "video_length": 2, "resolution": 64, "t0": 20, "t1": 40}
    plain, smooth = (
        Model("cpu").process_text2video("a car", path=str(tmp_path / f"{on}.mp4"), smooth_bg=on, **quick)
        for on in (False, True)
    )
    assert read_settings(plain)["smooth_bg"] == 0 and read_settings(plain)["method"] == "paper"
    assert read_settings(smooth)["smooth_bg"] == 0.4
    assert not np.array_equal(read_video(plain).frames[1], read_video(smooth).frames[1])


def test_the_originals_words_are_added_where_they_are_asked_for(model_folder, tmp_path, capsys):
    quick = {"model_name": str(model_folder), "video_length": 1, "resolution": 64, "t0": 1, "t1": 1}
    path = Model("cpu").process_text2video("a car", path=str(tmp_path / "a.mp4"), **quick)
    assert read_settings(path)["prompt"] == "a car" and capsys.readouterr().err == ""
    asked = Model("cpu", original_prompts=True, progress=True)
    path = asked.process_text2video("a car.", path=str(tmp_path / "b.mp4"), **quick)
    assert read_settings(path)["prompt"].startswith("a car, high quality, HD")
    assert "step 50/50 100%|" in capsys.readouterr().err


def test_a_path_in_gif_is_a_gif(model, family, square_clip, tmp_path):
    path = model.process_controlnet_canny(
        square_clip,
        "a car",
        num_inference_steps=1,
        resolution=64,
        model_name=family,
        save_path=tmp_path / "o.gif",
    )
    assert Path(path).read_bytes()[:4] == b"GIF8" and read_video(path).frames.shape == (5, 64, 64, 3)
    assert read_settings(path)["task"] == "canny"


def test_set_model_chooses_for_the_calls_of_its_type(family, square_clip, tmp_path):
    model = Model("cpu")
    model.set_model(ModelType.ControlNetCanny, model_id=family, safety_checker=None)
    path = model.process_controlnet_canny(
        square_clip, "a car", num_inference_steps=1, resolution=64, save_path=str(tmp_path / "o.mp4")
    )
    assert read_settings(path)["model"] == Path(family).name
    model.set_model(ModelType.Pix2Pix_Video, family)
    path = model.process_pix2pix(square_clip, "red", resolution=64, end_t=0.1, save_path=path)
    assert read_settings(path)["task"] == "pix2pix"
    with pytest.raises(InputError, match="model stable-diffusion-v1-5"):
        model.process_controlnet_depth(square_clip, "a car")
    with pytest.raises(InputError, match="safety_checker is given"):
        model.set_model(ModelType.Text2Video, family, safety_checker=object())
    with pytest.raises(InputError, match="inference is not offered here; call process_text2video"):
        model.inference(prompt="a car")
