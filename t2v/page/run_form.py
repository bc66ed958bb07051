"""The form of a tab: its components by the settings' field names, and what they say."""

from collections.abc import Sequence
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.page import notes
from t2v.page.form_fields import form_value
from t2v.page.form_values import settings_from, values_of
from t2v.page.left_open import left_open
from t2v.page.run_scripts import KEEP_FORM
from t2v.page.studio import Studio
from t2v.page.uploads import with_pictures
from t2v.page.visitors import check_offered
from t2v.tasks import Settings
from t2v.tasks.by_prompt import left_to_prompt
from t2v.tasks.picture_prompt import FIELD, WITHOUT


class RunForm:
    """``form`` is filled by who lays it out; ``settings`` and ``values`` may make something else of it.

    spoken: names of fields whose labels are none.
    """

    def __init__(self, studio: Studio, settings_class: type[Settings]) -> None:
        self.studio = studio
        self.settings_class = settings_class
        self.form: dict[str, Component] = {}
        self.spoken = {"prompt": "Prompt"}
        self._groups: dict[str, str | None] = {}  # field -> where it is folded up
        self.keep = KEEP_FORM.format(task=settings_class.task)  # what the browser does to keep it as it is

    def settings(self, values: dict[str, Any]) -> Any:
        """The form's values, typed numbers being numbers already → settings; InputError if there are none."""
        if not values.get(FIELD):  # then what the form says of one means nothing
            values = {name: value for name, value in values.items() if name not in WITHOUT}
        settings = settings_from(self.settings_class, with_pictures(values))
        return check_offered(self.studio, settings)

    def values(self, settings: Any) -> dict[str, Any]:
        """Settings → the form's values, in the form's order; what the prompt says by itself stays empty."""
        settings = left_to_prompt(settings)
        found = {name: form_value(settings, name) for name in self.form}
        chosen = {name for name, field in self.form.items() if isinstance(field, gr.Dropdown)}
        return {name: "" if value is None and name in chosen else value for name, value in found.items()}

    def values_again(self, finished: Any) -> dict[str, Any]:
        """The same of a finished video's settings: what the model says by itself stays empty, too."""
        return self.values(left_open(finished, self.studio.engine.device))

    def name_fields(self) -> None:
        """Lets the page's script know the fields: what is typed while the server is away it keeps itself."""
        for name, field in self.form.items():
            field.elem_classes = [*(field.elem_classes or ()), f"typed-{self.settings_class.task}--{name}"]

    def typed(self, names: Sequence[str], values: Sequence[Any]) -> dict[str, Any]:
        """Raw values of the form's fields by name; what was typed for a number becomes one."""
        return values_of(self.settings_class, names, values)

    def find_groups(self) -> None:
        """Keep where fields are folded up, while the page is laid out: one that is served is flatter."""
        self._groups = {name: _group_of(field) for name, field in self.form.items()}

    def error(self, sentence: str, by: str = notes.RUN) -> str:
        """The note for what is wrong, in the words of this form; by: who told it."""
        where = self._groups.get(sentence.partition(" ")[0])
        return notes.error_html(sentence, self.labels, by, where)

    def in_words(self, sentence: str) -> str:
        """What is wrong in the words of this form, without markup."""
        return notes.in_labels(sentence, self.labels)

    @property
    def labels(self) -> dict[str, str]:
        """What the form calls the settings' fields, by their names."""
        return {**{name: component.label for name, component in self.form.items()}, **self.spoken}

    def prompt_notes(self, settings: Settings) -> str:
        """HTML of what there is to tell about settings before they are drawn, in the words of this form."""
        return notes.prompt_notes_html(self.studio.engine, settings, self.labels)


def _group_of(field: Component) -> str | None:
    """The label of the group that a field is folded up in; None where it stands open."""
    within = field.parent
    while within is not None and not isinstance(within, gr.Accordion):
        within = within.parent
    return None if within is None or within.open else within.label
