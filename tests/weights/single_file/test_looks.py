"""What people have in the place of a file of weights is told for what it is."""

import zipfile

import pytest
from checkpoint_files import checkpoint, parts_of_1, write_pickle
from conftest import small_controlnet
from PIL import Image
from small_t2i import released, small_t2i

from t2v.weights.index import check_model
from t2v.weights.models_folder import use_models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_controlnet, look
from t2v.weights.single_file.looks import looks_like

TEXT = "is a text, not a file of weights; fetch it again or choose another."
PAGE = (
    "is a web page, not a file of weights (sites send one where they want a login); fetch it again or choose "
    "another."
)
POINTER = "is a pointer of Git LFS, not the file it stands for; fetch that (git lfs pull)."
ARCHIVE = "is an archive, not a file of weights; unpack it, and choose what is in it."
FOUND = {
    "empty": (b"", "is empty; fetch it again."),
    "a text": (b"hello, this is a text file\n" * 20, TEXT),
    "a text cut within a letter": (b"x" + "ü".encode() * 3000, TEXT),
    "a site's answer": (b'{"error": "Access to this file is for members"}', TEXT),
    "a login page": (b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>Log in</body></html>", PAGE),
    "a page": (b"<html lang=en>", PAGE),
    "a pointer": (b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 2132\n", POINTER),
    "an archive of another kind": (b"7z\xbc\xaf\x27\x1c\x00\x04", ARCHIVE),
    "gguf": (b"GGUF\x03\x00\x00\x00", "is a GGUF file, which is not read here; choose one in .safetensors."),
}


@pytest.mark.parametrize("ending", [".safetensors", ".ckpt", ".pth"])
@pytest.mark.parametrize("name", FOUND)
def test_what_is_no_file_of_weights(tmp_path, name, ending):
    held, told = FOUND[name]
    path = tmp_path / f"x{ending}"
    path.write_bytes(held)
    with pytest.raises(ModelError) as refusal:
        look("model x", path)
    assert str(refusal.value) == f"model x {told}"


@pytest.mark.parametrize("kind", ["png", "jpeg", "gif", "webp"])
def test_pictures(tmp_path, kind):
    path = tmp_path / "x.safetensors"
    Image.new("RGB", (64, 64), "red").save(path, kind)
    assert looks_like(path) == "is a picture, not a file of weights; choose another."


def test_archives(tmp_path):
    for ending in (".safetensors", ".ckpt"):
        with zipfile.ZipFile(tmp_path / f"x{ending}", "w") as file:
            file.writestr("a.txt", "x")
        assert looks_like(tmp_path / f"x{ending}") == ARCHIVE
    whole = write_pickle(tmp_path / "own.ckpt", {})
    assert looks_like(whole) is None
    (tmp_path / "own.safetensors").write_bytes(whole.read_bytes())
    renamed = "is a pickle of torch's, which has to be called .ckpt; rename it."
    assert looks_like(tmp_path / "own.safetensors") == renamed
    for held, ending in (
        (small_controlnet().state_dict(), ".pth"),
        (released(small_t2i()), ".pth"),
        (checkpoint(parts_of_1(1)), ".ckpt"),
    ):
        write_pickle(tmp_path / "made.pth", held).rename(tmp_path / "made.safetensors")
        assert looks_like(tmp_path / "made.safetensors") == renamed.replace(".ckpt", ending)
    (tmp_path / "short.ckpt").write_bytes(whole.read_bytes()[:-50])
    assert looks_like(tmp_path / "short.ckpt") is None  # broken, and no more is known


def test_nothing_plain(tmp_path):
    (tmp_path / "x.safetensors").write_bytes((1 << 60).to_bytes(8, "little") + b"{}")
    assert looks_like(tmp_path / "x.safetensors") is None


def test_behind_a_model_and_beside_it(tmp_path):
    use_models_folder(tmp_path)
    for name in ("notes.safetensors", "notes.pth"):
        (tmp_path / name).write_bytes(b"hello\n")
    try:
        for name in ("notes.safetensors", "notes.pth", "notes.pth@0.5"):
            with pytest.raises(ModelError) as refusal:
                check_model(f"miniature+{name}")
            assert str(refusal.value) == f"lora {name.partition('@')[0]} {TEXT}"
    finally:
        use_models_folder(None)
    with pytest.raises(ModelError, match="^controlnet notes.pth is a text, not a file of weights; fetch"):
        check_controlnet("notes.pth", tmp_path / "notes.pth")
