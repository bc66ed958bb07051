"""Pickers of ControlNets and T2I-Adapters: what of the folder of models fits the chosen model, by its task.

The miniature has its own, so that its form is without them until something else is asked for.
"""

from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.page import model_told
from t2v.page.events import QUIET
from t2v.page.form_fields import SUITS, model_choices
from t2v.page.lora_rows import read
from t2v.page.model_told import SUITING
from t2v.page.studio import Studio
from t2v.tasks.clip import ClipSettings
from t2v.tasks.controlled import ControlledSettings, controlled_kinds
from t2v.tasks.guide_names import fitting
from t2v.weights.source import BUNDLED, Source

Choices = list[tuple[str, str]]
HINT = "What follows the clip, a T2I-Adapter too."
TYPED = " You may type a Hugging Face id, a file or a folder."


class NetworkPickers:
    """``place`` and ``place_also`` lay them out; ``follow`` keeps them as the model wants them.

    kind: a tab's; of one that no ControlNet guides there are none.
    """

    def __init__(self, studio: Studio, kind: type[ClipSettings]) -> None:
        self._studio, self._kind = studio, kind
        self._pickers: dict[str, gr.Dropdown] = {}  # by task, the tab's own first

    def place(self) -> dict[str, Component]:
        """The task's own, which stands below the model."""
        if not issubclass(self._kind, ControlledSettings):
            return {}
        own = "ControlNet", HINT if self._studio.is_open else HINT + TYPED
        self._pickers[self._kind.task] = self._picker(self._kind.task, *own)
        return {"controlnet": self._pickers[self._kind.task]}

    def place_also(self, task: str) -> gr.Dropdown:
        """That of another task, which stands below its strength."""
        label = f"ControlNet for {controlled_kinds()[task].words.shows}"
        self._pickers[task] = self._picker(task, label, None)
        return self._pickers[task]

    def follow(self, model: gr.Dropdown) -> None:
        """From now on they are as the model wants them, whenever the page opens or it changes."""
        pickers = list(self._pickers.values())
        if pickers:
            gr.on(None, self._shown, [model, *pickers], pickers, **QUIET)

    def _picker(self, task: str, label: str, hint: str | None) -> gr.Dropdown:
        return gr.Dropdown(
            value=SUITS,
            label=label,
            info=hint,
            **self._as_wanted(task, self._studio.default_model, SUITS),
            allow_custom_value=True,
            elem_classes="network",
            min_width=190,
        )

    def _shown(self, named: object, *chosen: object) -> list[Any]:
        model = self._base(named)
        return [
            gr.update(**self._as_wanted(task, model, one))
            for task, one in zip(self._pickers, chosen, strict=True)
        ]

    def _as_wanted(self, task: str, model: str, chosen: object) -> dict[str, Any]:
        """What is on offer, and whether it is seen. What is chosen stays, among these or not."""
        found = fitting(task, model)
        choices: Choices = [(SUITING, SUITS), *((one.label, one.name) for one in found)]
        is_asked_for = chosen not in (None, SUITS, BUNDLED)
        is_seen = is_asked_for or bool(found) or not Source.parse(model).is_bundled
        return {"choices": choices, "visible": is_seen}

    def _base(self, named: object) -> str:
        """The model without what stands behind it; "" for a name that may not be looked for."""
        base = read(self._studio, named).base
        offers = partial(model_choices, self._studio, self._kind)
        return model_told.offered(offers, self._studio.is_open)(base) or ""
