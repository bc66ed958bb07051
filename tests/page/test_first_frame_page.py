"""A picture to begin with, in the browser and for programs: chosen, seen, drawn from, kept, left out."""

import base64
import secrets

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from pages import button, field, needs_browser, serving, unfold
from playwright.sync_api import expect

from t2v.page.picture_field import PictureField
from t2v.page.uploads import with_pictures
from t2v.video.picture import write_picture
from t2v.video.video import read_video

SHADE = np.stack(np.broadcast_arrays(*np.ogrid[0:128, 0:256], 90), axis=-1).astype(np.uint8)


@pytest.fixture(scope="module")
def server(videos, model_folder):
    with serving(str(model_folder), videos) as url:
        yield url


@pytest.fixture(scope="module")
def picture(videos):
    return str(write_picture(videos / "shade.png", SHADE))


def test_a_path_that_was_not_uploaded_is_no_picture():
    with pytest.raises(ValueError, match="first_frame is neither an uploaded file nor an example"):
        with_pictures({"first_frame": "/etc/passwd"})
    assert with_pictures({"first_frame": "", "strength": 1.0}) == {"first_frame": "", "strength": 1.0}
    assert PictureField()._again("/etc/passwd")[:2] == ("", "")


@needs_browser
def test_a_picture_is_chosen_seen_drawn_from_kept_and_left_out(open_page, picture, videos):
    page = open_page(viewport={"width": 1280, "height": 800})
    small = page.locator(".picture-shown")
    expect(page.locator(".from-picture .upload")).not_to_be_visible()
    unfold(page, "Start from a picture")
    page.locator(".from-picture input[type=file]").set_input_files(picture)
    expect(small).to_be_visible()
    data = small.get_attribute("src").partition("base64,")[2]
    assert base64.b64decode(data)[:3] == b"\xff\xd8\xff" and "256×128" in small.get_attribute("alt")
    unfold(page, "Advanced options")
    for label, value in {"Steps": 2, "Width": 256, "Height": 128, "Frames": 3}.items():
        field(page, label).fill(str(value))
    page.get_by_label("What should the video show?").fill("a red car")
    button(page, "Run").click()
    page.wait_for_selector(".stage[data-state=done]")
    drawn = read_video(max(videos.glob("a-red-car-*.mp4"))).frames
    assert drawn.shape == (3, 128, 256, 3) and np.abs(drawn[0].astype(int) - SHADE).mean() < 3
    page.reload()
    page.wait_for_selector(".stage[data-state=done]")
    unfold(page, "Start from a picture")
    expect(small).to_be_visible()
    button(page, "Without this picture").click()
    expect(small).to_have_count(0)
    expect(button(page, "Without this picture")).to_have_count(0)


@needs_browser
def test_what_else_is_in_use_stands_below_run_and_can_be_taken_out(open_page, picture):
    page = open_page(viewport={"width": 1280, "height": 1400})
    line = page.locator(".in-use")
    expect(line).to_be_hidden()
    unfold(page, "Draw the motion")
    page.locator(".motion-text textarea").fill("0: 0,0 | 7: 25%,0")
    expect(line).to_have_text("In use: a drawn motion ×")
    unfold(page, "Draw the motion")  # folded up again, and out of sight
    unfold(page, "Start from a picture")
    page.locator(".from-picture input[type=file]").set_input_files(picture)
    expect(line).to_have_text("In use: a drawn motion ×a start picture ×")
    unfold(page, "Start from a picture")
    page.get_by_label("What should the video show?").fill("a panda dancing")
    page.reload()
    button(page, "Take out a drawn motion").click()
    expect(line).to_have_text("In use: a start picture ×")
    button(page, "Take out a start picture").click()
    expect(line).to_be_hidden()
    unfold(page, "Draw the motion")
    expect(page.locator(".motion-text textarea")).to_have_value("")
    page.locator(".motion-text textarea").fill("0: 0,0 | 7: 25%,0")
    expect(line).to_have_text("In use: a drawn motion ×")
    unfold(page, "Draw the motion")
    unfold(page, "Advanced options")
    button(page, "Reset the options").click()
    expect(line).to_be_hidden()
    field(page, "Motion to the right").fill("8")
    expect(line).to_have_text("In use: a motion of 8 to the right ×")
    line.get_by_role("button").click()
    expect(line).to_be_hidden()
    expect(field(page, "Motion to the right")).to_have_value("")


@needs_browser
def test_what_is_no_picture_is_told_where_errors_are_told(open_page, videos):
    page = open_page(viewport={"width": 390, "height": 844})
    (videos / "text.png").write_text("no picture")
    unfold(page, "Start from a picture")
    page.locator(".from-picture input[type=file]").set_input_files(videos / "text.png")
    expect(page.locator(".note[data-kind=error]")).to_contain_text(
        "text.png is not a picture that can be read"
    )
    expect(page.locator(".picture-shown")).to_have_count(0)
    expect(page.locator(".note[data-kind=error]")).to_be_in_viewport()  # which is far above on a phone
    (videos / "IMG_1.heic").write_bytes(b"\0\0\0\x18ftypheic" + bytes(100))
    for _ in range(2):  # the same file once more is told once more
        with page.expect_file_chooser() as chooser:
            button(page, "Choose a picture").click()
        offered = page.locator(".from-picture input[type=file]").get_attribute("accept")
        assert offered.startswith("image/*")  # and no clips alone
        chooser.value.set_files(videos / "IMG_1.heic")
        says = "IMG_1.heic is not a picture that can be read; give one in png, jpg, webp, gif or bmp."
        expect(page.locator(".note[data-kind=error]")).to_have_text(says)
        page.get_by_label("What should the video show?").fill(f"a car {secrets.token_hex(4)}")
        expect(page.locator(".note[data-kind=error]")).to_have_count(0)


def test_programs_send_a_picture_and_hear_what_is_wrong_with_it(server, picture, videos):
    client = Client(server, verbose=False, download_files=str(videos))
    call = {"prompt": "a red car", "num_inference_steps": 2, "width": 256, "height": 128, "num_frames": 2}
    made = client.predict(**call, first_frame=handle_file(picture), api_name="/text_to_video")
    assert np.abs(read_video(made).frames[0].astype(int) - SHADE).mean() < 3
    with pytest.raises(AppError, match="strength is 0.5, and first_frame is not given"):
        client.predict(**call, strength=0.5, api_name="/text_to_video")
