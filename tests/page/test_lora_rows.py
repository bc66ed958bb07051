"""lora_rows.py: rows of LoRAs and the model's field say the same; visitors have what is on offer."""

from types import SimpleNamespace

import gradio as gr
import pytest

from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.write import write_made_up
from t2v.checks import InputError
from t2v.page import lora_rows as rows
from t2v.page.visitors import check_offered
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.models_folder import use_models_folder
from t2v.weights.source import Source, bundled_loras

OWN = SimpleNamespace(is_open=False, default_model="miniature")
OPEN = SimpleNamespace(is_open=True, default_model="miniature")


@pytest.fixture(autouse=True)
def folder(tmp_path):
    for made, name in (
        ("lora kohya sd1", "neon.safetensors"),
        ("lora peft", "b.safetensors"),
        ("vae", "v.safetensors"),
    ):
        shapes, dtype, metadata, _ = MADE_UP[made]
        write_made_up(tmp_path / name, shapes(), dtype, metadata)
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


def shown(studio, model: str) -> dict[str, float]:
    _, *told = rows._show(studio, model)
    visible, sliders = told[: rows.ROWS], told[rows.ROWS :]
    return {
        slider["label"]: slider["value"]
        for row, slider in zip(visible, sliders, strict=True)
        if row["visible"]
    }


@pytest.mark.parametrize("studio", [OWN, OPEN])
def test_rows_show_what_the_models_field_says(studio):
    assert shown(studio, "miniature") == {}
    assert shown(studio, "miniature+style") == {"style": 1.0}
    text = "miniature+neon.safetensors@0.7+v.safetensors+b.safetensors@-3"
    assert shown(studio, text) == {"neon.safetensors": 0.7, "b.safetensors": -3.0}
    assert shown(studio, "miniature+a@much") == {"a": 1.0}
    assert shown(studio, "+".join(["miniature", *"abcdefgh"])) == dict.fromkeys("abcdef", 1.0)


def test_adding_sliding_and_removing_write_the_models_field():
    model, cleared = rows._add(OWN, "miniature", "neon.safetensors")
    assert (model, cleared) == ("miniature+neon.safetensors", "")
    model, slid = rows._slide(OWN, 0, model, 0.35)
    assert slid == model and all(one == gr.skip() for one in rows._show(OWN, model, slid))
    assert model == "miniature+neon.safetensors@0.35"
    model = rows._add(OWN, f"{model}+v.safetensors", "b.safetensors")[0]
    assert model == "miniature+neon.safetensors@0.35+v.safetensors+b.safetensors"
    model = rows._slide(OWN, 1, model, -1)[0]
    assert model == "miniature+neon.safetensors@0.35+v.safetensors+b.safetensors@-1"
    assert rows._slide(OWN, 0, model, 1)[0] == "miniature+neon.safetensors+v.safetensors+b.safetensors@-1"
    assert rows._remove(OWN, 0, model) == "miniature+v.safetensors+b.safetensors@-1"
    assert isinstance(rows._add(OWN, model, "b.safetensors")[0], dict)  # it is there already
    assert isinstance(rows._slide(OWN, 5, model, 1)[0], dict)


def test_the_picker_has_the_bundled_ones_and_those_in_the_folder():
    labels = dict((name, label) for label, name in rows.offered_loras())
    bundled = {Source.parse(model).adapters[0] for model in bundled_loras().values()}
    assert "style" in bundled
    assert set(labels) == {*bundled, "neon.safetensors", "b.safetensors"}
    assert labels["neon.safetensors"].startswith("neon, Stable Diffusion 1.x, ")


def test_visitors_may_have_loras_on_offer_behind_a_model_on_offer():
    for model in (
        "miniature+style",
        "miniature+neon.safetensors@0.5+style@-1",
        "miniature+style+b.safetensors",
    ):
        check_offered(OPEN, TextToVideoSettings("a car", model=model))
    for model in (
        "miniature+/etc/passwd",
        "miniature+neon.safetensors+../x",
        "/etc+neon.safetensors",
        "miniature+",
    ):
        with pytest.raises(InputError, match="model is not on offer here"):
            check_offered(OPEN, TextToVideoSettings("a car", model=model))
