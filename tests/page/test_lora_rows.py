"""lora_rows.py: rows of LoRAs and the model's field say the same; visitors have what is on offer."""

from dataclasses import replace
from types import SimpleNamespace

import gradio as gr
import pytest
import torch
from checkpoint_files import write_safetensors

from benchmarks.made_up.write import write_kind
from t2v.checks import InputError
from t2v.page import lora_rows as rows
from t2v.page.visitors import check_offered
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights import models_folder, source
from t2v.weights.listing import listed
from t2v.weights.models_folder import use_models_folder
from t2v.weights.source import Source, as_path, bundled_loras

OWN = SimpleNamespace(is_open=False, default_model="miniature")
OPEN = SimpleNamespace(is_open=True, default_model="miniature")
LORAS = "is not on offer here; choose one of b.safetensors, neon.safetensors, v.safetensors, or leave it out."


@pytest.fixture(autouse=True)
def folder(tmp_path):
    for made, name in (
        ("lora kohya sd1", "neon.safetensors"),
        ("lora peft", "b.safetensors"),
        ("vae", "v.safetensors"),
    ):
        write_kind(tmp_path / name, made)
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
    assert shown(studio, "+".join(["miniature", *"ijklmnop"])) == dict.fromkeys("ijklmn", 1.0)


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
    for model, told in (
        (
            "miniature+/etc/passwd",
            "^lora /etc/passwd is not on offer here; choose one of style, quick, b.safe",
        ),
        ("miniature+neon.safetensors+../x@0.5", "^lora ../x is not on offer here; .*, or leave it out.$"),
        ("/etc+neon.safetensors", "^model is not on offer here; choose one of miniature, "),
        ("miniature+", "^model is 'miniature.'; give the names of both"),
        ("miniature+@0.5", "^model is 'miniature.@0.5'; give the names of both"),
    ):
        with pytest.raises(InputError, match=told):
            check_offered(OPEN, TextToVideoSettings("a car", model=model))


def test_labels_have_no_gaps_and_no_lora_that_nothing_takes(folder):
    for made, name in (("loha", "pixelart loha.safetensors"), ("lora flux", "flux.safetensors")):
        write_kind(folder / name, made)
    labels = [label for label, _ in rows.offered_loras() if "bundled" not in label]
    assert [label.partition(", ")[0] for label in labels] == ["b", "neon", "pixelart loha"]
    assert not [label for label in labels if ", ," in label]
    assert [one.name for one in listed() if one.is_lora] == [
        "b.safetensors", "neon.safetensors", "pixelart loha.safetensors",
    ]  # fmt: skip
    flux = next(one for one in listed() if one.name == "flux.safetensors")
    assert flux.words == "a LoRA for another kind of model" and not flux.is_lora
    write_safetensors(
        folder / "small.safetensors",
        {"lora_unet_x.hada_w1_a": torch.zeros(2, 2), "lora_unet_x.hada_w1_b": torch.zeros(2, 2)},
    )
    assert ("small, 1 KB", "small.safetensors") in rows.offered_loras()


def test_names_with_spaces_around_are_offered_ones():
    for model in (" miniature ", "miniature+neon.safetensors ", " miniature + neon.safetensors@0.5"):
        check_offered(OPEN, TextToVideoSettings("a cat", model=model))


def asked(studio, model):
    return check_offered(studio, TextToVideoSettings("a cat", model=model)).model


def test_names_without_endings_are_the_files_that_the_page_lists(folder, tmp_path):
    """By the rule that runs go by; and what comes back is whole, so that nothing else can be found for it."""
    write_kind(folder / "dream.safetensors", "sd1 fp16")
    (folder / "far").mkdir()
    (folder / "b.safetensors").rename(folder / "far/b.safetensors")
    for model, whole in (
        ("dream", "dream.safetensors"),
        ("dream+neon@0.5", "dream.safetensors+neon.safetensors@0.5"),
        (" dream + neon @0.5+v+b", "dream.safetensors+neon.safetensors@0.5+v.safetensors+b.safetensors"),
        ("miniature+neon+style@2", "miniature+neon.safetensors+style@2"),
        ("dream+neon@much", "dream.safetensors+neon.safetensors@much"),  # which a run refuses
    ):
        assert asked(OPEN, model) == Source.parse(model).name == whole
        assert asked(OWN, model) == model
        assert shown(OPEN, model).keys() == shown(OWN, model).keys()
    assert rows._slide(OPEN, 0, "dream+neon", 0.5)[0] == "dream+neon.safetensors@0.5"
    by_folder = SimpleNamespace(is_open=True, default_model=f"{folder}/dream.safetensors+v")
    assert asked(by_folder, f"{folder}/dream.safetensors+v+neon") == (
        f"{folder}/dream.safetensors+v.safetensors+neon.safetensors"
    )


def test_what_is_not_listed_is_looked_for_nowhere_and_told_like_what_is_not_there(
    folder, tmp_path, monkeypatch
):
    write_kind(folder / "dream.safetensors", "sd1 fp16")
    (folder / "broken.safetensors").write_bytes(b"x")
    (folder / ".hidden.safetensors").write_bytes((folder / "neon.safetensors").read_bytes())
    here = tmp_path / "here"
    (here / "dream").mkdir(parents=True)  # where the app runs: of the name of a model on offer
    (here / "other").mkdir()
    monkeypatch.chdir(here)
    told, sought = set(), []
    there = (
        "broken",
        "broken.safetensors",
        ".hidden",
        "other",
        "./dream",
        f"{folder}/dream",
        str(here),
        "/etc",
    )
    with monkeypatch.context() as patch:
        patch.setattr(source, "as_path", lambda text: sought.append(text) or as_path(text))
        patch.setattr(models_folder, "is_file", lambda path: sought.append(path) or path.is_file())
        assert asked(OPEN, "miniature") == "miniature"
        of_the_list = set(sought)
        for name in (*there, "missing", "missing.safetensors", "/missing", "x" * 450):
            for model in (name, f"{name}+neon", f"dream+{name}", f"dream+neon+{name}@0.5", f"dream+{name}@x"):
                with pytest.raises(InputError) as refused:
                    asked(OPEN, model)
                told.add(str(refused.value).replace(name, "...", 1))
        assert asked(OPEN, "dream+neon") == "dream.safetensors+neon.safetensors"
    lora, model = sorted(told, key=len)
    assert lora == f"lora ... {LORAS}"
    assert model.startswith("model is not on offer here; choose one of miniature, ")
    assert set(sought) == of_the_list
    assert Source.parse("dream").base == "dream"  # which, of somebody at this machine, is the folder


def test_what_lies_beside_the_miniature_is_on_offer_behind_it_alone(folder):
    write_kind(folder / "dream.safetensors", "sd1 fp16")
    with pytest.raises(InputError, match=f"^lora style {LORAS}$"):
        asked(OPEN, "dream+style")
    (folder / "neon.safetensors").rename(folder / "style.safetensors")
    assert asked(OPEN, "dream+style") == "dream.safetensors+style.safetensors"
    assert asked(OPEN, "miniature+style") == "miniature+style"


def test_a_name_that_goes_on_without_end_is_not_taken_apart():
    with pytest.raises(InputError, match="^model has 1000001 characters; at most 500 are allowed"):
        asked(OPEN, "+" * 1_000_001)
    assert shown(OPEN, "+" * 1_000_001) == {}


def test_visitors_may_have_the_folders_controlnets_and_no_others(folder):
    for made, name in (("controlnet sd1", "edges.safetensors"), ("t2i-adapter", "t2i.safetensors")):
        write_kind(folder / name, made)
    also = (Also("depth", "t2i.safetensors"), Also("pose", "lllyasviel/control_v11p_sd15_openpose"))
    for controlnet in (
        None,
        "miniature",
        "edges.safetensors",
        " edges ",
        "edges",
        "lllyasviel/control_v11p_sd15_canny",
    ):
        settings = CannySettings("x.mp4", "a car", controlnet=controlnet, also=also)
        full = check_offered(OPEN, settings)
        whole = "edges.safetensors" if "edges" in str(controlnet) else controlnet
        assert (full.controlnet, full.also) == (whole, settings.also)
    assert check_offered(OPEN, replace(settings, also=(Also("depth", "t2i"),))).also == (also[0],)
    for other in (
        "neon.safetensors",
        "neon",
        "edges+t2i",
        str(folder / "edges.safetensors"),
        "../edges.safetensors",
        "/etc",
    ):
        for asked in ({"controlnet": other}, {"also": (Also("depth", other),)}):
            with pytest.raises(
                InputError, match="controlnet is not on offer here; choose one of miniature, "
            ):
                check_offered(OPEN, CannySettings("x.mp4", "a car", **asked))
