"""What ControlNets and T2I-Adapters are for, told without loading them, and those in the folder of models.

By headers and configurations alone, without torch: which generation of Stable Diffusion, and networks of
which widths there. A model is told by the same, so that what does not fit is refused before a run.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

from t2v.checks import one_line
from t2v.weights.beside import find_controlnet
from t2v.weights.files import read_object, weights_bytes
from t2v.weights.folder_kinds import CLASSES, GUIDES
from t2v.weights.listing import Listed, listed
from t2v.weights.marks import Mark, file_mark
from t2v.weights.models_folder import models_folder, networks_of_folder
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_controlnet, look, why_not
from t2v.weights.single_file.details import ADAPTER, CONTROL, UNET, Names, text_width, within
from t2v.weights.single_file.generations import FOLDED, GENERATIONS, Generation, by_structure, by_width
from t2v.weights.single_file.header import read_header
from t2v.weights.single_file.kinds import KINDS, FileKind
from t2v.weights.sizes import size_words
from t2v.weights.source import CONFIG, Source
from t2v.weights.told import told_family

FIRST = ("input_blocks.0.0.weight", "conv_in.weight")  # a UNet's and a ControlNet's first layer
FIRST_OF_ADAPTER = ("conv_in.weight", "body.0.out_conv.weight")  # as wide as its first level
BUNDLED_NAME = "the miniature"


def generally() -> str:
    """Advice where nobody knows what lies here."""
    return "choose one made for that"


@dataclass(frozen=True)
class Build:
    """What a network's files tell of it, or a model's of its UNet; each None where they do not.

    generation: that it is of, or for. text_width: of the text that it reads. first_width: channels of its
    first level. is_bundled: of this project's own model.
    """

    generation: Generation | None = None
    text_width: int | None = None
    first_width: int | None = None
    is_bundled: bool = False

    @property
    def name(self) -> str:
        """What it is of, or for, in words."""
        if self.is_bundled:
            return BUNDLED_NAME
        return "another kind of model" if self.generation is None else self.generation.name

    def fits(self, model: "Build") -> bool:
        """Whether nothing tells that it is for another model."""
        mine, theirs = ((one.generation, one.text_width, one.first_width) for one in (self, model))
        return all(a is None or b is None or a == b for a, b in zip(mine, theirs, strict=True))

    def is_of_another(self, model: "Build") -> bool:
        """Whether it does not fit because it is for a model of another name, as people know them."""
        both = (self.generation, model.generation)
        is_other = None not in both and both[0] is not both[1]
        return not self.fits(model) and (is_other or self.is_bundled is not model.is_bundled)


@dataclass(frozen=True)
class Guide:
    """A ControlNet or T2I-Adapter in the folder of models. name: what people and settings call it.

    kind: "controlnet" or "t2i-adapter". size: in bytes, None where nobody knows.
    """

    name: str
    path: Path
    kind: str
    build: Build
    size: int | None = None
    is_folder: bool = False

    @property
    def label(self) -> str:
        """What a picker calls it: "control_depth, ControlNet for Stable Diffusion 1.x, 1.4 GB"."""
        what = KINDS[self.kind].partition(" ")[2]
        family = "" if self.build.generation is None else f" for {self.build.generation.name}"
        name = self.name if self.is_folder else PurePosixPath(self.name).with_suffix("").as_posix()
        told = (one_line(name), f"{what}{family}")
        return ", ".join(told if self.size is None else (*told, size_words(self.size)))


def guides() -> tuple[Guide, ...]:
    """All in the folder of models that can be given to some model: files, and folders with one network."""
    return (*_files(), *_folders(models_folder()))


def guides_for(model: str) -> tuple[Guide, ...]:
    """Those of which nothing tells that they are not for this model."""
    own = build_of_model(model)
    return tuple(one for one in guides() if one.build.fits(own))


def _files() -> Iterator[Guide]:
    for one in listed():
        if one.kind is None or one.kind.kind not in GUIDES:
            continue
        try:
            check_controlnet(one.name, one.path)
            yield Guide(one.name, one.path, one.kind.kind, _of_file(one.path), one.size)
        except (ModelError, OSError, ValueError):  # which nothing can be given
            continue


def listed_networks(root: Path) -> tuple[Listed, ...]:
    """The folders with one in a folder of models, as its files are listed."""
    return tuple(map(_entry, _folders(root)))


def _entry(one: Guide) -> Listed:
    kind = FileKind(one.kind, one.build.generation, size=0 if one.size is None else one.size)
    return Listed(one.name, one.path, kind, one.size, why_not(kind), one.is_folder)


def _folders(root: Path) -> Iterator[Guide]:
    for folder in networks_of_folder(root) if root.is_dir() else ():
        try:
            config = read_object(folder / CONFIG)
        except (OSError, ValueError):
            continue
        kind = CLASSES.get(str(config.get("_class_name")))
        if kind not in GUIDES or config.get("global_pool_conditions"):
            continue
        yield Guide(
            folder.relative_to(root).as_posix(), folder, kind, build_of(config), weights_bytes(folder), True
        )


def build_of(config: Mapping[str, Any], is_bundled: bool = False) -> Build:
    """What the configuration of a UNet, ControlNet or T2I-Adapter tells. is_bundled: it is this project's."""
    if "downscale_factor" in config:
        side = config["downscale_factor"]
        made_for = FOLDED.get(side) if isinstance(side, int) else None
        return Build(made_for, None, _first(config.get("channels")), is_bundled)
    width, widths = config.get("cross_attention_dim"), config.get("block_out_channels")
    if not isinstance(width, int):
        return Build(None, None, _first(widths), is_bundled)
    is_told = config.get("addition_embed_type") is not None
    of = by_structure(width, is_told, config.get("use_linear_projection") is True)
    return Build(of, width, _first(widths), is_bundled)


def build_of_guide(source: str, task: str, instead: Callable[[], str] | None = None) -> Build:
    """What a ControlNet's or T2I-Adapter's files tell, nothing of a hub id; ModelError where it is none.

    instead: what to choose where it is not there, the rest of a sentence.
    """
    place = Path(find_controlnet(source, task, instead))
    if place.is_file():
        check_controlnet(source, place)
    try:
        if place.is_file():
            return _of_file(place)
        if place.is_dir():
            return build_of(read_object(place / CONFIG), Source.parse(source).is_bundled)
    except (OSError, ValueError):  # whoever loads it says so
        pass
    return Build()


def build_of_model(model: str) -> Build:
    """What the files of a model tell of its UNet; of a hub id its name, where that is known here."""
    source = Source.parse(model)
    try:
        if source.kind in ("bundled", "folder"):
            return build_of(read_object(source.folder / "unet" / CONFIG), source.is_bundled)
        if source.kind == "file":
            return _of_file(source.folder)
    except (OSError, ValueError, ModelError):
        return Build()
    family = told_family(source) if source.kind == "hub" else None
    if family is None:
        return Build()
    # of a family with several the first, which its own models on the hub are of
    return Build(next(one for one in GENERATIONS if one.key in family.generations))


def check_guide(source: str, task: str, model: str, instead: Callable[[], str] | None = None) -> None:
    """ModelError where a ControlNet or T2I-Adapter is not there, or files tell that it is for another model.

    instead: advice, the rest of a sentence: "choose depth.safetensors".
    """
    guide = build_of_guide(source, task, instead)
    refuse_another(source, guide, build_of_model(model), generally if instead is None else instead)


def refuse_another(source: str, guide: Build, own: Build, instead: Callable[[], str] = generally) -> None:
    """ModelError where both tell that they are of different models, by the names that people know."""
    if guide.is_of_another(own):
        made = "is the bundled model's own" if guide.is_bundled else f"is for {guide.name}"
        is_own = own.name if own.is_bundled else f"of {own.name}"
        raise ModelError(f"controlnet {source} {made}, and the model is {is_own}; {instead()}.")


def _of_file(path: Path) -> Build:
    return _read(path, file_mark(path))


@lru_cache(maxsize=512)
def _read(path: Path, mark: Mark) -> Build:
    """mark: of the file as it is now: one that has changed is looked at anew."""
    kind, names = look(path.name, path), read_header(path).tensors
    if kind.kind == "t2i-adapter":
        return Build(kind.generation, None, _channels(within(names, ADAPTER), FIRST_OF_ADAPTER))
    core = within(names, CONTROL if kind.kind == "controlnet" else UNET)
    width = text_width(core)
    named = None if width is None else by_width(width)
    return Build(kind.generation if named is None else named, width, _channels(core, FIRST))


def _channels(core: Names, layers: tuple[str, ...]) -> int | None:
    first = next((core[name] for name in layers if name in core), None)
    return None if first is None or not first.shape else first.shape[0]


def _first(widths: object) -> int | None:
    return widths[0] if isinstance(widths, (list, tuple)) and widths and isinstance(widths[0], int) else None
