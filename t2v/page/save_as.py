"""Next to the download: the finished video as another kind of file, made when it is asked for."""

import logging
import secrets
import tempfile
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.events import Dependency

from t2v.checks import InputError
from t2v.page.addresses import file_url
from t2v.page.notes import note_html
from t2v.video.convert import save_as
from t2v.video.formats import FORMATS, PNG

logger = logging.getLogger(__name__)

KEPT = 20  # copies; each is made again when it is asked for again
KINDS = [(f"As {kind.name}", ending) for ending, kind in FORMATS.items() if ending != PNG]
LABEL = "Save as"
SAVE, SAVING = "Save", "Saving …"
GONE = "What is shown here is not on the server any more; run it again."
OWN_FAULT = "The program itself failed in saving this ({kind}); the details are in its log."
SLOW = {"show_progress": "hidden", "api_visibility": "private", "preprocess": False, "concurrency_limit": 2}
# The browser loads the file as if its link had been clicked; the address goes, so that the next one is new.
LOAD = """(address) => {
    if (!address) return '';
    const link = document.createElement('a');
    link.href = address;
    link.download = decodeURIComponent(address.split('/').pop());
    document.body.append(link);
    link.click();
    link.remove();
    return '';
}"""


class Copies:
    """Videos as other kinds of files; those made last are kept, and all are gone when the program ends."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="copies-")
        self._made: OrderedDict[Hashable, Path] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def folder(self) -> Path:
        """Where the files are; the server must be allowed to give them out."""
        return Path(self._folder.name).resolve()

    def get(self, video: Path, ending: str, with_settings: bool) -> Path:
        """The copy of a finished video; the video itself where that is the same. Raises as ``save_as``."""
        if with_settings and video.suffix.lower() == ending:
            return video
        key, name = (video, ending, with_settings), f"{video.stem}{ending}"
        return self.made(key, name, lambda path: save_as(video, path, with_settings))

    def made(self, key: Hashable, name: str, make: Callable[[Path], object]) -> Path:
        """The file that is kept under the key; else ``make`` writes it, under this name."""
        with self._lock:
            found = self._made.get(key)
        if found is not None and found.is_file():
            return found
        place = self.folder / secrets.token_hex(12)
        place.mkdir()
        made = place / name
        make(made)
        with self._lock:
            self._made[key] = made
            over = [self._made.popitem(last=False)[1] for _ in range(len(self._made) - KEPT)]
        for old in over:
            old.unlink(missing_ok=True)
            old.parent.rmdir()
        return made


class SaveAs:
    """A choice of the kind of file, and a button; ``place()`` lays them out, ``wire()`` connects them.

    video_of: the finished video that is shown, by what ``shown`` holds; None where there is none.
    """

    def __init__(self, copies: Copies, video_of: Callable[[str], Path | None]) -> None:
        self._copies, self._video_of = copies, video_of

    def place(self) -> None:
        with gr.Row(elem_classes="save-row"):
            self.kind = gr.Dropdown(KINDS, value=".gif", label=LABEL, container=False, min_width=130, scale=2)
            self.with_settings = gr.Checkbox(
                True, label="With settings", container=False, min_width=160, scale=2
            )
            self.save = gr.Button(SAVE, size="sm", elem_classes="save", scale=1, min_width=90)
        self.note = gr.HTML("", elem_classes="notes", apply_default_css=False)
        self.address = gr.Textbox(visible=False)

    def wire(self, shown: gr.Textbox) -> None:
        """Connects them; shown: tells which video it is about."""
        inputs = [shown, self.kind, self.with_settings]
        outputs = [self.save, self.address, self.note]
        made = self.save.click(self._save, inputs, outputs, **SLOW)
        self.load_after(made)

    def load_after(self, made: Dependency) -> None:
        """The browser loads what an event has put into ``address``."""
        made.then(None, [self.address], [self.address], js=LOAD, queue=False, show_progress="hidden")

    def _save(self, shown: str, ending: object, with_settings: object) -> Iterator[tuple[Any, str, str]]:
        yield gr.update(value=SAVING, interactive=False), "", ""
        address, note = "", ""
        try:
            video = self._video_of(shown)
            if video is None or not isinstance(ending, str) or ending not in FORMATS:
                raise InputError(GONE)
            address = file_url(self._copies.get(video, ending, with_settings is not False))
        except InputError as error:
            note = note_html("error", str(error))
        except Exception as error:
            logger.exception("A video could not be saved as %s.", ending)
            note = note_html("error", OWN_FAULT.format(kind=type(error).__name__))
        yield gr.update(value=SAVE, interactive=True), address, note
