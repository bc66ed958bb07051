"""What tells weights on this disk from later ones in their place: a few looks at the disk, nothing is read.

Whoever keeps what was read from a file keeps its mark too, taken before the reading; where that has changed,
what is kept is let go and read anew. So half a file is read once more when it is whole.
"""

import os
from collections.abc import Hashable, Iterator, Mapping
from pathlib import Path

READ = (".safetensors", ".bin", ".json", ".txt", ".model")  # endings of what is read of a folder
Mark = Hashable  # None: nothing is there
Marks = Mapping[str, Mark]  # by place


def file_mark(path: Path, *beside: Path) -> Mark:
    """Of a file, by its times, its size and its number on the disk; beside: of files that are read with it.

    Its second time changes also with who may read it. None where it is not there.
    """
    own, *others = (_told(one) for one in (path, *beside))
    return None if own is None else (own, *others)


def folder_mark(folder: Path) -> Mark:
    """Of a folder of diffusers', by all files of weights and configurations in it and in its folders."""
    told = {file: _told(Path(file)) for file in _files(folder)}
    return tuple(sorted(told.items())) or None


def place_mark(place: str) -> Mark:
    """Of weights: a file and the .yaml beside it, a folder, or a hub id as it was fetched last."""
    path = Path(place)
    try:
        if path.is_file():
            return file_mark(path, path.with_suffix(".yaml"))
        if path.is_dir():
            return folder_mark(path)
    except (OSError, ValueError):  # a name that no file can have
        return None
    return _fetched(place)


def taken(before: Mark, after: Mark) -> Mark:
    """The mark of what was read between the two: what was not there before has been fetched."""
    return after if before is None else before


def _told(path: Path) -> tuple[int, ...] | None:
    try:
        told = os.stat(path)
    except (OSError, ValueError):
        return None
    return told.st_mtime_ns, told.st_ctime_ns, told.st_size, told.st_ino


def _files(folder: Path, depth: int = 1) -> Iterator[str]:
    try:
        inside = list(os.scandir(folder))
    except OSError:
        return
    for one in inside:
        if one.name.endswith(READ):
            yield one.path
        elif depth and one.is_dir() and not one.name.startswith("."):
            yield from _files(Path(one.path), depth - 1)


def _fetched(hub_id: str) -> Mark:
    """Which state of a hub id was fetched last; None where none was."""
    from huggingface_hub import constants  # its import takes a while
    from huggingface_hub.file_download import repo_folder_name

    try:
        folder = repo_folder_name(repo_id=hub_id, repo_type="model")
        return (Path(constants.HF_HUB_CACHE) / folder / "refs" / "main").read_text()
    except (OSError, ValueError):  # it is no hub id, either
        return None
