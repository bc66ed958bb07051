"""How pictures that are tried look on the page: JobView in, HTML out; what a user wrote is escaped."""

import html
import math

from t2v.checks import counted
from t2v.jobs.job import JobView
from t2v.page import markup, status_markup
from t2v.page.addresses import webp_address
from t2v.page.motion_editor.outlines import outlines_data
from t2v.page.stage_markup import Stage

SAVE = '<button type="button" class="save-stills">Save as PNG</button>'


def stage_html(stage: Stage, view: JobView) -> str:
    """The pictures as buttons, those that are yet to come as empty places; of a single one its preview."""
    assert view.tries is not None
    count = len(view.tries.each)
    if not view.stills and (view.finished or view.state == "queued" or count == 1):
        return stage.html(view)
    columns = math.ceil(math.sqrt(count))
    used = view.stills[0].resolved if view.stills else view.resolved
    size = f"--w:{used.width};--h:{used.height}" if used is not None else "--w:1;--h:1"
    found = outlines_data(view.outlines) if count == 1 else ""  # of several pictures none is drawn on
    cells = [_still(number, one.label, one.picture, found) for number, one in enumerate(view.stills)]
    waiting = count - len(cells) if not view.finished else 0
    cells += ['<div class="still waiting"><span class="blank"></span></div>'] * waiting
    grid = f'<div class="stills" style="--columns:{columns};--rows:{math.ceil(count / columns)};{size}">'
    return f'<div class="stage" data-state="tries">{grid}{"".join(cells)}</div></div>'


def _still(number: int, label: str, picture: bytes, found: str) -> str:
    name = html.escape(label, quote=True)
    image = f'<img alt="" src="{webp_address(picture)}"><span>{name}</span>'
    return (
        f'<button type="button" class="still" data-still="{number}"{found} '
        f'aria-label="Make the video: {name}" title="Make this video">{image}</button>'
    )


def status_html(view: JobView) -> str:
    """The line below the pictures: which is drawn, and what can be done with them."""
    assert view.tries is not None
    count, done = len(view.tries.each), len(view.stills)
    if view.state in ("queued", "failed") or (view.state == "running" and count == 1):
        return status_markup.status_html(view)
    if view.state == "running":
        left = "" if view.seconds_left is None else f" · {markup.seconds_in_words(view.seconds_left)} left"
        words = (
            status_markup.stopping_words(view)
            if view.stopping
            else f"Picture {min(done + 1, count)} of {count}{left}"
        )
        bar = f'<progress class="bar" aria-label="Progress" value="{view.fraction:.3f}"></progress>'
        return _status("running", words, bar)
    if view.state == "stopped":
        return _status("stopped", f"Stopped after {done} of {counted(count, 'picture')}.", SAVE * (done > 0))
    if count == 1:
        return _status("done", "So the video begins. Press it, or Run, to make this one.", SAVE)
    which = "The last frame of each" if view.tries.last else "So each would begin"
    return _status("done", f"{which}. Press the one whose video you want.", SAVE)


def _status(state: str, text: str, extra: str = "") -> str:
    role = "timer" if state == "running" else "status"
    return f'<div class="status" data-state="{state}"><p role="{role}">{html.escape(text)}</p>{extra}</div>'


def caption_html(view: JobView) -> str:
    """What was asked for."""
    return f'<div class="caption"><p>“{html.escape(view.settings.prompt)}”</p></div>'


def back_html(job_id: str) -> str:
    """The way back from a video to the pictures that it was chosen from."""
    return (
        f'<button type="button" class="back" data-run="{html.escape(job_id, quote=True)}">'
        "Back to the pictures</button>"
    )
