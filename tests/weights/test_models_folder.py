"""The folder of models: what lies there is known by its name, and listed by its header."""

import shutil

import pytest
from checkpoint_files import checkpoint, parts_of_1, write_safetensors

from benchmarks.made_up.write import write_kind
from t2v.weights.index import check_model
from t2v.weights.listing import listed, on_offer
from t2v.weights.models_folder import (
    NOTE,
    files_of_folder,
    find_by_name,
    make_models_folder,
    use_models_folder,
)
from t2v.weights.refusals import ModelError
from t2v.weights.sizes import size_words
from t2v.weights.source import Source, as_path


@pytest.fixture
def folder(tmp_path, model_folder):
    """A stranger's: checkpoints, LoRAs and more, in folders as they like."""
    folder = tmp_path / "mine"
    make_models_folder(folder)
    for name, place in (
        ("sd1 fp16", "dream.safetensors"),
        ("sd2", "2.x/second.safetensors"),
        ("sdxl", "sdxl/big.safetensors"),
        ("sd1 pix2pix", "edits.safetensors"),
        ("sd1 inpainting", "fills.safetensors"),
        ("lora kohya sd1", "loras/style.safetensors"),
        ("vae", "vae/soft.safetensors"),
        ("embedding sd1", "embeddings/cat.safetensors"),
    ):
        write_kind(folder / place, name)
    shutil.copytree(model_folder, folder / "folders" / "small")
    (folder / "half.safetensors").write_bytes(b"\x00fetched in part")
    (folder / ".hidden.safetensors").write_bytes(b"")
    (folder / "notes.txt").write_text("x")
    use_models_folder(folder)
    yield folder
    use_models_folder(None)


def test_a_new_folder_says_what_belongs_there(tmp_path):
    make_models_folder(tmp_path / "a" / "models")
    note = tmp_path / "a" / "models" / NOTE
    assert "checkpoints of Stable Diffusion 1.x, 2.x and XL" in note.read_text()
    note.unlink()
    make_models_folder(tmp_path / "a" / "models")  # it is theirs now
    assert not note.exists()


def test_files_are_listed_with_kind_family_and_size(folder):
    found = {one.name: one for one in listed()}
    assert set(found) == {
        "dream.safetensors", "second.safetensors", "big.safetensors", "edits.safetensors",
        "fills.safetensors", "style.safetensors", "soft.safetensors", "cat.safetensors",
        "folders/small", "half.safetensors",
    }  # fmt: skip
    assert found["dream.safetensors"].label == "dream, Stable Diffusion 1.x, 2.1 GB"
    assert found["folders/small"].label == "folders/small, in diffusers' format"
    assert found["style.safetensors"].words == "a LoRA for Stable Diffusion 1.x"
    assert found["half.safetensors"].why.startswith("is broken and cannot be loaded")
    big = found["big.safetensors"]
    assert big.why is None and big.label.startswith("big, Stable Diffusion XL, ")


def test_pickers_offer_what_suits_the_task(folder):
    offered = [name for _, name in on_offer(editor=False)]
    assert offered == ["second.safetensors", "dream.safetensors", "folders/small", "big.safetensors"]
    assert [name for _, name in on_offer(editor=True)] == ["edits.safetensors"]


def test_files_are_known_by_their_names(folder):
    assert as_path("second.safetensors") == folder / "2.x" / "second.safetensors"
    assert Source.parse("second.safetensors").kind == "file"
    check_model("second.safetensors")
    check_model("dream.safetensors+soft.safetensors")
    check_model("folders/small")
    assert (
        Source.parse("dream.safetensors + soft.safetensors").public_name
        == "dream.safetensors+soft.safetensors"
    )
    assert Source.parse(str(folder / "dream.safetensors")).public_name == "dream.safetensors"
    with pytest.raises(ModelError, match="model style.safetensors is a LoRA for Stable Diffusion 1.x; write"):
        check_model("style.safetensors")
    with pytest.raises(ModelError, match="model edits.safetensors is made for editing"):
        check_model("edits.safetensors", editor=False)
    with pytest.raises(ModelError, match="model nothing.safetensors is not there"):
        check_model("nothing.safetensors")


def test_nothing_outside_of_the_folder_is_found_by_name(folder):
    (folder.parent / "outside.safetensors").write_bytes(b"")
    assert find_by_name("../outside.safetensors") is None
    assert find_by_name("outside.safetensors") is None
    assert find_by_name("") is None
    assert find_by_name(str(folder / "dream.safetensors")) is None  # a path is one by itself


def test_names_that_two_files_have_are_paths(folder):
    write_kind(folder / "other" / "dream.safetensors", "sd1 fp16")
    names = [one.name for one in listed()]
    assert "other/dream.safetensors" in names and "dream.safetensors" in names
    assert as_path("other/dream.safetensors") == folder / "other" / "dream.safetensors"


def test_a_file_that_changes_is_looked_at_anew(folder):
    write_safetensors(folder / "half.safetensors", checkpoint(parts_of_1()))
    found = {one.name: one for one in listed()}
    assert found["half.safetensors"].why is None


def test_no_folder_is_no_trouble(tmp_path):
    assert listed(tmp_path / "none") == () and files_of_folder(tmp_path / "none") == []
    use_models_folder(tmp_path / "none")
    assert find_by_name("a.safetensors") is None
    use_models_folder(None)


def test_sizes_in_words():
    assert [size_words(size) for size in (2_132_000_000, 11_000_000_000, 144_000_000, 3_500_000, 900)] == [
        "2.1 GB", "11 GB", "144 MB", "3.5 MB", "1 KB",
    ]  # fmt: skip
