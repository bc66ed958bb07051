"""The tab "Edges" alone: served by ``python app_canny.py``, or laid out by create_demo."""

from typing import TYPE_CHECKING

from t2v.page.start import app

if TYPE_CHECKING:
    import gradio as gr

    from t2v.engine.engine import Engine

TASK = "canny"


def create_demo(model: "Engine") -> "gr.Blocks":
    """The tab, as in the original: model is the engine, or the root's Model; see ``t2v.page.alone``."""
    from t2v.page import alone

    return alone.create_demo(model, TASK)


if __name__ == "__main__":
    app("app_canny.py", tasks=(TASK,))
