"""LoRAs below the model: picked from what lies in the folder of models, each with a slider for its strength.

The model's own field has them all, as MODEL+LORA@0.7: rows are written into it and read from it, so that what
is typed, opened from a file or kept in the browser shows here too.
"""

from functools import partial
from typing import Any

import gradio as gr

from t2v.checks import InputError
from t2v.page.events import QUIET, RAW
from t2v.page.studio import Studio
from t2v.weights.listing import listed
from t2v.weights.models_folder import with_places
from t2v.weights.single_file.behind import behind
from t2v.weights.source import LONGEST, Source, bundled_loras

ROWS = 6  # more are for the model's field
STRENGTHS = (-2.0, 2.0)  # that a slider reaches
NOTHING = ""


def offered_loras() -> list[tuple[str, str]]:
    """The LoRAs on offer: label, and what stands behind a plus. The bundled ones are the miniature's."""
    own = [(f"{name} (bundled)", Source.parse(model).adapters[0]) for name, model in bundled_loras().items()]
    return [*own, *((one.label, one.name) for one in listed() if one.is_lora)]


def goes_behind(is_bundled: bool = True) -> list[str]:
    """Names of all on offer that may stand behind a model's plus. is_bundled: behind the miniature's."""
    own = [name for _, name in offered_loras()] if is_bundled else []
    return [*own, *(one.name for one in listed() if one.is_lora or _kind(one) == "vae")]


def _kind(one: Any) -> str:
    return "" if one.kind is None else one.kind.kind


def lora_rows(studio: Studio, model: gr.Dropdown) -> None:
    """Lays them out, and keeps them and the model's field together; call inside the form."""
    with gr.Column(elem_classes="loras"):
        picker = gr.Dropdown(
            _choices(),
            value=NOTHING,
            label="Add a LoRA",
            info="A style or subject from a file, put into the model at a strength.",
            allow_custom_value=not studio.is_open,
            min_width=190,
        )
        rows, sliders, buttons = [], [], []
        for _ in range(ROWS):
            with gr.Row(visible=False, elem_classes="lora-row") as row:
                slider = gr.Slider(*STRENGTHS, 1.0, step=0.05, label="Strength", scale=4, buttons=[])
                button = gr.Button("Remove", size="sm", scale=0, min_width=90)
            rows.append(row)
            sliders.append(slider)
            buttons.append(button)
    slid = gr.State("")  # the name as a slider wrote it last: what is being dragged is not to be set as well
    shown = [picker, *rows, *sliders]
    gr.on(None, partial(_show, studio), [model, slid], shown, **QUIET)  # when the page opens, at each change
    picker.input(partial(_add, studio), [model, picker], [model, picker], **RAW)
    for number, (slider, button) in enumerate(zip(sliders, buttons, strict=True)):
        slide = partial(_slide, studio, number)
        slider.input(slide, [model, slider], [model, slid], trigger_mode="always_last", **RAW)
        button.click(partial(_remove, studio, number), [model], [model], **RAW)


def _choices() -> list[tuple[str, str]]:
    return [("Choose one", NOTHING), *offered_loras()]


def _show(studio: Studio, model: object, slid: object = "") -> list[Any]:
    """What the rows show of a model's name; they stay as they are where a slider has written it."""
    if model == slid:
        return [gr.skip()] * (1 + 2 * ROWS)
    source = read(studio, model)
    loras = [source.adapters[place] for place in places_of_loras(studio, source)][:ROWS]
    strengths = [_strength(source, place) for place in places_of_loras(studio, source)]
    empty = ROWS - len(loras)
    sliders = [
        gr.update(
            label=name,
            value=strength,
            minimum=min(STRENGTHS[0], strength),
            maximum=max(STRENGTHS[1], strength),
        )
        for name, strength in zip(loras, strengths, strict=False)
    ]
    visible = [*(gr.update(visible=True) for _ in loras), *(gr.update(visible=False) for _ in range(empty))]
    return [gr.update(choices=_choices()), *visible, *sliders, *(gr.skip() for _ in range(empty))]


def _add(studio: Studio, model: object, picked: object) -> list[Any]:
    """The model's name with one more behind it."""
    source = read(studio, model)
    name = picked.strip() if isinstance(picked, str) else ""
    if not name or name in source.adapters:
        return [gr.skip(), NOTHING]
    return [f"{model}+{name}", NOTHING]


def _slide(studio: Studio, number: int, model: object, strength: object) -> list[Any]:
    """The model's name, twice, with another strength of the LoRA in this row."""
    source = read(studio, model)
    places = places_of_loras(studio, source)
    if number >= len(places) or not isinstance(strength, int | float):
        return [gr.skip()] * 2
    return [written(source, {places[number]: float(strength)})] * 2


def _remove(studio: Studio, number: int, model: object) -> Any:
    source = read(studio, model)
    places = places_of_loras(studio, source)
    return written(source, {places[number]: None}) if number < len(places) else gr.skip()


def read(studio: Studio, model: object) -> Source:
    """A model's name taken apart; for visitors without a look at what lies on this machine."""
    text = model if isinstance(model, str) and len(model) <= LONGEST else ""
    return Source.parse(text, with_places(goes_behind()) if studio.is_open else None)


def places_of_loras(studio: Studio, source: Source) -> list[int]:
    """Which of a model's adapters are LoRAs: all but the VAE."""
    vaes = {one.name for one in listed() if _kind(one) == "vae"}
    named = enumerate(source.adapters)
    return [place for place, name in named if name not in vaes and not _is_vae(studio, name)]


def _is_vae(studio: Studio, name: str) -> bool:
    return not studio.is_open and behind(Source("", (name,)))[0] is not None


def _strength(source: Source, place: int) -> float:
    """What the name says; 1 for what is no strength, which a run refuses."""
    told = source.told[place] if source.told else None
    try:
        return Source("", (source.adapters[place],), (told,)).strengths()[0]
    except InputError:
        return 1.0


def written(source: Source, changes: dict[int, float | None]) -> str:
    """The name with other strengths of the adapters at these places; None: without that one."""
    told = list(source.told) if source.told else [None] * len(source.adapters)
    pieces = [source.base]
    for place, name in enumerate(source.adapters):
        if changes.get(place, 1.0) is None:
            continue
        strength = f"{changes[place]:.6g}" if place in changes else told[place]
        pieces.append(name if strength in (None, "1") else f"{name}@{strength}")
    return "+".join(pieces)
