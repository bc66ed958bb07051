"""Pictures in: one still picture of any size from a file that anyone may have made, and one out.

Of what Pillow can read only formats that its own code or libraries made for hostile files decode are let in,
and of those no more pixels than of a clip's frames.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from t2v.checks import InputError
from t2v.video.guarded_ffmpeg import MAX_PIXELS
from t2v.video.video import Video, fit_video

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
READABLE = "png, jpg, webp, gif or bmp"
MAX_BYTES = 64 * 1024**2
# A progressive JPEG may say in two bytes that the whole picture is to be gone through once more: a small file
# could keep a machine busy for hours. Cameras and programs write some ten of such scans.
MAX_SCANS = 200
START_OF_SCAN = b"\xff\xda"
WHITE = (255, 255, 255, 255)
ORIENTATION, UPRIGHT, SIDEWAYS = 0x0112, 1, (5, 6, 7, 8)  # EXIF's tag, and values of it


def check_picture(path: str | os.PathLike[str], name: str = "first_frame") -> tuple[int, int]:
    """(width, height) of a picture as it is shown, by a look at its head; InputError where it cannot be read.

    name: what the sentence calls the field.
    """
    return _opened(Path(path), name, _size)


def read_picture(path: str | os.PathLike[str], name: str = "first_frame") -> np.ndarray:
    """A picture (png, jpg, webp, gif, bmp), uint8 RGB (h, w, 3), upright as its EXIF says.

    Transparent parts become white, of an animated file the first frame is taken, sixteen bits become eight.
    InputError, naming the file, if it cannot be read. name: as above.
    """
    return _opened(Path(path), name, lambda image: np.array(_on_white(_upright(image))))


def fitted_picture(path: str | os.PathLike[str], width: int, height: int) -> np.ndarray:
    """A picture scaled to cover so many pixels and cut to its middle, as clips are: uint8 RGB (h, w, 3)."""
    fitted: np.ndarray = fit_video(Video(read_picture(path)[None], 1), width=width, height=height).frames[0]
    return fitted


def write_picture(path: Path, picture: np.ndarray) -> Path:
    """Write uint8 RGB (h, w, 3) as a PNG, without loss, and return its path."""
    Image.fromarray(picture).save(path, "PNG")
    return path


def _opened(path: Path, name: str, use: Callable[[Image.Image], Any]) -> Any:
    """What ``use`` gives of an open picture; whatever else is raised becomes one sentence."""
    _check_file(path, name)
    try:
        with Image.open(path, formats=FORMATS) as image:
            _check_size(image, path)
            return use(image)
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise InputError(f"{path.name} is too large; at most {MAX_PIXELS:,} pixels are read.") from None
    except UnidentifiedImageError:
        raise InputError(f"{path.name} is not a picture that can be read; give one in {READABLE}.") from None
    except Exception as error:  # Pillow raises what its parsers stumble over: struct.error, SyntaxError ...
        raise InputError(f"{path.name} is damaged or cut off; save or download it again.") from error


def _check_file(path: Path, name: str) -> None:
    shown = f"{name} is '{str(path)[:200]}'"
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
        size = path.stat().st_size if is_file else 0
    except (OSError, ValueError):  # a name that no file can have
        raise InputError(f"{shown}, which is no file's name; give the path of a picture.") from None
    if is_folder:
        raise InputError(f"{shown}, which is a folder; give the path of a picture.")
    if not is_file:
        raise InputError(f"{shown}, and there is no such file; give the path of a picture ({READABLE}).")
    if size == 0:
        raise InputError(f"{path.name} is empty; give a picture ({READABLE}).")
    if size > MAX_BYTES:
        raise InputError(f"{path.name} has more than {MAX_BYTES // 2**20} MB; save it smaller, as a jpg.")
    with path.open("rb") as file:
        is_jpeg = file.read(3) == b"\xff\xd8\xff"
        if is_jpeg and len(re.findall(re.escape(START_OF_SCAN), file.read())) > MAX_SCANS:
            raise InputError(f"{path.name} is made to take hours to read; save it again, as a png.")


def _check_size(image: Image.Image, path: Path) -> None:
    if image.width * image.height > MAX_PIXELS:
        size = f"{image.width}x{image.height}"
        raise InputError(f"{path.name} is {size}; at most {MAX_PIXELS:,} pixels are read.")


def _size(image: Image.Image) -> tuple[int, int]:
    width, height = image.size
    return (height, width) if _orientation(image) in SIDEWAYS else (width, height)


def _orientation(image: Image.Image) -> int:
    """EXIF's, 1..8; 1, upright, where there is none or it is broken."""
    try:
        return int(image.getexif().get(ORIENTATION, UPRIGHT))
    except Exception:  # whatever a broken EXIF brings about
        return UPRIGHT


def _upright(image: Image.Image) -> Image.Image:
    turned = _orientation(image) != UPRIGHT
    image.load()
    return ImageOps.exif_transpose(image) if turned else image


def _on_white(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I") or image.mode == "F":  # sixteen bits, of which Pillow would cut the upper
        values = np.asarray(image).astype(np.float32) / 257
        return Image.fromarray(values.round().clip(0, 255).astype(np.uint8)).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layer.size, WHITE), layer).convert("RGB")
