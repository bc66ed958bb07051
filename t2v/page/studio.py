"""What the tabs of a page are built around."""

from dataclasses import dataclass, field
from pathlib import Path

from gradio.utils import get_upload_folder

from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.page.clip.fetches import Fetches
from t2v.page.glances import Glances
from t2v.page.library.shelf import Shelf
from t2v.page.save_as import Copies
from t2v.weights.source import BUNDLED

FETCHED = (".mp4", ".webm", ".gif", ".webp", ".png")  # what a library has, of which programs are sent copies


@dataclass(frozen=True)
class Studio:
    """The engine, its queue, the model that is chosen at first, and glances at clips.

    is_open: whether others than the owner of this machine are served. knows_owner: whether who is at the
    machine itself can be told from them. shelf: the library, where there is one.
    """

    engine: Engine
    jobs: Jobs
    default_model: str = BUNDLED
    glances: Glances = field(default_factory=Glances)
    is_open: bool = False
    shelf: Shelf | None = None
    knows_owner: bool = False
    copies: Copies = field(default_factory=Copies)
    fetches: Fetches = field(default_factory=Fetches)

    def gives_out(self, path: Path, who: str | None = None) -> bool:
        """Whether the page may show this file: a video of a run, a glance, or what a program fetches.

        path: real. who: asks for it, None where nobody is told apart. Programs are sent copies of results,
        which lie in Gradio's own folder as uploads do.
        """
        if path.is_relative_to(self.copies.folder):
            return not path.name.startswith(".")
        of_library = None if self.shelf is None else self.shelf.gives_out(path, who)
        if of_library is not None:
            return of_library
        if path.is_relative_to(Path(get_upload_folder()).resolve()):
            return path.suffix.lower() in FETCHED and not path.name.startswith(".")
        if path.suffix.lower() != ".mp4":
            return False
        if path.parent == self.glances.folder:
            return not path.name.startswith(".")
        return self.jobs.has_made(path)
