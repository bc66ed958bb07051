"""How the page's handlers are called: what ``gr.on`` and its kin are told beside function and fields."""

from typing import Any

QUIET: dict[str, Any] = {"queue": False, "show_progress": "hidden", "api_visibility": "private"}
RAW: dict[str, Any] = {**QUIET, "preprocess": False}  # settings.check() refuses, in the page; no toast does
