"""Try, then make: the first frame alone, other seeds, one setting over several values; press one, and its
video is made."""

import logging
from dataclasses import replace
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from t2v.checks import InputError
from t2v.jobs.job import JobView
from t2v.jobs.latest import Latest
from t2v.page import try_markup
from t2v.page.addresses import file_url
from t2v.page.events import QUIET, RAW
from t2v.page.following import KEPT_RUNS
from t2v.page.notes import note_html
from t2v.page.run_panel import RunPanel
from t2v.page.save_as import GONE, OWN_FAULT, SLOW
from t2v.page.save_stills import save_stills
from t2v.page.stage_markup import Stage
from t2v.page.visitors import source, visitor
from t2v.tasks import Settings
from t2v.tasks.tries import Tries, first_frame, read_values, sweep, variations

logger = logging.getLogger(__name__)

COUNTS = (4, 9)
COMPARED = {  # field -> its name on the page, and values worth comparing
    "guidance_scale": ("Guidance", "3, 5, 7, 9"),
    "num_inference_steps": ("Steps", "8, 15, 25, 50"),
    "scheduler": ("Sampler", "ddim, euler, dpm++, unipc"),
    "seed": ("Seed", "1, 2, 3, 4"),
    "motion_x": ("Motion to the right", "-8, 0, 8"),
    "zoom": ("Zoom", "0.97, 1, 1.03"),
    "method": ("Method", "canvas, paper"),
}


class TryingPanel(RunPanel):
    """A run panel with pictures to try before."""

    def buttons(self) -> None:
        with gr.Row(elem_classes="run-row"):
            self.run = gr.Button("Run", variant="primary", elem_classes="run", scale=3, min_width=120)
            self.first = gr.Button("First frame", elem_classes="first-frame", scale=2, min_width=110)
            self.stop = gr.Button("Stop", interactive=False, elem_classes="stop", scale=1, min_width=80)
        self.note = gr.HTML("", elem_classes="notes", apply_default_css=False)

    def ways_to_try(self) -> None:
        """Places variations and comparisons."""
        with gr.Accordion("Try before you make", open=False, elem_classes="tries"):
            with gr.Row(elem_classes="vary-row"):
                self.count = gr.Radio(
                    list(COUNTS), value=COUNTS[0], label="Pictures", info="Other seeds, as first frames."
                )
                self.vary = gr.Button("Variations", elem_classes="vary", min_width=120)
            with gr.Row(elem_classes="compare-row"):
                names = [(name, field) for field, (name, _) in COMPARED.items()]
                first = next(iter(COMPARED))
                self.field = gr.Dropdown(
                    names, value=first, label="Compare", info="One setting.", min_width=120
                )
                self.values_of_field = gr.Textbox(
                    COMPARED[first][1],
                    label="Values",
                    info="With commas between.",
                    max_lines=1,
                    min_width=120,
                )
                self.compare = gr.Button("Compare them", elem_classes="compare", min_width=120)

    def result(self) -> None:
        super().result()
        self.picked = gr.Textbox(visible=False)
        self._from: Latest[str, str] = Latest(KEPT_RUNS)  # video -> the pictures that it was chosen from

    def wire(self) -> Dependency:
        restored = super().wire()
        values = list(self.form.values())
        self.starts([self.first.click], self._first, [self.job_id, *values], **RAW)
        self.starts([self.vary.click], self._vary, [self.job_id, self.count, *values], **RAW)
        named = [self.job_id, self.field, self.values_of_field, *values]
        self.starts([self.compare.click], self._compare, named, **RAW)
        # the page's script presses it for whoever presses a picture
        pick = gr.Button(visible="hidden", elem_id=f"pick-{self.settings_class.task}")
        chosen = "(id) => [id, String(window.pickedStill)]"
        self.starts([pick.click], self._make, [self.job_id, self.picked], js=chosen, **QUIET)
        save = gr.Button(visible="hidden", elem_id=f"save-stills-{self.settings_class.task}")
        told = [self.save_as.address, self.save_as.note]
        self.save_as.load_after(save.click(self._save_stills, [self.job_id], told, **SLOW))
        worth = {field: values for field, (_, values) in COMPARED.items()}
        suggest = f"(field) => ({worth})[field] || ''"
        self.field.input(None, [self.field], [self.values_of_field], js=suggest, **QUIET)
        return restored

    def shown(self, stage: Stage, view: JobView | None) -> tuple[Any, ...]:
        kept, parts = self.kept(view), list(super().shown(stage, view))
        if kept is not None and kept.tries is not None:
            seeds = {one.resolved.seed for one in kept.stills}
            parts[:3] = (
                try_markup.stage_html(stage, kept),
                try_markup.status_html(kept),
                try_markup.caption_html(kept),
            )
            if len(seeds) != 1:
                parts[3], parts[6] = "", gr.update(visible=False)
        elif kept is not None and kept.state == "done" and self._pictures_of(kept) is not None:
            parts[1] += try_markup.back_html(self._from[kept.id])
        return tuple(parts)

    def kept(self, view: JobView | None) -> JobView | None:
        """As every panel; pictures that were drawn before a stop stay, too."""
        return view if view is not None and view.stills else super().kept(view)

    def as_tried(self, before: JobView | None, settings: Settings) -> Settings:
        """The settings with the seed of the first frame that the page shows of just these."""
        if before is None or before.tries is None or len(before.stills) != 1 or settings.seed is not None:
            return settings
        same = len(before.tries.each) == 1 and before.settings == settings
        return replace(settings, seed=before.stills[0].resolved.seed) if same else settings

    def _first(self, job_id: str, *values: Any) -> tuple[Any, str]:
        return self.start(job_id, values, first_frame)

    def _vary(self, job_id: str, count: Any, *values: Any) -> tuple[Any, str]:
        return self.start(job_id, values, partial(variations, count=count))

    def _compare(self, job_id: str, field: Any, typed: Any, *values: Any) -> tuple[Any, str]:
        def compared(settings: Settings) -> Tries:
            if field not in COMPARED or not isinstance(typed, str):
                raise InputError("Compare has no setting or no values; choose one, and give some.")
            found = read_values(type(settings), field, typed)
            return sweep(settings, field, found, COMPARED[field][0])

        return self.start(job_id, values, compared)

    def _make(self, job_id: str, number: str) -> tuple[Any, str]:
        """The video of a picture: the run whose first, or last, frame it is."""
        view = self.view(job_id)
        if view is None or view.tries is None or not number.isdigit() or int(number) >= len(view.stills):
            return gr.skip(), ""
        try:
            self._stop(job_id)  # of what is still drawn nothing is needed any more
            new = self.studio.jobs.submit(
                view.tries.each[int(number)], visitor(self.studio), source(self.studio)
            )
        except InputError as error:
            return gr.skip(), self.error(str(error))
        self._remember(new, view)
        if len(view.tries.each) > 1:
            self._from[new] = job_id
        return new, gr.skip()

    def _save_stills(self, job_id: str) -> tuple[str, str]:
        """The address of a file of the pictures that are shown, and what went wrong."""
        view = self.kept(self.view(job_id))
        if view is None or not view.stills:
            return "", note_html("error", GONE)
        try:
            return file_url(save_stills(self.studio.copies, view.id, view.stills)), ""
        except Exception as error:
            logger.exception("Pictures could not be saved.")
            return "", note_html("error", OWN_FAULT.format(kind=type(error).__name__))

    def _pictures_of(self, view: JobView) -> JobView | None:
        """The pictures that a video was chosen from, where they are still there."""
        return self.view(self._from[view.id]) if view.id in self._from else None
