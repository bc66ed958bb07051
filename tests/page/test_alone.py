"""The root's app files: each tab alone, laid out into a page of one's own or served by itself."""

import gradio as gr
import pytest
from conftest import ROOT
from pages import needs_browser, serving

import app_canny
import app_depth
import app_pix2pix_video
import app_pose
import app_text_to_video
from t2v.engine.engine import Engine
from t2v.page.alone import studio_of
from t2v.page.serve import looks
from t2v.tasks import TASKS

APPS = (app_text_to_video, app_pose, app_canny, app_depth, app_pix2pix_video)


def names_of_tabs(page: gr.Blocks) -> list[str]:
    return [block.label for block in page.blocks.values() if isinstance(block, gr.Tab)]


def test_every_task_has_its_file():
    assert [module.TASK for module in APPS] == list(TASKS)


@pytest.mark.slow
def test_tabs_are_laid_out_into_a_page_of_ones_own(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    engine = Engine("cpu")
    with gr.Blocks() as page:
        with gr.Tab("Mine"):
            app_canny.create_demo(engine)
        app_pose.create_demo(engine)
    assert names_of_tabs(page) == ["Mine", "Edges", "Pose"]
    assert names_of_tabs(app_text_to_video.create_demo(engine)) == ["Text to video"]
    studio = studio_of(engine)
    assert studio is studio_of(engine) and studio.engine is engine
    assert str(tmp_path / "outputs") in looks(studio)["allowed_paths"]
    studio.jobs.close()


@needs_browser
@pytest.mark.parametrize("file", ["app_pose.py"])
def test_it_is_served_alone(file, browser, family, tmp_path):
    with serving(family, tmp_path, ROOT, file) as address:
        page = browser.new_page()
        page.goto(address)
        page.get_by_text("Its skeletons appear here").wait_for()
        tabs = page.get_by_role("tab").all_inner_texts()
        assert tabs == ["Pose", "Library"]
        page.close()
