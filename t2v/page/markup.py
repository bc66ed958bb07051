"""What several parts of the page write alike, as words and HTML. Everything that a user wrote is escaped."""

import html


def placeholder_html(text: str) -> str:
    """Where there is no picture yet: words in its place."""
    return f'<div class="placeholder"><span>{html.escape(text)}</span></div>'


def seconds_in_words(seconds: float) -> str:
    """``about 8 seconds``, ``about 3 minutes``, ``about 2 hours``."""
    if seconds < 1.5:
        return "about a second"
    if seconds < 90:
        return f"about {round(seconds)} seconds"
    if seconds < 90 * 60:
        return f"about {round(seconds / 60)} minutes"
    return f"about {round(seconds / 3600)} hours"


def plan_words(text: str, data: str = "") -> str:
    """The line below Run, in words of ours; data: of the element, for the page's script."""
    return f'<p class="plan" role="status"{data}>{text}</p>'
