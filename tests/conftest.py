"""Small random models with the real classes, in Stable Diffusion's folder format."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

os.environ.setdefault("HF_HUB_OFFLINE", "1")

import numpy as np
import pytest

from t2v.libraries import loading_libraries

with loading_libraries():
    import torch
    from diffusers import AutoencoderKL, ControlNetModel, PNDMScheduler, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTokenizer

    from t2v.devices import settle
    from t2v.diffusion.pipeline import TextToVideoPipeline

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ("miniature", "examples")  # folders that the package finds beside it in a clone
SHARED = ROOT.parent / "shared"  # real clips lie beside some checkouts; a test skips without them

# random weights give values so small that the CPU falls into its slow path for them
torch.set_flush_denormal(True)
# networks this small lose more to threads waiting for one another than they gain
torch.set_num_threads(1)


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """The tests' own imports, such as Gradio, are libraries as well."""
    with loading_libraries():
        return (yield)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What serves a page or opens a browser is marked so; other slow tests say so themselves."""
    for item in items:
        if {"browser", "server"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.slow)


SD_SCHEDULE = {
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "steps_offset": 1,
    "skip_prk_steps": True,
    "set_alpha_to_one": False,
}


def small_tokenizer() -> CLIPTokenizer:
    """A byte-pair tokenizer without merges: it spells every word, and needs no files."""
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    names = ["<|startoftext|>", "<|endoftext|>", *letters, *(letter + "</w>" for letter in letters)]
    vocab = {name: i for i, name in enumerate(names)}
    return CLIPTokenizer(vocab=vocab, merges=[], model_max_length=16)


def small_unet(**changes) -> UNet2DConditionModel:
    shape = {
        "sample_size": 16,
        "block_out_channels": (16, 32),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"),
        "layers_per_block": 1,
        "cross_attention_dim": 16,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
    }
    return UNet2DConditionModel(**{**shape, **changes})


def small_controlnet(seed: int = 0, **changes) -> ControlNetModel:
    """Fits small_unet; of the miniature's kind, with no attention in its middle. It acts, as if trained."""
    shape = {
        "block_out_channels": (16, 32),
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "mid_block_type": "UNetMidBlock2D",
        "layers_per_block": 1,
        "cross_attention_dim": 16,
        "attention_head_dim": 2,
        "norm_num_groups": 4,
        "conditioning_embedding_out_channels": (4, 4, 8, 8),
    }
    torch.manual_seed(seed)
    network = settle(ControlNetModel(**{**shape, **changes}), "cpu")
    # new ones hardly see their pictures, and their last layers are zero
    seen = network.controlnet_cond_embedding
    for layer in (seen.conv_in, *seen.blocks, seen.conv_out):
        torch.nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
    for layer in (*network.controlnet_down_blocks, network.controlnet_mid_block):
        torch.nn.init.normal_(layer.weight, std=0.2)
    return network


def small_vae() -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(4, 4, 8, 8),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        latent_channels=4,
        norm_num_groups=2,
        sample_size=128,
    )


def small_pipeline(**unet_changes) -> TextToVideoPipeline:
    """A Stable Diffusion of a few thousand random weights; the same at every call."""
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
    pipeline = TextToVideoPipeline(
        vae=settle(small_vae(), "cpu"),
        text_encoder=CLIPTextModel(text).eval(),
        tokenizer=small_tokenizer(),
        unet=settle(small_unet(**unet_changes), "cpu"),
        scheduler=PNDMScheduler(**SD_SCHEDULE),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    pipeline.set_progress_bar_config(disable=True)
    return pipeline


@pytest.fixture(scope="session", autouse=True)
def no_bfloat16_unasked() -> Iterator[None]:
    """What suits a processor is float32 on every machine that runs the tests, so that all see the same."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("t2v.devices.QUICK_IN_BFLOAT16", ())
        yield


@pytest.fixture(scope="session")
def pipeline() -> TextToVideoPipeline:
    return small_pipeline()


@pytest.fixture(scope="session")
def model_folder(tmp_path_factory) -> Path:
    """A small random model saved as diffusers saves one."""
    folder = tmp_path_factory.mktemp("model")
    small_pipeline().save_pretrained(folder)
    index = json.loads((folder / "model_index.json").read_text())
    index["_class_name"] = "StableDiffusionPipeline"
    (folder / "model_index.json").write_text(json.dumps(index))
    return folder


@pytest.fixture(scope="session")
def family(model_folder, tmp_path_factory) -> str:
    """A small random model with ControlNets and an editor beside it, as the miniature has them."""
    root = tmp_path_factory.mktemp("family")
    shutil.copytree(model_folder, root / "text-to-image")
    for seed, name in enumerate(("canny", "pose", "depth")):
        small_controlnet(seed + 1).save_pretrained(root / f"controlnet-{name}")
    small_unet(in_channels=8).save_pretrained(root / "editor")
    return str(root / "text-to-image")


@pytest.fixture(scope="session")
def square_clip(tmp_path_factory) -> str:
    """Five frames at 6 a second, 80x48: a bright square that moves."""
    from t2v.video.write import write_video  # only clips need ffmpeg

    frames = np.full((5, 48, 80, 3), 30, np.uint8)
    for index, frame in enumerate(frames):
        frame[12:36, 8 * index : 8 * index + 24] = (220, 120, 60)
    return str(write_video(tmp_path_factory.mktemp("clips") / "square.mp4", frames, 6))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def free_port() -> int:
    """A port of this machine that nobody serves on: the app's own may be in use while tests run."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


# The browser tests' own: a module that uses them brings the ``server`` to be visited.


@pytest.fixture(scope="module")
def videos(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("videos")


@pytest.fixture(scope="module")
def server(videos):
    """The app with the miniature; modules that need another have their own."""
    from pages import serving  # only they need playwright

    with serving("miniature", videos) as url:
        yield url


@pytest.fixture
def page(open_page):
    """A desktop's window on it."""
    return open_page(viewport={"width": 1280, "height": 800})


@pytest.fixture(scope="module")
def browser():
    from pages import browsing  # only they need playwright

    with browsing() as browser:
        yield browser


@pytest.fixture
def open_page(server, browser):
    from pages import Windows

    windows = Windows(server, browser)
    yield windows
    windows.close()
