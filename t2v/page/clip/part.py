"""Which part of a clip is followed: a strip of its pictures between two handles, and two parts in one press.

The browser keeps handles and the form's Start and End together (static/clips.js); the server draws the strip
once for each clip.
"""

import hashlib
import html
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import cv2
import gradio as gr
import numpy as np
from gradio.components import Component
from gradio.events import Dependency

from t2v.page.addresses import webp_address
from t2v.page.events import QUIET, RAW
from t2v.page.glances import About, Glances
from t2v.tasks.clip import ClipSettings
from t2v.video.clips import MAX_FRAMES
from t2v.video.filmstrip import PICTURES

SHORT_FRAMES, SHORT_FPS = 16, 8.0  # of the short part: what a first look takes
LONGER = 1.5  # from so many short parts on a clip is proposed in part
SHORT, WHOLE = "short", "whole"
UNKNOWN = [("A short part", SHORT), ("The whole clip", WHOLE)]  # before there is a clip
PART = ("start_s", "end_s", "fps", "num_frames")  # fields of the form that a part decides
Seconds = Callable[[int], float | None]  # what so many frames take, where that is known
NO_CLIP = "Its pictures appear here, to choose a part of it."


@dataclass(frozen=True)
class Part:
    """A part of a clip, as the form's fields have it, and how many frames that are."""

    start_s: float | None
    end_s: float | None
    fps: float | None
    frames: int

    def fields(self) -> list[str]:
        """The values of PART as the form shows them."""
        return ["" if one is None else f"{one:g}" for one in (self.start_s, self.end_s, self.fps, None)]

    def is_that_of(self, settings: ClipSettings) -> bool:
        """Whether settings take it."""
        taken = (settings.start_s or None, settings.end_s, settings.fps, settings.num_frames)
        return taken == (self.start_s, self.end_s, self.fps, None)


def short_part(about: About, start_s: float = 0.0) -> Part | None:
    """Two seconds or so, from ``start_s`` on or, where that is too late, to the end; None of a short clip."""
    fps = min(SHORT_FPS, about.fps)
    length = SHORT_FRAMES / fps
    if about.length_s < LONGER * length and about.num_frames < LONGER * SHORT_FRAMES:
        return None
    start = round(max(0.0, min(start_s, about.length_s - length)), 2)
    resampled = SHORT_FPS if about.fps > SHORT_FPS else None
    return Part(start or None, round(start + length, 2), resampled, SHORT_FRAMES)


def whole_part(about: About) -> Part:
    """All frames of the clip."""
    return Part(None, None, None, about.num_frames)


def parts(about: About, start_s: float = 0.0) -> dict[str, Part]:
    """The parts that can be had in one press; of a clip with more frames than a run takes not the whole."""
    short = short_part(about, start_s)
    found = {} if short is None else {SHORT: short}
    return found if about.num_frames > MAX_FRAMES else {**found, WHOLE: whole_part(about)}


def in_words(name: str, part: Part, about: About, seconds: float | None) -> str:
    """A part as the page offers it. seconds: how long it takes, where that is known."""
    frames = f"{part.frames:,} frame{'' if part.frames == 1 else 's'}"
    takes = "" if seconds is None else f", {briefly(seconds)}"
    if name == WHOLE:
        return f"The whole clip: {frames}{takes}"
    fps = about.fps if part.fps is None else part.fps
    return f"{part.frames / fps:.3g} s at {fps:.3g} fps = {frames}{takes}"


def briefly(seconds: float) -> str:
    """``about 20 s``, ``about 3 min``, ``about 2 h``."""
    if seconds < 90:
        return f"about {rounded(seconds):g} s"
    return f"about {round(seconds / 60)} min" if seconds < 5400 else f"about {round(seconds / 3600)} h"


def rounded(seconds: float) -> float:
    """No more exact than is known."""
    step = 1 if seconds < 10 else 5 if seconds < 60 else 10
    return max(1, step * round(seconds / step))


class PartRow:
    """``place()`` lays strip and choice out, ``wire()`` connects them. tabs: of the other tasks, by task."""

    def __init__(self, glances: Glances, kind: type[ClipSettings], tabs: Mapping[str, str]) -> None:
        self._glances, self._kind, self._tabs = glances, kind, tabs

    def place(self) -> None:
        with gr.Row(elem_classes="part-row"):
            self.strip = gr.HTML(
                self._html("", NO_CLIP, ""), elem_classes="part-strip", min_width=240, apply_default_css=False
            )
            self.choice = gr.Radio(
                UNKNOWN,
                value=None,
                label="How much of it",
                interactive=False,
                container=False,
                elem_classes="part-choice",
                min_width=230,
            )

    def wire(self, form: Mapping[str, Component], settings: Callable[..., ClipSettings]) -> list[Dependency]:
        """The events after which another part is taken. settings: of raw values of "clip", to look at it."""
        task, fields = self._kind.task, [form[name] for name in PART]
        self._settings = settings
        trim = gr.Button(visible="hidden", elem_id=f"trim-{task}")
        trimmed = trim.click(None, fields[:2], fields[:2], js=TAKEN, **QUIET)
        pressed = self.choice.input(
            self._press, [self.choice, form["clip"], form["start_s"]], fields, **{**RAW, "queue": False}
        )
        told = TELL.format(task=task)
        gr.on([one.change for one in fields[:2]], None, fields[:2], None, js=told, **QUIET)
        return [trimmed, pressed]

    def begin(self, clip: str) -> list[str]:
        """What the form's PART is for a clip that was just uploaded: a short part of a long one."""
        try:
            found = parts(self._glances.about(self._settings(clip)))
        except Exception:  # the preview tells it
            return [""] * len(PART)
        return next(iter(found.values())).fields() if found else [""] * len(PART)

    def show(self, clip: str, shown: str) -> Any:
        """The strip of a clip; shown: what is there."""
        mark = hashlib.sha256(str(clip).encode()).hexdigest()[:16] if clip else ""
        if f'data-clip="{mark}"' in (shown or ""):
            return gr.skip()
        if not clip:
            return self._html("", NO_CLIP, "")
        try:
            film = self._glances.film(self._settings(clip))
        except Exception:  # the preview tells it
            return self._html("", NO_CLIP, mark)
        pictures = "".join(f'<img alt="" src="{_uri(one)}">' for one in film.pictures)
        return self._html(pictures, "", mark, film.length_s)

    def offers(self, settings: ClipSettings, seconds: Seconds, whole: int | None) -> Any:
        """The choice as it stands for a form. whole: how many frames there are, if they were counted."""
        about = self._glances.about(settings)
        if whole is not None:
            about = about.counted(whole)
        found = parts(about, settings.start_s)
        choices = [(in_words(name, one, about, seconds(one.frames)), name) for name, one in found.items()]
        chosen = next((name for name, one in found.items() if one.is_that_of(settings)), None)
        return gr.update(choices=choices, value=chosen, interactive=True)

    def none(self) -> Any:
        """The choice where there is no clip."""
        return gr.update(choices=UNKNOWN, value=None, interactive=False)

    def _press(self, name: object, clip: str, start: str) -> Sequence[Any]:
        try:
            about = self._glances.about(self._settings(clip))
            start_s = float(start) if str(start).strip() else 0.0
            return parts(about, start_s)[str(name)].fields()
        except Exception:  # no such part, or a clip that cannot be read: all stays as it is
            return [gr.skip()] * len(PART)

    def _html(self, pictures: str, text: str, mark: str, length_s: float = 0.0) -> str:
        """The strip. mark: tells the clip from others; text: below it where there are no pictures."""
        task = self._kind.task
        about = f'data-task="{task}" data-clip="{mark}" data-tab="{html.escape(self._kind.tab.name)}"'
        others = html.escape(json.dumps(list(self._tabs)), quote=True)
        handles = HANDLES.format(length=f"{length_s:.3f}") if pictures else ""
        film = f'<div class="film">{pictures or EMPTY}{handles}</div>'
        line = f'<output class="part-told">{text}</output>'
        use = use_in_html(self._tabs) if pictures and self._tabs else '<span class="use-from"></span>'
        return (
            f'<div class="part" {about} data-length="{length_s:.3f}" data-others="{others}">'
            f'{film}<div class="part-line">{line}{use}</div></div>'
        )


def use_in_html(tabs: Mapping[str, str]) -> str:
    """Buttons that take the clip, and what was typed for it, to other tabs; tabs: by task. "" for none."""
    if not tabs:
        return ""
    buttons = "".join(
        f'<button type="button" data-use-in="{task}" data-tab="{html.escape(tab, quote=True)}"'
        f' aria-label="Use this clip in {html.escape(tab, quote=True)}">{html.escape(tab)}</button>'
        for task, tab in tabs.items()
    )
    return f'<span class="use-in">Use it in {buttons}</span>'


def _uri(picture: np.ndarray) -> str:
    encoded = cv2.imencode(".webp", picture[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 70])[1]
    return webp_address(encoded.tobytes())


EMPTY = "<i></i>" * PICTURES
HANDLES = (
    '<b class="out before"></b><b class="out after"></b><b class="taken"></b>'
    '<input type="range" class="from" min="0" max="{length}" step="any" value="0"'
    ' aria-label="Start of the part, in seconds">'
    '<input type="range" class="to" min="0" max="{length}" step="any" value="{length}"'
    ' aria-label="End of the part, in seconds">'
)
# What the handles were moved to, as the form has it
TAKEN = "(start, end) => window.partTaken || [start, end]"
TELL = """(start, end) => {{
    document.dispatchEvent(new CustomEvent('part-typed', {{ detail: {{ task: '{task}', start, end }} }}));
}}"""
