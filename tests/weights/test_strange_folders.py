"""What is strange in a folder of models is left out and told once, and all else is known as ever."""

import logging
import os
import shutil

import pytest
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from strange_folders import closed

from benchmarks.made_up.write import write_kind
from t2v.checks import InputError
from t2v.engine.check_weights import check_weights
from t2v.engine.defaults import told_defaults
from t2v.page.model_told import told_html
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights import folders
from t2v.weights.folders import Folder, LeftOut, folders_in, walk
from t2v.weights.index import check_model
from t2v.weights.listing import listed, on_offer
from t2v.weights.models_folder import check_models_folder, contents, files_of_folder, use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source

SHUT = "cannot be looked into (Permission denied)"


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "mine"
    write_safetensors(folder / "own.safetensors", checkpoint(parts_of_1()))
    (folder / "locked").mkdir()
    write_safetensors(folder / "locked" / "inside.safetensors", checkpoint(parts_of_1()))
    use_models_folder(folder)
    yield folder
    use_models_folder(None)


def names(folder):
    return [one.name for one in contents(folder).named]


def test_a_folder_that_is_closed_is_left_out_and_told_once(folder, caplog):
    caplog.set_level(logging.INFO)
    told = [f"left out of the models: {folder / 'locked'} {SHUT}"]
    with closed(folder / "locked"):
        assert [one.name for one in listed()] == ["own.safetensors"]
        assert contents(folder).left_out == (LeftOut(folder / "locked", SHUT),)
        assert [name for _, name in on_offer(editor=False)] == ["own.safetensors"]
        check_model("own.safetensors")
        assert caplog.messages == told
    assert names(folder) == ["inside.safetensors", "own.safetensors"]
    with closed(folder / "locked"):
        assert names(folder) == ["own.safetensors"]
    assert caplog.messages == told * 2  # it had been mended


def test_a_whole_folder_that_is_closed_is_empty_and_refused_by_name(folder):
    with closed(folder):
        assert listed() == () and files_of_folder(folder) == []
        with pytest.raises(InputError) as refusal:
            check_models_folder(folder)
        assert (
            str(refusal.value) == f"--models is '{folder}', which {SHUT}; choose another, or let it be read."
        )
        with pytest.raises(ModelError, match="model own.safetensors is not there"):
            check_model("own.safetensors")
    with (
        closed(folder / "locked"),
        pytest.raises(ModelError, match="locked cannot be looked into .Permission"),
    ):
        check_model(str(folder / "locked"))


def test_files_and_folders_of_models_that_may_not_be_read(folder, model_folder):
    shutil.copytree(model_folder, folder / "small")
    with closed(folder / "own.safetensors"):
        found = {one.name: one for one in listed()}
        assert found["own.safetensors"].why == "cannot be read (Permission denied); choose another."
    with closed(folder / "small" / "model_index.json"):
        found = {one.name: one for one in listed()}
        assert "is broken and cannot be loaded" in found["small"].why and found["small"].size is None
    with closed(folder / "small", 0o400):  # names can be read, and nothing of what they name
        assert contents(folder).left_out == (LeftOut(folder / "small", SHUT),)
    with closed(folder, 0o400):
        assert listed() == () and contents(folder).left_out == (LeftOut(folder, SHUT),)


def test_circles_of_links_list_each_file_once(folder):
    for place, target in (
        ("loop", ".."),
        ("locked/loop", ".."),
        ("a", "locked"),
        ("self.safetensors", "self.safetensors"),
    ):
        (folder / place).symlink_to(target)
    (folder / "loop").unlink()
    (folder / "loop").symlink_to(folder)
    assert names(folder) == ["inside.safetensors", "own.safetensors"]
    assert files_of_folder(folder)[0] == folder / "locked" / "inside.safetensors"  # where it lies itself
    assert [one.why for one in contents(folder).left_out] == [
        "cannot be looked at (Too many levels of symbolic links)"
    ]


def test_links_to_files_and_folders_elsewhere_are_followed(folder, tmp_path):
    (tmp_path / "else").mkdir()
    write_safetensors(tmp_path / "else" / "far.safetensors", checkpoint(parts_of_1()))
    (folder / "best.safetensors").symlink_to("own.safetensors")
    (folder / "disk").symlink_to(tmp_path / "else")
    (folder / "gone.safetensors").symlink_to("nowhere")
    (folder / "gone.txt").symlink_to("nowhere")
    assert names(folder) == ["best.safetensors", "far.safetensors", "inside.safetensors", "own.safetensors"]
    assert Source.parse("far.safetensors").folder == folder / "disk" / "far.safetensors"
    assert contents(folder).left_out == (
        LeftOut(folder / "gone.safetensors", "is a link to what is not there", False),
    )


def test_what_is_no_file_and_names_that_are_no_text(folder):
    os.mkfifo(folder / "pipe.safetensors")
    os.mkfifo(folder / "own.yaml")
    (folder / "dir.safetensors").mkdir()
    (folder / "a\nb.safetensors").write_bytes(b"")
    odd = folder / os.fsdecode(b"caf\xe9.safetensors")
    odd.write_bytes(b"")
    (folder / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"")
    long = folder / f"{'n' * 252}.pt"
    long.write_bytes(b"")
    assert set(names(folder)) == {"a\nb.safetensors", "inside.safetensors", "own.safetensors", long.name}
    assert contents(folder).left_out == (LeftOut(odd, "has a name that is no text; give it another", False),)
    found = {one.name: one for one in listed()}
    assert found["a\nb.safetensors"].why == found[long.name].why == "is empty; fetch it again."
    assert found["own.safetensors"].why is None


def test_names_in_pickers_are_one_line(folder):
    write_safetensors(folder / "a\nb.safetensors", checkpoint(parts_of_1()))
    labels = [label.partition(",")[0] for label, _ in on_offer(editor=False)]
    assert labels == ["a\\nb", "inside", "own"]
    check_model("a\nb.safetensors")


def test_what_changes_while_it_is_listed(folder, monkeypatch):
    """A folder that goes, one that becomes a file, a file that becomes a folder."""
    for name in ("goes", "changes"):
        (folder / name).mkdir()
    (folder / "swaps.safetensors").write_bytes(b"")
    scandir = os.scandir

    def changed(path):
        if (folder / "goes").is_dir() and path != folder:
            (folder / "goes").rmdir()
            (folder / "changes").rmdir()
            (folder / "changes").write_bytes(b"")
            (folder / "swaps.safetensors").unlink()
            (folder / "swaps.safetensors").mkdir()
        return scandir(path)

    monkeypatch.setattr(os, "scandir", changed)
    (folder / "begins").mkdir()  # the first that is looked into
    found = {one.name: one for one in listed()}
    assert set(found) == {"inside.safetensors", "own.safetensors", "swaps.safetensors"}
    assert found["swaps.safetensors"].why == "cannot be read (Is a directory); choose another."
    assert contents(folder).left_out == ()


def test_folders_without_end_are_looked_into_as_far_as_is_told(folder, monkeypatch):
    monkeypatch.setattr(folders, "MOST_WALKED", 2)
    found = list(walk(folder, 3, lambda _: True))
    assert [one.path for one in found if isinstance(one, Folder)] == [folder, folder / "locked"]
    (folder / "more").mkdir()
    assert contents(folder).left_out == (LeftOut(folder, "has more in it than the 2 folders looked into"),)


def test_one_closed_folder_does_not_hide_those_after_it(folder):
    (folder / "z").mkdir()
    with closed(folder / "locked"):
        assert folders_in(folder) == [folder / "locked", folder / "z"]
        assert folders_in(folder / "locked") == []


def test_two_files_of_one_name_have_labels_of_their_own(folder):
    write_kind(folder / "other" / "own.safetensors", "sd1 fp16")
    labels = [label.partition(",")[0] for label, _ in on_offer(editor=False)]
    assert labels == ["inside", "other/own", "own"]


@pytest.mark.parametrize("mode", [0, 0o100, 0o400])
def test_a_folder_of_a_model_that_is_closed_is_refused_in_a_sentence(folder, model_folder, mode):
    shutil.copytree(model_folder, folder / "small")
    asked = TextToVideoSettings("a cat", model="small", num_frames=1)
    check_weights(asked)
    with closed(folder / "small", mode):
        with pytest.raises(ModelError) as refusal:
            check_weights(asked)
        told = f"model {folder / 'small'} {SHUT}; choose another, or let it be read."
        assert str(refusal.value) == told and told_html("small", False) == ""
        told_defaults("small", TextToVideoSettings)
