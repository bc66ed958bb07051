"""The stage: a run's preview while it is drawn, and its video. JobView in, HTML out; words are escaped."""

import html
from pathlib import Path

import cv2
import numpy as np

from t2v.diffusion.latent_preview import MOST_PX
from t2v.jobs.job import JobView
from t2v.page.addresses import file_url, webp_address
from t2v.page.markup import placeholder_html
from t2v.page.motion_editor.outlines import outlines_data

OUTLINE = (255, 0, 255)  # of subjects, in previews
PREVIEW_SIDE_PX = 160  # the longer side of a preview's frame as sent, at least; the page enlarges it smoothly


def preview_strip(frames: np.ndarray, outlines: tuple[np.ndarray, ...] = ()) -> tuple[str, int]:
    """uint8 (f, h, w, 3) RGB → the frames below each other as one WebP data URI, and how many they are.

    outlines: of subjects, (F, points, 2) in shares of the picture, F of as many frames or of more, of which
    those of the preview are some, evenly spaced; drawn where they are in each.
    """
    count = len(frames)
    height, width = frames.shape[1:3]
    longer = max(height, width)
    scale = min(max(longer, PREVIEW_SIDE_PX), MOST_PX) / longer
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    sized = [cv2.resize(frame, size, interpolation=cv2.INTER_CUBIC) for frame in frames]
    for one in outlines:
        for frame, number in zip(sized, np.linspace(0, len(one) - 1, count).round().astype(int), strict=True):
            points = (one[number] * size * 16).round().astype(np.int32)  # sixteenths
            cv2.polylines(frame, [points], True, OUTLINE, 1, cv2.LINE_AA, shift=4)
    strip = np.concatenate(sized)
    encoded = cv2.imencode(".webp", strip[..., ::-1], [cv2.IMWRITE_WEBP_QUALITY, 80])[1]
    return webp_address(encoded.tobytes()), count


class Stage:
    """Where preview and result appear on one page; keeps the encoded preview between heartbeats."""

    def __init__(self) -> None:
        self._number = -1
        self._strip = ("", 0)

    def html(self, view: JobView | None) -> str:
        if view is None:
            return _stage("idle", placeholder_html("Your video appears here"))
        if view.output is not None:
            return _stage("done", _video(view, view.output))
        if view.state == "queued":
            return _stage(
                "waiting", placeholder_html("Waiting for its turn" if view.ahead else "Getting ready")
            )
        if view.state == "failed":
            return _stage("failed", placeholder_html("No video"))  # the note says why
        if view.state == "interrupted":
            return _stage("stopped", placeholder_html("Interrupted"))
        if view.state == "stopped":
            as_far = None if view.preview is None else self._preview(view, view.preview)
            return _stage("stopped", placeholder_html("Stopped") if as_far is None else as_far)
        if view.preview is None:
            return _stage("waiting", placeholder_html("Getting ready"))
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


def _picture_style(view: JobView) -> str:
    return f"--w:{view.resolved.width};--h:{view.resolved.height}"


def _video(view: JobView, file: Path) -> str:
    alt = html.escape(f"Video: {view.resolved.asked.prompt[:200]}", quote=True)
    return (
        f'<div class="picture" style="{_picture_style(view)}"{outlines_data(view.outlines)}>'
        f'<video src="{file_url(file)}" aria-label="{alt}" '
        "autoplay loop muted playsinline controls></video></div>"
    )
