"""A stranger's folder of models in the browser: picked from and drawn with, and what does not fit is told."""

import pytest
from checkpoint_files import (
    checkpoint,
    checkpoint_of_xl,
    parts_of_1,
    parts_of_2,
    parts_of_xl,
    small_vae,
    write_pickle,
    write_safetensors,
)
from pages import button, field, needs_browser, serving, unfold
from playwright.sync_api import expect

from benchmarks.made_up.write import write_kind
from benchmarks.original_names import original_vae
from t2v.page.form_fields import models
from t2v.page.visitors import check_offered
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import read_settings
from t2v.weights.models_folder import use_models_folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Six checkpoints, three LoRAs, an embedding, a VAE."""
    folder = tmp_path_factory.mktemp("stranger")
    write_safetensors(folder / "dreamy_v8.safetensors", checkpoint(parts_of_1(1)))
    write_pickle(folder / "old" / "first-of-all.ckpt", checkpoint(parts_of_1(2)), lr=0.1)
    told = {"modelspec.prediction_type": "epsilon"}
    write_safetensors(folder / "second.safetensors", checkpoint(parts_of_2(3), True), told)
    write_safetensors(folder / "larger.safetensors", checkpoint_of_xl(parts_of_xl(5)), told)
    write_safetensors(folder / "edits.safetensors", checkpoint(parts_of_1(4, in_channels=8)))
    write_safetensors(folder / "soft vae.safetensors", original_vae(small_vae()))
    for made, name in (
        ("sdxl", "xl/huge.safetensors"),
        ("lora kohya sd1", "Lora/style.safetensors"),
        ("lora peft", "Lora/other style.safetensors"),
        ("lora kohya sdxl", "Lora/xl style.safetensors"),
        ("embedding sd1", "embeddings/cat.safetensors"),
    ):
        write_kind(folder / name, made)
    return folder


@pytest.fixture(scope="module")
def server(videos, model_folder, folder):
    with serving(str(model_folder), videos, more=("--models", str(folder))) as url:
        yield url


def offered(page) -> list[str]:
    page.get_by_label("Model", exact=True).first.click()
    expect(page.get_by_role("option").first).to_be_visible()
    told = page.get_by_role("option").all_text_contents()
    page.keyboard.press("Escape")
    return [one.replace("✓", "").strip() for one in told]


def wait_for(page, videos, count: int) -> None:
    for _ in range(300):
        page.wait_for_timeout(200)
        if len(list(videos.glob("a-red-car-*.mp4"))) == count:
            break


@needs_browser
def test_files_are_picked_and_drawn_with(open_page, videos, folder):
    page = open_page(viewport={"width": 1280, "height": 800})
    told = offered(page)
    mine = [one for one in told if "MB" in one]
    assert [one.rpartition(",")[0] for one in mine] == [
        "dreamy_v8, Stable Diffusion 1.x",
        "larger, Stable Diffusion XL",
        "first-of-all, Stable Diffusion 1.x",
        "second, Stable Diffusion 2.x",
    ]
    unfold(page, "Advanced options")
    for label, value in {"Steps": 2, "Width": 64, "Height": 64, "Frames": 2}.items():
        field(page, label).first.fill(str(value))
    page.get_by_label("What should the video show?").first.fill("a red car")
    page.get_by_label("Model", exact=True).first.click()
    page.get_by_role("option").filter(has_text=mine[0]).click()
    button(page, "Run").first.click()
    page.wait_for_selector(".stage[data-state=done]")
    page.get_by_label("Model", exact=True).first.fill("first-of-all.ckpt+soft vae.safetensors")
    page.get_by_label("Model", exact=True).first.press("Enter")
    button(page, "Run").first.click()
    wait_for(page, videos, 2)
    page.get_by_label("Model", exact=True).first.click()
    page.get_by_role("option").filter(has_text="larger, Stable Diffusion XL").click()
    button(page, "Run").first.click()
    wait_for(page, videos, 3)
    drawn = [read_settings(path)["model"] for path in sorted(videos.glob("a-red-car-*.mp4"))]
    assert sorted(drawn) == [
        "dreamy_v8.safetensors",
        "first-of-all.ckpt+soft vae.safetensors",
        "larger.safetensors",
    ]
    page.get_by_label("Model", exact=True).first.fill("style.safetensors")
    page.get_by_label("Model", exact=True).first.press("Enter")
    button(page, "Run").first.click()
    refusal = "style.safetensors is a LoRA for Stable Diffusion 1.x; write it behind a model's name"
    expect(page.get_by_text(refusal).first).to_be_visible()


@needs_browser
def test_a_file_that_comes_later_is_there_when_the_page_is_opened_anew(open_page, folder):
    write_safetensors(folder / "later.safetensors", checkpoint(parts_of_1(9)))
    page = open_page(viewport={"width": 390, "height": 844})
    page.wait_for_timeout(1000)
    assert any(one.startswith("later, Stable Diffusion 1.x") for one in offered(page))
    (folder / "later.safetensors").unlink()


def test_visitors_may_choose_from_the_folder_and_nothing_beside_it(folder, tmp_path):
    from t2v.checks import InputError

    class Open:
        is_open, default_model = True, "miniature"

    use_models_folder(folder)
    try:
        listed = dict(models(TextToVideoSettings))
        assert "dreamy_v8.safetensors" in listed.values() and "edits.safetensors" not in listed.values()
        assert any(name.startswith("huge, Stable Diffusion XL, ") for name in listed)
        check_offered(Open(), TextToVideoSettings("a cat", model="dreamy_v8.safetensors"))
        for other in (str(folder / "dreamy_v8.safetensors"), "edits.safetensors", str(tmp_path)):
            with pytest.raises(InputError, match="model is not on offer here"):
                check_offered(Open(), TextToVideoSettings("a cat", model=other))
    finally:
        use_models_folder(None)
