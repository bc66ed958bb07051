"""One tab alone, for a page of one's own: what the original's app files gave with ``create_demo(model)``."""

from weakref import WeakKeyDictionary

import gradio as gr

from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.library.results import OUTPUTS
from t2v.page.glances import Glances
from t2v.page.layout import build_page
from t2v.page.studio import Studio

_studios: WeakKeyDictionary[Engine, Studio] = WeakKeyDictionary()


def create_demo(engine: Engine, task: str) -> gr.Blocks:
    """The tab of a task, alone or inside of a ``gr.Blocks`` that is being laid out.

    Launch the page with ``**looks(studio_of(engine))`` (see ``t2v.page.serve``), or the videos cannot be
    shown. Tabs on one engine take turns in one queue; videos go to outputs/.
    """
    return build_page(studio_of(engine), (task,))


def studio_of(engine: Engine) -> Studio:
    """What the tabs on this engine share; made when the first is."""
    if engine not in _studios:
        _studios[engine] = Studio(engine, Jobs(engine, OUTPUTS), glances=Glances(engine.device))
    return _studios[engine]
