"""What every tab shares: the run panel, its buttons and result laid out, and connected to what they do.

Which run a page shows is kept in the browser's session storage: it outlives a reload, and two windows do not
share it.
"""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

import gradio as gr
from gradio.events import Dependency

from t2v.page import model_told, notes, status_markup
from t2v.page.events import QUIET, RAW
from t2v.page.form_fields import model_choices
from t2v.page.picture_prompt_field import PicturePromptField
from t2v.page.run_scripts import (
    CHANGED,
    KEEP_SHOWN,
    NOT_SOON,
    RECALL,
    SHOW_STAGE,
    SHOWN_AGAIN,
    SOON,
    TAKE_SETTINGS_OF,
    TAKE_SHOWN,
    TYPED_AGAIN,
)  # fmt: skip
from t2v.page.running import Running
from t2v.page.save_as import SaveAs
from t2v.page.stage_markup import Stage
from t2v.page.studio import Studio
from t2v.tasks import Settings

TYPING_MS = 700  # after the last letter


class RunPanel(Running):
    """Run and Stop, the stage, progress, seed and download of one tab.

    ``buttons()`` and ``result()`` place it; ``wire()`` connects it all.
    """

    def __init__(self, studio: Studio, settings_class: type[Settings]) -> None:
        super().__init__(studio, settings_class)
        self.prompt_picture = PicturePromptField()

    def buttons(self) -> None:
        with gr.Row(elem_classes="run-row"):
            self.run = gr.Button("Run", variant="primary", elem_classes="run", scale=3, min_width=140)
            self.stop = gr.Button("Stop", interactive=False, elem_classes="stop", scale=1, min_width=90)
        self.note = gr.HTML("", elem_classes="notes", apply_default_css=False)

    def result(self) -> None:
        self.stage = gr.HTML(Stage().html(None), elem_classes="stage-box", apply_default_css=False)
        self.status = gr.HTML(
            status_markup.status_html(None), elem_classes="status-box", apply_default_css=False
        )
        self.caption = gr.HTML("", elem_classes="caption-box", apply_default_css=False)
        with gr.Row(elem_classes="facts-row"):
            self.facts = gr.HTML("", elem_classes="facts-box", min_width=200, apply_default_css=False)
            self.reuse = gr.Button(
                "Use this seed", size="sm", visible=False, elem_classes="reuse", scale=0, min_width=130
            )
        self.job_id = gr.Textbox(visible=False)
        self.save_as = SaveAs(self.studio.copies, self._video)
        self.save_as.place()

    def wire(self) -> Dependency:
        """Connects form and panel, outside of all tabs; prompt's Enter runs, like the button.

        Returns the event after which a page that was reloaded has its form.
        """
        form = self.form
        self.find_groups()
        self.name_fields()
        self._follow_it = follow = {
            "fn": self._follow,
            "inputs": [self.job_id, self.note],
            "outputs": [self.note, *self.followers()],
            "show_progress": "hidden",
            "api_visibility": "private",
            "concurrency_limit": None,
        }
        key = f"run-of-{self.settings_class.task}"
        self._remember_it = f"(id) => {{ sessionStorage.setItem('{key}', id || ''); }}"
        recall = RECALL.format(task=self.settings_class.task)
        known = [self.job_id, self.note]

        self.followed: list[Dependency] = []
        self.started: list[Dependency] = []
        offers = partial(model_choices, self.studio, self.settings_class)
        offered = model_told.offered(offers, self.studio.is_open)
        precision = self.studio.engine.told_precision
        model_told.follow_defaults(self.settings_class, form, offered, precision)
        submit = [self.run.click, form["prompt"].submit]
        self.starts(submit, self._start, [self.job_id, *form.values()], **RAW)
        # Gradio's .input of a text is for keys that write: it misses what is pasted, deleted or an example's
        changed = [one.change if isinstance(one, gr.Textbox) else one.input for one in form.values()]
        tell = gr.Button(visible="hidden", elem_id=f"tell-{self.settings_class.task}")
        # the last one counts: a slow server would leave the note of what was typed before
        told: dict[str, Any] = {**RAW, "trigger_mode": "always_last"}
        self.told = tell.click(self._told, [self.note, *form.values()], [self.note], **told)
        self.tell_soon = asked = SOON.format(id=tell.elem_id, after_ms=TYPING_MS)
        form["model"].change(None, None, None, js=asked, **QUIET)
        noted = CHANGED.format(keep=self.keep, ask=asked, note=notes.WITHOUT_RUNS_ERROR)
        gr.on(changed, None, [self.note, *form.values()], [self.note], js=noted, **QUIET)
        self.stop.click(self._stop, [self.job_id], None, **QUIET)
        self.reuse.click(self._seed, [self.job_id], [form["seed"]], **QUIET)
        self.save_as.wire(self.job_id)
        # the page's script presses it if this window has shown a run: others need not ask
        restore = gr.Button(visible="hidden", elem_id=f"restore-{self.settings_class.task}")
        restored = restore.click(self._reattach, [self.job_id], [*known, *form.values()], js=recall, **QUIET)
        # what was typed since then, or never run; also where the server has forgotten all
        again = TYPED_AGAIN.format(task=self.settings_class.task, names=json.dumps(list(form)))
        restored = restored.then(None, list(form.values()), list(form.values()), js=again, **QUIET)
        restored = self.chosen_again(restored)
        self.followed.append(restored.then(**follow))
        self.followed[-1].then(None, None, None, js=asked, **QUIET)  # of the form, which may have gone on
        self._keep_shown(self._shown_again(self.followed[-1]))
        restored.then(None, list(form.values()), None, js=self.keep, **QUIET)
        fill = gr.Button(visible="hidden", elem_id=f"fill-{self.settings_class.task}")
        self.filled = fill.click(
            self._fill, [self.job_id], [self.note, *form.values()], js=TAKE_SETTINGS_OF, **QUIET
        )
        self.filled.then(None, list(form.values()), None, js=self.keep, **QUIET)
        self._wire_show(known)
        self._wire_prompt_picture(offered)
        return restored

    def _wire_prompt_picture(self, known: model_told.Known) -> None:
        """It is there for models that an adapter is at hand for; a run of the list brings its own."""
        place = self.prompt_picture
        place.wire(self)
        place.again(self, self.filled)
        asked = [self.form["model"], place.path]
        show = place.shown_for(known)
        shown = [place.group, place.adapter]
        self.form["model"].change(show, asked, shown, **model_told.LATEST)
        self.filled.then(show, asked, shown, **QUIET)

    def _wire_show(self, known: list[Any]) -> None:
        """Another run of the list is shown; the form stays as it is."""
        show = gr.Button(visible="hidden", elem_id=f"show-{self.settings_class.task}")
        showing = show.click(self._show, known, known, js=TAKE_SHOWN, **QUIET)
        showing.then(None, [self.job_id], None, js=self._remember_it, **QUIET)
        # of two the later one is followed, also while the earlier one is still drawn
        self.followed.append(showing.then(**self._follow_it, trigger_mode="multiple"))
        self._keep_shown(self.followed[-1])

    def starts(self, triggers: list[Any], begin: Callable[..., Any], inputs: list[Any], **how: Any) -> None:
        """Let events start a run, by what gives its id and a note, and follow it."""
        first = NOT_SOON.format(id=f"tell-{self.settings_class.task}")
        started = gr.on(triggers, begin, inputs, [self.job_id, self.note], **{"js": first, **how})
        self.started.append(started)
        started.then(None, [self.job_id], None, js=self._remember_it, **QUIET)
        started.then(None, None, None, js=SHOW_STAGE, **QUIET)
        self.followed.append(started.then(**self._follow_it))
        self._keep_shown(self.followed[-1])

    def _keep_shown(self, followed: Dependency) -> None:
        """The window keeps the result that is shown once a run was followed to its end."""
        keep = KEEP_SHOWN.format(task=self.settings_class.task)
        followed.then(None, [self.job_id, *self.followers()[:4]], None, js=keep, **QUIET)

    def _shown_again(self, followed: Dependency) -> Dependency:
        """A server that was started anew knows no such run: the window shows what it kept of it."""
        shown, again = self.followers()[:4], SHOWN_AGAIN.format(task=self.settings_class.task)
        outputs = [self.note, *shown]
        return followed.then(None, [self.job_id, *outputs], outputs, js=again, **QUIET)

    def chosen_again(self, restored: Dependency) -> Dependency:
        """The event after which a reloaded page also has what was chosen since the run that it shows."""
        shown = self.prompt_picture.again(self, restored)  # beside all else, which need not wait for it
        shown.then(None, list(self.form.values()), None, js=self.keep, **QUIET)
        return restored

    def kept_after(self, changed: Dependency) -> None:
        """After what fills in fields that are folded up: of those the page hears no change itself."""
        changed.then(None, list(self.form.values()), None, js=self.keep, **QUIET).then(
            None, None, None, js=self.tell_soon, **QUIET
        )
