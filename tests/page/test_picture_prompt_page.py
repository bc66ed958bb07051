"""A picture as a prompt, in the browser and for programs: where an adapter is, chosen, drawn with, kept."""

import numpy as np
import pytest
from conftest import small_pipeline
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pages import button, field, needs_browser, serving, unfold
from playwright.sync_api import expect
from small_adapters import a_picture, save_with_encoder

from t2v.page.uploads import with_pictures
from t2v.tasks import settings_of
from t2v.video.picture import write_picture
from t2v.video.video import read_video
from t2v.video.write import read_settings


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """An adapter for the small random model, whose text is not as wide as the miniature's."""
    folder = tmp_path_factory.mktemp("models")
    save_with_encoder(folder / "ip", small_pipeline().unet)
    return folder


@pytest.fixture(scope="module")
def server(videos, model_folder, models):
    with serving(str(model_folder), videos, more=("--models", str(models))) as url:
        yield url


@pytest.fixture(scope="module")
def picture(videos):
    return str(write_picture(videos / "fur.png", a_picture()))


def test_a_path_that_was_not_uploaded_is_no_picture():
    with pytest.raises(ValueError, match="picture_prompt is neither an uploaded file nor an example"):
        with_pictures({"picture_prompt": "/etc/passwd"})


@needs_browser
def test_it_is_there_where_an_adapter_is_and_stays_with_the_run(open_page, picture, videos):
    page = open_page(viewport={"width": 1280, "height": 900})
    title = page.locator(".text-tab .picture-prompt .label-wrap")
    expect(title).to_be_visible()
    title.click()
    page.locator(".text-tab .picture-prompt input[type=file]").set_input_files(picture)
    shown = page.locator(".prompt-picture-shown")
    expect(shown).to_be_visible()
    expect(page.locator(".in-use")).to_have_text("In use: a picture as a prompt ×")
    unfold(page, "Advanced options")
    for label, value in {"Steps": 2, "Width": 64, "Height": 64, "Frames": 2}.items():
        field(page, label).fill(str(value))
    page.get_by_label("What should the video show?").fill("a red car")
    button(page, "Run").click()
    page.wait_for_selector(".stage[data-state=done]")
    video = max(videos.glob("a-red-car-*.mp4"), key=lambda path: path.stat().st_mtime)
    assert settings_of(video).picture_prompt == picture  # it lies beside the video
    assert read_settings(video)["ip_adapter"] == "ip.safetensors"
    page.reload()
    page.wait_for_selector(".stage[data-state=done]")
    title.click()
    expect(shown).to_be_visible()
    button(page, "Take out a picture as a prompt").click()
    expect(shown).to_have_count(0)
    model = page.get_by_label("Model", exact=True).first
    model.fill("miniature")
    model.press("Enter")
    expect(page.locator(".text-tab .picture-prompt")).to_be_hidden()


def test_programs_send_one_in_every_task_and_hear_what_is_wrong(server, picture, videos, square_clip):
    client = Client(server, verbose=False, download_files=str(videos))
    call = {"prompt": "a red car", "num_inference_steps": 2, "width": 64, "height": 64, "num_frames": 2}
    bare, shown = (
        read_video(client.predict(**call, **more, seed=3, api_name="/text_to_video")).frames.astype(int)
        for more in ({}, {"picture_prompt": handle_file(picture), "picture_prompt_strength": 1.0})
    )
    assert np.abs(bare - shown).max() > 2
    with pytest.raises(AppError, match="ip_adapter is ip.safetensors, and picture_prompt is not given"):
        client.predict(**call, ip_adapter="ip.safetensors", api_name="/text_to_video")
    settings = {"task": "text-to-video", **call, "seed": 3, "picture_prompt_strength": 1.0}
    run = client.predict(settings, None, None, handle_file(picture), api_name="/submit")["run"]
    while (told := client.predict(run, api_name="/follow"))["state"] in ("queued", "running"):
        pass
    assert told["state"] == "done"
    told = client.predict(run, api_name="/settings")
    assert (told["picture_prompt"], told["ip_adapter"]) == ("fur.png", "ip.safetensors")
    with pytest.raises(AppError, match="picture_prompt is neither an uploaded file nor an example"):
        client.predict({**settings, "picture_prompt": "/etc/passwd"}, api_name="/submit")
