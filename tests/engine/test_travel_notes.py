"""travel_notes.py: a motion that leads out of the picture is told before it is drawn."""

import pytest

from t2v.engine.engine import Engine
from t2v.engine.travel_notes import travel_note
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings


def note(
    prompt: str = "a red car on a street", side_px: float = 256, suited: str = "canvas", **options
) -> str | None:
    return travel_note(TextToVideoSettings(prompt, **options), side_px, suited)


def test_it_says_how_far_and_when():
    assert note(num_frames=24, motion_x=16) == (
        "24 frames at 16 px a frame move the picture by 1.4 of its widths: the subject leaves the picture "
        "after frame 13; leave the motion empty, and it stays in view."  # begun a quarter of the picture back
    )
    assert "after frame 9;" in note(num_frames=24, motion_x=16, suited="paper")
    assert "after frame 9;" in note(num_frames=24, motion_x=16, first_frame="mine.png")
    assert "by 0.7 of its heights" in note(num_frames=24, motion_y=-16, side_px=512)
    assert "after frame 7;" in note(num_frames=24, motion_x=16, width=128, height=256)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"num_frames": 300},
        {"motion_x": 8.0},
        {"num_frames": 24, "motion_x": 5.0},
        {"num_frames": 24, "motion_x": 16.0, "side_px": 1024},
        {"num_frames": 24, "motion_x": 10.0, "motion_path": "to and fro"},  # turns round before
        {"num_frames": 24, "motion_x": 5.0, "move": "subject"},
        {"move": "life", "num_frames": 64, "motion_x": 16.0},  # nothing of it moves
        {"num_frames": 1, "motion_x": 500.0},
        {"num_frames": 24, "zoom": 1.03},
    ],
)
def test_nothing_is_said_of_what_stays(options):
    assert note(**options) is None


@pytest.mark.parametrize("options", [{"move": "subject"}, {"move": "both"}, {"action": "walk"}])
def test_of_a_subject_that_moves_it_tells_that_there_is_no_room(options):
    told = note(num_frames=24, motion_x=16.0, **options)
    assert told.startswith(
        "24 frames at 16 px a frame move the subject by 1.4 of the picture's widths: there"
    )


def test_a_zoom_that_cuts_the_subject_is_told():
    told = note(num_frames=24, zoom=1.1)
    assert "9.0 times as large: after frame 8 the subject is cut" in told


def test_the_engine_tells_it_with_the_other_notes(square_clip):
    engine = Engine("cpu")
    settings = TextToVideoSettings("a red car on a street", num_frames=24, motion_x=16)
    (told,) = engine.prompt_notes(settings)
    assert told.text == note(num_frames=24, motion_x=16) and not told.is_about_words
    assert travel_note(CannySettings(square_clip, "a red car"), 256, "canvas") is None
