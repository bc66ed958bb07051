"""What stands below the stage: how a run goes, what its video is, its seed. JobView in, HTML out.

Everything that a user wrote is escaped.
"""

import html
from typing import Any

from t2v.checks import counted
from t2v.jobs.job import JobView
from t2v.memory.compiled import COMPILING
from t2v.page.addresses import file_url
from t2v.page.drawn_with import drawn_with
from t2v.page.markup import seconds_in_words
from t2v.tasks import Resolved
from t2v.tasks.clip import ClipSettings

NOTHING_NEW = {
    "failed": "The last run made no video; this is the one before.",
    "stopped": "The last run was stopped and made no video; this is the one before it. Your runs below "
    "run it again.",
}


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
    if view.compiling:
        return "Stops when the networks are compiled …"
    if view.step_s is None or view.step_s < 1.5:
        return "Stopping …"
    return f"Stops after this step ({seconds_in_words(view.step_s)}) …"


def _progress_words(view: JobView) -> str:
    if view.stopping:
        return stopping_words(view)
    if not view.step_total:
        return f"{COMPILING if view.compiling else view.label} …"
    words = f"Step {view.step_done} of {view.step_total}"
    if view.compiling:
        return f"{words} · {COMPILING[0].lower()}{COMPILING[1:]} …"
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
    with_what = html.escape(drawn_with(used.asked))
    rest += f" · {with_what}" if with_what else ""
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
