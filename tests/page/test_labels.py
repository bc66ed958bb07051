"""Sentences of the core in the page's words: in notes, in the box of errors and in the list of runs."""

import gradio as gr
import pytest
import torch
from safetensors.torch import save_file

from t2v.engine.engine import Engine
from t2v.jobs.job import JobView
from t2v.jobs.queue import Jobs
from t2v.page import text_tab
from t2v.page.model_told import told_html
from t2v.page.runs_list import RunsList
from t2v.page.runs_markup import runs_html
from t2v.page.studio import Studio
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings

BEGINNINGS = {  # the rest of each is the same
    "lora xl_detail": "LoRA xl_detail",
    "loras a and b": "LoRAs a and b",
    "the strength of lora style": "The strength of LoRA style",
    "controlnet my lora": "ControlNet my lora",
    "vae taesd.pt": "VAE taesd.pt",
    "ip_adapter face.bin": "IP-Adapter face.bin",
    "dtype": "Precision",
}
REST = " is not for it (dtype); choose a LoRA, or another model."


def panel_of(engine: Engine, folder):
    jobs = Jobs(engine, folder)
    try:
        with gr.Blocks():
            panel = text_tab.build(Studio(engine, jobs))
            panel.wire()
    finally:
        jobs.close(timeout_s=5)
    return panel


@pytest.fixture(scope="module")
def panel(tmp_path_factory):
    return panel_of(Engine("cpu"), tmp_path_factory.mktemp("runs"))


@pytest.mark.parametrize("begins", BEGINNINGS)
def test_the_box_and_the_list_say_the_same_in_labels(panel, begins):
    told = f"{BEGINNINGS[begins]} is not for it; choose a LoRA, or another model."
    assert f"<p>{told}</p>" in panel.error(begins + REST)
    view = JobView("0" * 32, "failed", TextToVideoSettings("a car"), error=begins + REST)
    in_words = RunsList(panel.studio, [panel])._in_words(view)
    assert in_words.error == told and told in runs_html([in_words], ["text-to-video"])


def test_a_run_whose_tab_is_not_on_the_page_is_told_without_its_fields(panel):
    view = JobView("0" * 32, "failed", CannySettings("x.mp4", "a car"), error="controlnet x is broken.")
    assert RunsList(panel.studio, [panel])._in_words(view).error == "ControlNet x is broken."
    waits = JobView("0" * 32, "queued", TextToVideoSettings("a car"))
    assert RunsList(panel.studio, [panel])._in_words(waits) is waits


def test_notes_speak_of_fields_by_their_labels(panel):
    (note,) = panel.studio.engine.prompt_notes(TextToVideoSettings("a car", dtype="float16"))
    assert note.text.startswith("dtype is float16, in which processors are slow")
    page = panel.prompt_notes(TextToVideoSettings("a car", dtype="float16"))
    assert "Precision is float16, in which processors are slow, so this is drawn in float32" in page
    assert "dtype" not in page


def test_what_is_told_of_a_model_below_its_picker_is_not_told_below_run_too(panel, tmp_path):
    file = tmp_path / "lcm-lora.safetensors"
    save_file({"lora_unet_mid_block_attentions_0_proj_in.lora_down.weight": torch.zeros(2, 16)}, file)
    settings = TextToVideoSettings("a car", model=f"miniature+{file}")
    sentence = "lcm-lora.safetensors is taken for a LoRA of LCM"
    assert sentence in told_html(settings.model, False)
    assert any(one.text.startswith(sentence) for one in panel.studio.engine.prompt_notes(settings))
    assert sentence not in panel.prompt_notes(settings)


def test_what_precision_suits_the_model_is_told(tmp_path, monkeypatch):
    def first(engine: Engine) -> tuple[str, str]:
        return panel_of(engine, tmp_path).form["dtype"].choices[0]

    assert first(Engine("cpu")) == ("What suits the model: float32", "")
    assert first(Engine("cpu", "bfloat16")) == ("What suits the model: bfloat16", "")
    monkeypatch.setattr("t2v.engine.precision.is_quick_in_bfloat16", lambda: True)
    assert first(Engine("cpu")) == ("What suits the model: bfloat16", "")  # of the miniature, by its card
