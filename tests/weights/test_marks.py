"""marks.py: what tells weights from later ones in their place, and what does not."""

import os

import pytest
from huggingface_hub import constants

from t2v.weights.made_of import MadeOf, made_of
from t2v.weights.marks import file_mark, folder_mark, place_mark, taken
from t2v.weights.source import Source


def test_a_file_is_told_by_its_times_its_size_and_its_number(tmp_path):
    path, other = tmp_path / "a.safetensors", tmp_path / "b.safetensors"
    for one in (path, other):
        one.write_bytes(b"weights")
        os.utime(one, ns=(10**18, 10**18))
    first = file_mark(path)
    assert first == file_mark(path) and first != file_mark(other)
    path.read_bytes()
    assert file_mark(path) == first
    path.chmod(0o600)  # who may read it has changed
    assert file_mark(path) != first
    os.replace(other, path)
    assert file_mark(path) != first
    second = file_mark(path)
    os.utime(path, ns=(10**18, 10**18 + 1))
    assert file_mark(path) != second
    path.unlink()
    assert file_mark(path) is None and place_mark(str(path)) is None


def test_what_is_beside_a_file_counts_where_it_is_read_with_it(tmp_path):
    path, beside = tmp_path / "a.ckpt", tmp_path / "a.yaml"
    path.write_bytes(b"weights")
    alone = place_mark(str(path))
    beside.write_text("model:")
    assert place_mark(str(path)) not in (alone, None)
    beside.unlink()
    assert place_mark(str(path)) == alone


def test_a_folder_is_told_by_its_weights_and_configurations_alone(tmp_path):
    (tmp_path / "unet").mkdir()
    (tmp_path / ".git").mkdir()
    (tmp_path / "model_index.json").write_text("{}")
    (tmp_path / "unet" / "model.safetensors").write_bytes(b"1")
    first = folder_mark(tmp_path)
    for name in ("README.md", "unet/sheet.png", ".git/x.json"):
        (tmp_path / name).write_text("new")
    assert folder_mark(tmp_path) == first
    for name in ("unet/config.json", "unet/model.safetensors", "merges.txt"):
        (tmp_path / name).write_text("new")
        assert folder_mark(tmp_path) != first
        first = folder_mark(tmp_path)
    assert folder_mark(tmp_path / "nowhere") is None


def test_a_hub_id_is_told_by_what_was_fetched_last(tmp_path, monkeypatch):
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    assert place_mark("somebody/model") is None and place_mark("a/b/c") is None and place_mark("\0") is None
    refs = tmp_path / "models--somebody--model" / "refs"
    refs.mkdir(parents=True)
    (refs / "main").write_text("abc")
    assert place_mark("somebody/model") == "abc"
    before, after = MadeOf({"x": None, "y": 1}), MadeOf({"x": "abc", "y": 2})
    assert before.taken(after) == MadeOf({"x": "abc", "y": 1}) and taken(None, 3) == 3 and taken(2, 3) == 2


@pytest.mark.parametrize(
    "name", ["", "+", "miniature+", "/no/where", "a+b+c", "miniature+style@x", "~nobody/x"]
)
def test_what_is_no_model_has_no_mark_and_raises_nothing(name):
    made = made_of(Source.parse(name), editor=True)
    assert made == made_of(Source.parse(name), editor=True)


def test_of_a_model_each_place_has_its_mark(tmp_path):
    whole, plain = (made_of(Source.parse(name)) for name in ("miniature+style@0.5", "miniature"))
    assert whole.base == plain.base and len(whole.base) == 1 and plain.loras == {}
    (style,) = whole.loras.items()
    assert style[0].endswith("style") and style[1] is not None
    assert len(made_of(Source.parse("miniature"), editor=True).base) == 2


def test_looking_takes_a_few_looks_at_the_disk(monkeypatch):
    looks, real = [], os.stat
    monkeypatch.setattr(os, "stat", lambda *args, **more: looks.append(args) or real(*args, **more))
    made_of(Source.parse("miniature+style"))
    assert 5 < len(looks) < 60
