"""What a task is called where people meet it: on its tab, in refusals, among the options.

They stand with the task, so that page and command line need no tables of tasks.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class TabWords:
    """A task's tab. order: of the tabs, from left to right. prompt_label: the question over its prompt;
    placeholder: an answer to it; prompt_name: what sentences call the prompt."""

    order: int
    name: str
    prompt_label: str
    placeholder: str
    prompt_name: str = "Prompt"


@dataclass(frozen=True)
class ControlWords:
    """What a ControlNet follows. shows: in sentences, "edges". pictures: over its pane, "Edges". nothing_yet,
    looking: in the pane before there is a clip, and while its pictures are made. also: the label of its
    strength in other tasks' forms. ready: the label of the box for clips that need no detector.
    nothing_found: a sentence for a clip in which there is nothing to follow, and what to do then."""

    shows: str
    pictures: str
    nothing_yet: str
    looking: str
    also: str
    ready: str
    nothing_found: str = ""


@dataclass(frozen=True)
class OwnNumber:
    """A number that only one task has. label, hint: of its field on the page; option: the command line's,
    explained by ``help``; caption: what the page says of it below a result, {} being the value."""

    label: str
    hint: str
    option: str
    help: str
    caption: str = ""
