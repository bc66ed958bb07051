"""How a job looks on the page: JobView in, HTML out. Everything that a user wrote is escaped."""

import html
import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np

from t2v.checks import counted
from t2v.jobs.job import JobView
from t2v.page.addresses import webp_address
from t2v.page.motion_editor.outlines import outlines_data
from t2v.tasks import Resolved
from t2v.tasks.clip import ClipSettings

OUTLINE = (255, 0, 255)  # of subjects, in previews
PREVIEW_FRAMES = 16  # a longer video's preview shows this many of its frames, evenly spaced
MANY_FRAMES = 500  # from here on a run is said to take long
NOTHING_NEW = {
    "failed": "The last run made no video; this is the one before.",
    "stopped": "The last run was stopped and made no video; this is the one before it. Your runs below "
    "run it again.",
}
PREVIEW_SIDE_PX = 160  # the longer side of a preview frame as sent; the page enlarges it smoothly


def preview_strip(frames: np.ndarray, outlines: tuple[np.ndarray, ...] = ()) -> tuple[str, int]:
    """uint8 (f, h, w, 3) RGB → the frames below each other as one WebP data URI, and how many they are.

    outlines: of subjects, (F, points, 2) in shares of the picture, drawn where they are in each frame.
    """
    count = min(len(frames), PREVIEW_FRAMES)
    numbers = np.linspace(0, len(frames) - 1, count).round().astype(int)
    chosen = frames[numbers]
    height, width = frames.shape[1:3]
    scale = PREVIEW_SIDE_PX / max(height, width)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    sized = [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in chosen]
    for frame, number in zip(sized, numbers, strict=True):
        for one in outlines:
            points = (one[min(number, len(one) - 1)] * size * 16).round().astype(np.int32)  # sixteenths
            cv2.polylines(frame, [points], True, OUTLINE, 1, cv2.LINE_AA, shift=4)
    strip = np.concatenate(sized)
    encoded = cv2.imencode(".webp", strip[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 80])[1]
    return webp_address(encoded.tobytes()), count


def file_url(path: Path) -> str:
    """The page's address of a file in the output folder; relative, so that it works behind proxies too."""
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    return "gradio_api/file=" + quote(Path(shown).as_posix())


class Stage:
    """Where preview and result appear on one page; keeps the encoded preview between heartbeats."""

    def __init__(self) -> None:
        self._number = -1
        self._strip = ("", 0)

    def html(self, view: JobView | None) -> str:
        if view is None:
            return _stage("idle", _placeholder("Your video appears here"))
        if view.output is not None:
            return _stage("done", _video(view, view.output))
        if view.state == "queued":
            return _stage("waiting", _placeholder("Waiting for its turn" if view.ahead else "Getting ready"))
        if view.state == "failed":
            return _stage("failed", _placeholder("No video"))  # the note says why
        if view.state == "interrupted":
            return _stage("stopped", _placeholder("Interrupted"))
        if view.state == "stopped":
            as_far = None if view.preview is None else self._preview(view, view.preview)
            return _stage("stopped", _placeholder("Stopped") if as_far is None else as_far)
        if view.preview is None:
            return _stage("waiting", _placeholder("Getting ready"))
        return _stage("running", self._preview(view, view.preview))

    def _preview(self, view: JobView, frames: np.ndarray) -> str:
        if view.preview_number != self._number:
            self._number, self._strip = view.preview_number, preview_strip(frames, view.outlines)
        uri, count = self._strip
        seconds = view.resolved.num_frames / view.resolved.fps  # of a stopped run some frames are kept
        return (
            f'<div class="picture" style="{_picture_style(view)}">'
            f'<img class="strip" alt="Preview of the video as it takes shape" src="{uri}" '
            f'style="--count:{count};animation-duration:{seconds:.2f}s;'
            f'animation-timing-function:steps({count})"></div>'
        )


def _stage(state: str, content: str) -> str:
    return f'<div class="stage" data-state="{state}">{content}</div>'


def _placeholder(text: str) -> str:
    return f'<div class="placeholder"><span>{html.escape(text)}</span></div>'


def _picture_style(view: JobView) -> str:
    return f"--w:{view.resolved.width};--h:{view.resolved.height}"


def _video(view: JobView, file: Path) -> str:
    alt = html.escape(f"Video: {view.resolved.asked.prompt[:200]}", quote=True)
    return (
        f'<div class="picture" style="{_picture_style(view)}"{outlines_data(view.outlines)}>'
        f'<video src="{file_url(file)}" aria-label="{alt}" '
        "autoplay loop muted playsinline controls></video></div>"
    )


def seconds_in_words(seconds: float) -> str:
    """``about 8 seconds``, ``about 3 minutes``, ``about 2 hours``."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 90:
        return f"about {round(seconds)} seconds"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours"


def status_html(view: JobView | None, instead_of: str | None = None) -> str:
    """The line below the stage: where the run stands, and when it is over what it was.

    instead_of: how the last run ended, where the one shown is an earlier one as that made no video.
    """
    if view is None:
        return _status("idle", "", "")
    if view.state == "queued":
        text = _ahead_words(view) if view.ahead else "Loading the model …"
        return _status("queued", text, _bar(None))
    if view.state == "running":
        return _status("running", _progress_words(view), _bar(view))
    if view.output is not None:
        link = (
            f'<a class="download" href="{file_url(view.output)}" '
            f'download="{html.escape(view.output.name, quote=True)}">Download video</a>'
        )
        text = f"Finished in {_duration(view.seconds_elapsed)}."
        return _status("done", NOTHING_NEW.get(instead_of or "", text), link)
    if view.state == "stopped":
        when = f"after step {view.step_done} of {view.step_total}" if view.step_total else "before it began"
        return _status("stopped", f"Stopped {when}. It made no video; your runs below run it again.", "")
    if view.state == "interrupted":
        return _status("stopped", "This run was interrupted; your runs below offer it again.", "")
    return _status("failed", "This run made no video.", "")


def _ahead_words(view: JobView) -> str:
    if view.others_ahead:
        return f"In the queue: {counted(view.ahead, 'run')} before yours."
    return f"In the queue: {view.ahead} of your runs {'comes' if view.ahead == 1 else 'come'} first."


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.1f} seconds"
    minutes, seconds = divmod(round(seconds), 60)
    return f"{counted(minutes, 'minute')} and {counted(seconds, 'second')}"


def stopping_words(view: JobView) -> str:
    """That a stop was asked for, and when it takes effect where that is not at once."""
    if view.step_s is None or view.step_s < 1.5:
        return "Stopping …"
    return f"Stops after this step ({seconds_in_words(view.step_s)}) …"


def _progress_words(view: JobView) -> str:
    if view.stopping:
        return stopping_words(view)
    if not view.step_total:
        return f"{view.label} …"
    words = f"Step {view.step_done} of {view.step_total}"
    if view.step_done == view.step_total:
        words += " · decoding the frames …"
        left_s = view.seconds_left
        return words if left_s is None or left_s < 1.5 else f"{words} {seconds_in_words(left_s)} left"
    if view.seconds_left is not None:
        words += f" · {seconds_in_words(view.seconds_left)} left"
    return words


def _bar(view: JobView | None) -> str:
    if view is None or not view.step_total:
        return '<progress class="bar" aria-label="Progress"></progress>'
    return f'<progress class="bar" aria-label="Progress" value="{view.fraction:.3f}"></progress>'


def _status(state: str, text: str, extra: str) -> str:
    role = "timer" if state == "running" else "status"  # a screen reader should not read out every step
    return f'<div class="status" data-state="{state}"><p role="{role}">{html.escape(text)}</p>{extra}</div>'


def caption_html(view: JobView | None, about: str = "") -> str:
    """What the run shown was asked for: its prompt, the clip it was made from (about), its size, the rest."""
    if view is None or view.resolved is None:
        return ""
    used = view.resolved
    width, height = used.size
    clip = f", from “{html.escape(about)}”" if about else ""
    rest = f"{counted(used.num_frames, 'frame')} · {width} × {height} · {used.fps:.4g}\u00a0fps"
    rest += f" · {counted(used.num_inference_steps, 'step')} · guidance {used.guidance_scale:g}"
    rest += _own(used)  # the form and the preview may show others by now
    if isinstance(used.asked, ClipSettings):
        rest += _part(used.asked)
    return f'<div class="caption"><p>“{html.escape(used.asked.prompt)}”{clip}</p><span>{rest}</span></div>'


def _own(used: Resolved[Any]) -> str:
    """The numbers that only its task has, as far as they have words for it."""
    numbers = ((words.caption, getattr(used.filled(), name)) for name, words in used.asked.own.items())
    text = html.escape(" ".join(caption.format(f"{value:g}") for caption, value in numbers if caption))
    return f" · {text}" if text else ""


def _part(used: ClipSettings) -> str:
    """Start and End, unless they are the clip's own."""
    start = f" · start {used.start_s:g} s" if used.start_s > 0 else ""
    return start if used.end_s is None else f"{start} · end {used.end_s:g} s"


def facts_html(view: JobView | None) -> str:
    """The seed that was used, which makes the run repeatable."""
    if view is None or view.resolved is None:
        return ""
    seed = view.resolved.seed
    return f'<p class="facts">Seed <b data-seed="{seed}">{seed}</b></p>'


def plan_html(
    num_frames: int, seconds: float | None = None, counting: bool = False, is_timed: bool = False
) -> str:
    """The line below Run about the run to come; seconds: how long it takes, where that can be judged.

    counting: there are more frames than these, and it is not known yet how many. is_timed: how long they take
    will be known in a moment; the page asks again.
    """
    if counting:
        return plan_words(f"More than {num_frames:,} frames will be drawn; counting them …")
    text = f"{num_frames:,} frame{'' if num_frames == 1 else 's'} will be drawn"
    text += "." if seconds is None else f", in {seconds_in_words(seconds)}."
    if num_frames >= MANY_FRAMES:
        text += " So many take long; the handles below the clip take a part of it."
    return plan_words(text, ' data-timed="yes"' if is_timed else "")


def plan_words(text: str, data: str = "") -> str:
    """The same line in words of ours; data: of the element, for the page's script."""
    return f'<p class="plan" role="status"{data}>{text}</p>'


def pane_html(name: str, file: Path, hint: str = "") -> str:
    """A clip, or what the model sees of it, in a square beside the form; plays in step with the others."""
    more = f" <span>{html.escape(hint)}</span>" if hint else ""
    video = (
        f'<video src="{file_url(file)}" aria-label="{html.escape(name, quote=True)}" '
        "autoplay loop muted playsinline></video>"
    )
    return _pane("playing", video, f"{html.escape(name)}{more}")


def empty_pane_html(name: str, text: str, busy: bool = False) -> str:
    """A pane before there is anything to show, or while that is made."""
    return _pane("busy" if busy else "empty", _placeholder(text), html.escape(name))


def refused_pane_html(name: str) -> str:
    """A pane where there is nothing to show; the note says why."""
    return _pane("refused", _placeholder("No preview"), html.escape(name))


def _pane(state: str, content: str, caption: str) -> str:
    return (
        f'<figure class="pane" data-state="{state}"><div class="square">{content}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
