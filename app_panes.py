"""The panes of a tab: the clip, and beside it what the model sees of it, before any run and of a run."""

import gradio as gr

import app_view
from app_preview import Previews, Shown
from app_view import CONTROL_NAMES
from job import JobView
from tasks.clip import ClipSettings
from tasks.controlled import ControlledSettings

CLIP = "Your clip"
NO_CLIP = "Drop a video here, upload one, or pick an example"
NOTHING_YET = {
    "canny": "Its edges appear here",
    "pose": "Its skeletons appear here",
    "depth": "Its depth appears here",
}
LOOKING = {
    "canny": "Looking for edges",
    "pose": "Looking for people",
    "depth": "Judging the depth",
}
PARTIAL = "the first {} frames; a run takes all"


class Panes:
    """``place()`` lays them out; the rest says what is in them, as HTML for each of ``components``."""

    def __init__(self, previews: Previews, settings_class: type[ClipSettings]):
        self.task = settings_class.task
        self.controlled = issubclass(settings_class, ControlledSettings)  # else there is the clip alone
        self._previews = previews

    def place(self) -> None:
        with gr.Row(elem_classes="panes"):
            self.components = [
                gr.HTML(html, elem_classes=["pane-box", name], min_width=120, apply_default_css=False)
                for html, name in zip(self.empty(), ("clip-box", "seen-box"), strict=False)
            ]

    def empty(self) -> list[str]:
        """Before there is a clip."""
        clip = app_view.empty_pane_html(CLIP, NO_CLIP)
        return [clip, self._no_controls(NOTHING_YET[self.task])] if self.controlled else [clip]

    def clip(self, settings: ClipSettings) -> list[str]:
        """The clip, and that its control pictures are yet to come; InputError where it cannot be read."""
        clip = _pane(CLIP, self._previews.clip(settings))
        return [clip, self._no_controls(LOOKING[self.task], busy=True)] if self.controlled else [clip]

    def refused(self) -> list[str]:
        """What stands in place of a clip that cannot be shown."""
        return [app_view.refused_pane_html(CLIP), *self.empty()[1:]]

    def controls(self, settings: ControlledSettings) -> str:
        """What the ControlNets will see; InputError where that cannot be made."""
        shown = self._previews.controls(settings)
        return "".join(_pane(CONTROL_NAMES[task], one) for task, one in shown.items())

    def refused_controls(self) -> str:
        """What stands in place of control pictures that cannot be made."""
        return app_view.refused_pane_html(CONTROL_NAMES[self.task])

    def of_run(self, view: JobView | None) -> list[str | None]:
        """What a run saw, as far as it is there yet; None for a pane that stays as it is."""
        seen = {} if view is None else dict(view.seen)
        clip = seen.pop("clip", None)
        panes = [None if clip is None else app_view.pane_html(CLIP, clip)]
        if self.controlled:
            controls = [app_view.pane_html(CONTROL_NAMES[task], path) for task, path in seen.items()]
            panes.append("".join(controls) or None)
        return panes

    def _no_controls(self, text: str, busy: bool = False) -> str:
        return app_view.empty_pane_html(CONTROL_NAMES[self.task], text, busy)


def _pane(name: str, shown: Shown) -> str:
    return app_view.pane_html(name, shown.path, PARTIAL.format(shown.num_frames) if shown.is_partial else "")
