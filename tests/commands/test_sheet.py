"""commands/tries.py: variations, sweep, and presets, on the command line."""

import json

import numpy as np
import pytest
from PIL import Image

from t2v.checks import InputError
from t2v.commands.generate import main
from t2v.commands.order import read_order
from t2v.commands.tries import Sheet, write_grid

SMALL = ["--width", "64", "--height", "64", "--steps", "1", "--num-frames", "2"]


def test_variations_and_a_sweep_are_read():
    sheet = read_order(["variations", "a red car", "-n", "3", "--seed", "5"])
    assert isinstance(sheet, Sheet) and [one.seed for one in sheet.tries.each] == [5, 6, 7]
    for over in ("guidance_scale=3,5.5", "guidance=3,5.5"):
        sheet = read_order(["sweep", "a red car", "--over", over, "--steps", "9"])
        assert [one.guidance_scale for one in sheet.tries.each] == [3, 5.5]
        assert {one.num_inference_steps for one in sheet.tries.each} == {9}
    assert read_order(["sweep", "a car", "--over", "motion-x=0,8"]).tries.last


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["sweep", "a car", "--over", "guidance"], "--over is 'guidance'; give a setting and values"),
        (["sweep", "a car", "--over", "volume=3"], "'volume' is no setting to compare"),
        (["sweep", "a car", "--over", "steps=1,a"], "--steps is 'a'; give numbers"),
        (["variations", "a car", "-n", "17"], "-n is 17"),
        (["variations", " "], "prompt is empty"),
        (
            ["variations", "a car", "-o", "grid.mp4"],
            "--output is 'grid.mp4'; give a file name that ends in .png",
        ),
        (["variations", "a car", "-o", "nowhere/grid.png"], "there is no folder 'nowhere'"),
    ],
)
def test_what_cannot_be_drawn_is_refused(arguments, sentence):
    with pytest.raises(InputError, match=sentence.replace(".", r"\.")):
        read_order(arguments)


def test_a_preset_sets_what_is_not_given():
    draft = read_order(["text-to-video", "a car", "--preset", "draft"]).settings
    assert (draft.num_inference_steps, draft.scheduler) == (10, "ddim")
    paper = read_order(
        ["text-to-video", "a car", "--preset", "paper", "--steps", "7", "--guidance", "3"]
    ).settings
    assert (paper.num_inference_steps, paper.guidance_scale, paper.method) == (7, 3, "paper")
    best = read_order(["text-to-video", "a car", "--upscale", "1", "--preset", "best"]).settings
    assert (best.num_inference_steps, best.upscale) == (50, 1)
    hub = "stable-diffusion-v1-5/stable-diffusion-v1-5"
    other = read_order(["text-to-video", "a car", "--preset", "draft", "--model", hub]).settings
    assert (other.num_inference_steps, other.scheduler) == (20, "dpm++")


def test_the_grid_shows_each_and_carries_the_settings(tmp_path):
    pictures = [np.full((40, 60, 3), value, np.uint8) for value in (0, 80, 160)]
    write_grid(tmp_path / "grid.png", pictures, ["a", "b", "c"], [{"seed": 1}, {"seed": 2}, {"seed": 3}])
    with Image.open(tmp_path / "grid.png") as grid:
        shown = np.asarray(grid.convert("RGB"))
        assert json.loads(grid.text["comment"])["pictures"][2] == {"seed": 3}
    assert [tuple(shown[8 + 30 + y, x]) for y, x in ((20, 38), (20, 106), (98, 38))] == [
        (0, 0, 0), (80, 80, 80), (160, 160, 160),
    ]  # fmt: skip
    assert [one.name for one in tmp_path.iterdir()] == ["grid.png"]


@pytest.mark.slow
def test_a_sheet_is_drawn(tmp_path, family, capsys):
    output = tmp_path / "grid.png"
    command = [
        "variations",
        "a red car",
        "-n",
        "2",
        "--seed",
        "5",
        "--model",
        family,
        "-o",
        str(output),
        *SMALL,
    ]
    assert main(command) == 0
    told = capsys.readouterr().out
    assert told.startswith(f"Wrote {output}: 2 pictures, the first frames of Seed 5, Seed 6, in ")
    with Image.open(output) as grid:
        assert grid.size == (2 * 72 + 8, 64 + 30 + 8 + 8)
        kept = json.loads(grid.text["comment"])["pictures"]
    assert [one["seed"] for one in kept] == [5, 6] and kept[0]["task"] == "text-to-video"
    moving = ["sweep", "a red car", "--over", "motion_x=0,8", "--model", family, "-o", str(output), "--json"]
    assert main([*moving, *SMALL]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [one["label"] for one in report["pictures"]] == ["motion x 0", "motion x 8"]
    assert report["last_frames"] and len({one["seed"] for one in report["pictures"]}) == 1
