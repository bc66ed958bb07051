"""Who somebody is that comes back: a cookie of random letters, which tells nothing else."""

import re
import secrets
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from t2v.page.door.gates import path_of
from t2v.page.space import is_space

COOKIE = "t2v-visitor"
MARK = re.compile(r"[0-9a-f]{32}")  # 128 bits
KEPT_S = 365 * 24 * 3600  # from the last visit on


def mark_of(cookies: Mapping[str, str]) -> str | None:
    """The mark that a browser was given; None for one that has none, or one that is not of ours."""
    mark = cookies.get(COOKIE)
    return mark if isinstance(mark, str) and MARK.fullmatch(mark) else None


class Recognised:
    """ASGI middleware: whoever loads the page gets a mark, and keeps it.

    Scripts cannot read it, and it is not sent with what other sites ask of this one.
    """

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        if path_of(request).rstrip("/") != "":
            await self._app(scope, receive, send)
            return
        given = mark_of(request.cookies)
        cookie = _cookie(secrets.token_hex(16) if given is None else given, scope.get("scheme") == "https")

        async def send_with_mark(message: Any) -> None:
            if message["type"] == "http.response.start":
                headers = [*message["headers"], (b"set-cookie", cookie.encode("ascii"))]
                message = {**message, "headers": headers}
            await send(message)

        await self._app(scope, receive, send_with_mark)


def _cookie(mark: str, is_secure: bool) -> str:
    kept = f"{COOKIE}={mark}; Path=/; Max-Age={KEPT_S}; HttpOnly"
    if is_space():  # which is shown inside of another page, and by https alone
        return f"{kept}; SameSite=None; Secure; Partitioned"
    return f"{kept}; SameSite=Lax{'; Secure' if is_secure else ''}"
