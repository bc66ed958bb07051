"""The list of one's runs as HTML: what is under way, what waits, what has ended lately."""

import hashlib
import html
import json
from collections.abc import Collection, Mapping, Sequence

from t2v.checks import counted
from t2v.jobs.job import JobView
from t2v.jobs.picture import picture_of, small_of
from t2v.jobs.time_ahead import expected_s
from t2v.page.addresses import webp_address
from t2v.page.drawn_with import model_words
from t2v.page.markup import seconds_in_words
from t2v.page.status_markup import stopping_words
from t2v.tasks import TASKS

SIGNS = {"queued": "…", "interrupted": "↻", "stopped": "■", "failed": "×"}  # where there is no picture
SHOWN_ENDED = 5  # more of them are in the output folder
TITLE_CHARS = 40

# what can be done with a run, by its state: what the page's script calls it -> what stands on the button
ACTS = {
    "running": {"open": "Show", "stop": "Stop"},
    "queued": {"up": "Up", "down": "Down", "edit": "Edit", "remove": "Remove"},
    "interrupted": {"again": "Run again", "remove": "Dismiss"},
    "stopped": {"open": "Show", "again": "Run again", "use": "Use these settings", "remove": "Remove"},
    "failed": {"use": "Use these settings", "remove": "Remove"},
    "done": {"open": "Show", "use": "Use these settings", "remove": "Remove"},
}
OF_A_TAB = ("open", "use", "edit")  # need the tab of the run's task


def runs_html(views: Sequence[JobView], tasks: Collection[str], told: str = "") -> str:
    """The list; nothing for no runs.

    views: as ``Jobs.runs`` gives them. tasks: those whose tabs are on this page. told: why something was
    refused.
    """
    ended = [view for view in views if view.finished]
    shown = [view for view in views if not view.finished or view.state == "interrupted"]
    shown += [view for view in ended if view.state != "interrupted"][:SHOWN_ENDED]
    if not shown:
        return ""
    waiting = [view.id for view in shown if view.state == "queued"]
    idle = {"up": waiting[:1], "down": waiting[-1:]}  # nothing to change places with
    rows = "".join(_row(view, ended, tasks, idle) for view in shown)
    alert = f'<p class="runs-told" role="alert">{html.escape(told)}</p>' if told else ""
    inside = f"{_head(shown)}{alert}<ol>{rows}</ol>"
    return f'<section class="runs" aria-label="Your runs" {_data(shown)}>{inside}</section>'


def is_busy(views: Sequence[JobView]) -> bool:
    """Whether one of them is drawn or waits."""
    return any(not view.finished for view in views)


def version_of(markup: str, is_busy: bool) -> str:
    """Changes with what the list shows; its first word with what is on the Run buttons."""
    digest = hashlib.sha256(markup.encode()).hexdigest()[:16]
    return f"{'busy' if is_busy else 'idle'} {digest}"


def _data(shown: Sequence[JobView]) -> str:
    """What the page's script makes the title and the notifications of."""
    about = [{"id": one.id, "state": one.state, "title": _title(one)} for one in shown]
    return f'data-runs="{html.escape(json.dumps(about), quote=True)}"'


def _title(view: JobView) -> str:
    prompt = " ".join(view.settings.prompt.split())
    short = prompt if len(prompt) <= TITLE_CHARS else f"{prompt[: TITLE_CHARS - 1]}…"
    words = {"done": "Done", "failed": "Failed", "stopped": "Stopped", "queued": "Waiting"}
    begun = f"{view.fraction:.0%}".replace("%", "\u00a0%")
    return f"{words.get(view.state, begun)} · {short}"


def _head(shown: Sequence[JobView]) -> str:
    waiting = sum(view.state == "queued" for view in shown)
    tick = '<label><input type="checkbox" class="tell-me"> Tell me when done</label>'
    clear = '<button type="button" data-act="clear">Clear ended</button>'
    more = clear if any(view.state in ("done", "failed", "stopped") for view in shown) else ""
    count = f" <span>{waiting} waiting</span>" if waiting else ""
    return f'<div class="runs-head"><h2>Your runs{count}</h2>{tick}{more}</div>'


def _row(
    view: JobView, ended: Sequence[JobView], tasks: Collection[str], idle: Mapping[str, Sequence[str]]
) -> str:
    prompt = html.escape(view.settings.prompt)
    about = html.escape(view.settings.prompt[:80], quote=True)
    acts = "".join(
        f'<button type="button" data-act="{act}" aria-label="{text}: {about}"'
        f"{' disabled' if view.id in idle.get(act, ()) else ''}>{text}</button>"
        for act, text in ACTS[view.state].items()
        if act not in OF_A_TAB or view.settings.task in tasks
    )
    bar = f'<progress class="bar" aria-hidden="true" value="{view.fraction:.3f}"></progress>'
    return (
        f'<li data-id="{view.id}" data-state="{view.state}" data-task="{view.settings.task}" '
        f'data-tab="{html.escape(TASKS[view.settings.task].tab.name, quote=True)}">{_picture(view)}'
        f'<div class="what"><p>{prompt}</p><span>{html.escape(_about(view, ended))}</span>'
        f"{bar if view.state == 'running' else ''}</div>"
        f'<div class="acts">{acts}</div></li>'
    )


def _picture(view: JobView) -> str:
    """What it looks like so far, or its first frame."""
    picture = view.picture
    if picture is None and view.stills:
        picture = small_of(view.stills[0].picture)
    if picture is None and view.preview is not None:
        picture = picture_of(view.preview[0])
    if picture is None:
        return f'<span class="no-picture" aria-hidden="true">{SIGNS.get(view.state, "")}</span>'
    return f'<img alt="" src="{webp_address(picture)}">'


def _about(view: JobView, ended: Sequence[JobView]) -> str:
    """Where it stands, of which task, how long it is, by which model."""
    frames = view.settings.num_frames if view.resolved is None else view.resolved.num_frames
    parts = [_standing(view, ended), TASKS[view.settings.task].tab.name]
    if view.tries is not None:
        parts.append(counted(len(view.tries.each), "picture"))
    elif frames is not None:
        parts.append(counted(int(frames), "frame"))
    parts.append(model_words(view.settings))
    if view.resolved is not None and view.state in ("done", "stopped"):
        parts.append(f"seed {view.resolved.seed}")
    return " · ".join(filter(None, parts))


def _standing(view: JobView, ended: Sequence[JobView]) -> str:
    if view.state == "queued":
        place = f"{counted(view.ahead, 'run')} before it" if view.ahead else "Next"
        if view.others_ahead:
            place = f"{counted(view.others_ahead, 'run')} of others before yours"
            mine = view.ahead - view.others_ahead
            place += f", and {mine} of your own" if mine else ""
        takes = None if view.tries is not None else expected_s(view.settings, ended)
        return place if takes is None else f"{place} · takes {seconds_in_words(takes)}"
    if view.state == "running":
        if view.stopping:
            return stopping_words(view)
        if not view.step_total:
            return f"{view.label} …"
        left = "" if view.seconds_left is None else f", {seconds_in_words(view.seconds_left)} left"
        return f"Drawing: {view.fraction:.0%}".replace("%", "\u00a0%") + left
    if view.state == "interrupted":
        return "Was interrupted, as the program ended"
    if view.state == "failed":
        return "Failed" if view.error is None else view.error
    if view.state == "stopped":
        return f"Stopped after step {view.step_done} of {view.step_total}" if view.step_total else "Stopped"
    return f"Done in {seconds_in_words(view.seconds_elapsed).removeprefix('about ')}"
