"""What is told of the model that is chosen: that it has to be fetched, and what it takes for empty fields."""

import gradio as gr
import huggingface_hub.constants
import pytest
import torch
from safetensors.torch import save_file

from t2v.engine.defaults import told_defaults, told_sampler
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page import text_tab
from t2v.page.form_fields import models
from t2v.page.model_told import SUITS, _placeholders, _samplers, marked, offered, taken, told_html, unmarked
from t2v.page.studio import Studio
from t2v.tasks.canny import CannySettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.told import told_method

SD = STABLE_DIFFUSION.model
TOLD = ["width", "height", "num_inference_steps", "guidance_scale", "motion_x", "motion_y", "t0", "t1"]
FORM = {"model": "miniature", "num_frames": 8, "move": "camera", "method": "", "width": "", "height": ""}


@pytest.fixture(autouse=True)
def nothing_fetched(tmp_path, monkeypatch):
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))


def shown(**changes) -> dict[str, str]:
    return dict(zip(TOLD, _placeholders(TextToVideoSettings, TOLD, FORM | changes), strict=True))


def test_the_picker_marks_what_has_to_be_fetched():
    names = dict(map(reversed, marked(models(TextToVideoSettings))))
    assert names[SD] == "Stable Diffusion 1.5: to be fetched (4 GB)"
    assert names["miniature"] == "Miniature (bundled)"
    assert any(name.endswith("(size unknown)") for name, _ in marked(models(CannySettings)))
    assert [unmarked(name) for name, _ in marked(models(CannySettings))] == [
        name for name, _ in models(CannySettings)
    ]


def test_the_line_below_follows_the_model():
    assert "knows few words" in told_html("miniature", False)
    assert "knows few instructions" in told_html("miniature", True)
    assert "about 4 GB" in told_html(SD, False)
    assert "not known here" in told_html("no-one/no-model", False)
    assert told_html("", False) == told_html(None, False) == told_html("nowhere", False) == ""


def test_an_app_for_others_looks_for_no_name_that_it_does_not_list():
    is_offered = offered(lambda: [("Miniature", "miniature")], True)
    assert is_offered("miniature") and not is_offered("some/folder")
    assert offered(list, False)("some/folder")


def test_placeholders_are_what_a_run_takes(family):
    engine = Engine("cpu")
    for model in ("miniature", family):
        for form in (
            {},
            {"num_frames": 24},
            {"move": "subject"},
            {"method": "paper", "num_frames": 4},
            {"scheduler": "euler"},
        ):
            asked = {name: value for name, value in form.items()}
            used = engine.resolve(TextToVideoSettings("a red car on a street", model=model, **asked))
            now = shown(model=model, **form)
            for name in TOLD:
                if now[name] != SUITS:
                    assert float(now[name]) == pytest.approx(getattr(used, name), abs=0.006), (model, name)
    assert SUITS not in shown().values()
    # twelve steps suit the miniature's own sampler, and no other
    assert [shown(scheduler=one)["num_inference_steps"] for one in ("", "dpm++", "euler")] == [
        "12",
        "12",
        "25",
    ]


def test_of_stable_diffusion_its_familys_values_are_told_and_of_others_none():
    assert shown(model=SD) == {
        "width": "512", "height": "512", "num_inference_steps": "50", "guidance_scale": "7.5",
        "motion_x": "12", "motion_y": "12", "t0": "881", "t1": "941",
    }  # fmt: skip
    assert set(shown(model="no-one/no-model").values()) == {SUITS}
    assert told_defaults(STABLE_DIFFUSION.editor, Pix2PixVideoSettings)["image_guidance_scale"] == 1.5
    assert (told_method(SD), told_method("miniature"), told_method("no-one/x")) == (
        "paper",
        "canvas",
        "paper",
    )


def test_times_of_another_size_are_not_told():
    assert shown(width="128")["t0"] == SUITS and shown(width="128")["width"] == "256"
    assert shown(width="256", height="256")["t0"] == "481"
    assert shown(num_frames="many")["motion_x"] == "0"


def test_the_form_begins_with_them(tmp_path):
    engine = Engine("cpu")
    jobs = Jobs(engine, tmp_path)
    with gr.Blocks():
        panel = text_tab.build(Studio(engine, jobs))
        panel.wire()
    assert panel.form["num_inference_steps"].placeholder == "12"
    assert panel.form["motion_x"].placeholder == "-2"
    assert "Stable Diffusion 1.5: to be fetched (4 GB)" in dict(panel.form["model"].choices)
    jobs.close()


def test_few_steps_are_told_of_a_model_and_of_a_lora_and_shown_where_fields_stay_empty(tmp_path):
    file = tmp_path / "lcm-lora.safetensors"
    save_file({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": torch.zeros(2, 16)}, file)
    name = f"miniature+{file}"
    page = told_html(name, False)
    assert "knows few words. lcm-lora.safetensors is taken for a LoRA of LCM&#x27;s kind" in page
    assert "4 steps, guidance 1 (off) and the sampler lcm" in page
    shown = taken(TextToVideoSettings, {"model": name, "num_frames": 8})
    assert (shown["num_inference_steps"], shown["guidance_scale"]) == (4, 1)
    assert told_sampler(name, TextToVideoSettings) == {"scheduler": "lcm", "spacing": None}
    of_hub = taken(TextToVideoSettings, {"model": "someone/sd-turbo", "num_frames": 8})
    assert of_hub == {"num_inference_steps": 4, "guidance_scale": 1}
    assert _samplers(TextToVideoSettings, name)[0] == ("What suits the model: lcm", "")
    assert _samplers(TextToVideoSettings, "miniature")[0] == ("What suits the model: dpm++", "")
    assert _samplers(Pix2PixVideoSettings, "miniature")[0] == ("What suits the model: euler-ancestral", "")
