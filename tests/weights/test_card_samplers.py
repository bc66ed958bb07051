"""card.py: the sampler that a task's numbers were found with."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import save_file

from t2v.engine.defaults import told_defaults, told_sampler
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.presets import preset
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.card import Card, read_card
from t2v.weights.source import MINIATURE, Source

QUICK_CARD = {"few_steps": "lcm", "defaults": {"num_inference_steps": 4, "guidance_scale": 1.0}}


def chosen(model, kind=TextToVideoSettings):
    return told_sampler(model, kind)["scheduler"], told_defaults(model, kind)["num_inference_steps"]


def test_the_miniature_draws_from_text_by_its_own_and_follows_clips_as_before():
    assert chosen("miniature") == ("dpm++", 12)
    assert chosen("miniature", CannySettings) == ("ddim", 25)
    assert chosen("miniature", Pix2PixVideoSettings) == ("euler-ancestral", 25)
    assert chosen("stable-diffusion-v1-5/stable-diffusion-v1-5") == ("ddim", 50)


def test_a_style_beside_it_has_the_last_word():
    assert chosen("miniature+style") == ("ddim", 25)
    assert told_defaults("miniature+style", Pix2PixVideoSettings)["guidance_scale"] == 2.5  # the model's own


def test_one_for_few_steps_beside_it_brings_its_own(tmp_path):
    """With the card that its recipe writes; also over a style that asks for many."""
    ignored = shutil.ignore_patterns("*.safetensors")
    model = Path(shutil.copytree(MINIATURE, tmp_path / "model", ignore=ignored))
    for name, card in (("quick", QUICK_CARD), ("style", {"defaults": {"guidance_scale": 1.5}})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "miniature.json").write_text(json.dumps(card))
        save_file({}, tmp_path / name / "pytorch_lora_weights.safetensors")
    for name in (f"{model}+quick", f"{model}+style+quick"):
        assert chosen(name) == ("lcm", 4)
        assert told_defaults(name, TextToVideoSettings)["guidance_scale"] == 1
        assert [preset(name, one)["num_inference_steps"] for one in ("draft", "standard", "best")] == [
            2,
            None,
            8,
        ]
    assert chosen(f"{model}+quick@0.2") == ("dpm++", 12)


@pytest.mark.parametrize("told", ["slow", 3, None, ["ddim"]])
def test_a_card_that_names_no_sampler_is_not_used(told, tmp_path, caplog):
    folder = Path(
        shutil.copytree(MINIATURE, tmp_path / "model", ignore=shutil.ignore_patterns("*.safetensors"))
    )
    card = json.loads((folder / "miniature.json").read_text())
    card["tasks"]["text-to-video"]["scheduler"] = told
    (folder / "miniature.json").write_text(json.dumps(card))
    assert read_card(Source.parse(str(folder))) == Card()
    assert "is no sampler" in caplog.text
