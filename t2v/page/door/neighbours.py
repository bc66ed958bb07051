"""An app for this machine alone answers no other pages: foreign names and foreign origins are refused."""

import ipaddress
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from t2v.page.door.gates import Gate, refusal

FOR_OTHERS = ("x-forwarded-for", "x-forwarded-host", "x-real-ip", "forwarded", "via")  # what proxies send


def only_neighbours(host: str, root_path: str) -> Gate:
    """For an app on loopback: 403 for requests by a foreign name, or that another web page makes.

    A page elsewhere can send to 127.0.0.1, and can give its own name our address; so can a page of another
    program on this machine. host: on which the app listens. root_path: where it begins with http, the
    address that a proxy gives the app, which is then known too.
    """
    outside = urlsplit(root_path).netloc.lower()
    known = {"localhost", host.lower()}

    async def gate(request: Request) -> Response | None:
        told = _foreign(request, known, outside)
        return None if told is None else refusal(403, told)

    return gate


def is_at_the_machine(request: Any) -> bool:
    """Whether a request is of somebody on this machine, Gradio's or Starlette's: by the app's own page there.

    It comes from a loopback address, was sent to one, and nothing in it says that it is sent for somebody
    else. A proxy on this machine has to say so, as all do that are set up for more than one visitor
    (X-Forwarded-For or Forwarded); of one that hides it nobody could tell.
    """
    client = getattr(getattr(request, "client", None), "host", None)
    headers = getattr(request, "headers", {})
    if not isinstance(client, str) or not _is_known(f"[{client}]" if ":" in client else client, set()):
        return False
    if any(headers.get(name) is not None for name in FOR_OTHERS):
        return False
    return _foreign(request, {"localhost"}, "") is None


def _foreign(request: Any, known: set[str], outside: str) -> str | None:
    """What is wrong with a request by a foreign name, or that another web page makes; None for others."""
    named = request.headers.get("host", "").lower()
    if named != outside and not _is_known(named, known):
        hint = "open it by that address, or name the one that a proxy gives it with --root-path"
        return f"This app answers to its own address alone, not to {named!r}; {hint}."
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() not in {named, outside} - {""}:
        return f"Another web page ({origin!r}) may not use this app; open the app itself."
    is_visit = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
    if request.headers.get("sec-fetch-site") == "cross-site" and not is_visit:
        return "Another web page may not use this app; open the app itself."
    return None


def _is_known(named: str, known: set[str]) -> bool:
    try:
        name = urlsplit(f"//{named}").hostname or ""
    except ValueError:
        return False
    if name in known:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
