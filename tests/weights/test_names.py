"""Names as people type them: with spaces around, without their endings, or nearly right."""

import shutil
from pathlib import Path

import pytest
from checkpoint_files import small_vae, write_safetensors

from benchmarks.made_up.write import write_kind
from benchmarks.original_names import original_vae
from t2v import CannySettings, TextToVideoSettings
from t2v.library.results import settings_dict
from t2v.weights.beside import find_controlnet
from t2v.weights.index import check_model
from t2v.weights.models_folder import use_models_folder
from t2v.weights.picture_adapters import picture_adapter
from t2v.weights.refusals import ModelError
from t2v.weights.source import ALLOWED, BUNDLED, QUICK, Source, as_path, full_name


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    for name, place in (
        ("sd1 fp16", "dreamyToon_v4.safetensors"),
        ("lora kohya sd1", "loras/style_detail.safetensors"),
        ("controlnet sd1", "control_depth.safetensors"),
        ("ip-adapter sd1", "ip.safetensors"),
        ("sd1 fp16", "own/model.safetensors"),
        ("sdxl", "twice.safetensors"),
        ("sd1 fp16", "other/twice.safetensors"),
        ("lora kohya sdxl", "style.safetensors"),
    ):
        write_kind(folder / place, name)
    write_safetensors(folder / "soft.v1.safetensors", original_vae(small_vae()))
    use_models_folder(folder)
    yield folder
    use_models_folder(None)


def refusal(name):
    with pytest.raises(ModelError) as told:
        check_model(name)
    return str(told.value)


@pytest.mark.parametrize(
    "name", ["dreamyToon_v4.safetensors", "dreamyToon_v4", " dreamyToon_v4 ", "\tdreamyToon_v4.safetensors\n"]
)
def test_a_models_name(folder, name):
    check_model(name)
    check_model(f"{name}+style_detail@0.8")
    check_model(f"{name} + style_detail.safetensors @ 0.8 +soft.v1")
    source = Source.parse(f"{name}+ style_detail @0.8")
    assert source == Source("dreamyToon_v4.safetensors", ("style_detail.safetensors",), ("0.8",))
    assert source.folder == folder / "dreamyToon_v4.safetensors" and source.kind == "file"


def test_a_strength_that_is_none_and_an_at_in_a_name(folder):
    allowed = "give a number from -10 to 10, as in miniature+style@0.7."
    for name in ("style_detail", "style_detail.safetensors", "nowhere"):
        whole = name if name == "nowhere" else "style_detail.safetensors"
        for strength in ("abc", "", "1e3", "nan"):
            told = f"the strength of lora {whole} is '{strength}'; {allowed}"
            assert refusal(f"dreamyToon_v4+{name}@{strength}") == told
    shutil.copy(folder / "loras/style_detail.safetensors", folder / "style@home.safetensors")
    assert Source.parse("dreamyToon_v4+style@home").adapters == ("style@home.safetensors",)
    assert refusal("dreamyToon_v4+style@home@abc").startswith("the strength of lora style@home.safetensors")


def test_settings_keep_whole_names(folder):
    asked = CannySettings(
        "car.mp4",
        "a car",
        model=" dreamyToon_v4+style_detail@0.8",
        controlnet="control_depth ",
        ip_adapter=" ip",
    )
    kept = settings_dict(asked)
    assert kept["model"] == "dreamyToon_v4.safetensors+style_detail.safetensors@0.8"
    assert (kept["controlnet"], kept["ip_adapter"]) == ("control_depth.safetensors", "ip.safetensors")
    assert settings_dict(TextToVideoSettings("a", model=f" {BUNDLED} "))["model"] == BUNDLED


def test_settings_keep_a_name_that_leads_to_the_picked_file(folder, tmp_path, monkeypatch):
    def kept(model):
        return settings_dict(TextToVideoSettings("a", model=model))["model"]

    write_kind(folder / "other/style.safetensors", "lora kohya sd1")
    (folder / "sd/mine").mkdir(parents=True)
    (folder / "sd/mine/model_index.json").write_text("{}")
    (folder / "nets/edges").mkdir(parents=True)
    (folder / "nets/edges/config.json").write_text("{}")
    for picked in (
        "other/twice.safetensors",
        "dreamyToon_v4.safetensors+other/style.safetensors@0.5",
        "sd/mine",
    ):
        assert kept(picked) == picked
        assert Source.parse(kept(picked)).folder == folder / picked.partition("+")[0]
    assert kept(f"{folder}/other/twice.safetensors") == "other/twice.safetensors"  # given as a path
    assert kept(f"{folder}/twice.safetensors") == "twice.safetensors"
    assert kept(f"{folder}/loras/style_detail.safetensors") == "style_detail.safetensors"  # the only one
    net = CannySettings("car.mp4", "a car", controlnet="nets/edges")
    assert settings_dict(net)["controlnet"] == "nets/edges"
    assert Source.parse("other/twice.safetensors").public_name == "twice.safetensors"
    elsewhere = tmp_path / "elsewhere/other"
    shutil.copytree(folder / "other", elsewhere)
    assert kept(f"{elsewhere}/twice.safetensors") == "twice.safetensors"  # whose folders are private
    monkeypatch.chdir(elsewhere.parent)
    assert kept("other/twice.safetensors") == "twice.safetensors"


def test_a_path_that_leads_nowhere_any_more_is_no_hub_id(folder):
    (folder / "other/twice.safetensors").unlink()
    told = (
        "model other/twice.safetensors is not there, and twice.safetensors, which is there, is another file"
    )
    assert refusal("other/twice.safetensors") == f"{told} of that name; give that one, or put the first back."
    told = "lora other/style_detial.safetensors is not there, did you mean 'style_detail.safetensors'?"
    assert refusal("dreamyToon_v4+other/style_detial.safetensors") == told


def test_controlnets_and_picture_adapters(folder):
    whole = str(folder / "control_depth.safetensors")
    assert [find_controlnet(name, "depth") for name in ("control_depth", " control_depth.safetensors ")] == [
        whole
    ] * 2
    assert find_controlnet(f" {BUNDLED}", "depth") == find_controlnet(BUNDLED, "depth")
    with pytest.raises(ModelError, match="^ip_adapter ip.safetensors wants an image encoder"):
        picture_adapter(" ip")
    with pytest.raises(
        ModelError, match="^ip_adapter ipp.safetensors is not there, did you mean 'ip.safetensors'.$"
    ):
        picture_adapter("ipp.safetensors")
    with pytest.raises(ModelError) as told:
        find_controlnet("control_dept", "depth")
    assert str(told.value) == (
        "controlnet control_dept is not there, did you mean 'control_depth.safetensors'?"
    )


def test_what_lies_beside_a_model_and_paths_come_first(folder, tmp_path, monkeypatch):
    assert Source.parse(" miniature + style") == Source(BUNDLED, ("style",))
    check_model("miniature+style")  # and not the file of that name, for another model
    assert Source.parse(QUICK) == Source(BUNDLED, ("quick",))
    assert full_name("own/model") == "own/model.safetensors"
    assert full_name("stabilityai/sdxl") == "stabilityai/sdxl" and full_name("") == ""
    spaced = tmp_path / " spaced "
    shutil.copytree(folder, spaced)
    for path in (f"{spaced}/dreamyToon_v4.safetensors", str(spaced)):
        assert Source.parse(path).folder.samefile(path)
    monkeypatch.chdir(tmp_path)
    assert Source.parse(" spaced ").base == " spaced " and Source.parse("  spaced ").base == "spaced"
    lora = " spaced /loras/style_detail.safetensors"
    assert Source.parse(f"dreamyToon_v4+{lora}@0.5").adapters == (lora,)
    assert Source.parse(" spaced +own/model").base == " spaced "


def test_of_two_files_of_a_name_the_one_in_the_folder_itself_is_meant(folder):
    assert full_name("twice") == "twice.safetensors"
    assert full_name("other/twice") == "other/twice.safetensors"


@pytest.mark.parametrize("typed", ["both", "both.safetensors", " both "])
def test_a_name_that_fits_two_files_is_refused_with_both(folder, typed):
    for place in ("a", "b"):
        write_kind(folder / place / "both.safetensors", "sd1 fp16")
        write_kind(folder / place / "neon.safetensors", "lora kohya sd1")
    told = "may be a/{0}.safetensors or b/{0}.safetensors; give one of these names."
    assert refusal(typed) == f"model {typed.strip()} {told.format('both')}"
    for one in (f"dreamyToon_v4+{typed}", f"dreamyToon_v4+{typed}@0.5"):
        lora = one.replace("both", "neon")
        whole = typed.strip().replace("both", "neon")
        assert refusal(lora) == f"lora {whole} {told.format('neon')}"
    with pytest.raises(ModelError) as refused:
        find_controlnet(typed, "depth", lambda: "choose another")
    assert str(refused.value) == f"controlnet {typed.strip()} {told.format('both')}"
    with pytest.raises(ModelError) as refused:
        picture_adapter(typed)
    assert str(refused.value) == f"ip_adapter {typed.strip()} {told.format('both')}"
    for place in ("a/both", "b/both.safetensors"):
        check_model(place)
    shutil.copy(folder / "a/both.safetensors", folder / "both.safetensors")
    check_model(typed)  # that in the folder itself
    assert Source.parse(typed).folder == folder / "both.safetensors"


def test_of_two_endings_and_of_many_files_some_are_named(folder):
    for place in ("x.safetensors", "x.ckpt", *(f"{number}/y.pt" for number in range(6))):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_bytes(b"")
    assert refusal("x") == "model x may be x.ckpt or x.safetensors; give one of these names."
    assert refusal("y") == "model y may be 0/y.pt, 1/y.pt, 2/y.pt, 3/y.pt or 2 more; give one of these names."


def test_of_a_path_that_leads_nowhere_the_others_of_its_name_are_told_as_others(folder):
    for place in ("one", "two"):
        write_kind(folder / place / "neon.safetensors", "lora kohya sd1")
    asked = "lora three/neon.safetensors is not there, and"
    told = "which are there, are other files of that name; give one of those, or put the first back."
    assert refusal("dreamyToon_v4+three/neon.safetensors") == (
        f"{asked} one/neon.safetensors and two/neon.safetensors, {told}"
    )
    told = "which is there, is another file of that name; give that one, or put the first back."
    assert refusal("sub/model.safetensors") == (
        f"model sub/model.safetensors is not there, and own/model.safetensors, {told}"
    )


def test_a_name_that_fits_none_is_refused_with_the_nearest(folder):
    assert refusal("dreamyTon_v4") == (
        "model dreamyTon_v4 is not there, did you mean 'dreamyToon_v4.safetensors'?"
    )
    assert refusal("dreamyToon_v4+style_detial@0.8") == (
        "lora style_detial is not there, did you mean 'style_detail.safetensors'?"
    )
    assert refusal("nothing-like-it") == f"model nothing-like-it is not there; give {ALLOWED}."
    for typed in ("DREAMYTOON_V4", "dreamytoon_v4.safetensors", "DreamyTon_V4"):
        assert refusal(typed) == f"model {typed} is not there, did you mean 'dreamyToon_v4.safetensors'?"


def test_in_an_app_a_name_means_the_file_of_the_folder_of_models(tmp_path, monkeypatch):
    for folder in ("models/sub", "started"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "own.safetensors").write_bytes(b"")
    monkeypatch.chdir(tmp_path / "started")
    inside = tmp_path / "models/sub/own.safetensors"
    names = ("own.safetensors", "sub/own.safetensors", "./own.safetensors")
    use_models_folder(tmp_path / "models")
    assert [as_path(name) for name in names] == [Path("own.safetensors"), inside, Path("own.safetensors")]
    use_models_folder(tmp_path / "models", goes_first=True)
    assert [as_path(name) for name in names] == [inside, inside, Path("own.safetensors")]
    assert as_path("sub/none.safetensors") == Path("sub/none.safetensors")
    use_models_folder(None)


def test_a_name_that_is_completed_from_the_folder_of_models_means_the_file_there(tmp_path, monkeypatch):
    for folder in ("models", "models/a", "started", "started/a"):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / ("twin" if folder.endswith("a") else "own")).with_suffix(".safetensors").touch()
    monkeypatch.chdir(tmp_path / "started")
    use_models_folder(tmp_path / "models")
    assert full_name("own") == str(tmp_path / "models/own.safetensors")
    assert full_name("a/twin") == str(tmp_path / "models/a/twin.safetensors")
    assert full_name("own.safetensors") == "own.safetensors"
    monkeypatch.chdir(tmp_path)
    assert full_name("own") == "own.safetensors" and full_name("a/twin") == "a/twin.safetensors"
    monkeypatch.chdir(tmp_path / "models")
    (tmp_path / "models/here.safetensors").touch()
    use_models_folder(tmp_path / "started")
    with pytest.raises(ModelError, match="model here is not there, did you mean 'here.safetensors'?"):
        check_model("here")
    use_models_folder(None)
