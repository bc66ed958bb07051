"""Presets beside Run, one's own among them, and what this browser chose last.

Draft, Standard, Best and Paper are asked of the server, as they are the model's; all else stays in the
browser's own storage: nobody else sees it, and it outlives the program.
"""

import html
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.checks import InputError
from t2v.engine.defaults import AS_DRAWN, told_sampler
from t2v.page.events import QUIET, RAW
from t2v.page.form_fields import SUITS
from t2v.page.model_told import MOVED_BY, taken
from t2v.page.run_scripts import SOON
from t2v.page.studio import Studio
from t2v.page.visitors import check_offered
from t2v.tasks.presets import FIELDS, KIND, PRESETS, in_words, is_unmeasured, preset
from t2v.weights.told import told_method

# what belongs to one video; of that a picture, which is seen, is left out by its own button
PICTURES = ("first_frame", "skip_first_frame", "picture_prompt")
NOT_KEPT = ("prompt", "seed", "subject", "motion", "painted", *PICTURES)
NOT_RESET = ("prompt", *PICTURES)
STANDARD = "standard"
KNOWN = ("model", "width", "height", *MOVED_BY)  # what decides what suits the model
UNMEASURED = " Not measured on such weights yet."
AFTER_MS = 500  # after the last change of the form
# one's own presets, which the browser puts there, and what is told where none is marked
NO_PRESET = (
    '<div class="own-presets"></div><p class="own-choice">Custom: what these set is chosen by hand.</p>'
)
Keeping = tuple[gr.Textbox, gr.Button, gr.Button]


@dataclass(frozen=True)
class PresetRow:
    """The choice of presets, what the chosen one sets, and one's own."""

    choice: gr.Radio
    told: gr.HTML
    name: gr.Textbox
    keep: gr.Button
    reset: gr.Button


def choose_preset(model: str) -> tuple[gr.Radio, gr.HTML]:
    """Lays the choice out, and below it what the chosen one sets; the browser puts one's own beside it."""
    choices = [(name.capitalize(), name) for name in PRESETS]
    chosen = first_choice(model)
    choice = gr.Radio(choices, value=chosen, label="Preset", elem_classes="preset-choice")
    words = NO_PRESET if chosen is None else told_html(chosen, model)
    told = gr.HTML(words, elem_classes="preset-told", apply_default_css=False)
    return choice, told


def first_choice(model: str) -> str | None:
    """The preset that a form with nothing chosen is: Standard, where that sets nothing; else none."""
    try:
        sets = preset(model, STANDARD)
    except InputError:
        return STANDARD  # the run will say what is wrong with the model
    return STANDARD if all(one is None for one in sets.values()) else None


def keep_preset() -> Keeping:
    """Lays out what keeps the options under a name, and what sets them back."""
    with gr.Row(elem_classes="keep-row"):
        hint = "Stays in this browser, beside the other presets."
        label = "Keep these options as"
        name = gr.Textbox(label=label, info=hint, max_lines=1, max_length=40, min_width=190, scale=3)
        keep = gr.Button("Keep", elem_classes="keep", min_width=80, scale=1)
        reset = gr.Button("Reset the options", elem_classes="reset", min_width=150, scale=2)
    return name, keep, reset


def told_html(name: str, model: str) -> str:
    """What a preset sets, in words, and for the browser as values; empty for none."""
    try:
        values = preset(model, name)
        seen = UNMEASURED if is_unmeasured(model, name) else ""
    except InputError:
        return ""
    sets = html.escape(json.dumps({field: str(_shown(one)) for field, one in values.items()}), quote=True)
    return f'{NO_PRESET}<p class="sets" data-sets="{sets}">Sets {html.escape(in_words(values))}.{seen}</p>'


def _shown(value: Any) -> Any:
    """A value as the form has it: an empty field for what suits the model."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return SUITS if value is None else value


def apply(studio: Studio, name: Any, model: Any) -> tuple[Any, ...]:
    """The form's values of FIELDS, and what is told, for a preset that was chosen for a model."""
    try:
        if not isinstance(model, str) or not model.strip():
            raise InputError("model is empty; choose one.")
        model = check_offered(studio, KIND("a preset", model=model)).model
        values = preset(model, name)
    except InputError:  # none is chosen, or a model that there is not: the run will say so
        return (gr.skip(),) * (len(FIELDS) + 1)
    return (*(_shown(values[field]) for field in FIELDS), told_html(name, model))


def apply_to_model(studio: Studio, name: Any, model: Any, *values: Any) -> tuple[Any, ...]:
    """The choice, the form's values and what is told, for another model. values: of FIELDS, as they are.

    Where nothing is chosen but what suits the model, it stays so, whatever Standard sets there.
    """
    is_open = name in (None, STANDARD) and all(one in (None, SUITS) for one in values)
    if not is_open or not isinstance(model, str) or not model.strip():
        return (gr.skip(), *apply(studio, name, model))
    try:
        model = check_offered(studio, KIND("a preset", model=model)).model
    except InputError:
        return (gr.skip(),) * (len(FIELDS) + 2)
    chosen = first_choice(model)
    words = NO_PRESET if chosen is None else told_html(chosen, model)
    return (chosen, *(gr.skip(),) * len(FIELDS), words)


def which(studio: Studio, values: Mapping[str, Any]) -> str | None:
    """The preset that a form is, also one whose empty fields are filled with what suits the model; else None.

    values: of FIELDS and of KNOWN, as the form has them.
    """
    model = values["model"]
    if not isinstance(model, str) or not model.strip():
        return None
    try:
        model = check_offered(studio, KIND("a preset", model=model)).model
        suits = {"method": told_method(model), **told_sampler(model, KIND), **_told(values)}
        return next((name for name in PRESETS if _is_so(preset(model, name), suits, values)), None)
    except InputError:
        return None


def _told(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"upscale": AS_DRAWN, **taken(KIND, values)}


def _is_so(sets: Mapping[str, Any], suits: Mapping[str, Any], values: Mapping[str, Any]) -> bool:
    for field, asked in sets.items():
        chosen = values[field]
        wanted = suits.get(field) if asked is None else asked
        is_open = chosen in (None, SUITS)
        if is_open and asked is None:
            continue
        if is_open or not _alike(chosen, wanted):
            return False
    return True


def _alike(one: Any, other: Any) -> bool:
    if str(one) == str(other):
        return True
    try:
        return math.isclose(float(one), float(other), rel_tol=1e-6, abs_tol=1e-9)
    except (TypeError, ValueError):
        return False


def wire(studio: Studio, row: PresetRow, form: Mapping[str, Component], keep: str) -> None:
    """Connects the presets with the form, once that is complete.

    keep: what the browser does to keep the form as it is.
    """
    fields, task, applied = [form[name] for name in FIELDS], KIND.task, partial(apply, studio)
    row.choice.input(applied, [row.choice, form["model"]], [*fields, row.told], **RAW)
    other, given = partial(apply_to_model, studio), [row.choice, form["model"], *fields]
    shown = [row.choice, *fields, row.told]
    form["model"].input(other, given, shown, **RAW)
    changed = [one.change for one in fields]
    gr.on(changed, None, [row.choice, row.told, *fields], [row.choice], js=_still_so(), **QUIET)

    find = gr.Button(visible="hidden", elem_id=f"find-preset-{task}")
    known = list(dict.fromkeys([*FIELDS, *KNOWN]))
    asked_for = [form[name] for name in known]

    def found(*values: Any) -> tuple[Any, Any]:
        form_now = dict(zip(known, values, strict=True))
        name = which(studio, form_now)
        return (gr.skip(), gr.skip()) if name is None else (name, told_html(name, form_now["model"]))

    find.click(found, asked_for, [row.choice, row.told], **RAW)
    soon = SOON.format(id=find.elem_id, after_ms=AFTER_MS)
    gr.on([one.change for one in asked_for], None, None, None, js=soon, **QUIET)

    kept = {name: one for name, one in form.items() if name not in NOT_KEPT}
    names, own, all_kept = json.dumps(list(kept)), f"presets-of-{task}", list(kept.values())
    row.keep.click(None, [row.name, *all_kept], [row.name], js=KEEP.format(key=own, names=names), **QUIET)
    use = gr.Button(visible="hidden", elem_id=f"use-own-{task}")  # pressed by the page's script, as the next
    taken = TAKE.format(kept=f"(({READ.format(key=own)})[window.ownPreset])", names=names)
    use.click(None, all_kept, all_kept, js=taken, **QUIET)

    choices = f"choices-of-{task}"
    remembered = [one.change for one in all_kept]
    gr.on(remembered, None, all_kept, None, js=REMEMBER.format(key=choices, names=names), **QUIET)
    recall = gr.Button(visible="hidden", elem_id=f"recall-{task}")
    taken = TAKE.format(kept=READ.format(key=choices), names=names)
    # by way of the server, after whose answer the page is whole
    answered = recall.click(lambda: None, None, None, **QUIET)
    answered.then(None, all_kept, all_kept, js=taken, **QUIET)
    options = [one for name, one in form.items() if name not in NOT_RESET]
    defaults = json.dumps([_shown(getattr(one, "value", None)) for one in options])
    back = f"() => {{ localStorage.removeItem('{choices}'); return ['{STANDARD}', {defaults}].flat(); }}"
    reset = row.reset.click(None, None, [row.choice, *options], js=back, **QUIET)
    set_back = reset.then(other, given, shown, **RAW)
    set_back.then(None, list(form.values()), None, js=keep, **QUIET)  # what is folded up tells of no change


def _still_so() -> str:
    """The choice as long as the form is what it set: a preset that was changed is none any more."""
    return f"""(choice, told, ...values) => {{
        const found = /data-sets="([^"]*)"/.exec(told || '');
        if (!found) return null;
        const sets = JSON.parse(found[1].replaceAll('&quot;', '"').replaceAll('&#x27;', "'"));
        const same = {json.dumps(FIELDS)}.every((name, i) => String(values[i] ?? '') === sets[name]);
        return same ? choice : null;
    }}"""


READ = "JSON.parse(localStorage.getItem('{key}') || '{{}}')"
KEEP = """(name, ...values) => {{
    if (!name.trim()) return name;
    const all = JSON.parse(localStorage.getItem('{key}') || '{{}}');
    all[name.trim()] = Object.fromEntries({names}.map((field, i) => [field, values[i]]));
    localStorage.setItem('{key}', JSON.stringify(all));
    return '';
}}"""
TAKE = """(...values) => {{
    const kept = {kept} || {{}};
    return {names}.map((field, i) => field in kept ? kept[field] : values[i]);
}}"""
REMEMBER = """(...values) => {{
    if (!window.touched) return;
    const now = Object.fromEntries({names}.map((field, i) => [field, values[i]]));
    localStorage.setItem('{key}', JSON.stringify(now));
}}"""
