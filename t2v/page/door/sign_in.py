"""Signing in: the names and passwords of ``--auth``, with guesses slowed down and told in the log.

Pages sign in by a form, programs of the MCP by HTTP's own header (``Authorization: Basic``, RFC 7617).
"""

import asyncio
import base64
import binascii
import logging
import secrets
import time
from collections import OrderedDict, deque
from collections.abc import Mapping
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
NAME = "t2v-name"  # in the scope of a request: who has signed in
_address: ContextVar[str] = ContextVar("address", default="an unknown address")


class SignIn:
    """``check`` is Gradio's to ask; ``gate`` stands before it and knows from where somebody tries.

    people: names -> passwords.
    """

    def __init__(self, people: Mapping[str, str]) -> None:
        self._people = dict(people)
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()

    async def gate(self, request: Request) -> Response | None:
        """429 for an address with too many tries in the last minute; those under way count as wrong."""
        if request.method != "POST" or path_of(request).rstrip("/") != "/login":
            return None
        return self._one_too_many(request)

    def _one_too_many(self, request: Request) -> Response | None:
        """429, or None and one try more of this address."""
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
        path = path_of(request)
        if self._name_of(request) is not None:
            return None
        if request.method in ("GET", "HEAD") and path.rstrip("/") == "":
            return HTMLResponse(FORM.read_bytes(), headers={"cache-control": "no-store"})
        if request.method == "GET" and not path.startswith(FILES):
            return None  # what Gradio itself guards
        if path.rstrip("/") == "/login":
            return None
        return refusal(401, "You are not signed in; sign in first.")

    async def only_with_password(self, request: Request) -> Response | None:
        """The same for a program, which signs in with each of its requests, or has before."""
        if self._name_of(request) is not None:
            return None
        given = _in_header(request)
        if given is not None:
            refused = self._one_too_many(request)
            if refused is not None:
                return refused
            if await self.check(*given):
                request.scope[NAME] = given[0]
                return None
        answer = refusal(401, "You are not signed in; send name and password (Authorization: Basic …).")
        answer.headers["www-authenticate"] = 'Basic realm="Text2Video-Zero Studio", charset="UTF-8"'
        return answer

    def _name_of(self, request: Request) -> str | None:
        """Who has signed in, which the request tells from then on; None for nobody."""
        app = request.scope["app"]
        for cookie in (f"access-token-{app.cookie_id}", f"access-token-unsecure-{app.cookie_id}"):
            name: str | None = app.tokens.get(request.cookies.get(cookie))
            if name is not None:
                request.scope[NAME] = name
                return name
        return None

    async def check(self, user: str, password: str) -> bool:
        """Whether these are the right ones; a wrong answer takes its time."""
        known = self._people.get(user)
        right = secrets.token_hex() if known is None else known  # as long for names that there are not
        is_same = secrets.compare_digest(password.encode("utf-8", "replace"), right.encode("utf-8"))
        if is_same and known is not None:
            self._tries.pop(_address.get(), None)
            return True
        logger.warning("Sign-in failed for %.60r from %s.", user, _address.get())
        await asyncio.sleep(WRONG_TAKES_S)
        return False


def _in_header(request: Request) -> tuple[str, str] | None:
    """Name and password of a request's header; None where it has none that can be read."""
    kind, _, text = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(text, validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return None
    return (user, password) if colon else None
