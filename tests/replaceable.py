"""What runs are made from, of every kind, as files that can be replaced: one function a kind, ``of_KIND``."""

import json
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from conftest import seeded, small_controlnet
from diffusers import AutoencoderTiny, UNet2DConditionModel
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from small_adapters import a_picture, adapter_state, save_adapter, save_image_encoder
from small_t2i import released, small_t2i
from small_videos import SMALL, saved

from t2v.tasks import Settings
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import write_picture

QUICK = {"num_frames": 2, "num_inference_steps": 2, "width": 64, "height": 64, "seed": 3}
WEIGHTS = "diffusion_pytorch_model.safetensors"
LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"


@dataclass(frozen=True)
class Given:
    """What runs are made from in these tests: a folder to write into, and what others have made."""

    folder: Path
    family: str
    clip: str

    def text(self, prompt: str = "a car", **more: Any) -> TextToVideoSettings:
        return TextToVideoSettings(prompt, **{"model": self.family, "method": "paper", **QUICK, **more})

    def edges(self, controlnet: Path) -> CannySettings:
        own = {"model": self.family, "controlnet": str(controlnet), **QUICK}
        return CannySettings(self.clip, "a car", **own)


def other_values(path: Path, seed: int) -> None:
    """The same tensors with other values: of the same size, and of the same time as before, by a rename."""
    was = path.stat()
    state = {
        name: one + 0.2 * torch.randn(one.shape, generator=seeded(seed))
        for name, one in load_file(path).items()
    }
    new = path.with_name("new.part")
    with safe_open(path, framework="pt") as told:
        save_file(state, new, metadata=told.metadata())
    os.utime(new, ns=(was.st_atime_ns, was.st_mtime_ns))
    os.replace(new, path)
    assert (path.stat().st_mtime_ns, path.stat().st_size) == (was.st_mtime_ns, was.st_size)


def of_folder(given: Given, seed: int) -> Settings:
    if seed:
        other_values(Path(given.family) / "unet" / WEIGHTS, seed)
    return given.text()


def of_file(given: Given, seed: int) -> Settings:
    path = write_safetensors(given.folder / "own.safetensors", checkpoint(parts_of_1(seed)))
    return given.text(model=path.name)


def of_yaml(given: Given, seed: int) -> Settings:
    path = given.folder / "own.safetensors"
    if not seed:
        write_safetensors(path, checkpoint(parts_of_1()))
    told = "v" if seed else "eps"
    path.with_suffix(".yaml").write_text(f'model:\n  params:\n    parameterization: "{told}"\n')
    return given.text(model=path.name)


def of_vae(given: Given, seed: int) -> Settings:
    torch.manual_seed(seed)
    write_safetensors(given.folder / "taesd.safetensors", AutoencoderTiny().state_dict())
    return given.text(model=f"{given.family}+taesd.safetensors")


def of_lora(given: Given, seed: int) -> Settings:
    halves = {"lora_A": (2, 16), "lora_B": (16, 2)}
    made = {name: torch.randn(*shape, generator=seeded(seed)) for name, shape in halves.items()}
    save_file({f"{LAYER}.{name}.weight": one for name, one in made.items()}, given.folder / "lo.safetensors")
    return given.text(model=f"{given.family}+lo.safetensors@0.7")


def of_lora_config(given: Given, seed: int) -> Settings:
    if not seed:
        of_lora(given, 1)
    (given.folder / "adapter_config.json").write_text(json.dumps({"lora_alpha": 2 + 4 * seed}))
    return given.text(model=f"{given.family}+lo.safetensors")


def of_words(given: Given, seed: int) -> Settings:
    vectors = torch.randn(2, 16, generator=seeded(9 + seed))
    save_file({"emb_params": vectors}, given.folder / "Zorg.safetensors")
    return given.text("a zorg")


def of_controlnet(given: Given, seed: int) -> Settings:
    path = given.folder / "control"
    small_controlnet(20 + seed).save_pretrained(path)
    return given.edges(path)


def of_adapter(given: Given, seed: int) -> Settings:
    path = write_safetensors(given.folder / "sketch.safetensors", released(small_t2i(seed)))
    return given.edges(path)


def of_editor(given: Given, seed: int) -> Settings:
    if seed:
        other_values(Path(given.family).parent / "editor" / WEIGHTS, seed)
    return Pix2PixVideoSettings(given.clip, "make it red", model=given.family, **QUICK)


def of_trained_model(given: Given, seed: int) -> Settings:
    folder = given.folder / "moving"
    if not seed:
        saved(SMALL["modelscope"](), folder)
    else:
        other_values(folder / "unet" / WEIGHTS, seed)
    return TextToVideoSettings("a red car", model=folder.name, **QUICK)


def picture_prompt(given: Given, adapter: int, encoder: bool) -> Settings:
    unet = UNet2DConditionModel.from_pretrained(given.family, subfolder="unet")
    save_adapter(given.folder / "ip.safetensors", adapter_state(unet, seed=7 + adapter))
    folder = given.folder / "image_encoder"
    if not folder.exists():
        save_image_encoder(folder)
    if encoder:
        other_values(folder / "model.safetensors", 4)
    picture = write_picture(given.folder / "fur.png", a_picture())
    return given.text(picture_prompt=str(picture), picture_prompt_strength=1.0)


def of_ip_adapter(given: Given, seed: int) -> Settings:
    return picture_prompt(given, seed, False)


def of_image_encoder(given: Given, seed: int) -> Settings:
    return picture_prompt(given, 0, bool(seed))


KINDS: dict[str, Callable[[Given, int], Settings]] = {
    name.removeprefix("of_"): one for name, one in list(globals().items()) if name.startswith("of_")
}
