"""What a tab with a clip shows of the clip and of the run to come: panes, and the line below Run."""

import html
from pathlib import Path

from t2v.page.addresses import file_url
from t2v.page.markup import placeholder_html, plan_words, seconds_in_words

MANY_FRAMES = 500  # from here on a run is said to take long


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
    return _pane("busy" if busy else "empty", placeholder_html(text), html.escape(name))


def refused_pane_html(name: str, why: str | None = None) -> str:
    """A pane where there is nothing to show, and why; None: the note below Run says it."""
    text = "No preview" if why is None else why
    return _pane("refused", placeholder_html(text), html.escape(name))


def _pane(state: str, content: str, caption: str) -> str:
    return (
        f'<figure class="pane" data-state="{state}"><div class="square">{content}</div>'
        f"<figcaption>{caption}</figcaption></figure>"
    )
