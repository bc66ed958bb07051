"""One clip for all tabs: what was chosen and typed in one of them is used in another with one press.

All of it happens in the browser: the tab that has the clip gives it (a hidden button, which the page's script
presses for the buttons people see), and the other one takes it.
"""

from collections.abc import Mapping

import gradio as gr
from gradio.components import Component
from gradio.events import Dependency

from t2v.page.clip.part import PART
from t2v.page.events import QUIET
from t2v.tasks.clip import ClipSettings

GIVEN = ("clip", "prompt", *PART)  # what goes along


class Elsewhere:
    """Gives a tab's clip to others, and takes theirs."""

    def __init__(self, kind: type[ClipSettings]) -> None:
        self._kind = kind

    def wire(self, form: Mapping[str, Component]) -> Dependency:
        """The event after which the tab has another's clip. form: the tab's fields, complete."""
        task, given = self._kind.task, [form[name] for name in GIVEN]
        words = {"says": "asks" if self._kind.editor else "shows"}  # an instruction is no description
        give = gr.Button(visible="hidden", elem_id=f"give-clip-{task}")
        give.click(None, given, None, js=GIVE.format(**words), **QUIET)
        ready = [form["control_ready"]] if "control_ready" in form else []
        take = gr.Button(visible="hidden", elem_id=f"take-clip-{task}")
        return take.click(None, [*given, *ready], [*given, *ready], js=TAKE.format(**words), **QUIET)


GIVE = """(clip, prompt, ...part) => {{
    window.clipInHand = {{ clip, prompt, part, says: '{says}' }};
    document.dispatchEvent(new Event('clip-given'));
}}"""
# The same clip stays with what was typed for it here.
TAKE = """(clip, prompt, start, end, fps, frames, ...ready) => {{
    const hand = window.clipInHand;
    if (!hand || !hand.clip || hand.clip === clip) return [clip, prompt, start, end, fps, frames, ...ready];
    const words = hand.says === '{says}' && hand.prompt ? hand.prompt : prompt;
    return [hand.clip, words, ...hand.part, ...ready.map(() => false)];
}}"""
