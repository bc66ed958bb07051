"""An app for this machine alone answers no other pages: foreign names and foreign origins are refused."""

import ipaddress
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

from t2v.page.door.gates import Gate, refusal


def only_neighbours(host: str, root_path: str) -> Gate:
    """For an app on loopback: 403 for requests by a foreign name, or that another web page makes.

    A page elsewhere can send to 127.0.0.1, and can give its own name our address; so can a page of another
    program on this machine. host: on which the app listens. root_path: where it begins with http, the
    address that a proxy gives the app, which is then known too.
    """
    outside = urlsplit(root_path).netloc.lower()
    known = {"localhost", host.lower()}

    async def gate(request: Request) -> Response | None:
        named = request.headers.get("host", "").lower()
        if named != outside and not _is_known(named, known):
            hint = "open it by that address, or name the one that a proxy gives it with --root-path"
            return refusal(403, f"This app answers to its own address alone, not to {named!r}; {hint}.")
        origin = request.headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() not in {named, outside} - {""}:
            return refusal(403, f"Another web page ({origin!r}) may not use this app; open the app itself.")
        is_visit = request.headers.get("sec-fetch-mode", "navigate") == "navigate"
        if request.headers.get("sec-fetch-site") == "cross-site" and not is_visit:
            return refusal(403, "Another web page may not use this app; open the app itself.")
        return None

    return gate


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
