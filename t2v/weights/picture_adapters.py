"""Which IP-Adapters lie here, for which models and with which image encoder, by headers alone. No torch.

An adapter is named by its file, by a folder that has one, or by its name in the folder of models. It wants
an image encoder as wide as it reads, which is looked for beside it and in the folder of models, or stands
behind the name: ADAPTER+FOLDER.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Any

from t2v.weights.files import is_file, is_folder, read_object
from t2v.weights.folders import folders_in
from t2v.weights.marks import Mark, file_mark
from t2v.weights.meant import absent
from t2v.weights.models_folder import (
    MOST_NETWORKS,
    contents,
    files_of_folder,
    models_folder,
    networks_of_folder,
)
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.generations import GENERATIONS, by_width
from t2v.weights.single_file.header import Tensor, read_header
from t2v.weights.source import CONFIG, Source, as_path, full_name, is_there
from t2v.weights.told import told_family

KIND = "ip-adapter"
ENCODER = "image_encoder"  # the folder that adapters are given out with
ENCODER_MODEL = "clip_vision_model"
KEYS = re.compile(r"ip_adapter\.(\d+)\.to_k_ip\.weight", re.ASCII)
# tensors that only adapters for faces have, the second where a plain one's first is missing
FACES, FACE = "image_proj.perceiver_resampler.proj_in.weight", "image_proj.norm.weight"
# tensors that are as wide as what an adapter reads of a picture: of the whole, of its parts, of all parts
WHOLE, PARTS, ALL = "image_proj.proj.weight", "image_proj.proj_in.weight", "image_proj.proj.0.weight"
PUT = "put an IP-Adapter and the folder image_encoder that belongs to it into the folder of models"


@dataclass(frozen=True)
class PictureAdapter:
    """An IP-Adapter's file. name: what people call it. encoder: the folder of its image encoder.

    reads_whole: it reads what the encoder makes of the whole picture, else what it makes of its parts.
    text_width: of the text that models read which it is for.
    """

    name: str
    path: Path
    encoder: Path
    reads_whole: bool
    text_width: int


@dataclass(frozen=True)
class _Shape:
    """text_width: 0 where nothing tells. reads: how wide what it reads of a picture is."""

    text_width: int
    reads_whole: bool
    reads: int
    is_for_faces: bool


def picture_adapter(name: str, width: int | None = None) -> PictureAdapter:
    """The adapter of this name; ModelError where there is none that can be used.

    width: of the text that the model reads, by which one of several in a folder is chosen.
    """
    given, encoder = _cut(name)
    path = _file(given, width)
    shape = _shape(given, path)
    if shape.is_for_faces:
        told = "is for faces that a recogniser has measured (FaceID), which there is not here"
        raise ModelError(f"ip_adapter {given} {told}; choose a plain one, or one called plus.")
    if width is not None and shape.text_width != width:
        made_for, own = (by_width(one) for one in (shape.text_width, width))
        told = f"is made for {'another model' if made_for is None else made_for.name}"
        needed = "for the model that is drawn with" if own is None else f"for {own.name}"
        raise ModelError(f"ip_adapter {given} {told}; choose one made {needed}.")
    found = _encoder(given, path, shape) if encoder is None else _checked(given, as_path(encoder), shape)
    return PictureAdapter(given, path, found, shape.reads_whole, shape.text_width)


def adapters_for(width: int | None) -> tuple[str, ...]:
    """Names of the adapters in the folder of models that models reading such text can be given.

    With their image encoders; none where nobody knows how wide the text is.
    """
    found: list[str] = []
    for one in contents(models_folder()).named if width is not None else ():
        if not one.is_folder and _kind(one.path) == KIND:
            try:
                picture_adapter(str(one.path), width)
            except (ModelError, OSError, ValueError):  # for another model, without its encoder, or gone since
                continue
            found.append(one.name)
    return tuple(found)


def chosen_adapter(asked: str | None, width: int | None) -> PictureAdapter:
    """The adapter that is asked for, or the first that fits; ModelError without any."""
    name = next(iter(adapters_for(width)), None) if asked is None else asked
    if name is None:
        raise ModelError(
            "picture_prompt is given, and there is no IP-Adapter for this model; name one (ip_adapter), or "
            f"{PUT}."
        )
    return picture_adapter(name, width)


def told_width(model: str) -> int | None:
    """How wide the text is that a model reads, as far as that is known without loading it."""
    source = Source.parse(model)
    try:
        if source.kind in ("bundled", "folder"):
            width: Any = read_object(source.folder / "unet" / CONFIG)["cross_attention_dim"]
            return width if isinstance(width, int) else None
        if source.kind == "file":
            generation = look(source.base, source.folder).generation
            return None if generation is None else generation.text_width
    except (OSError, ValueError, KeyError, ModelError):
        return None
    family = told_family(source)
    known = () if family is None else family.generations
    return next((one.text_width for one in GENERATIONS if one.key in known), None)


def _cut(name: str) -> tuple[str, str | None]:
    """The adapter's name, and that of the image encoder behind a plus, where one is."""
    before, plus, behind = name.rpartition("+")
    alone = not plus or is_there(full_name(name))
    return (full_name(name), None) if alone else (full_name(before), full_name(behind))


def _file(name: str, width: int | None) -> Path:
    path = as_path(name)
    if name.strip() and is_file(path):
        return path
    if not name.strip() or not is_folder(path):
        raise absent("ip_adapter", name, "its file, or a folder that has it")
    inside = [one for one in files_of_folder(path) if is_file(one)]
    found = {one: _shape(one.name, one) for one in inside if _kind(one) == KIND}
    if not found:
        raise ModelError(f"ip_adapter {name} is a folder without an IP-Adapter; give the adapter's file.")
    plain = [one for one, shape in found.items() if not shape.is_for_faces]
    fitting = [one for one in plain if width in (None, found[one].text_width)]
    return next(iter((*fitting, *plain, *found)))


def _kind(path: Path) -> str:
    try:
        return look(path.name, path).kind
    except ModelError:
        return ""


def _shape(name: str, path: Path) -> _Shape:
    kind = look(f"ip_adapter {name}", path)
    if kind.kind != KIND:
        raise ModelError(f"ip_adapter {name} is {kind.words}; choose an IP-Adapter.")
    shape = _shaped(path, file_mark(path))
    if not shape.is_for_faces and 0 in (shape.reads, shape.text_width):
        broken = "has names of its tensors that are not known here"
        raise ModelError(f"ip_adapter {name} {broken}; choose another IP-Adapter.")
    return shape


@lru_cache(maxsize=64)
def _shaped(path: Path, mark: Mark) -> _Shape:
    """mark: of the file as it is now: one that has changed is looked at anew."""
    names = read_header(path).tensors
    text = next((one.shape[-1] for name, one in names.items() if KEYS.fullmatch(name) and one.shape), 0)
    is_for_faces = FACES in names or (FACE in names and WHOLE not in names)
    reads = next((name for name in (WHOLE, PARTS, ALL) if name in names), "")
    width = names.get(reads, Tensor("", (0,))).shape[-1:]
    return _Shape(text, reads == WHOLE, width[0] if width else 0, is_for_faces)


def _encoder(name: str, path: Path, shape: _Shape) -> Path:
    """The image encoder of an adapter, of those that lie near the one that is as wide as it reads."""
    found = next((one for one in _encoders(path) if _width(one, shape) == shape.reads), None)
    if found is None:
        wanted = f"wants an image encoder (CLIPVisionModelWithProjection) {shape.reads} wide"
        put = f"put the folder {ENCODER} that belongs to it beside it"
        raise ModelError(f"ip_adapter {name} {wanted}, and there is none; {put}, or name it: {name}+FOLDER.")
    return found


def _checked(name: str, folder: Path, shape: _Shape) -> Path:
    width = _width(folder, shape)
    if width != shape.reads:
        is_one = "is no image encoder" if width is None else f"is an image encoder {width} wide"
        raise ModelError(
            f"ip_adapter {name} wants an image encoder {shape.reads} wide, and {folder.name} {is_one}; name "
            "the folder of the one that belongs to it."
        )
    return folder


def _width(folder: Path, shape: _Shape) -> int | None:
    """How wide what an encoder gives is, as this adapter reads it; None where it is no encoder."""
    try:
        config = read_object(folder / CONFIG)
    except (OSError, ValueError):
        return None
    width = config.get("projection_dim" if shape.reads_whole else "hidden_size")
    is_one = config.get("model_type") == ENCODER_MODEL and isinstance(width, int)
    return width if is_one else None


def _encoders(path: Path) -> Iterator[Path]:
    """Folders that may be an adapter's image encoder, the nearest first."""
    yield path.parent / ENCODER
    yield path.parent.parent / ENCODER
    near = (one / ENCODER for one in folders_in(path.parent.parent))
    yield from islice((one for one in near if is_file(one / CONFIG)), MOST_NETWORKS)
    yield from networks_of_folder(models_folder())
