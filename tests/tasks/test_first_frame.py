"""first_frame.py: settings of a video that begins with a picture, and its run through the engine."""

from pathlib import Path

import numpy as np
import pytest
from runs import resolved

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.library.results import check_target, settings_dict
from t2v.tasks import settings_of
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import write_picture


def shade(height=128, width=128):
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([columns % 256, rows % 256, np.full_like(rows, 90)], axis=-1).astype(np.uint8)


@pytest.fixture
def picture(tmp_path):
    return str(write_picture(tmp_path / "sky.png", shade()))


def asked(picture, **changes):
    return TextToVideoSettings("a red car", first_frame=picture, **changes)


BAD = [
    ({"first_frame": "nowhere.png"}, "first_frame is 'nowhere.png', and there is no such file"),
    ({"first_frame": " "}, "first_frame is empty; give the path of a picture"),
    ({"first_frame": shade()}, "first_frame is a ndarray; give the path of a picture"),
    ({"strength": 1.5}, "strength is 1.5; give a number from 0 to 1"),
    ({"skip_first_frame": 1}, "skip_first_frame is 1; give true or false"),
    ({"action": "waving"}, "action is waving, and first_frame is given, whose figure stands as it does"),
    (
        {"prompt": "0: a day | 7: a night"},
        "prompt changes over time, and first_frame is given; give",
    ),
    ({"first_frame": None, "strength": 0.5}, "strength is 0.5, and first_frame is not given; add it"),
    ({"first_frame": None, "skip_first_frame": True}, "skip_first_frame is True, and first_frame is not"),
]


@pytest.mark.parametrize(("changes", "told"), BAD)
def test_what_does_not_go_together_is_refused(picture, changes, told):
    with pytest.raises(InputError, match=told):
        TextToVideoSettings(**{"prompt": "a red car", "first_frame": picture, **changes}).check()


def test_a_prompt_that_names_an_action_moves_the_picture_instead(picture):
    settings = TextToVideoSettings("a panda dancing", first_frame=picture)
    settings.check()
    assert settings.acted() is None and TextToVideoSettings("a panda dancing").acted() == "dance"


def test_what_is_cut_off_is_said(tmp_path, picture):
    assert asked(picture).notes() == ()
    wide = str(write_picture(tmp_path / "wide.png", shade(90, 160)))
    (note,) = asked(wide).notes()
    assert note.startswith("wide.png is 160x90, so what is too much left and right is cut off; choose width")
    assert asked(wide, width=160, height=90).notes() == ()
    assert "above and below" in asked(wide, width=256, height=64).notes()[0]


def test_a_file_carries_no_more_than_the_pictures_name(picture):
    kept = settings_dict(resolved(asked(picture, strength=0.5)).filled())
    assert kept["first_frame"] == "sky.png" and kept["strength"] == 0.5
    assert settings_of(kept).first_frame == "sky.png"
    assert settings_dict(TextToVideoSettings("a red car"))["first_frame"] is None


def test_the_picture_itself_is_not_written_over(tmp_path):
    picture = tmp_path / "sky.gif"
    write_picture(picture, shade())  # whatever it is called
    with pytest.raises(InputError, match="output is .*sky.gif, which is the first frame itself"):
        check_target(picture, asked(str(picture)))


def test_a_picture_that_is_cut_off_is_refused_before_anything_is_drawn(tmp_path, picture):
    data = Path(picture).read_bytes()
    (tmp_path / "half.png").write_bytes(data[: len(data) // 2])
    settings = asked(str(tmp_path / "half.png"))
    settings.check()  # its head is whole
    with pytest.raises(InputError, match=r"half.png is damaged or cut off"):
        resolved(settings)


@pytest.mark.parametrize("method", ["canvas", "paper"])
def test_any_checkpoint_begins_with_the_picture_and_may_leave_it_out(model_folder, picture, method):
    engine = Engine("cpu")
    call = {"model": str(model_folder), "seed": 3, "num_inference_steps": 4, "num_frames": 3}
    call |= {"method": method, "width": 128, "height": 128, "motion_x": 8.0}
    whole = engine.generate(asked(picture, **call)).frames
    assert np.array_equal(whole[0], shade())
    assert np.array_equal(whole, engine.generate(asked(picture, **call)).frames)
    rest = engine.generate(asked(picture, **{**call, "num_frames": 2}, skip_first_frame=True)).frames
    assert np.array_equal(rest, whole[1:])
    freer = engine.generate(asked(picture, **call, strength=0.5)).frames
    assert freer.shape == whole.shape and not np.array_equal(freer[0], shade())


@pytest.mark.slow
@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "dpm++"])
@pytest.mark.parametrize("strength", [1.0, 0.5])
@pytest.mark.parametrize(
    "way", [{"method": "canvas"}, {"method": "paper"}, {"move": "subject"}, {"move": "life"}]
)
@pytest.mark.parametrize("skip", [False, True])
def test_the_first_frame_alone_is_the_one_with_which_the_video_begins(
    model_folder, picture, way, strength, skip, scheduler
):
    engine, call = Engine("cpu"), {"model": str(model_folder), "seed": 3, "num_inference_steps": 5}
    call |= {"scheduler": scheduler, "strength": strength, "skip_first_frame": skip, **way}
    run = engine.resolve(asked(picture, num_frames=3, motion_x=8.0, **call))
    still, video = engine.still(run), np.stack(list(engine.frames(run)))
    assert video.shape[0] == 3 and np.abs(still.astype(int) - video[0]).max() <= 1
    assert np.array_equal(still, shade()) == (strength == 1 and not skip)
