"""What a page or an answer shows, as addresses: files of ours, and pictures that are their own address."""

import base64
import os
from pathlib import Path
from urllib.parse import quote


def webp_address(picture: bytes) -> str:
    """The address, ``data:…``, that is a WebP itself."""
    return "data:image/webp;base64," + base64.b64encode(picture).decode("ascii")


def file_url(path: Path) -> str:
    """The page's address of a file in the output folder; relative, so that it works behind proxies too."""
    shown = os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    return "gradio_api/file=" + quote(Path(shown).as_posix())
