"""The choice "Memory": only where the device has a memory of its own; and "Precision", everywhere."""

import gradio as gr

from t2v.devices import DTYPES
from t2v.engine.engine import Engine
from t2v.engine.lent import LentEngine
from t2v.jobs.queue import Jobs
from t2v.memory.profiles import PROFILES
from t2v.page.form_fields import machinery
from t2v.page.studio import Studio
from t2v.tasks.text_to_video import TextToVideoSettings


def form(engine: Engine, folder):
    jobs = Jobs(engine, folder)
    try:
        with gr.Blocks():
            return machinery(Studio(engine, jobs), TextToVideoSettings("a car"))
    finally:
        jobs.close(timeout_s=5)


def test_profiles_are_on_offer_beside_a_gpu(tmp_path):
    engine = Engine("cpu")
    assert not {"profile", "fp8"} & form(engine, tmp_path).keys()
    engine.device = "cuda"  # as where one is there; nothing is drawn here
    found = form(engine, tmp_path)
    assert [value for _, value in found["profile"].choices] == list(PROFILES)
    assert found["profile"].value == "auto" and found["profile"].label == "Memory"
    assert found["profile"].info.count(".") == 1 and found["fp8"].value is False


def test_a_gpu_that_is_lent_has_room_for_all():
    engine = Engine("cpu")
    engine.device, engine.heeds_profiles = "cuda", LentEngine.heeds_profiles
    assert not engine.offers_profiles


def test_precisions_are_on_offer_after_what_suits(tmp_path):
    found = form(Engine("cpu"), tmp_path)["dtype"]
    assert [value for _, value in found.choices] == ["", *DTYPES]
    assert (found.label, found.value) == ("Precision", "")
