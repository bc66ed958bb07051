"""What lies in the folder of models: each file with its kind, told by its header alone."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from t2v.weights.index import check_folder, read_index
from t2v.weights.models_folder import files_of_folder, models_folder
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look, why_not
from t2v.weights.single_file.kinds import FileKind
from t2v.weights.sizes import size_words
from t2v.weights.source import MODEL_INDEX
from t2v.weights.video_folder import check_video_folder, read_video_index
from t2v.weights.video_kinds import VideoKind, by_index

FOLDER = "a model in diffusers' format"


@dataclass(frozen=True)
class Listed:
    """A file of weights, or a model's folder. name: what people and settings call it, wherever the folder is.

    path: itself. kind: of a file that can be read. size: in bytes, 0 for a folder. why: it is not drawn with
    as it stands, the rest of a sentence that begins with its name; None where it is. video: of a trained
    video model's folder.
    """

    name: str
    path: Path
    kind: FileKind | None
    size: int
    why: str | None
    video: VideoKind | None = None

    @property
    def words(self) -> str:
        """What it is: "a checkpoint of Stable Diffusion 1.x"."""
        if self.kind is not None:
            return self.kind.words
        if self.video is not None:
            return f"a trained video model, {self.video.name}"
        return FOLDER if self.path.is_dir() else "a file that cannot be read"

    @property
    def label(self) -> str:
        """What a picker calls it: "dream, Stable Diffusion 1.x, 2.1 GB"."""
        family = (
            self.words.removeprefix("a ").removeprefix("model ") if self.kind is None else self.kind.family
        )
        told = [self.path.stem if self.path.is_file() else self.name, family]
        return ", ".join([*told, size_words(self.size)] if self.size else told)

    def draws(self, editor: bool) -> bool:
        """Whether a run may choose it. editor: one that follows instructions."""
        if self.kind is None:
            return self.why is None and not editor
        return why_not(self.kind, editor=editor) is None


def listed(folder: Path | None = None) -> tuple[Listed, ...]:
    """All that lies in a folder; None: in that of this process. Each file is looked at until it changes."""
    root = models_folder() if folder is None else folder
    paths = files_of_folder(root) if root.is_dir() else []
    often = Counter(path.name for path in paths)
    return tuple(_entry(path, root, often[path.name] > 1 or path.is_dir()) for path in paths)


def _entry(path: Path, root: Path, by_path: bool) -> Listed:
    name = path.relative_to(root).as_posix() if by_path else path.name
    if path.is_dir():
        return _folder(name, path)
    try:
        kind = look(path.name, path)
    except ModelError as error:
        return Listed(name, path, None, _size(path), str(error).removeprefix(f"{path.name} "))
    return Listed(name, path, kind, kind.size, why_not(kind))


def _folder(name: str, path: Path) -> Listed:
    index, why = path / MODEL_INDEX, None
    video = by_index(index)
    try:
        if video is None:
            check_folder(str(path), read_index(path.name, index))
        else:
            check_video_folder(str(path), read_video_index(path.name, video, index))
    except ModelError as error:
        why = str(error).removeprefix(f"model {path.name} ")
    return Listed(name, path, None, 0, why, video)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def on_offer(editor: bool, videos: bool = False) -> list[tuple[str, str]]:
    """What pickers list of the folder: label and name of what can be drawn with. videos: trained ones too."""
    drawing = (one for one in listed() if one.draws(editor))
    return [(one.label, one.name) for one in drawing if videos or one.video is None]
