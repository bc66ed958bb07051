"""The note below a tab's Run button: the one place that says what is wrong, in the page's words.

An error is told "by" what found it: by the run, and then any change of the form takes it away; or by the
preview of the clip or of what is seen of it, and then it goes when that preview can be made.
"""

import re
from collections.abc import Mapping
from typing import Any

import app_view
from choices import MINIATURE_STYLE, STABLE_DIFFUSION_NAME
from model import Model
from places import base_and_lora

RUN, CLIP, SEEN, BUSY = "run", "clip", "seen", "busy"  # who told it
# In the browser, note in and note out: nobody should wait for the server to see an old error go.
WITHOUT_RUNS_ERROR = """(note) => (/ data-by="run"/.test(note || '') ? '' : note)"""
WITHOUT_ERROR = """(note) => (/ data-kind="error"/.test(note || '') ? '' : note)"""
LONG_LABEL = 30  # characters; in quotes, or nobody sees where it ends


def error_html(sentence: str, labels: Mapping[str, str], by: str) -> str:
    """The note for an InputError's sentence; labels: of the form's fields, by their names in the settings."""
    return app_view.note_html("error", in_labels(sentence, labels), by=by)


def is_by(note: str | None, by: str) -> bool:
    """Whether the note that the page shows was told by this one."""
    return f' data-by="{by}"' in (note or "")


def in_labels(sentence: str, labels: Mapping[str, str]) -> str:
    """The core speaks of fields by their names; people know them by their labels.

    A name that is an everyday word, as width, is one only where the sentence begins with it or multiplies it.
    The paper's symbol, which may stand behind a name in brackets, is a label already.
    """
    for name, label in labels.items():
        text = f"“{label}”" if len(label) > LONG_LABEL else label
        symbol = rf"(?: \({re.escape(label.replace('′', chr(39)))}\))?"
        word = rf"(?<![\w./'-]){name}{symbol}(?![\w/'-]|\.\w)"
        if name.isalpha():
            word = rf"^{name}(?= )|(?<= x ){name}\b|\b{name}(?= x )"
        sentence = re.sub(word, lambda _, text=text: text, sentence)
    begins_with_word = sentence.partition(" ")[0].isalpha()  # and not with a file's name
    return sentence[:1].upper() + sentence[1:] if begins_with_word else sentence


def unknown_words_note(model: Model, settings: Any) -> str:
    """HTML of the note about words that the chosen model does not know; empty if it knows them all."""
    words = model.unknown_words(settings.model, settings.prompt, settings.editor)
    known = model.known_words(settings.model, settings.editor)
    if not words or known is None:
        return ""
    is_bundled = base_and_lora(settings.model)[0] == "miniature"
    name = "The miniature" if is_bundled else "This model"
    instead, styled = STABLE_DIFFUSION_NAME, model.unknown_words(MINIATURE_STYLE[1], settings.prompt)
    if settings.model == "miniature" and not settings.editor and len(styled) < len(words):
        instead = f"“{MINIATURE_STYLE[0]}”"
    return app_view.unknown_words_html(name, words, known, instead)
