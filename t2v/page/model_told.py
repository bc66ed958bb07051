"""What the page tells of the model that is chosen: whether it has to be fetched, and what suits it.

Nothing is loaded or fetched for it; an app that is open to others looks for no name that it does not list.
"""

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

import gradio as gr
from gradio.components import Component

from t2v.checks import InputError
from t2v.devices import DTYPES
from t2v.diffusion.options import SCHEDULERS
from t2v.engine.defaults import told_defaults, told_sampler
from t2v.page.events import RAW
from t2v.page.form_values import typed_number
from t2v.page.offered import offered_model
from t2v.tasks import Settings
from t2v.tasks.travel import TRAVELS, speeds
from t2v.weights.few_steps import sentence as few_steps_told
from t2v.weights.here import is_here, size_gb
from t2v.weights.source import Source
from t2v.weights.told import told_method
from t2v.weights.video_kinds import video_kind

Choices = list[tuple[str, str]]
Known = Callable[[str], str | None]  # a name's full name; None of one that may not be looked for
Offers = Callable[[], Choices]  # what there is to choose now, unmarked
MOVED_BY = ("num_frames", "move", "method")  # what the model's own motion depends on
SUITS = "suits the model"
SUITING = "What suits the model"
MARK = ": to be fetched ("
MANY = 1_000_000  # frames: more are mistyped
LATEST: dict[str, Any] = {**RAW, "trigger_mode": "always_last"}


def to_fetch(model: str) -> str | None:
    """ "4 GB" of a model that is not on this machine, "size unknown" where nobody says; None where it is."""
    if is_here(model):
        return None
    size = size_gb(model)
    return "size unknown" if size is None else f"{size:.0f} GB"


def unmarked(name: str) -> str:
    """The name of a choice of the picker without its mark."""
    return name.partition(MARK)[0]


def marked(choices: Sequence[tuple[str, str]]) -> Choices:
    """The picker's choices, those marked that have to be fetched."""
    sizes = [to_fetch(model) for _, model in choices]
    return [
        (name if size is None else f"{name}{MARK}{size})", model)
        for (name, model), size in zip(choices, sizes, strict=True)
    ]


def told_html(model: object, is_editor: bool) -> str:
    """The line below the picker about the model that is chosen; empty where there is nothing to say."""
    if not isinstance(model, str) or not model.strip():
        return ""
    source = Source.parse(model)
    told = (_where(model, source, is_editor), few_steps_told(source), _own_motion(source))
    return _told(" ".join(text for text in told if text is not None)) if any(told) else ""


def _where(model: str, source: Source, is_editor: bool) -> str | None:
    if source.is_bundled:
        return f"The miniature is quick and knows few {'instructions' if is_editor else 'words'}."
    size = to_fetch(model)
    if size is None:
        return None
    much = "how much that is is not known here" if size == "size unknown" else f"about {size}"
    return f"This model is not on this machine yet: the first run fetches it ({much}), and keeps it."


def _own_motion(source: Source) -> str | None:
    """Of a trained video model: which of the form's fields say nothing to it."""
    kind = video_kind(source)
    if kind is None:
        return None
    return (
        f"{kind.name} is a trained video model: it draws from a prompt alone, and its motion is its own; "
        "leave what moves, motion, method, first picture and sampler as they are."
    )


def _told(text: str) -> str:
    return f'<p class="fetched" role="status">{html.escape(text)}</p>'


def offered(offers: Offers, is_open: bool) -> Known:
    """What may be looked for: in an app that is open to others only what a run of a visitor may have."""

    def known(model: str) -> str | None:
        if not is_open:
            return model
        try:
            return offered_model(model, [one for _, one in offers()])
        except InputError:
            return None

    return known


def follow_model(picker: gr.Dropdown, offers: Offers, is_editor: bool, known: Known) -> None:
    """Places the line below the picker, which from now on follows it. offers: unmarked, as they are now."""
    picker.choices = marked(offers())
    line = gr.HTML(told_html(picker.value, is_editor), elem_classes="model-told", apply_default_css=False)

    def told(model: object) -> tuple[Any, str]:
        full = known(model) if isinstance(model, str) else None
        if full is None:
            return gr.skip(), ""
        return gr.update(choices=marked(offers())), told_html(full, is_editor)

    picker.change(told, [picker], [picker, line], **LATEST)


def follow_defaults(
    kind: type[Settings],
    form: Mapping[str, Component],
    known: Known,
    precision: Callable[[str], str],
) -> None:
    """Fields that may stay empty show what the model takes then, as soon as it is chosen, and so do the
    sampler's and the precision's choices of what suits it. precision: that suits a model here."""
    choosing = {"scheduler": partial(_samplers, kind), "dtype": partial(_precisions, precision)}
    choosing = {name: choices for name, choices in choosing.items() if name in form}
    told = [name for name, one in form.items() if getattr(one, "placeholder", None) == SUITS]
    watched = [name for name in ("model", *MOVED_BY, "width", "height", "scheduler") if name in form]
    work = partial(_placeholders, kind, told)
    now = work({name: getattr(form[name], "value", None) for name in watched})
    for name, shown in zip(told, now, strict=True):
        form[name].placeholder = shown
    for name, choices in choosing.items():
        form[name].choices = choices(getattr(form["model"], "value", None))

    def changed(*values: Any) -> list[Any]:
        asked = dict(zip(watched, values, strict=True))
        full = known(asked["model"]) if isinstance(asked["model"], str) else None
        shown = [SUITS] * len(told) if full is None else work({**asked, "model": full})
        updates = [gr.update(placeholder=one) for one in shown]
        updates += [gr.update(choices=one(full)) for one in choosing.values()]
        return updates

    outputs = [form[name] for name in (*told, *choosing)]
    gr.on(
        [form[name].change for name in watched], changed, [form[name] for name in watched], outputs, **LATEST
    )


def or_suits(choices: Iterable[str], told: str | None = None) -> Choices:
    """Choices after that of what suits the model, "". told: what that is."""
    first = SUITING if told is None else f"{SUITING}: {told}"
    return [(first, ""), *((one, one) for one in choices)]


def _samplers(kind: type[Settings], model: object) -> Choices:
    try:
        told = told_sampler(model, kind)["scheduler"] if isinstance(model, str) else None
    except InputError:
        told = None
    return or_suits(SCHEDULERS, told)


def _precisions(precision: Callable[[str], str], model: object) -> Choices:
    try:
        told = precision(model) if isinstance(model, str) else None
    except InputError:
        told = None
    return or_suits(DTYPES, told)


def taken(kind: type[Settings], known: Mapping[str, Any]) -> dict[str, float]:
    """What a run takes for fields that stay empty, as far as the model's name tells it.

    known: the form's values of "model", "width", "height", "scheduler" and MOVED_BY, of those that there are.
    """
    chosen = known.get("scheduler")
    try:
        own = told_defaults(str(known["model"]), kind, None if chosen in ("", SUITS) else chosen)
    except InputError:
        own = {}
    size = [known.get(name) for name in ("width", "height")]
    is_own_size = all(str(one or "").strip() in ("", f"{own.get('width', 0):g}") for one in size)
    if not is_own_size:  # then times are others
        own = {name: value for name, value in own.items() if name not in ("t0", "t1")}
    return {**own, **_motion(own, known)} if TRAVELS.keys() <= own.keys() and kind.way == "text" else own


def _placeholders(kind: type[Settings], told: Sequence[str], known: Mapping[str, Any]) -> list[str]:
    """What each field takes where it stays empty, as a text. known: of the form, as far as that matters."""
    own = taken(kind, known)
    return [f"{round(own[name], 2) + 0.0:g}" if name in own else SUITS for name in told]


def _motion(own: Mapping[str, float], known: Mapping[str, Any]) -> dict[str, float]:
    """Pixels a frame, where neither the prompt nor another option moves it in a way of its own."""
    frames = typed_number(str(known.get("num_frames") or ""))
    if not isinstance(frames, float) or not 1 <= frames < MANY:
        return dict.fromkeys(TRAVELS, 0.0)
    move = str(known.get("move") or "camera")
    method = str(known.get("method") or "") or told_method(str(known["model"]))
    return speeds(own, int(frames), move, method if move == "camera" else "canvas")
