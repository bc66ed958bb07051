"""The app's own folder for uploads and previews: nobody else's, and gone at the end."""

import logging
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from t2v.checks import InputError
from t2v.program import OwnFolder

logger = logging.getLogger(__name__)

PREFIX = "t2v-server-"
UPLOADS = "uploads"
NAMES = ("GRADIO_TEMP_DIR", "TMPDIR")


@contextmanager
def own_temporary_folder() -> Iterator[Path]:
    """In this block whatever is temporary lies in a folder of this process; before Gradio is imported.

    It lies where GRADIO_TEMP_DIR says, else in the system's folder, and nobody else can look into it. What
    killed servers left there is removed, and nothing of those that live. InputError where there can be none.
    """
    chosen = os.environ.get("GRADIO_TEMP_DIR")
    try:
        parent = Path(chosen or tempfile.gettempdir()).resolve()
        parent.mkdir(parents=True, exist_ok=True)
        for path in OwnFolder.left_by_the_killed(parent, PREFIX):
            shutil.rmtree(path, ignore_errors=True)
            logger.info("Uploads and previews that a killed run left were removed.")
        folder = OwnFolder(parent, PREFIX)
    except OSError as error:
        where, why = chosen or "the system's temporary folder", error.strerror or error
        told = f"Uploads cannot be kept in {where} ({why}); name another by GRADIO_TEMP_DIR."
        raise InputError(told) from error
    before, tempdir = {name: os.environ.get(name) for name in NAMES}, tempfile.tempdir
    os.environ.update(zip(NAMES, (str(folder.path / UPLOADS), str(folder.path)), strict=True))
    tempfile.tempdir = str(folder.path)
    try:
        with folder as path:
            yield path
    finally:
        tempfile.tempdir = tempdir
        for name, value in before.items():
            os.environ.pop(name, None) if value is None else os.environ.update({name: value})
