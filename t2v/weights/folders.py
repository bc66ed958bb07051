"""Folders on people's disks, walked through without end, error or anything twice, whatever lies in them."""

import os
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from t2v.checks import counted

MOST_WALKED = 5000  # folders that one walk looks into


@dataclass(frozen=True)
class Folder:
    """A folder that was looked into. depth: 0 of the one a walk begins in. files: names in it, sorted."""

    path: Path
    depth: int
    files: tuple[str, ...]


@dataclass(frozen=True)
class LeftOut:
    """What a walk passes over. why: the rest of a sentence: "cannot be looked into (Permission denied)"."""

    path: Path
    why: str
    is_folder: bool = True


def walk(root: Path, deepest: int, enters: Callable[[Folder], bool]) -> Iterator[Folder | LeftOut]:
    """A folder and those in it, the nearest first; hidden ones, and what is no file or folder, are passed by.

    Each is looked into once, by whatever links it is reached, and then where it lies itself. deepest: how far
    down; enters: whether to look at the folders in one, too. What is taken away meanwhile is not told.
    """
    seen: set[object] = set()
    plain, linked = deque([(root, 0)]), deque[tuple[Path, int]]()
    while plain or linked:
        path, depth = (plain or linked).popleft()
        try:
            mark = _mark(path)
            if mark in seen:
                continue
            if len(seen) >= MOST_WALKED:
                yield LeftOut(root, f"has more in it than the {counted(MOST_WALKED, 'folder')} looked into")
                return
            seen.add(mark)
            inside = _Inside.of(path)
        except (FileNotFoundError, NotADirectoryError):  # taken away since
            continue
        except OSError as error:
            yield LeftOut(path, _closed(error))
            continue
        yield from inside.left_out
        folder = Folder(path, depth, tuple(sorted(inside.files)))
        yield folder
        if depth < deepest and enters(folder):
            plain.extend((path / name, depth + 1) for name in sorted(inside.plain))
            linked.extend((path / name, depth + 1) for name in sorted(inside.linked))


def folders_in(folder: Path) -> list[Path]:
    """The folders right in one, links to such too, sorted; none of one that cannot be looked into."""
    try:
        inside = _Inside.of(folder)
    except OSError:
        return []
    return sorted(folder / name for name in (*inside.plain, *inside.linked))


def why_closed(folder: Path) -> str | None:
    """Why a folder cannot be looked into, the rest of a sentence; None where it can, or where it is none."""
    try:
        _mark(folder)
        with os.scandir(folder):
            return None
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        return _closed(error)


def _closed(error: OSError) -> str:
    return f"cannot be looked into ({error.strerror})"


def _mark(folder: Path) -> object:
    """What a folder is known by, whatever way leads there; OSError where its names alone may be read."""
    told = os.stat(os.path.join(folder, "."))
    return (told.st_dev, told.st_ino) if told.st_ino else os.path.realpath(folder)


@dataclass(frozen=True)
class _Inside:
    """Names in one folder: of files, of folders, of links to folders, and what is neither and should be."""

    files: list[str]
    plain: list[str]
    linked: list[str]
    left_out: list[LeftOut]

    @classmethod
    def of(cls, folder: Path) -> "_Inside":
        """OSError for a folder that cannot be looked into."""
        found = cls([], [], [], [])
        with os.scandir(folder) as entries:
            for entry in entries:
                if not entry.name.startswith("."):
                    found._add(folder, entry)
        return found

    def _add(self, folder: Path, entry: os.DirEntry[str]) -> None:
        kind, why = None, None
        try:
            if entry.is_dir():
                kind = self.linked if entry.is_symlink() else self.plain
            elif entry.is_file():
                kind = self.files
            elif entry.is_symlink() and not (folder / entry.name).exists():
                why = "is a link to what is not there"
        except OSError as error:
            why = f"cannot be looked at ({error.strerror})"
        if kind is not None and not _is_text(entry.name):
            why = "has a name that is no text; give it another"
        if why is not None:
            is_folder = kind is self.plain or kind is self.linked
            self.left_out.append(LeftOut(folder / entry.name, why, is_folder))
        elif kind is not None:
            kind.append(entry.name)


def _is_text(name: str) -> bool:
    """Whether a name can be stored and sent; in others some bytes stand for no letter."""
    return name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name)
