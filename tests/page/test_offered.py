"""offered.py: what visitors type is read by the rule that runs go by, and what is refused is named."""

from types import SimpleNamespace

import gradio as gr
import pytest

from benchmarks.made_up.write import write_kind
from t2v.checks import InputError
from t2v.page.model_told import SUITS, follow_defaults, follow_model, offered
from t2v.page.visitors import check_offered
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.index import check_model
from t2v.weights.models_folder import use_models_folder
from t2v.weights.source import Source

OPEN = SimpleNamespace(is_open=True, default_model="miniature")


@pytest.fixture(autouse=True)
def folder(tmp_path):
    for made, name in (
        ("sd1 fp16", "own.safetensors"),
        ("sd1 lcm", "far/few.safetensors"),
        ("sd1 fp16", "a/twin.safetensors"),
        ("sd1 fp16", "b/twin.safetensors"),
        ("lora kohya sd1", "l1/style.safetensors"),
        ("lora kohya sd1", "l2/style.safetensors"),
        ("lora kohya sd1", "abcd.safetensors"),
        ("controlnet sd1", "n1/edges.safetensors"),
        ("controlnet sd1", "n2/edges.safetensors"),
    ):
        write_kind(tmp_path / name, made)
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


def asked(model: str) -> str:
    return check_offered(OPEN, TextToVideoSettings("a cat", model=model)).model


@pytest.mark.parametrize(
    ("typed", "whole"),
    [
        ("own", "own.safetensors"),
        ("own.safetensors", "own.safetensors"),
        ("few", "few.safetensors"),
        ("few.safetensors", "few.safetensors"),
        ("far/few", "few.safetensors"),  # where it lies, as with a second one of its name
        ("far/few.safetensors", "few.safetensors"),
        ("a/twin", "a/twin.safetensors"),
        ("b/twin.safetensors+abcd", "b/twin.safetensors+abcd.safetensors"),
        ("own+l2/style@0.5", "own.safetensors+l2/style.safetensors@0.5"),
    ],
)
def test_what_is_typed_in_an_app_of_ones_own_is_taken_from_visitors_too(folder, typed, whole):
    assert asked(typed) == whole
    check_model(typed)
    assert Source.parse(typed).folder == Source.parse(whole).folder


@pytest.mark.parametrize("ending", ["", ".safetensors"])
def test_names_of_two_files_are_refused_with_both_and_so_they_are_of_ones_own(ending):
    both = "may be {0}1/{1}.safetensors or {0}2/{1}.safetensors; give one of these names."
    models = "may be a/twin.safetensors or b/twin.safetensors; give one of these names."
    for typed, told in (
        (f"twin{ending}", f"model twin{ending} {models}"),
        (f"twin{ending}+abcd", f"model twin{ending} {models}"),
        (f"own+style{ending}@0.5", f"lora style{ending} {both.format('l', 'style')}"),
    ):
        for ask in (asked, check_model):
            with pytest.raises(InputError) as refused:
                ask(typed)
            assert str(refused.value) == told
    with pytest.raises(InputError) as refused:
        check_offered(OPEN, CannySettings("x.mp4", "a car", controlnet=f"edges{ending}"))
    assert str(refused.value) == f"controlnet edges{ending} {both.format('n', 'edges')}"


def test_a_lora_that_is_not_on_offer_is_named_and_the_model_is_not_blamed():
    on_offer = "choose one of abcd.safetensors, l1/style.safetensors, l2/style.safetensors, or leave it out."
    for typed in ("own+abc", "own+abc@0.5", "own+abcd+abc", "own.safetensors + abc"):
        with pytest.raises(InputError) as refused:
            asked(typed)
        assert str(refused.value) == f"lora abc is not on offer here; {on_offer}"
    with pytest.raises(InputError, match="^model is 'own.@0.5'; give the names of both, as in miniature.sty"):
        asked("own+@0.5")
    for typed in ("one", "one+abcd", "one+abc"):
        with pytest.raises(InputError, match="^model is not on offer here; choose one of miniature, "):
            asked(typed)


def test_the_line_below_the_model_reads_names_as_runs_do():
    names = ["miniature", "own.safetensors", "a/twin.safetensors", "b/twin.safetensors"]
    known = offered(lambda: [(one, one) for one in names], is_open=True)
    for typed, whole in (
        ("own", "own.safetensors"),
        ("own.safetensors", "own.safetensors"),
        (" own ", "own.safetensors"),
        ("a/twin", "a/twin.safetensors"),
        ("own+abcd@0.5", "own.safetensors+abcd.safetensors@0.5"),
    ):
        assert known(typed) == whole
    for typed in ("twin", "few", "own+abc", "own+", "/etc", "", "x" * 501):
        assert known(typed) is None
    assert offered(list, is_open=False)("few") == "few"


def test_a_name_without_its_ending_is_described_as_the_whole_one():
    names = ["miniature", "few.safetensors"]

    def offers():
        return [(one, one) for one in names]

    def precision(model: str) -> str:
        return "float16" if model == "few.safetensors" else "float32"

    known = offered(offers, is_open=True)
    with gr.Blocks() as page:
        form = {"model": gr.Dropdown(offers(), value="miniature", allow_custom_value=True)}
        follow_model(form["model"], offers, False, known)
        form |= {"num_inference_steps": gr.Textbox(placeholder=SUITS), "dtype": gr.Dropdown()}
        follow_defaults(TextToVideoSettings, form, known, precision)
    below, fields = (one.fn for one in page.fns.values())
    described = below("few.safetensors")[1]
    assert "few steps" in described
    steps, kinds = fields("few.safetensors")
    assert steps["placeholder"].isdecimal() and kinds["choices"][0][0].endswith(": float16")
    for typed in ("few", "far/few", " few "):
        assert below(typed)[1] == described
        assert fields(typed) == [steps, kinds]
    assert below("fewer")[1] == "" and fields("fewer")[0]["placeholder"] == SUITS
