"""ControlNets and T2I-Adapters of a folder of models in the browser: listed, picked, drawn with, refused."""

import re
import shutil

import pytest
import torch
from checkpoint_files import write_safetensors
from conftest import small_controlnet
from pages import button, fetched, field, needs_browser, opened, serving, unfold, upload
from playwright.sync_api import expect
from small_t2i import released, small_t2i, small_xl_t2i

from t2v.video.write import read_settings

ADAPTER, NETWORK, FOLDER, LATER = (
    "t2iadapter_canny.pth",
    "control_depth.safetensors",
    "nets/pose",
    "later.pth",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, model_folder):
    folder = tmp_path_factory.mktemp("mödels 🎨")
    shutil.copytree(model_folder, folder / "dream")
    torch.save(released(small_t2i()), folder / ADAPTER)
    write_safetensors(folder / NETWORK, small_controlnet().state_dict())
    small_controlnet(3).save_pretrained(folder / FOLDER)
    write_safetensors(folder / "t2i_color.safetensors", released(small_t2i(2)))
    write_safetensors(folder / "sketch-xl.safetensors", released(small_xl_t2i()))
    return folder


@pytest.fixture(scope="module")
def server(videos, folder):
    with serving("miniature", videos, more=("--models", str(folder))) as url:
        yield url


def picker(tab, label: str = "ControlNet"):
    return tab.get_by_label(label, exact=True)


def offered(tab, label: str = "ControlNet") -> list[str]:
    picker(tab, label).click()
    options = tab.locator(".network", has=tab.page.get_by_label(label, exact=True)).get_by_role("option")
    expect(options.first).to_be_visible()
    listed = options.all_text_contents()
    tab.page.keyboard.press("Escape")
    return [re.sub(r"^[✓\s]+|\s+$", "", one) for one in listed]


def choose(tab, label: str, option: str) -> None:
    tab.get_by_label(label, exact=True).click()
    tab.page.get_by_role("option").filter(has_text=option).first.click()


def prepared(page, clip: str):
    """The tab Edges with a clip, the folder's model and a small, short run."""
    tab = opened(page, "Edges")
    upload(tab, clip)
    choose(tab, "Model", "dream")
    expect(picker(tab)).to_be_visible()
    unfold(tab, "Advanced options")
    for label, value in {"Steps": 2, "Width": 96, "Height": 64}.items():
        field(tab, label).fill(str(value))
    tab.get_by_label("What should the video show?").fill("a car")
    return tab


@needs_browser
def test_the_pickers_offer_what_fits_the_model_and_the_tab(open_page, folder):
    page = open_page(viewport={"width": 1280, "height": 800})
    tab = opened(page, "Edges")
    expect(picker(tab)).to_have_count(0)  # the miniature has its own
    choose(tab, "Model", "dream")
    expect(picker(tab)).to_be_visible()
    first, *listed = offered(tab)
    assert first == "What suits the model"
    family = "for Stable Diffusion 1.x"
    assert [one.rpartition(", ")[0] for one in listed if family in one][:1] == [
        f"t2iadapter_canny, T2I-Adapter {family}"
    ]
    assert {one.partition(",")[0] for one in listed} == {
        "t2iadapter_canny",
        "control_depth",
        "t2i_color",
        FOLDER,
    }
    unfold(tab, "Advanced options")
    for label, best in (("ControlNet for skeletons", FOLDER), ("ControlNet for depth", "control_depth")):
        assert offered(tab, label)[1].startswith(f"{best}, ControlNet {family}")
    choose(tab, "Model", "Miniature (bundled)")
    expect(picker(tab)).to_have_count(0)
    torch.save(released(small_t2i(5)), folder / LATER)
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    tab = opened(page, "Edges")
    choose(tab, "Model", "dream")
    expect(picker(tab)).to_be_visible()
    assert any(one.startswith("later, T2I-Adapter") for one in offered(tab))
    (folder / LATER).unlink()


@needs_browser
def test_an_adapter_and_two_controlnets_are_picked_and_drawn_with(open_page, videos, square_clip):
    page = open_page(viewport={"width": 1280, "height": 800})
    tab = prepared(page, square_clip)
    choose(tab, "ControlNet", "t2iadapter_canny")
    choose(tab, "ControlNet for depth", "control_depth")
    button(tab, "Run").click()
    expect(tab.locator(".stage[data-state=done]")).to_be_visible()
    said = read_settings(fetched(page, videos))
    assert (said["controlnet"], said["also"]) == (ADAPTER, [])  # of depth nothing is followed at 0

    choose(tab, "ControlNet", FOLDER)
    expect(picker(tab)).to_have_value(re.compile(f"^{FOLDER}, "))
    note = tab.locator(".note")
    button(tab, "Run").click()
    expect(note).to_contain_text(
        "By its name pose was made for skeletons, and here it is shown edges; choose"
    )
    expect(tab.locator(".stage[data-state=done]")).to_be_visible()
    expect(tab.locator(".caption")).to_contain_text("pose")


@needs_browser
def test_what_does_not_fit_or_cannot_be_had_names_what_does(open_page, square_clip):
    page = open_page(viewport={"width": 1280, "height": 800})
    tab = prepared(page, square_clip)
    button(tab, "Run").click()
    note = tab.locator(".note[data-kind=error]")
    expect(note).to_contain_text(
        "ControlNet lllyasviel/control_v11p_sd15_canny is not on this machine and the hub cannot be reached; "
        f"connect once to fetch it, or choose {ADAPTER}."
    )
    for name, told in (
        ("sketch-xl.safetensors", "is for Stable Diffusion XL, and the model is of Stable Diffusion 1.x"),
        ("miniature", "is the bundled model's own, and the model is of Stable Diffusion 1.x"),
    ):
        picker(tab).fill(name)
        picker(tab).press("Enter")
        button(tab, "Run").click()
        expect(note).to_contain_text(f"ControlNet {name} {told}; choose {ADAPTER}.")
