"""The panes of a tab: the clip, and beside it what the model sees of it, before any run and of a run."""

import gradio as gr

from t2v.jobs.job import JobView
from t2v.page.clip import markup
from t2v.page.glances import Glances, Shown
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.tasks.words import ControlWords

CLIP = "Your clip"
NO_CLIP = "Drop a video here, upload one, or pick an example"
PARTIAL = "the first {} frames; a run takes all"


class Panes:
    """``place()`` lays them out; the rest says what is in them, as HTML for each of ``components``."""

    def __init__(self, glances: Glances, settings_class: type[ClipSettings]) -> None:
        # what is seen of the clip, where that is not the clip alone
        self._words = settings_class.words if issubclass(settings_class, ControlledSettings) else None
        self._glances = glances

    def place(self) -> None:
        with gr.Row(elem_classes="panes"):
            self.components = [
                gr.HTML(html, elem_classes=["pane-box", name], min_width=120, apply_default_css=False)
                for html, name in zip(self.empty(), ("clip-box", "seen-box"), strict=False)
            ]

    def empty(self) -> list[str]:
        """Before there is a clip."""
        clip = markup.empty_pane_html(CLIP, NO_CLIP)
        return [clip] if self._words is None else [clip, _no_controls(self._words, self._words.nothing_yet)]

    def clip(self, settings: ClipSettings) -> list[str]:
        """The clip, and that its control pictures are yet to come; InputError where it cannot be read."""
        clip = _pane(CLIP, self._glances.clip(settings))
        if self._words is None:
            return [clip]
        return [clip, _no_controls(self._words, self._words.looking, busy=True)]

    def refused(self, why: str | None = None) -> list[str]:
        """What stands in place of a clip that cannot be shown. why: a sentence, where there is one."""
        return [markup.refused_pane_html(CLIP, why), *self.empty()[1:]]

    def controls(self, settings: ControlledSettings) -> str:
        """What the ControlNets will see; InputError where that cannot be made."""
        shown = self._glances.controls(settings)
        return "".join(_pane(pictures_of(task), one) for task, one in shown.items())

    def refused_controls(self) -> str:
        """What stands in place of control pictures that cannot be made."""
        return "" if self._words is None else markup.refused_pane_html(self._words.pictures)

    def of_run(self, view: JobView | None) -> list[str | None]:
        """What a run saw, as far as it is there yet; None for a pane that stays as it is."""
        seen = {} if view is None else dict(view.seen)
        clip = seen.pop("clip", None)
        panes = [None if clip is None else markup.pane_html(CLIP, clip)]
        if self._words is not None:
            controls = [markup.pane_html(pictures_of(task), path) for task, path in seen.items()]
            panes.append("".join(controls) or None)
        return panes

    @property
    def controlled(self) -> bool:
        """Whether more than the clip is seen."""
        return self._words is not None


def pictures_of(task: str) -> str:
    """What the page calls the control pictures of a task."""
    return controlled_kinds()[task].words.pictures


def _no_controls(words: ControlWords, text: str, busy: bool = False) -> str:
    return markup.empty_pane_html(words.pictures, text, busy)


def _pane(name: str, shown: Shown) -> str:
    return markup.pane_html(name, shown.path, PARTIAL.format(shown.num_frames) if shown.is_partial else "")
