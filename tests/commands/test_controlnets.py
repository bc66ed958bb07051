"""controlnets.py: what --controlnet says of files, tasks and strengths."""

import pytest

from t2v.checks import InputError
from t2v.commands.controlnets import read_controlnets
from t2v.commands.order import read_order
from t2v.tasks.controlled import Also
from t2v.weights.models_folder import use_models_folder


@pytest.fixture
def folder_of_models(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    use_models_folder(folder)
    yield folder
    use_models_folder(None)


@pytest.mark.parametrize(
    ("text", "own", "strength", "also"),
    [
        ("me/edges", "me/edges", None, ()),
        ("./folder=odd", "./folder=odd", None, ()),
        ("./folder=odd@0.5", "./folder=odd", 0.5, ()),
        ("me/edges@2", "me/edges", 2.0, ()),
        ("edges@me.pth", "edges@me.pth", None, ()),
        ("edges@me.pth@0.25", "edges@me.pth", 0.25, ()),
        ("depth", None, None, (Also("depth"),)),
        ("depth@0.5", None, None, (Also("depth", None, 0.5),)),
        ("depth=a@b", None, None, (Also("depth", "a@b"),)),
        (" depth = a @ 0.5", None, None, (Also("depth", "a", 0.5),)),
        ("depth=a@b@0", None, None, (Also("depth", "a@b", 0.0),)),
    ],
)
def test_controlnets_are_read(text, own, strength, also):
    said = {} if strength is None else {"conditioning_scale": strength}
    assert read_controlnets("canny", [text]) == {"controlnet": own, "also": also, **said}


def test_a_controlnets_whole_name_wins_over_what_it_might_say(tmp_path, folder_of_models):
    """A file here or in the folder of models; and the same behind a task."""
    for name in ("ad=1@2.pth", "depth=3", "edges@0.5"):
        (tmp_path / name).touch()
        here = str(tmp_path / name)
        assert read_controlnets("canny", [here]) == {"controlnet": here, "also": ()}
        assert read_controlnets("canny", [f"{here}@0.7"])["conditioning_scale"] == 0.7
        assert read_controlnets("canny", [f"pose={here}"])["also"] == (Also("pose", here),)
        assert read_controlnets("canny", [f"pose={here}@0.7"])["also"] == (Also("pose", here, 0.7),)
    (folder_of_models / "depth=of mine@2.pth").touch()
    assert read_controlnets("canny", ["depth=of mine@2.pth"])["controlnet"] == "depth=of mine@2.pth"


def test_a_strength_behind_the_controlnet_and_another_beside_it_are_refused(square_clip):
    def asked(*options):
        return read_order(["canny", square_clip, "a car", "--model", "a/b", *options]).settings

    assert asked("--controlnet", "my/own@0.5").conditioning_scale == 0.5
    same = asked("--controlnet", "my/own@0.5", "--conditioning-scale", "0.5")
    assert (same.controlnet, same.conditioning_scale) == ("my/own", 0.5)
    for other in ("0.8", "1"):
        with pytest.raises(InputError) as refusal:
            asked("--controlnet", "my/own@0.5", "--conditioning-scale", other)
        told = f"--conditioning-scale is {other}, and controlnet my/own has 0.5 behind its @; give one of the"
        assert str(refusal.value) == f"{told} two."


@pytest.mark.parametrize(
    "text",
    [
        "mine@much",
        "mine.pth@much",
        "mine@",
        "depth@much",
        "me/edges@much",
        "miniature@much",
        "depth=mine@much",
    ],
)
def test_what_is_no_strength_behind_a_name_that_is_known_is_told_as_such(text, folder_of_models):
    (folder_of_models / "mine.pth").touch()
    with pytest.raises(InputError) as told:
        read_controlnets("canny", [text])
    given = text.rpartition("@")[2]
    assert str(told.value) == f"the scale in --controlnet {text} is '{given}'; give a number from 0 to 2."


def test_an_at_in_the_name_of_a_file_without_its_ending_is_no_strength(folder_of_models):
    (folder_of_models / "mine.pth").touch()
    (folder_of_models / "mine@home.pth").touch()
    assert read_controlnets("canny", ["mine@home"])["controlnet"] == "mine@home"
    assert read_controlnets("canny", ["mine@home@0.5"])["conditioning_scale"] == 0.5
