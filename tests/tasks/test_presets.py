"""presets.py: what a word sets, by the model."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from miniature.shapes import PRESETS as OF_MINIATURE
from t2v.checks import InputError
from t2v.tasks.canny import CannySettings
from t2v.tasks.presets import FIELDS, PRESETS, in_words, is_unmeasured, preset, with_preset
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.source import MINIATURE

GOOD = TextToVideoSettings("a red car on a street", seed=3)
HUB = STABLE_DIFFUSION.model


@pytest.mark.parametrize("model", ["miniature", HUB])
@pytest.mark.parametrize("name", PRESETS)
def test_each_sets_all_of_its_fields_to_what_can_be_run(model, name):
    values = preset(model, name)
    assert tuple(values) == FIELDS
    set_so = with_preset(replace(GOOD, model=model, num_inference_steps=3, method="canvas"), name)
    set_so.check()
    assert {field: getattr(set_so, field) for field in FIELDS} == values
    assert (set_so.prompt, set_so.seed) == (GOOD.prompt, 3)


def test_standard_is_the_defaults_and_paper_is_the_papers():
    assert with_preset(replace(GOOD, scheduler="unipc", upscale=2), "standard") == GOOD
    paper = with_preset(replace(GOOD, model=HUB), "paper")
    assert (paper.method, paper.num_inference_steps, paper.guidance_scale) == ("paper", 50, 7.5)
    assert (paper.motion_x, paper.motion_y, paper.scheduler) == (12, 12, "ddim")
    assert preset("miniature", "paper")["motion_x"] == 6  # of half the side


def test_a_models_card_has_its_own(model_folder, tmp_path):
    assert json.loads((MINIATURE / "miniature.json").read_text())["presets"] == OF_MINIATURE
    folder = Path(shutil.copytree(model_folder, tmp_path / "carded"))
    (folder / "miniature.json").write_text(json.dumps({"presets": {"draft": {"num_inference_steps": 3}}}))
    assert preset(str(folder), "draft")["num_inference_steps"] == 3
    assert preset(str(folder), "best") == preset(HUB, "best")
    (folder / "miniature.json").write_text(json.dumps({"presets": {"draft": {"prompt": "a cat"}}}))
    with pytest.raises(InputError, match="preset is draft, which sets prompt"):
        preset(str(folder), "draft")


def test_a_word_that_there_is_not_and_a_task_without_are_refused(square_clip):
    with pytest.raises(InputError, match="preset is 'fast'"):
        preset("miniature", "fast")
    with pytest.raises(InputError, match="preset is draft, and canny has none"):
        with_preset(CannySettings(square_clip, "a car"), "draft")


def test_in_words():
    assert in_words(preset("miniature", "draft")) == "10 steps, the sampler ddim"
    assert in_words(preset("miniature", "standard")) == "what suits the model"
    assert in_words(preset("miniature", "best")) == "50 steps, frames twice as large, the sampler ddim"
    assert in_words(preset(HUB, "standard")) == "25 steps, the sampler dpm++"
    assert in_words(preset(HUB, "draft")) == "20 steps, the sampler dpm++"
    assert in_words(preset(HUB, "paper")) == (
        "the paper's method, 50 steps, guidance 7.5, motion of 12 px to the right and 12 px down a frame, "
        "the sampler ddim"
    )


def test_what_was_never_seen_on_such_weights_is_known():
    told = {model: [name for name in PRESETS if is_unmeasured(model, name)] for model in ("miniature", HUB)}
    assert told == {"miniature": [], HUB: ["draft", "standard", "best"]}
