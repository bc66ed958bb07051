"""Settings used again: of this version, of a newer or older one, of others, and with clips that are gone."""

import dataclasses

import pytest
from PIL import Image
from shelves import put_raw

from t2v.checks import InputError
from t2v.library.index import Library, Made
from t2v.library.results import settings_dict
from t2v.page.library.again import again, going_on
from t2v.page.uploads import examples
from t2v.tasks.canny import CannySettings
from t2v.tasks.controlled import Also
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.models_folder import use_models_folder

ASKED = TextToVideoSettings(
    "a car",
    seed=4,
    num_frames=12,
    fps=6.0,
    move="subject",
    motion_x=3.0,
    negative_prompt="rain",
    t0=600,
    t1=700,
)
FOLLOWED = CannySettings(
    "street.mp4", "a car", seed=4, start_s=1.5, also=(Also("pose", conditioning_scale=0.5),)
)
UNLIKE = (
    "own.safetensors, with which this video was made, is not here, or is another file: choose the one "
    "that it was, or it will look different."
)


@pytest.fixture
def entry_of(tmp_path):
    library = Library(tmp_path)

    def entry_of(settings, **private):
        return library.add(put_raw(tmp_path / "a.mp4", settings), Made(private=private))

    yield entry_of
    library.close()


def test_every_setting_comes_back_and_the_seed_if_it_is_wanted(entry_of):
    entry = entry_of(settings_dict(ASKED))
    assert again(entry, with_seed=True).settings == ASKED
    assert again(entry, with_seed=False).settings == dataclasses.replace(ASKED, seed=None)
    assert again(entry, with_seed=True).notes == ()


def test_what_hangs_on_the_prompt_comes_back_with_it(entry_of):
    told = dataclasses.replace(ASKED, prompt="a red car", subject="red car", move="both", background_x=-3.0)
    found = again(entry_of(settings_dict(told)), with_seed=True)
    assert (found.settings, found.notes) == (told, ())


def test_a_clip_has_to_be_chosen_again_and_all_else_is_there(entry_of):
    found = again(entry_of(settings_dict(FOLLOWED)), with_seed=True)
    assert found.settings == dataclasses.replace(FOLLOWED, clip="")
    assert found.lacks == "street.mp4" and found.notes == ()


def test_a_clip_that_is_still_there_is_known_again_and_others_files_are_not(entry_of, tmp_path):
    clip = examples("canny")[0].clip
    found = again(entry_of(settings_dict(FOLLOWED), clip=clip), with_seed=True)
    assert found.settings.clip == clip and found.lacks is None and found.notes == ()
    (tmp_path / "private.mp4").write_bytes(b"x")
    for path in (str(tmp_path / "private.mp4"), "/etc/passwd", "/nowhere.mp4", "a\0b"):
        assert again(entry_of(settings_dict(FOLLOWED), clip=path), with_seed=True).lacks == "street.mp4"


def test_weights_in_a_folder_of_this_machine_are_found_again(entry_of):
    stored = settings_dict(dataclasses.replace(ASKED, model="/models/mine"))
    assert stored["model"] == "mine"
    assert again(entry_of(stored, model="/models/mine"), with_seed=True).settings.model == "/models/mine"


def test_a_picture_that_is_gone_is_named_and_one_that_is_there_is_taken(entry_of, tmp_path, monkeypatch):
    stored = settings_dict(TextToVideoSettings("a car")) | {"first_frame": "cat.png", "strength": 0.5}
    found = again(entry_of(stored), with_seed=True)
    assert found.settings == TextToVideoSettings("a car") and not found.is_whole
    assert found.notes == ("The picture “cat.png” that it starts from has to be chosen again.",)
    monkeypatch.setattr("t2v.page.uploads._folders", lambda: (tmp_path,))
    (tmp_path / "cat.png").write_bytes(b"x")
    found = again(entry_of(stored, first_frame=str(tmp_path / "cat.png")), with_seed=True)
    assert found.is_whole and found.notes == () and found.settings.strength == 0.5
    assert found.settings.first_frame == str(tmp_path / "cat.png")


def test_what_follows_begins_with_the_last_frame(entry_of, tmp_path, monkeypatch):
    monkeypatch.setattr("t2v.page.library.again.get_upload_folder", lambda: str(tmp_path / "uploads"))
    entry = entry_of(settings_dict(ASKED), model="/models/mine")
    found = going_on(entry, tmp_path / entry.file)
    assert (found.settings.prompt, found.settings.seed, found.settings.model) == (
        "a car",
        None,
        "/models/mine",
    )
    shown = Image.open(found.settings.first_frame).convert("L")
    assert shown.getpixel((10, 10)) == pytest.approx(150, abs=8) and found.is_whole


def test_of_another_version_what_is_known_is_taken_and_the_rest_is_named(entry_of):
    newer = settings_dict(ASKED) | {"version": "9.9", "sparkle": 3, "scheduler": "warp", "num_frames": "many"}
    found = again(entry_of(newer | {"width": 10**9, "seed": [1]}), with_seed=True)
    defaults = {name: None for name in ("num_frames", "width", "seed")}
    default_frames = TextToVideoSettings("a").num_frames
    assert found.settings == dataclasses.replace(ASKED, **{**defaults, "num_frames": default_frames})
    (note,) = found.notes
    begin, end = "This version does not take its ", " (it was made by version 9.9); that was left out."
    assert note.startswith(begin) and note.endswith(end)
    named = note.removeprefix(begin).removesuffix(end).split(", ")
    assert sorted(named) == ["num_frames", "scheduler", "seed", "sparkle", "width"]
    older = {"task": "text-to-video", "prompt": "a car", "seed": 4}
    assert again(entry_of(older), with_seed=True).settings == TextToVideoSettings("a car", seed=4)


@pytest.mark.parametrize("task", ["holiday", None, ["canny"]])
def test_without_settings_there_is_nothing_to_use_again(entry_of, task):
    entry = dataclasses.replace(entry_of(settings_dict(ASKED)), settings={"task": task})
    with pytest.raises(InputError, match="carries no settings that can be used again"):
        again(entry, with_seed=True)


def test_another_file_of_a_models_name_is_told(entry_of, tmp_path):
    for place, weights in (("models", b"these"), ("elsewhere", b"those")):
        (tmp_path / place).mkdir()
        (tmp_path / place / "own.safetensors").write_bytes(weights)
    use_models_folder(tmp_path / "models")
    try:
        model = str(tmp_path / "elsewhere/own.safetensors")
        stored = settings_dict(dataclasses.replace(ASKED, model=model))
        found = again(entry_of(stored, model=model), with_seed=True)
        assert (found.settings.model, found.notes, found.is_whole) == (model, (), True)
        (tmp_path / "elsewhere/own.safetensors").write_bytes(b"others")
        for entry in (entry_of(stored, model=model), entry_of(stored)):
            found = again(entry, with_seed=True)
            assert (found.settings.model, found.is_whole) == ("own.safetensors", False)
            assert found.notes == (UNLIKE,)
        (tmp_path / "models/sub").mkdir()
        (tmp_path / "models/sub/own.safetensors").write_bytes(b"those")
        found = again(entry_of(stored, model=model), with_seed=True)
        assert (found.settings.model, found.notes, found.is_whole) == ("sub/own.safetensors", (), True)
    finally:
        use_models_folder(None)


def test_a_picture_that_is_a_prompt_has_to_be_chosen_again_where_it_is_gone(entry_of, tmp_path, monkeypatch):
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()
    Image.new("RGB", (32, 32)).save(picture := tmp_path / "uploads" / "fur.png")
    shown = dataclasses.replace(
        ASKED, picture_prompt=str(picture), picture_prompt_strength=0.4, ip_adapter="ip.safetensors"
    )
    entry = entry_of(settings_dict(shown), picture_prompt=str(picture))
    found = again(entry, with_seed=True)
    assert (found.settings, found.notes, found.is_whole) == (shown, (), True)
    picture.unlink()
    found = again(entry, with_seed=True)
    assert (found.settings, found.is_whole) == (ASKED, False)
    assert found.notes == ("The picture “fur.png” that is a prompt has to be chosen again.",)
