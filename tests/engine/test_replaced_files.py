"""Files that are replaced under their names between two runs of one engine: drawn as by a new engine."""

import json
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from conftest import seeded, small_controlnet
from diffusers import AutoencoderTiny, UNet2DConditionModel
from safetensors.torch import load_file, save_file
from small_adapters import a_picture, adapter_state, save_adapter, save_image_encoder
from small_t2i import released, small_t2i

from t2v.engine.engine import Engine
from t2v.tasks import Settings
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import write_picture
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError

QUICK = {"num_frames": 2, "num_inference_steps": 2, "width": 64, "height": 64, "seed": 3}
WEIGHTS = "diffusion_pytorch_model.safetensors"
LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
READERS = {  # whatever reads values of weights for a run, and where it is called
    "t2v.engine.keeping.load_pipeline": "model",
    "t2v.engine.in_memory.load_controlnet": "controlnet",
    "t2v.weights.lora.merge.read_lora": "lora",
    "t2v.weights.words.read_words": "words",
    "t2v.engine.pictures.picture_layers": "adapter",
    "t2v.engine.previews.load_small_vae": "preview",
}


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


@pytest.fixture
def given(tmp_path, family, square_clip):
    folder = tmp_path / "models"
    shutil.copytree(Path(family).parent, folder / "family")
    use_models_folder(folder)
    yield Given(folder, str(folder / "family" / "text-to-image"), square_clip)
    use_models_folder(None)


@pytest.fixture
def reads(monkeypatch) -> list[str]:
    """What has been read of the disk since it was last cleared."""
    told: list[str] = []
    for place, name in READERS.items():
        module, function = place.rsplit(".", 1)
        real = getattr(__import__(module, fromlist=[function]), function)

        def counted(*args, _real=real, _name=name, **more):
            told.append(_name)
            return _real(*args, **more)

        monkeypatch.setattr(place, counted)
    return told


def other_values(path: Path, seed: int) -> None:
    """The same tensors with other values: of the same size, and of the same time as before, by a rename."""
    was = path.stat()
    state = {
        name: one + 0.2 * torch.randn(one.shape, generator=seeded(seed))
        for name, one in load_file(path).items()
    }
    new = path.with_name("new.part")
    save_file(state, new, metadata={"format": "pt"})
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


def drawn(engine: Engine, settings: Settings) -> np.ndarray:
    return engine.generate(settings).frames


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_was_replaced_is_drawn_and_what_was_not_is_not_read_again(given, reads, kind):
    engine, write = Engine("cpu"), KINDS[kind]
    settings = write(given, 0)
    first = drawn(engine, settings)
    assert reads
    reads.clear()
    assert np.array_equal(drawn(engine, settings), first) and reads == []
    assert write(given, 3) == settings
    second = drawn(engine, settings)
    assert len(reads) == 1  # and nothing of what stayed as it was
    assert not np.array_equal(second, first)
    reads.clear()
    assert np.array_equal(drawn(engine, settings), second) and reads == []
    assert np.array_equal(drawn(Engine("cpu"), settings), second)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "path", "told"),
    [
        (
            "file",
            "own.safetensors",
            "model own.safetensors is broken and cannot be loaded .*the file is cut short",
        ),
        ("lora", "lo.safetensors", "lora lo.safetensors is broken and cannot be loaded"),
        ("adapter", "sketch.safetensors", "controlnet .*sketch.safetensors is broken and cannot be loaded"),
        ("words", "Zorg.safetensors", None),
        ("folder", f"family/text-to-image/unet/{WEIGHTS}", "model .*text-to-image is broken and cannot be"),
        ("controlnet", f"control/{WEIGHTS}", "controlnet .*control is broken and cannot be loaded"),
    ],
)
def test_half_a_file_is_told_in_a_sentence_and_the_whole_one_is_drawn_by_the_next_run(
    given, kind, path, told
):
    engine, settings = Engine("cpu"), KINDS[kind](given, 0)
    first, file = drawn(engine, settings), given.folder / path
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) * 2 // 3])
    if told is None:  # nothing tells what it is, so its name is a word like any other
        assert not np.array_equal(drawn(engine, settings), first)
    else:
        with pytest.raises(ModelError, match=told):
            engine.generate(settings)
    file.write_bytes(whole)
    assert np.array_equal(drawn(engine, settings), first)


@pytest.mark.slow
def test_a_file_that_is_written_over_during_a_run_changes_nothing_of_it(given):
    """What is read of safetensors is the file itself, as the system shows it in memory."""
    settings = of_adapter(given, 0)
    first = drawn(Engine("cpu"), settings)

    def write_over(step: Any) -> None:
        files = [given.folder / "sketch.safetensors", *Path(given.family).rglob("*.safetensors")]
        for file in files:
            file.write_bytes(b"")

    engine = Engine("cpu")
    resolved = engine.resolve(settings)
    assert np.array_equal(np.stack(list(engine.frames(resolved, write_over))), first)


@pytest.mark.slow
def test_the_small_vae_of_previews_is_looked_at_once_a_run(given, reads):
    engine, settings = Engine("cpu"), replace(of_file(given, 0), num_inference_steps=3)

    def shown() -> np.ndarray:
        previews: list[np.ndarray] = []
        engine.generate(settings, lambda step: previews.append(engine.preview(step.latents)))
        return previews[-1]

    without = shown()
    torch.manual_seed(1)
    path = write_safetensors(given.folder / "taesd.safetensors", AutoencoderTiny().state_dict())
    first = shown()
    assert first.shape != without.shape and reads == ["model", "preview"]
    reads.clear()
    assert np.array_equal(shown(), first) and reads == []
    other_values(path, 2)
    assert not np.array_equal(shown(), first) and reads == ["preview"]
    path.unlink()
    assert np.array_equal(shown(), without)


@pytest.mark.slow
def test_the_old_ones_are_not_kept_in_memory(given):
    import gc
    import weakref

    engine, settings = Engine("cpu"), of_controlnet(given, 0)
    engine.generate(settings)
    network = weakref.ref(engine.load_networks(settings, engine.resolve(settings).networks)[0])
    unet = weakref.ref(engine.load(given.family).unet)
    of_controlnet(given, 1)
    engine.resolve(settings)
    gc.collect()
    assert network() is None and unet() is not None
    of_folder(given, 1)
    engine.resolve(settings)
    gc.collect()
    assert unet() is None


@pytest.mark.slow
def test_files_that_are_gone_are_not_drawn_from_memory(given):
    engine, settings = Engine("cpu"), of_lora(given, 0)
    engine.generate(settings)
    (given.folder / "lo.safetensors").unlink()
    with pytest.raises(ModelError, match="lora lo.safetensors is not there"):
        engine.generate(settings)
