"""Gradio's page on its way to the browser: packed, and with a script that lightens what is built there."""

import gzip
from pathlib import Path
from typing import Any

from t2v.page.door.whole import Whole

PACKED = ("text/html", "text/css", "text/javascript", "application/javascript")
SCRIPT = Path(__file__).resolve().parents[1] / "static" / "front_page.js"
CONFIG, HEAD_ENDS = b"window.gradio_config = ", b"</head>"


class FrontPage:
    """ASGI middleware directly before Gradio; all but its page, its scripts and its styles just passes.

    The script runs when the page's configuration is there, and before Gradio's own, which are modules and
    wait for the whole document.
    """

    def __init__(self, app: Any) -> None:
        self._app = app
        self._script = b"<script>(" + SCRIPT.read_bytes().strip() + b")();</script>\n"

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            packs = b"gzip" in dict(scope["headers"]).get(b"accept-encoding", b"")
            send = _Packed(send, self._script, packs)
        await self._app(scope, receive, send)


class _Packed(Whole):
    """Gradio's page, its scripts and its styles, packed where the browser takes that."""

    def __init__(self, send: Any, script: bytes, packs: bool) -> None:
        super().__init__(send)
        self._script, self._packs = script, packs

    def held(self, start: Any) -> bool:
        return _is_of_page(start)

    def made(self, start: Any, body: bytes) -> tuple[Any, bytes]:
        if CONFIG in body:
            body = body.replace(HEAD_ENDS, self._script + HEAD_ENDS, 1)
        own = [(b"vary", b"accept-encoding")]
        if self._packs:
            body = gzip.compress(body, mtime=0)
            own.append((b"content-encoding", b"gzip"))
        return {**start, "headers": [*start["headers"], *own]}, body


def _is_of_page(message: Any) -> bool:
    told = {name.lower(): value for name, value in message["headers"]}
    is_packed = b"content-encoding" in told
    kind = told.get(b"content-type", b"").decode("latin-1")
    return message["status"] == 200 and not is_packed and kind.startswith(PACKED)
