"""The whole page: its head, a tab a task, its theme."""

from collections.abc import Collection

import gradio as gr

from t2v.page import text_tab
from t2v.page.clip import clip_tab
from t2v.page.library import library_tab
from t2v.page.model_lists import follow_models_folder
from t2v.page.open_file import OpenFile
from t2v.page.programs.endpoints import add_desk
from t2v.page.run_panel import RunPanel
from t2v.page.runs_list import RunsList
from t2v.page.studio import Studio
from t2v.tasks import TASKS
from t2v.tasks.clip import ClipSettings

TITLE = "Text2Video-Zero Studio"
INTRO = "Type a sentence, or bring a clip, and watch a short video take shape, drawn by an image model."
KEEP_UPLOADS_S = (3600, 24 * 3600)  # looked through each hour, thrown away after a day
TYPE = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "sans-serif")


def build_page(studio: Studio, tasks: Collection[str] = tuple(TASKS)) -> gr.Blocks:
    """The page with a tab for each of the tasks, in the order of their own words."""
    with gr.Blocks(title=TITLE, analytics_enabled=False, delete_cache=KEEP_UPLOADS_S) as page:
        head = f"<header><h1>{TITLE}</h1><p>{INTRO}</p></header>"
        gr.HTML(head, elem_classes="top", apply_default_css=False)
        open_file = OpenFile(studio)
        open_file.place()
        panels: list[RunPanel] = []
        with gr.Tabs():
            for kind in (kind for task, kind in TASKS.items() if task in tasks):
                with gr.Tab(kind.tab.name):
                    if issubclass(kind, ClipSettings):
                        panels.append(clip_tab.build(studio, kind, tasks))
                    else:
                        panels.append(text_tab.build(studio))
            library_tab.build(studio, panels)
        runs = RunsList(studio, panels)
        runs.place()
        library_tab.strip(studio, panels)
        for panel in panels:
            panel.wire()
        open_file.wire(panels)
        runs.wire()
        add_desk(studio)
        follow_models_folder(studio, page, panels)
    return page


def theme() -> gr.themes.Base:
    """The system's own type, one accent, and greys and greens dark enough to read."""
    return gr.themes.Base(
        primary_hue="teal",
        neutral_hue="slate",
        font=[gr.themes.Font(name) for name in TYPE],
        font_mono=[gr.themes.Font("ui-monospace"), gr.themes.Font("monospace")],
    ).set(
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        input_placeholder_color="*neutral_500",
        input_placeholder_color_dark="*neutral_400",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover_dark="*primary_800",
        button_primary_text_color="white",
    )
