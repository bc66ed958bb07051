"""ASGI middleware before Gradio: each gate looks at a request and lets it pass or answers it itself."""

import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from t2v.page.door.answers import OWN_FAULT, InWords
from t2v.page.space import is_space

logger = logging.getLogger(__name__)

# What a gate gives: its own answer, the request to go on with instead, or None for the one that came.
Gate = Callable[[Request], Awaitable[Response | Request | None]]
API = "/gradio_api"
# Nothing the page shows may be fetched from elsewhere, whatever a component would like to load.
CONTENT_POLICY = "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'"
NOT_FRAMED = "; frame-ancestors 'none'"  # a page around ours could make people press what they do not see

# What the page and programs need of Gradio. Whatever else it serves, now or in its next version, stays shut.
PAGES = {
    "/", "/config", "/login", "/logout", "/favicon.ico", "/theme.css", "/robots.txt", "/manifest.json",
    "/pwa_icon",
}  # fmt: skip
PAGES_BELOW = ("/assets/", "/static/", "/svelte/")
CALLS = {
    "/user", "/login_check", "/app_id", "/info", "/openapi.json", "/theme.css", "/startup-events",
    "/upload", "/upload_progress", "/queue/join", "/queue/data", "/queue/status", "/cancel", "/reset",
}  # fmt: skip
CALLS_BELOW = ("/call/", "/run/", "/api/", "/heartbeat/", "/file=", "/file/", "/library/")


def path_of(request: Request) -> str:
    """The path as Gradio's routes see it: without the sub-path at which a proxy serves the app."""
    path, root = request.scope["path"], request.scope.get("root_path", "").rstrip("/")
    inside = root and path.startswith(f"{root}/")
    return path[len(root) :] if inside else path


def refusal(status: int, sentence: str) -> Response:
    """An answer that says in one sentence why there is no other."""
    return JSONResponse({"detail": sentence}, status)


async def only_open_doors(request: Request) -> Response | None:
    """404 for everything that neither the page nor programs need."""
    path = path_of(request)
    if path in PAGES or path.rstrip("/") in PAGES or path.startswith(PAGES_BELOW):
        return None
    call = path.removeprefix(API)
    if call != path and (call.rstrip("/") in CALLS or call.startswith(CALLS_BELOW)):
        return None
    return refusal(404, "There is nothing at this address.")


class Gates:
    """Every request passes the gates in turn; every answer says where the browser may load things from."""

    def __init__(self, app: Any, gates: Sequence[Gate]) -> None:
        self._app, self._gates = app, gates
        policy = CONTENT_POLICY if is_space() else CONTENT_POLICY + NOT_FRAMED
        self._policy = (b"content-security-policy", policy.encode("ascii"))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "websocket":  # the page has none
            await send({"type": "websocket.close", "code": 1008})
        elif scope["type"] == "http":
            await self._answer(Request(scope, receive), send)
        else:
            await self._app(scope, receive, send)

    async def _answer(self, request: Request, send: Any) -> None:
        has_begun, in_words = False, InWords(send)

        async def send_with_policy(message: Any) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start":
                has_begun = True
                message["headers"] = [*message["headers"], self._policy]
            await in_words(message)

        try:
            for gate in self._gates:
                found = await gate(request)
                if isinstance(found, Request):
                    request = found
                elif found is not None:
                    await found(request.scope, request.receive, send_with_policy)
                    return
            await self._app(request.scope, request.receive, send_with_policy)
        except Exception as error:
            if isinstance(error.__cause__, HTTPException):  # told in an answer that had begun: no such call
                logger.info("%s %s: %s", request.method, request.url.path, error.__cause__.detail)
            else:
                logger.exception("%s %s failed.", request.method, request.url.path)
            if has_begun:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
            else:
                failed = refusal(500, OWN_FAULT)
                await failed(request.scope, request.receive, send_with_policy)
