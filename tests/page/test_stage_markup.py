"""The preview strip of the stage: its frames, their colours, and where subjects are in it."""

import base64

import cv2
import numpy as np

from t2v.page import stage_markup


def decoded(uri: str) -> np.ndarray:
    data = base64.b64decode(uri.removeprefix("data:image/webp;base64,"))
    return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


def test_the_preview_strip_holds_the_frames_below_each_other_in_their_colours():
    frames = np.zeros((3, 8, 16, 3), np.uint8)
    for k, colour in enumerate([(250, 0, 0), (0, 250, 0), (0, 0, 250)]):
        frames[k] = colour
    uri, count = stage_markup.preview_strip(frames)
    strip = decoded(uri)
    assert count == 3 and strip.shape == (3 * 80, 160, 3)
    assert [int(strip[40 + 80 * k, 80].argmax()) for k in range(3)] == [0, 1, 2]


def test_the_preview_shows_where_a_subject_is_in_each_frame():
    frames, box = (
        np.full((2, 8, 16, 3), 60, np.uint8),
        np.array([[0.1, 0.2], [0.3, 0.2], [0.3, 0.8], [0.1, 0.8]]),
    )
    outlines = (np.stack([box, box + (0.5, 0)]),)
    strip = decoded(stage_markup.preview_strip(frames, outlines)[0]).astype(int)
    pink = (strip[..., 0] - strip[..., 1] > 60) & (strip[..., 2] - strip[..., 1] > 60)
    first, second = pink[:80], pink[80:]
    assert (
        first[40, 12:20].any()
        and not first[:, 60:].any()
        and second[40, 92:100].any()
        and not second[:, :60].any()
    )
    alone = decoded(stage_markup.preview_strip(frames[:1], outlines)[0]).astype(int)
    assert (alone[..., 0] - alone[..., 1] > 60).any()  # a preview of fewer frames than there are


def test_the_outlines_of_a_long_video_go_with_the_frames_that_are_shown():
    """Of a hundred frames, in which a subject goes from left to right, the preview has three."""
    box = np.array([[0.0, 0.2], [0.1, 0.2], [0.1, 0.8], [0.0, 0.8]])
    outlines = (np.stack([box + (0.9 * number / 99, 0) for number in range(100)]),)
    strip = decoded(stage_markup.preview_strip(np.full((3, 8, 16, 3), 60, np.uint8), outlines)[0]).astype(int)
    pink = (strip[..., 0] - strip[..., 1] > 60) & (strip[..., 2] - strip[..., 1] > 60)
    middles = [np.nonzero(pink[80 * k : 80 * k + 80])[1].mean() for k in range(3)]
    assert np.abs(np.array(middles) - [8, 80, 152]).max() < 8


def test_decoded_previews_are_sent_as_large_as_they_are_and_none_is_huge():
    for side, sent in ((8, 160), (200, 200), (256, 256), (512, 256)):
        strip = decoded(stage_markup.preview_strip(np.zeros((2, side, side // 2, 3), np.uint8))[0])
        assert strip.shape == (2 * sent, sent // 2, 3)
