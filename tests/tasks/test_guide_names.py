"""guide_names.py: what a ControlNet is for by its name, and what is chosen and told because of it."""

import pytest
import torch
from checkpoint_files import write_safetensors
from conftest import small_controlnet
from small_t2i import released, small_t2i, small_xl_t2i

from t2v.engine.check_weights import check_weights
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.depth import DepthSettings
from t2v.tasks.guide_names import fitting, guessed, guide_notes, instead, shows
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError


@pytest.fixture
def folder(tmp_path):
    use_models_folder(tmp_path)
    yield tmp_path
    use_models_folder(None)


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("t2iadapter_canny_sd15v2.pth", "canny"),
        ("control_edges.safetensors", "canny"),
        ("diffusers/controlnet-canny-sdxl-1.0", "canny"),
        ("lllyasviel/control_v11f1p_sd15_depth", "depth"),
        ("controlnetdepth.safetensors", "depth"),
        ("t2iadapter_zoedepth_sd15v1.pth", "depth"),
        ("thing/Depth/diffusion_pytorch_model.safetensors", "depth"),
        ("t2i-adapter-openposeXL2.safetensors", "pose"),
        ("t2iadapter_keypose_sd14v1.pth", "pose"),
        ("poses.pth", "pose"),
        ("soft_edge.pth", "soft edges"),
        ("control_v11p_sd15_softedge.pth", "soft edges"),
        ("control_hedXL.pth", "soft edges"),
        ("t2iadapter_color_sd14v1.pth", "patches of colour"),
        ("t2i-adapter-sketch-sdxl-1.0", "sketches"),
        ("control_v11p_sd15s2_lineart_anime.pth", "line drawings"),
        ("control_v11e_sd15_ip2p.pth", "pictures to be redrawn"),
        ("xinsir/controlnet-union-sdxl-1.0-promax", ""),
        ("mine.safetensors", None),
        ("knowledge.pth", None),
        ("composer-on-purpose.pth", None),
        ("/home/canny/models/mine.pth", None),
    ],
)
def test_names_tell_what_a_controlnet_is_shown(name, what):
    assert guessed(name) == what


def test_those_for_the_task_come_first_and_are_what_a_refusal_names(folder, model_folder):
    model = str(model_folder)
    assert instead("canny", model) == "put one made for this model into the folder of models"
    assert instead("canny", "miniature") == "leave it out, as the miniature has its own"
    write_safetensors(folder / "a_depth.safetensors", small_controlnet().state_dict())
    assert instead("canny", model) == "choose a_depth.safetensors"  # better than none
    write_safetensors(folder / "b.safetensors", small_controlnet().state_dict())
    torch.save(released(small_t2i()), folder / "canny_adapter.pth")
    torch.save(released(small_xl_t2i()), folder / "canny_xl.pth")
    assert [one.name for one in fitting("canny", model)] == [
        "canny_adapter.pth", "b.safetensors", "a_depth.safetensors",
    ]  # fmt: skip
    assert [one.name for one in fitting("depth", model)][0] == "a_depth.safetensors"
    assert instead("canny", model) == "choose canny_adapter.pth or b.safetensors"
    for name in "cdef":
        torch.save(released(small_t2i()), folder / f"{name}.pth")
    assert instead("canny", model) == "choose canny_adapter.pth, b.safetensors, c.pth or one of 3 more"
    assert instead("canny", "miniature") == "leave it out, as the miniature has its own"


def test_what_was_picked_and_is_not_there_any_more_is_told_with_what_fits(folder, model_folder):
    model, places = str(model_folder), "or give a file, a folder or a hub id (owner/name)."

    def refusal(controlnet, model=model):
        with pytest.raises(ModelError) as told:
            check_weights(CannySettings("x.mp4", "a car", model=model, controlnet=controlnet))
        return str(told.value)

    picked = folder / "canny_v2.safetensors"
    write_safetensors(picked, small_controlnet().state_dict())
    check_weights(CannySettings("x.mp4", "a car", model=model, controlnet=picked.name))
    gone = f"controlnet {picked.name} is not there"
    picked.unlink()
    assert refusal(picked.name) == f"{gone}; put one made for this model into the folder of models, {places}"
    assert (
        refusal(picked.name, "miniature") == f"{gone}; leave it out, as the miniature has its own, {places}"
    )
    for name in ("a_canny", "canny_v1", "depth"):
        write_safetensors(folder / f"{name}.safetensors", small_controlnet().state_dict())
    fits = "choose canny_v1.safetensors or a_canny.safetensors"  # the one that is called alike comes first
    assert refusal(picked.name) == f"{gone}; {fits}, {places}"
    assert refusal("./canny_v3") == f"controlnet ./canny_v3 is not there; {fits}, {places}"


def test_one_for_other_pictures_gets_a_note_and_no_refusal():
    asked = CannySettings("x.mp4", "a car", controlnet="/adapters/t2iadapter_color.pth")
    assert guide_notes(asked) == (
        "By its name t2iadapter_color.pth was made for patches of colour, and here it is shown edges; choose "
        "another, or take a clip that already shows patches of colour, and say that it does.",
    )
    also = DepthSettings(
        "x.mp4", "a car", also=(Also("pose", "control_depth.pth"), Also("canny", "edges.pth"))
    )
    (told,) = guide_notes(also)
    assert told.startswith(
        "By its name control_depth.pth was made for depth, and here it is shown skeletons;"
    )
    for fine in ("t2i_canny.pth", "mine.pth", "union.pth", "miniature", None):
        assert guide_notes(CannySettings("x.mp4", "a car", controlnet=fine)) == ()
    ready = CannySettings("x.mp4", "a car", controlnet="t2iadapter_color.pth", control_ready=True)
    assert guide_notes(ready) == ()
    assert shows("pose") == "skeletons" and shows("sketches") == "sketches"
