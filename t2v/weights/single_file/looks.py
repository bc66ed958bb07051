"""What a file is that is no file of weights, by its first bytes: what people fetch in the place of one."""

import re
import zipfile
from pathlib import Path

from t2v.weights.single_file.header import SAFE, pickle_header
from t2v.weights.single_file.kinds import recognise

LOOKED_AT = 4096  # bytes
POINTER = re.compile(rb"version https?://\S+\noid sha256:")
WEB = (b"<!doctype html", b"<html")
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
ZIPS = (b"PK\x03\x04", b"PK\x05\x06")
ARCHIVES = (b"7z\xbc\xaf\x27\x1c", b"Rar!", b"\x1f\x8b")
PICKLED = {"controlnet": ".pth", "t2i-adapter": ".pth", "ip-adapter": ".bin"}  # kinds, other than .ckpt
CONTROLS = set(range(32)) - set(b"\t\n\f\r\x1b")  # that stand in no text
NOT = "not a file of weights"
AGAIN = "fetch it again or choose another"
ARCHIVE = f"is an archive, {NOT}; unpack it, and choose what is in it."


def looks_like(path: Path) -> str | None:
    """What a file plainly is that cannot be read as weights, the rest of a sentence: "is a picture ...".

    None where nothing tells. OSError where it cannot be read.
    """
    with path.open("rb") as file:
        began = file.read(LOOKED_AT)
    if not began:
        return "is empty; fetch it again."
    if POINTER.match(began):
        return "is a pointer of Git LFS, not the file it stands for; fetch that (git lfs pull)."
    if began.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(WEB):
        return f"is a web page, {NOT} (sites send one where they want a login); {AGAIN}."
    if began.startswith(PICTURES) or (began[:4] == b"RIFF" and began[8:12] == b"WEBP"):
        return f"is a picture, {NOT}; choose another."
    if began.startswith(ARCHIVES):
        return ARCHIVE
    if began.startswith(ZIPS):
        return _zip(path)
    if began.startswith(b"GGUF"):
        return "is a GGUF file, which is not read here; choose one in .safetensors."
    return f"is a text, {NOT}; {AGAIN}." if _is_text(began) else None


def _zip(path: Path) -> str | None:
    """None for one that may be one of torch's, broken in a way of its own."""
    is_safe = path.suffix.lower() == SAFE
    try:
        with zipfile.ZipFile(path) as archive:
            is_torch = any(name.endswith("data.pkl") for name in archive.namelist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError, RuntimeError):
        if not is_safe:  # cut short, as fetched in part
            return None
        is_torch = False
    if not is_torch:
        return ARCHIVE
    return f"is a pickle of torch's, which has to be called {_ending(path)}; rename it." if is_safe else None


def _ending(path: Path) -> str:
    """What a pickle's name ends in by what it holds."""
    try:
        return PICKLED.get(recognise(pickle_header(path)).kind, ".ckpt")
    except (OSError, ValueError):  # told when it is read by its right name
        return ".ckpt"


def _is_text(began: bytes) -> bool:
    """Whether bytes are the beginning of a text; a letter may be cut at their end."""
    try:
        began.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(began) - 3:
            return False
    return not CONTROLS & set(began)
