"""IP-Adapters: the picture that diffusers' own pipelines draw with them, and files that cannot be used."""

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline
from diffusers import (
    DDIMScheduler,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
)
from PIL import Image
from small_adapters import (
    a_picture,
    adapter_state,
    save_adapter,
    save_image_encoder,
    save_with_encoder,
)
from small_xl import small_xl_pipeline
from transformers import CLIPImageProcessorPil

from t2v.diffusion.controls import Control
from t2v.diffusion.options import Camera, Motion
from t2v.diffusion.sampling import make_scheduler
from t2v.weights.ip_adapter import picture_prompt
from t2v.weights.picture_adapters import adapters_for, picture_adapter
from t2v.weights.refusals import ModelError

CALL = {"num_inference_steps": 4, "height": 64, "width": 64}
START = torch.randn(1, 4, 8, 8, generator=seeded(1))


def theirs(kind, ours, path, strength, **more):
    """diffusers' own pipeline of the same weights, with its own loader of the same file."""
    parts = {name: one for name, one in ours.components.items() if one is not None}
    parts["scheduler"] = make_scheduler("ddim", DDIMScheduler.from_config(ours.scheduler.config).config, 4)
    plain = kind is not StableDiffusionXLPipeline
    parts["feature_extractor"] = CLIPImageProcessorPil(size={"shortest_edge": 32}, crop_size=32)
    pipe = kind(**parts, **({"safety_checker": None, "requires_safety_checker": False} if plain else {}))
    pipe.set_progress_bar_config(disable=True)
    pipe.load_ip_adapter(str(path.parent), subfolder="", weight_name=path.name, low_cpu_mem_usage=False)
    pipe.set_ip_adapter_scale(strength)
    drawn = pipe(
        "a red car",
        negative_prompt="blue",
        num_inference_steps=4,
        latents=START.clone(),
        ip_adapter_image=Image.fromarray(a_picture()),
        output_type="latent",
        **more,
    ).images
    pipe.unload_ip_adapter()
    return drawn


def apart(got, wanted) -> float:
    """The largest difference, in parts of the largest value: latents of random weights grow to some 50."""
    return float((got - wanted).abs().max() / wanted.abs().max())


def shown(pipe, path, strength=0.6):
    pipe.picture = picture_prompt(picture_adapter(str(path)), pipe.unet, a_picture(), strength)
    return pipe


@pytest.mark.parametrize("name", ["ip.safetensors", "ip.bin"])
@pytest.mark.parametrize("kind", ["plain", "plus", "full"])
def test_a_frame_is_stock_diffusers(tmp_path, kind, name):
    pipe = small_pipeline()
    path = save_with_encoder(tmp_path, pipe.unet, kind, name)
    bare = pipe("a red car", negative_prompt="blue", latents=START, num_frames=1, **CALL)
    wanted = theirs(StableDiffusionPipeline, small_pipeline(), path, 0.6, height=64, width=64)
    got = shown(pipe, path)("a red car", negative_prompt="blue", latents=START, num_frames=1, **CALL)
    assert apart(got[0], wanted) < 1e-5
    assert apart(got, bare) > 1e-2  # it does show the picture


@pytest.mark.parametrize("guidance_scale", [1.0, 7.5])
def test_a_frame_of_xl_is_stock_diffusers(tmp_path, guidance_scale):
    pipe = small_xl_pipeline(force_zeros=False)
    path = save_with_encoder(tmp_path, pipe.unet, "plus")
    more = {"guidance_scale": guidance_scale}
    stock = small_xl_pipeline(force_zeros=False)
    wanted = theirs(StableDiffusionXLPipeline, stock, path, 0.8, height=64, width=64, **more)
    call = {"negative_prompt": "blue", "latents": START, "num_frames": 1, **CALL, **more}
    got = shown(pipe, path, 0.8)("a red car", **call)
    assert apart(got[0], wanted) < 1e-5


def test_an_edited_frame_is_stock_diffusers(tmp_path):
    pipe = small_pipeline(in_channels=8)
    path = save_with_encoder(tmp_path, pipe.unet)
    clip = np.random.default_rng(3).integers(0, 256, (1, 64, 64, 3), np.uint8)
    picture = torch.from_numpy(clip).permute(0, 3, 1, 2).float() / 255
    stock = small_pipeline(in_channels=8)
    wanted = theirs(StableDiffusionInstructPix2PixPipeline, stock, path, 0.6, image=picture)
    got = shown(pipe, path).guided(
        "a red car",
        source=pipe.encode(clip),
        negative_prompt="blue",
        num_inference_steps=4,
        latents=START,
    )
    assert apart(got[0], wanted) < 1e-5


def draws(pipe):
    """Each way of drawing, with five frames."""
    pictures = np.random.default_rng(4).integers(0, 256, (5, 64, 64, 3), np.uint8)
    control = Control(small_controlnet(), pictures)
    call = {"negative_prompt": "blue", "generator": seeded(3), "num_inference_steps": 4}
    size = {"height": 64, "width": 64, "num_frames": 5}
    return {
        "paper": lambda chunk: pipe("a car", motion=Motion(4, 4), chunk_size=chunk, **size, **call),
        "over time": lambda chunk: pipe("0: a car | 4: a house", chunk_size=chunk, **size, **call),
        "guided": lambda chunk: pipe.guided("a car", controls=[control], chunk_size=chunk, **call),
        "scene": lambda chunk: pipe.scene(
            "a car", camera=Camera(8, 0), chunk_size=chunk, **size, **call
        ).latents(),
    }


@pytest.mark.parametrize("way", ["paper", "over time", "guided", "scene"])
def test_chunks_never_matter(tmp_path, way):
    pipe = small_pipeline()
    path = save_with_encoder(tmp_path, pipe.unet)
    bare = draws(pipe)[way](5)
    shown(pipe, path)
    whole, single, two = (draws(pipe)[way](chunk) for chunk in (0, 1, 2))
    assert torch.equal(whole, single)
    assert torch.equal(whole, two)
    assert (whole - bare).abs().max() > 1e-3


def test_strength_nought_and_no_picture_change_no_bit(tmp_path):
    pipe = small_pipeline()
    path = save_with_encoder(tmp_path, pipe.unet)
    call = {"latents": START, "num_frames": 2, "generator": seeded(2), **CALL}
    bare = pipe("a car", **call)
    assert torch.equal(shown(pipe, path, 0.0)("a car", **{**call, "generator": seeded(2)}), bare)
    shown(pipe, path)("a car", **call)
    pipe.picture = None
    assert torch.equal(pipe("a car", **{**call, "generator": seeded(2)}), bare)
    assert not any(one._forward_pre_hooks or one._forward_hooks for one in pipe.unet.modules())


def test_the_folder_of_models_is_searched_for_one_that_fits(tmp_path, monkeypatch):
    monkeypatch.setattr("t2v.weights.models_folder._chosen", [tmp_path])
    sd, xl = small_pipeline().unet, small_xl_pipeline().unet
    assert adapters_for(16) == ()
    save_adapter(tmp_path / "a" / "xl.safetensors", adapter_state(xl))
    save_adapter(tmp_path / "b" / "sd.bin", adapter_state(sd))
    assert adapters_for(16) == ()  # without its encoder
    save_image_encoder(tmp_path / "encoders" / "vision")
    found = [adapters_for(width) for width in (16, 40, 768, None)]
    assert found == [("sd.bin",), ("xl.safetensors",), (), ()]
    assert picture_adapter("sd.bin").encoder == tmp_path / "encoders" / "vision"
    assert picture_adapter(str(tmp_path / "a"), 40).path.name == "xl.safetensors"


def refusal(*args) -> str:
    with pytest.raises(ModelError) as caught:
        adapter = picture_adapter(*args)
        picture_prompt(adapter, small_pipeline().unet, a_picture(), 0.5)
    return str(caught.value)


def test_what_cannot_be_used_is_told_in_a_sentence(tmp_path):
    unet = small_pipeline().unet
    path = save_adapter(tmp_path / "alone" / "ip.safetensors", adapter_state(unet))
    assert "wants an image encoder (CLIPVisionModelWithProjection) 12 wide" in refusal(str(path))
    other = save_image_encoder(tmp_path / "other", whole=20)
    assert "other is an image encoder 20 wide" in refusal(f"{path}+{other}")
    assert "alone is no image encoder" in refusal(f"{path}+{path.parent}")
    assert "is not there" in refusal(str(tmp_path / "none.safetensors"))
    assert "without an IP-Adapter" in refusal(str(other))
    good = save_image_encoder(tmp_path / "good")
    assert picture_adapter(f"{path}+{good}").encoder == good
    assert "made for another model; choose one made for Stable Diffusion 1.x" in refusal(
        f"{path}+{good}", 768
    )
    fewer = adapter_state(unet)
    fewer["ip_adapter"].popitem()
    short = save_adapter(tmp_path / "short.safetensors", fewer)
    assert "made for another network" in refusal(f"{short}+{good}")
    face = adapter_state(unet)
    face["image_proj"] = {"norm.weight": torch.ones(16), "proj.0.weight": torch.ones(16, 8)}
    assert "FaceID" in refusal(f"{save_adapter(tmp_path / 'face.bin', face)}+{good}")
    broken = adapter_state(unet)
    del broken["image_proj"]["norm.bias"]
    told = refusal(f"{save_adapter(tmp_path / 'broken.safetensors', broken)}+{good}")
    assert "is broken and cannot be loaded" in told
