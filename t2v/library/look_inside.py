"""What lies in a folder of videos, and what each says of itself."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from t2v.checks import InputError
from t2v.tasks import TASKS
from t2v.video.header import read_header
from t2v.video.write import read_settings

SUFFIXES = (".mp4", ".gif", ".webm", ".webp", ".png")
SEEN = "seen"  # what models saw of clips: no videos of anybody's
MAX_DEPTH, MAX_FILES = 4, 50_000
ENDS_BYTES = 64 * 1024  # of a file's head and tail: two files alike in both and in length are the same
MARK = b"task"  # in the settings of every video of ours, however its file keeps them


@dataclass(frozen=True)
class Stat:
    """By which it is told that a file has not changed."""

    size_bytes: int
    changed_ns: int


@dataclass(frozen=True)
class Inside:
    """What is in a file. settings: None where it carries none of this program's."""

    fingerprint: str
    settings: Mapping[str, Any] | None = None
    frames: int = 0
    fps: float = 0.0
    width: int = 0
    height: int = 0


def videos_in(folder: Path, depth: int = 0) -> Iterator[tuple[Path, Stat]]:
    """The videos of a folder and of those in it; hidden ones and links are left out."""
    try:
        found = sorted(os.scandir(folder), key=lambda one: one.name)
    except OSError:
        return
    for one in found:
        if one.name.startswith(".") or (depth == 0 and one.name == SEEN):
            continue
        try:
            if one.is_dir(follow_symlinks=False):
                if depth < MAX_DEPTH:
                    yield from videos_in(Path(one.path), depth + 1)
            elif one.name.lower().endswith(SUFFIXES) and one.is_file(follow_symlinks=False):
                stat = one.stat(follow_symlinks=False)
                yield Path(one.path), Stat(stat.st_size, stat.st_mtime_ns)
        except OSError:  # gone while we look
            continue


def look_inside(path: Path) -> Inside:
    """What a video says of itself; of others than ours the fingerprint. OSError if it is gone."""
    head, tail, fingerprint = _ends(path)
    if path.suffix.lower() == ".mp4":
        header = read_header(path)
        settings = None if header is None else ours(_json(header.comment))
        if header is None or settings is None:
            return Inside(fingerprint)
        return Inside(fingerprint, settings, header.num_frames, header.fps, header.width, header.height)
    if MARK not in head and MARK not in tail:
        return Inside(fingerprint)
    try:
        settings = ours(read_settings(path))
    except InputError:
        settings = None
    return Inside(fingerprint) if settings is None else _as_told(fingerprint, settings)


def ours(settings: object) -> Mapping[str, Any] | None:
    """Settings that are of one of this program's tasks; None for anything else."""
    if not isinstance(settings, Mapping) or settings.get("task") not in TASKS:
        return None
    return settings if isinstance(settings.get("prompt"), str) else None


def _as_told(fingerprint: str, settings: Mapping[str, Any]) -> Inside:
    """Length and size by the settings, which say what a run came to, or what was done to it later."""
    later = settings.get("finished")
    last = later[-1] if isinstance(later, list) and later else None
    by = last if isinstance(last, Mapping) else settings
    told = {name: _number(by.get(name)) for name in ("num_frames", "fps", "width", "height")}
    scale = 1 if by is last else max(1, int(_number(settings.get("upscale"))))
    width, height = (scale * int(told[name]) for name in ("width", "height"))
    return Inside(fingerprint, settings, int(told["num_frames"]), told["fps"], width, height)


def _number(value: object) -> float:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e6
    return float(value) if is_number else 0.0  # type: ignore[arg-type]


def _json(text: str | None) -> object:
    try:
        return None if text is None else json.loads(text)
    except (ValueError, RecursionError):  # somebody else's comment
        return None


def _ends(path: Path) -> tuple[bytes, bytes, str]:
    """Head, tail, and the fingerprint made of both and the length."""
    with path.open("rb") as file:
        head = file.read(ENDS_BYTES)
        size = file.seek(0, os.SEEK_END)
        file.seek(max(len(head), size - ENDS_BYTES))
        tail = file.read(ENDS_BYTES)
    digest = hashlib.sha256(b"%d:" % size + head + tail).hexdigest()
    return head, tail, digest[:32]
