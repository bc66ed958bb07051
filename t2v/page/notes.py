"""The note below a tab's Run button: the one place that says what is wrong, in the page's words.

An error is told "by" what found it: by the run, and then any change of the form takes it away; or by the
preview of the clip or of what is seen of it, and then it goes when that preview can be made.
"""

import html
import re
from collections.abc import Mapping, Sequence
from typing import Any

from t2v.engine.engine import Engine
from t2v.engine.prompt_notes import Note
from t2v.tasks import acting
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.source import BUNDLED, STYLE, STYLE_NAME

RUN, CLIP, SEEN, BUSY, PROMPT = "run", "clip", "seen", "busy", "prompt"  # who told it
# In the browser, note in and note out: nobody should wait for the server to see an old error go.
WITHOUT_RUNS_ERROR = """(note) => (/ data-by="run"/.test(note || '') ? '' : note)"""
WITHOUT_ERROR = """(note) => (/ data-kind="error"/.test(note || '') ? '' : note)"""
EDITOR_NAME = "InstructPix2Pix"  # where the family's own model follows no instructions
# pressed by the page's script (static/in_use.js), which finds the choice by its value
CHOOSE_CAMERA = '<button type="button" data-choose-move="camera">Choose “The camera”</button>'
# what is no field everywhere, and has its capitals
KINDS = {
    "lora": "LoRA",
    "loras": "LoRAs",
    "vae": "VAE",
    "controlnet": "ControlNet",
    "ip_adapter": "IP-Adapter",
}
LONG_LABEL = 30  # characters; in quotes, or nobody sees where it ends


def error_html(sentence: str, labels: Mapping[str, str], by: str, where: str | None = None) -> str:
    """The note for an InputError's sentence; labels: of the form's fields, by their names in the settings.

    where: the group that the field is in which the sentence begins with, if it may be folded up.
    """
    found = "" if where is None else f"<p>The field is under “{html.escape(where)}”.</p>"
    return note_html("error", in_labels(sentence, labels), found, by=by)


def is_by(note: str | None, by: str) -> bool:
    """Whether the note that the page shows was told by this one."""
    return isinstance(note, str) and f' data-by="{by}"' in note


def is_error(note: str | None) -> bool:
    """Whether the note that the page shows says that something is wrong."""
    return ' data-kind="error"' in (note or "")


def in_labels(sentence: str, labels: Mapping[str, str]) -> str:
    """The core speaks of fields by their names; people know them by their labels.

    A name that is an everyday word, as width, is one only where the sentence begins with it or multiplies it.
    The paper's symbol, which may stand behind a name in brackets, is a label already. A name alone in
    brackets is for those who have no form before them.
    """
    for name, label in KINDS.items():
        sentence = re.sub(rf"^{name}(?= )|(?<=^the strength of ){name}(?= )", label, sentence)
    for name, label in labels.items():
        sentence = sentence.replace(f" ({name})", "")
        text = f"“{label}”" if len(label) > LONG_LABEL else label
        symbol = rf"(?: \({re.escape(label.replace('′', chr(39)))}\))?"
        word = rf"(?<![\w./'-]){name}{symbol}(?![\w/'-]|\.\w)"
        if name.isalpha():
            word = rf"^{name}(?= )|(?<= x ){name}\b|\b{name}(?= x )"
        sentence = re.sub(word, text.replace("\\", r"\\"), sentence)
    begins_with_word = sentence.partition(" ")[0].isalpha()  # and not with a file's name
    return sentence[:1].upper() + sentence[1:] if begins_with_word else sentence


def prompt_notes_html(engine: Engine, settings: Any, labels: Mapping[str, str] | None = None) -> str:
    """HTML of what there is to tell about the prompts before they are drawn; empty for nothing.

    labels: as in ``error_html``. What is of the model alone stands below its picker, and not here too.
    """
    return "".join(
        _words_html(engine, settings, note.text)
        if note.is_about_words
        else note_html(
            "hint",
            _in_labels(note, {} if labels is None else labels),
            _way_out(settings, note.text),
            by=PROMPT,
        )
        for note in engine.prompt_notes(settings)
        if not note.is_about_model
    )


def _in_labels(note: Note, labels: Mapping[str, str]) -> str:
    """The sentence of a note, which may begin with a field's name."""
    return in_labels(note.text, {note.field: labels[note.field]}) if note.field in labels else note.text


def _way_out(settings: Any, text: str) -> str:
    """A button for what a note advises, where one press does it; HTML."""
    is_held = isinstance(settings, TextToVideoSettings) and acting.held_by(settings) == acting.WHAT_MOVES
    return CHOOSE_CAMERA if is_held and text == acting.idle_note(settings) else ""


def _words_html(engine: Engine, settings: Any, text: str) -> str:
    """A note about words: what the chosen model knows, and where to go instead."""
    known = engine.known_words(settings.model, settings.editor)
    words = engine.unknown_words(settings.model, settings.prompt, settings.editor)
    instead = EDITOR_NAME if settings.editor else STABLE_DIFFUSION.name
    styled = engine.unknown_words(STYLE, settings.prompt)
    if settings.model == BUNDLED and not settings.editor and len(styled) < len(words):
        instead = f"“{STYLE_NAME}”"
    return words_html(text, known or {}, instead)


def words_html(text: str, known: Mapping[str, Sequence[str]], instead: str) -> str:
    """A note with the words that a model knows, by group, and the model to choose for others."""
    rows = "".join(
        f"<dt>{html.escape(kind.capitalize())}</dt><dd>{html.escape(', '.join(items))}</dd>"
        for kind, items in known.items()
        if items and kind != "other"  # those are the small words between
    )
    elsewhere = f"For anything else choose {html.escape(instead)} as the model."
    more = f"<details><summary>What it knows</summary><dl>{rows}</dl></details><p>{elsewhere}</p>"
    return note_html("hint", text, more, PROMPT)


def note_html(kind: str, text: str, more: str = "", by: str = "") -> str:
    """A visible note on the page; kind is ``error`` or ``hint``, more is HTML that is already safe.

    by: who told it, for those who take it away again.
    """
    role = "alert" if kind == "error" else "note"
    data = f'data-kind="{kind}"' + (f' data-by="{by}"' if by else "")
    return f'<div class="note" {data} role="{role}"><p>{html.escape(text)}</p>{more}</div>'
