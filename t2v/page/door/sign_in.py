"""Signing in: the name and password of ``--auth``, with guesses slowed down and told in the log."""

import asyncio
import logging
import secrets
import time
from collections import OrderedDict, deque
from contextvars import ContextVar
from pathlib import Path

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from t2v.page.door.gates import API, path_of, refusal

logger = logging.getLogger(__name__)

# Gradio's own form says nothing where a try is refused for being one too many.
FORM = Path(__file__).resolve().parents[1] / "static" / "sign_in.html"
FILES = (f"{API}/file=", f"{API}/file/")
FREE_TRIES = 5  # wrong ones of one address in the time below
WINDOW_S = 60.0
WRONG_TAKES_S = 1.0
KEPT_ADDRESSES = 1000
_address: ContextVar[str] = ContextVar("address", default="an unknown address")


class SignIn:
    """``check`` is Gradio's to ask; ``gate`` stands before it and knows from where somebody tries."""

    def __init__(self, user: str, password: str) -> None:
        self._right = user.encode("utf-8"), password.encode("utf-8")
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    async def gate(self, request: Request) -> Response | None:
        """429 for an address with too many tries in the last minute; those under way count as wrong."""
        if request.method != "POST" or path_of(request).rstrip("/") != "/login":
            return None
        address = "an unknown address" if request.client is None else request.client.host
        _address.set(address)
        now, tries = time.monotonic(), self._tries.setdefault(address, deque())
        self._tries.move_to_end(address)
        while len(self._tries) > KEPT_ADDRESSES:
            self._tries.popitem(last=False)
        while tries and now - tries[0] > WINDOW_S:
            tries.popleft()
        if len(tries) >= FREE_TRIES:
            wait_s = WINDOW_S - (now - tries[0])
            logger.warning("Sign-in from %s is refused for %.0f s: too many tries.", address, wait_s)
            answer = refusal(429, f"Too many tries to sign in; try again in {wait_s:.0f} seconds.")
            answer.headers["retry-after"] = f"{wait_s:.0f}"
            return answer
        tries.append(now)
        return None

    async def only_signed_in(self, request: Request) -> Response | None:
        """401 for calls and files of somebody who has not signed in: nothing is told of them before that.

        In place of the page there is the form to sign in.
        """
        app, path = request.scope["app"], path_of(request)
        names = (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}")
        if any(app.tokens.get(request.cookies.get(name)) is not None for name in names):
            return None
        if request.method in ("GET", "HEAD") and path.rstrip("/") == "":
            return HTMLResponse(FORM.read_bytes(), headers={"cache-control": "no-store"})
        if request.method == "GET" and not path.startswith(FILES):
            return None  # what Gradio itself guards
        if path.rstrip("/") == "/login":
            return None
        return refusal(401, "You are not signed in; sign in first.")

    async def check(self, user: str, password: str) -> bool:
        """Whether these are the right ones; a wrong answer takes its time."""
        given = user.encode("utf-8", "replace"), password.encode("utf-8", "replace")
        if all([secrets.compare_digest(*pair) for pair in zip(given, self._right, strict=True)]):
            self._tries.pop(_address.get(), None)
            return True
        logger.warning("Sign-in failed for %.60r from %s.", user, _address.get())
        await asyncio.sleep(WRONG_TAKES_S)
        return False
