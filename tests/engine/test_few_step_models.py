"""Models and LoRAs for few steps, drawn end to end: their defaults are taken, told, kept, overridden."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from conftest import seeded, small_pipeline
from safetensors.torch import save_file

from t2v.commands.generate import main
from t2v.engine.engine import Engine
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.presets import preset
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings

SMALL = {"num_frames": 2, "width": 64, "height": 64, "seed": 3}
LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"
PLAIN = ("ddim", None, 50, 7.5)


def lora(path: Path) -> Path:
    halves = {"lora_A": (2, 16), "lora_B": (16, 2)}
    made = {name: torch.randn(*shape, generator=seeded(1)) for name, shape in halves.items()}
    save_file({f"unet.{LAYER}.{name}.weight": one for name, one in made.items()}, path)
    return path


def scheduled(folder: Path, **changes: object) -> Path:
    path = folder / "scheduler" / "scheduler_config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))
    return folder


def lcm_folder(folder: Path) -> Path:
    """The real class whose UNet takes the guidance as an input, so that what it takes is seen."""
    made = small_pipeline(time_cond_proj_dim=32)
    torch.nn.init.normal_(made.unet.time_embedding.cond_proj.weight, generator=seeded(2))
    made.unet.save_pretrained(folder / "unet")
    return folder


def chosen(run) -> tuple:
    return run.scheduler, run.spacing, run.num_inference_steps, run.guidance_scale


def folder_ways(folder: Path) -> dict[str, str]:
    """A model of each way of being recognised, by what it is to be drawn with."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(folder, folder.parent / name))

    euler = {"_class_name": "EulerDiscreteScheduler", "timestep_spacing": "trailing"}
    return {
        "lcm": str(lcm_folder(copy("a"))),
        "lcm by scheduler": str(scheduled(copy("b"), _class_name="LCMScheduler")),
        "tcd": str(scheduled(copy("c"), _class_name="TCDScheduler")),
        "lightning": str(scheduled(copy("d"), **euler)),
        "turbo": str(scheduled(copy("e"), **{**euler, "_class_name": "EulerAncestralDiscreteScheduler"})),
        "hyper": str(scheduled(copy("f"), **{**euler, "_class_name": "DDIMScheduler"})),
        "turbo by name": str(copy("sd-turbo")),
        "lora": f"{folder}+{lora(folder.parent / 'lcm-lora-sdv1-5.safetensors')}",
        "lora of hyper": f"{folder}+{lora(folder.parent / 'Hyper-SD15-1step-lora.safetensors')}",
    }


WANTED = {
    "lcm": ("lcm", None, 4, 8),
    "lcm by scheduler": ("lcm", None, 4, 1),
    "tcd": ("tcd", None, 4, 1),
    "lightning": ("euler", "trailing", 4, 1),
    "turbo": ("euler-ancestral", "trailing", 4, 1),
    "hyper": ("ddim", "trailing", 8, 1),
    "turbo by name": ("euler-ancestral", "trailing", 4, 1),
    "lora": ("lcm", None, 4, 1),
    "lora of hyper": ("ddim", "trailing", 1, 1),
}


@pytest.fixture(scope="module")
def ways(model_folder, tmp_path_factory) -> dict[str, str]:
    return folder_ways(Path(shutil.copytree(model_folder, tmp_path_factory.mktemp("few") / "plain")))


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine("cpu")


@pytest.mark.parametrize("method", ["paper", "canvas"])
@pytest.mark.parametrize("way", WANTED)
def test_each_is_drawn_with_what_suits_it_and_repeats(engine, ways, way, method):
    asked = TextToVideoSettings("a car", model=ways[way], method=method, motion_x=8.0, **SMALL)
    run = engine.resolve(asked)
    assert chosen(run) == WANTED[way]
    frames = np.stack(list(engine.frames(run)))
    assert frames.shape == (2, 64, 64, 3) and frames.std() > 1
    again = engine.resolve(run.filled())
    assert chosen(again) == WANTED[way]
    assert np.array_equal(np.stack(list(engine.frames(again))), frames)
    assert any("in few steps" in note.text for note in engine.prompt_notes(asked))


def test_what_is_asked_for_wins(engine, ways):
    own = {"scheduler": "euler", "spacing": "leading", "num_inference_steps": 12, "guidance_scale": 3.0}
    run = engine.resolve(TextToVideoSettings("a car", model=ways["lcm"], **own, **SMALL))
    assert chosen(run) == tuple(own.values())
    assert run.filled().spacing == "leading"


def test_the_guidance_of_an_lcm_reaches_its_network(engine, ways):
    asked = TextToVideoSettings("a car", model=ways["lcm"], **SMALL)
    taken = engine.generate(asked).frames
    assert np.array_equal(engine.generate(replace(asked, guidance_scale=8.0)).frames, taken)
    assert not np.array_equal(engine.generate(replace(asked, guidance_scale=2.0)).frames, taken)


def test_a_lora_switches_the_defaults_and_they_go_with_it(engine, ways):
    asked = TextToVideoSettings("a car", model=ways["lora"], **SMALL)
    base, _, file = ways["lora"].partition("+")
    assert chosen(engine.resolve(asked)) == WANTED["lora"]
    assert chosen(engine.resolve(replace(asked, model=base))) == PLAIN
    assert not any("few steps" in note.text for note in engine.prompt_notes(replace(asked, model=base)))
    assert chosen(engine.resolve(replace(asked, model=f"{base}+{file}@0.8"))) == WANTED["lora"]
    assert chosen(engine.resolve(replace(asked, model=f"{base}+{file}@0.2"))) == PLAIN


def test_tasks_that_follow_a_clip_take_them_too(engine, family, square_clip, tmp_path):
    model = f"{family}+{lora(tmp_path / 'tcd_lora.safetensors')}"
    for kind, plain in ((CannySettings, ("ddim", 20)), (Pix2PixVideoSettings, ("euler-ancestral", 50))):
        asked = kind(square_clip, "a car", model=model, num_frames=2, width=64, height=64, seed=3)
        run = engine.resolve(asked)
        assert chosen(run) == ("tcd", None, 4, 1)
        frames = np.stack(list(engine.frames(run)))
        assert np.array_equal(np.stack(list(engine.frames(engine.resolve(run.filled())))), frames)
        without = engine.resolve(replace(asked, model=family))
        assert (without.scheduler, without.num_inference_steps) == plain


def test_presets_keep_to_few_steps(ways):
    sets = {name: preset(ways["lightning"], name) for name in ("draft", "standard", "best", "paper")}
    steps = {name: one["num_inference_steps"] for name, one in sets.items()}
    assert steps == {"draft": 2, "standard": None, "best": 8, "paper": None}
    assert {one["scheduler"] for one in sets.values()} == {None}
    assert {one["guidance_scale"] for one in sets.values()} == {None}
    assert sets["paper"]["method"] == "paper"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "unet", "wanted"),
    [
        ("dream.safetensors", {"time_cond_proj_dim": 16}, ("lcm", None, 4, 8)),
        ("dream_lightning_2step.safetensors", {}, ("euler", "trailing", 2, 1)),
    ],
)
def test_a_file_is_drawn_by_the_command_line_which_tells_it(tmp_path, capsys, name, unet, wanted):
    file = write_safetensors(tmp_path / name, checkpoint(parts_of_1(**unet)))
    small = ["--width", "64", "--height", "64", "--num-frames", "2", "--seed", "3", "--model", str(file)]
    assert main(["text-to-video", "a car", "-o", str(tmp_path / "car.mp4"), *small]) == 0
    assert f"Note: {name} is taken for a" in capsys.readouterr().err
    kept = read_settings(tmp_path / "car.mp4")
    fields = ("scheduler", "spacing", "num_inference_steps", "guidance_scale")
    assert tuple(kept[field] for field in fields) == wanted
    like = ["--like", str(tmp_path / "car.mp4"), "-o", str(tmp_path / "again.mp4"), *small[-2:]]
    assert main(["text-to-video", *like]) == 0
    first, again = (read_video(tmp_path / file).frames for file in ("car.mp4", "again.mp4"))
    assert np.array_equal(first, again)


def test_a_models_own_card_knows_best_but_for_a_lora(engine, model_folder, tmp_path):
    folder = lcm_folder(Path(shutil.copytree(model_folder, tmp_path / "carded")))
    (folder / "miniature.json").write_text('{"defaults": {"num_inference_steps": 6, "guidance_scale": 3}}')
    asked = TextToVideoSettings("a car", model=str(folder), **SMALL)
    assert chosen(engine.resolve(asked)) == ("lcm", None, 6, 3)
    file = lora(tmp_path / "sd_lightning_2step_lora.safetensors")
    run = engine.resolve(replace(asked, model=f"{folder}+{file}"))
    assert chosen(run) == ("euler", "trailing", 2, 8)  # a network that takes the guidance wants one still
