"""What lies in the folder of models: each file with its kind, told by its header alone."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from t2v.checks import one_line
from t2v.weights.index import check_folder, read_index
from t2v.weights.models_folder import Named, contents, models_folder
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

    path: itself. kind: of a file that can be read. size: in bytes, None of a folder and where nobody knows.
    why: it is not drawn with as it stands, the rest of a sentence that begins with its name; None where it
    is. is_folder: it is a model's folder; video: of a trained video model.
    """

    name: str
    path: Path
    kind: FileKind | None
    size: int | None
    why: str | None
    is_folder: bool = False
    video: VideoKind | None = None

    @property
    def words(self) -> str:
        """What it is: "a checkpoint of Stable Diffusion 1.x"."""
        if self.kind is not None:
            return self.kind.words
        if self.video is not None:
            return f"a trained video model, {self.video.name}"
        return FOLDER if self.is_folder else "a file that cannot be read"

    @property
    def label(self) -> str:
        """What a picker calls it: "dream, Stable Diffusion 1.x, 2.1 GB"."""
        name = self.name if self.is_folder else PurePosixPath(self.name).with_suffix("").as_posix()
        plain = self.words.removeprefix("a ").removeprefix("model ")
        size = "" if self.size is None else size_words(self.size)
        told = (one_line(name), plain if self.kind is None else self.kind.family, size)
        return ", ".join(one for one in told if one)

    @property
    def is_lora(self) -> bool:
        """Whether models that are drawn with here may be given it as a LoRA."""
        return self.kind is not None and self.kind.kind == "lora" and not self.kind.other

    def draws(self, editor: bool) -> bool:
        """Whether a run may choose it. editor: one that follows instructions."""
        if self.kind is None:
            return self.why is None and not editor
        return why_not(self.kind, editor=editor) is None


def listed(folder: Path | None = None) -> tuple[Listed, ...]:
    """All that lies in a folder; None: in that of this process. Each file is looked at until it changes."""
    root = models_folder() if folder is None else folder
    return tuple(map(_entry, contents(root).named))


def _entry(named: Named) -> Listed:
    if named.is_folder:
        return _folder(named)
    path = named.path
    try:
        kind = look(path.name, path)
    except ModelError as error:
        why = str(error).removeprefix(f"{one_line(path.name)} ")
        return Listed(named.name, path, None, _size(path), why)
    return Listed(named.name, path, kind, kind.size, why_not(kind))


def _folder(named: Named) -> Listed:
    path, index, why = named.path, named.path / MODEL_INDEX, None
    video = by_index(index)
    try:
        if video is None:
            check_folder(str(path), read_index(path.name, index))
        else:
            check_video_folder(str(path), read_video_index(path.name, video, index))
    except ModelError as error:
        called = (path.name, str(path))  # the one or the other
        why = min((str(error).removeprefix(f"model {one_line(one)} ") for one in called), key=len)
    return Listed(named.name, path, None, None, why, True, video)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def on_offer(editor: bool, videos: bool = False) -> list[tuple[str, str]]:
    """What pickers list of the folder: label and name of what can be drawn with. videos: trained ones too."""
    drawing = (one for one in listed() if one.draws(editor))
    return [(one.label, one.name) for one in drawing if videos or one.video is None]
