"""How long the video is, beside Run: seconds, of which frames and rate in the advanced options are made.

The browser keeps the three together by itself: whatever is changed, the others follow at once. A run is told
frames and rate, which stay exact; the seconds are what they come to.
"""

from dataclasses import dataclass
from typing import Any

import gradio as gr

from t2v.page.events import QUIET

MOST_FRAMES = 300  # that the sliders reach; more are for programs: a slider to the limit could not be aimed
SECONDS = (0.25, 30.0)
STEP_S = 0.25


@dataclass(frozen=True)
class Length:
    """The field of seconds and the line that says what they are made of."""

    seconds: gr.Slider
    told: gr.HTML

    def follow(self, frames: gr.Slider, fps: gr.Slider) -> None:
        """Keep seconds, frames and rate together."""
        all_three: list[Any] = [self.seconds, frames, fps]
        quiet = {**QUIET, "fn": None, "inputs": all_three}
        self.seconds.input(
            outputs=[frames, self.told], js=FRAMES_OF.replace("MOST", str(MOST_FRAMES)), **quiet
        )
        self.seconds.release(outputs=[self.seconds], js=EXACTLY, **quiet)
        for one in (frames, fps):  # also where a form is filled again
            one.change(outputs=[self.seconds, self.told], js=SECONDS_OF, **quiet)


def length(num_frames: int, fps: float) -> Length:
    """Lays both out. num_frames, fps: what the form begins with."""
    with gr.Row(elem_classes="length-row"):
        seconds = gr.Slider(
            *SECONDS,
            num_frames / fps,
            step=STEP_S,
            label="Length",
            info="Seconds that the video lasts.",
            min_width=210,
            buttons=[],
            elem_classes="length",
        )
        told = gr.HTML(told_html(num_frames, fps), elem_classes="length-told", apply_default_css=False)
    return Length(seconds, told)


def told_html(num_frames: int, fps: float) -> str:
    """The line beside the seconds; the browser writes the same."""
    counted = f"{num_frames} frame{'' if num_frames == 1 else 's'}"
    return f'<p class="made-of">= {counted} at {fps:g} a second</p>'


# What the browser does. A field that is half typed may hold anything; then all stays as it is. What was asked
# for and cannot be is told once, beside what it has become.
_TOLD = """const told = (frames, fps) => {
        const counted = `${frames} frame${+frames === 1 ? '' : 's'}`;
        const { asked } = window.lengthAsked || {};
        const most = asked > MOST ? `; ${asked} were asked for, and MOST are the most here` : '';
        const least = asked < 1 ? '; a video has at least one' : '';
        return `<p class="made-of">= ${counted} at ${+(+fps).toPrecision(6)} a second${most || least}</p>`;
    };""".replace("MOST", str(MOST_FRAMES))
FRAMES_OF = f"""(seconds, frames, fps) => {{
    {_TOLD}
    const asked = Math.round(seconds * fps);
    window.lengthAsked = null;
    if (!(fps > 0) || !Number.isFinite(asked)) return [frames, told(frames, fps)];
    const now = Math.min(MOST, Math.max(1, asked));
    window.lengthAsked = now === asked ? null : {{ asked, now }};
    return [now, told(now, fps)];
}}"""
EXACTLY = "(seconds, frames, fps) => [fps > 0 ? +(frames / fps).toFixed(2) : seconds]"
SECONDS_OF = f"""(seconds, frames, fps) => {{
    {_TOLD}
    const was = window.lengthAsked;
    if (was && (was.now !== +frames || (was.fps && was.fps !== +fps))) window.lengthAsked = null;
    if (window.lengthAsked) window.lengthAsked.fps = +fps;
    if (!(fps > 0) || !(frames > 0)) return [seconds, told(frames, fps)];
    const same = Math.round(seconds * fps) === +frames;  // as it is being typed or dragged
    return [same ? seconds : +(frames / fps).toFixed(2), told(frames, fps)];
}}"""
