"""guides.py: what ControlNets and T2I-Adapters are for, by their files, and which of them fit a model."""

import pytest
import torch
from checkpoint_files import (
    checkpoint,
    checkpoint_of_xl,
    parts_of_1,
    parts_of_2,
    parts_of_xl,
    write_safetensors,
)
from conftest import small_controlnet
from small_t2i import released, small_t2i, small_xl_t2i
from small_xl import small_union, small_xl_controlnet

from benchmarks.made_up.write import write_kind
from t2v.weights.guides import build_of_guide, build_of_model, check_guide, guides, guides_for
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.generations import SD1, SD2, SDXL


@pytest.fixture
def folder(tmp_path):
    """Of two widths of text, and two kinds; and what no model can be given."""
    torch.save(released(small_t2i()), tmp_path / "t2i.pth")
    write_safetensors(tmp_path / "t2i-xl.safetensors", released(small_xl_t2i()))
    write_safetensors(tmp_path / "wide.safetensors", small_controlnet(cross_attention_dim=64).state_dict())
    write_safetensors(
        tmp_path / "deep.safetensors", small_controlnet(block_out_channels=(32, 64)).state_dict()
    )
    small_controlnet().save_pretrained(tmp_path / "nets" / "edges")
    small_controlnet(global_pool_conditions=True).save_pretrained(tmp_path / "nets" / "shuffle")
    small_union().save_pretrained(tmp_path / "union")
    small_t2i().save_pretrained(tmp_path / "light")
    write_safetensors(tmp_path / "dream.safetensors", checkpoint(parts_of_1(1)))
    (tmp_path / "broken.safetensors").write_bytes(b"no weights")
    (tmp_path / "odd").mkdir()
    (tmp_path / "odd" / "config.json").write_text('{"_class_name": ["ControlNetModel"]}')
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


def test_what_lies_in_the_folder_is_told_by_files_and_configurations(folder):
    found = {one.name: one for one in guides()}
    assert found.keys() == {
        "t2i.pth", "t2i-xl.safetensors", "wide.safetensors", "deep.safetensors",
        "nets/edges", "union", "light",
    }  # fmt: skip
    builds = {
        name: (one.build.generation, one.build.text_width, one.build.first_width)
        for name, one in found.items()
    }
    assert builds["t2i.pth"] == builds["light"] == (SD1, None, 16)
    assert builds["t2i-xl.safetensors"] == (SDXL, None, 16)
    assert builds["wide.safetensors"] == (SD1, 64, 16)
    assert builds["deep.safetensors"] == (SD1, 16, 32)
    assert builds["nets/edges"] == (SD1, 16, 16)
    assert builds["union"][0] is SDXL
    size = (folder / "t2i.pth").stat().st_size // 1000
    assert found["t2i.pth"].label == f"t2i, T2I-Adapter for Stable Diffusion 1.x, {size} KB"
    size = (folder / "nets/edges/diffusion_pytorch_model.safetensors").stat().st_size // 1000
    assert found["nets/edges"].label == f"nets/edges, ControlNet for Stable Diffusion 1.x, {size} KB"


def test_those_on_offer_fit_the_model(folder, model_folder):
    def fitting(model) -> set[str]:
        return {one.name for one in guides_for(str(model))}

    assert fitting(model_folder) == {"t2i.pth", "light", "nets/edges"}
    assert fitting("miniature") == set()
    assert fitting("stabilityai/stable-diffusion-xl-base-1.0") == {"t2i-xl.safetensors", "union"}
    assert fitting("who/knows") == {one.name for one in guides()}
    write_safetensors(folder / "newer.safetensors", checkpoint(parts_of_2(1), is_2=True))
    assert fitting("newer.safetensors") == set()


def test_a_model_is_told_by_the_same(tmp_path, model_folder):
    assert build_of_model(str(model_folder)).generation is SD1
    states = (
        checkpoint(parts_of_1(1)),
        checkpoint(parts_of_2(1), is_2=True),
        checkpoint_of_xl(parts_of_xl(1)),
    )
    for state, wanted in zip(states, (SD1, SD2, SDXL), strict=True):
        path = write_safetensors(tmp_path / f"{wanted.key}.safetensors", state)
        assert build_of_model(str(path)).generation is wanted
    for model, wanted in (
        ("stable-diffusion-v1-5/stable-diffusion-v1-5", SD1),
        ("stabilityai/stable-diffusion-xl-base-1.0", SDXL),
        ("who/knows", None),
        ("nowhere", None),
    ):
        assert build_of_model(model).generation is wanted
    made = write_kind(tmp_path / "a.safetensors", "controlnet sd1")
    assert (
        build_of_guide(str(made), "canny").text_width,
        build_of_guide(str(made), "canny").first_width,
    ) == (768, 320)


@pytest.mark.parametrize(
    ("guide", "model", "told"),
    [
        (
            "t2i-xl.safetensors",
            "{model}",
            "is for Stable Diffusion XL, and the model is of Stable Diffusion 1.x",
        ),
        (
            "t2i.pth",
            "newer.safetensors",
            "is for Stable Diffusion 1.x, and the model is of Stable Diffusion 2.x",
        ),
        ("miniature", "{model}", "is the bundled model's own, and the model is of Stable Diffusion 1.x"),
        ("t2i.pth", "miniature", "is for Stable Diffusion 1.x, and the model is the miniature"),
        ("nets/edges", "miniature", "is for Stable Diffusion 1.x, and the model is the miniature"),
    ],
)
def test_one_for_another_model_is_refused_before_anything_is_loaded(folder, model_folder, guide, model, told):
    write_safetensors(folder / "newer.safetensors", checkpoint(parts_of_2(1), is_2=True))
    with pytest.raises(ModelError) as refusal:
        check_guide(guide, "canny", model.format(model=model_folder), lambda: "choose x.pth")
    assert str(refusal.value) == f"controlnet {guide} {told}; choose x.pth."


def test_what_fits_or_is_not_told_passes(folder, model_folder):
    for guide, model in (
        ("t2i.pth", model_folder),
        ("nets/edges", model_folder),
        ("deep.safetensors", model_folder),  # of the same name; its shapes are told when it is loaded
        ("miniature", "miniature"),
        ("who/knows", "miniature"),
        ("t2i.pth", "who/knows"),
    ):
        check_guide(guide, "canny", str(model))
    with pytest.raises(ModelError, match="broken.safetensors is a text, not a file of weights"):
        check_guide("broken.safetensors", "canny", "miniature")
    small_xl_controlnet().save_pretrained(folder / "xl")
    with pytest.raises(ModelError, match="is for Stable Diffusion XL"):
        check_guide("xl", "canny", str(model_folder))
