"""LoRAs in the browser: picked, slid, drawn with, and shown again by what the model's field says."""

import pytest
import torch
from conftest import seeded
from pages import button, field, needs_browser, serving, unfold
from playwright.sync_api import expect
from safetensors.torch import save_file

from t2v.video.write import read_settings

LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn2.to_v"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("models")
    for number, name in enumerate(("inky", "soft", "sd_lightning_2step_lora")):
        halves = {"lora_A": (2, 16), "lora_B": (16, 2)}
        made = {half: torch.randn(*shape, generator=seeded(number)) for half, shape in halves.items()}
        save_file(
            {f"{LAYER}.{half}.weight": one for half, one in made.items()}, folder / f"{name}.safetensors"
        )
    save_file({"emb_params": torch.ones(2, 16)}, folder / "Zorg.safetensors")
    return folder


@pytest.fixture(scope="module")
def server(videos, model_folder, folder):
    with serving(str(model_folder), videos, more=("--models", str(folder))) as url:
        yield url


def model_of(page):
    return page.get_by_label("Model", exact=True).first


@needs_browser
def test_loras_are_picked_slid_and_drawn_with(open_page, videos, model_folder):
    page = open_page(viewport={"width": 1280, "height": 800})
    unfold(page, "Advanced options")
    for label, value in {"Steps": 2, "Width": 64, "Height": 64, "Frames": 2}.items():
        field(page, label).first.fill(str(value))
    page.get_by_label("What should the video show?").first.fill("a zorg")
    for name in ("inky", "soft"):
        page.get_by_label("Add a LoRA").first.click()
        page.get_by_role("option").filter(has_text=name).first.click()
        expect(page.locator(".lora-row:visible").filter(has_text=f"{name}.safetensors")).to_be_visible()
    expect(model_of(page)).to_have_value(f"{model_folder}+inky.safetensors+soft.safetensors")
    number = page.locator(".lora-row:visible").first.locator("input[type=number]")
    number.fill("0.35")
    number.blur()
    expect(model_of(page)).to_have_value(f"{model_folder}+inky.safetensors@0.35+soft.safetensors")
    page.locator(".lora-row:visible").nth(1).get_by_role("button").click()
    expect(page.locator(".lora-row:visible")).to_have_count(1)
    button(page, "Run").first.click()
    page.wait_for_selector(".stage[data-state=done]")
    (path,) = videos.glob("a-zorg-*.mp4")
    assert read_settings(path)["model"].endswith("+inky.safetensors@0.35")
    model_of(page).fill(f"{model_folder}+soft.safetensors@-0.5")
    model_of(page).press("Enter")
    expect(page.locator(".lora-row:visible")).to_have_count(1)
    expect(page.locator(".lora-row:visible").first.locator("input[type=number]")).to_have_value("-0.5")


@needs_browser
def test_a_lora_for_few_steps_switches_what_the_page_shows_and_draws_with(open_page, videos):
    page = open_page(viewport={"width": 1280, "height": 800})
    unfold(page, "Advanced options")
    for label, value in {"Width": 64, "Height": 64, "Frames": 2}.items():
        field(page, label).first.fill(str(value))
    page.get_by_label("What should the video show?").first.fill("a quick car")
    steps, sampler = field(page, "Steps").first, page.get_by_label("Sampler", exact=True).first
    expect(steps).to_have_attribute("placeholder", "50")
    expect(sampler).to_have_value("What suits the model: ddim")
    page.get_by_label("Add a LoRA").first.click()
    page.get_by_role("option").filter(has_text="lightning").first.click()
    expect(steps).to_have_attribute("placeholder", "2")
    expect(sampler).to_have_value("What suits the model: euler")
    expect(page.locator(".model-told").first).to_contain_text("2 steps, guidance 1 (off)")
    button(page, "Run").first.click()
    page.wait_for_selector(".stage[data-state=done]")
    (path,) = videos.glob("a-quick-car-*.mp4")
    kept = read_settings(path)
    chosen = [kept[name] for name in ("scheduler", "spacing", "num_inference_steps", "guidance_scale")]
    assert chosen == ["euler", "trailing", 2, 1]
    page.locator(".lora-row:visible").first.get_by_role("button").click()
    expect(steps).to_have_attribute("placeholder", "50")
    expect(sampler).to_have_value("What suits the model: ddim")
