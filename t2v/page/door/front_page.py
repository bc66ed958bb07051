"""Gradio's page on its way to the browser: packed, and with a script that lightens what is built there."""

import gzip
from pathlib import Path
from typing import Any

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
            send = _Whole(send, self._script, packs)
        await self._app(scope, receive, send)


class _Whole:
    """Sends an answer on; one of a kind that is packed is held until it is whole."""

    def __init__(self, send: Any, script: bytes, packs: bool) -> None:
        self._send, self._script, self._packs = send, script, packs
        self._held: Any = None
        self._body = bytearray()

    async def __call__(self, message: Any) -> None:
        if message["type"] == "http.response.start" and _is_of_page(message):
            self._held = message
        elif self._held is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_whole()

    async def _send_whole(self) -> None:
        body = bytes(self._body)
        if CONFIG in body:
            body = body.replace(HEAD_ENDS, self._script + HEAD_ENDS, 1)
        own = [(b"vary", b"accept-encoding")]
        if self._packs:
            body = gzip.compress(body, mtime=0)
            own.append((b"content-encoding", b"gzip"))
        others = [one for one in self._held["headers"] if one[0].lower() != b"content-length"]
        headers = [*others, *own, (b"content-length", str(len(body)).encode("ascii"))]
        await self._send({**self._held, "headers": headers})
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _is_of_page(message: Any) -> bool:
    told = {name.lower(): value for name, value in message["headers"]}
    is_packed = b"content-encoding" in told
    kind = told.get(b"content-type", b"").decode("latin-1")
    return message["status"] == 200 and not is_packed and kind.startswith(PACKED)
