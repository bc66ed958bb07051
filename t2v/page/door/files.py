"""Which files leave the server: finished videos of this program, previews, what programs fetch."""

import re
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from t2v.page.door.gates import API, Gate, path_of, refusal
from t2v.video.formats import format_of

FILE = re.compile(rf"{API}/file[=/](.*)", re.DOTALL)
UNIT = re.compile(r"\s*([\w!#$%&'*+.^`|~-]+)\s*=", re.ASCII)
ONE_RANGE = re.compile(r"\s*([0-9]+)?\s*-\s*([0-9]+)?\s*")
MOST_DIGITS = 18  # no file has more bytes than a number of so many
GONE = "This file is not on the server, or it is not given out."


def only_our_files(is_ours: Callable[[Path, Request], bool]) -> Gate:
    """404 for all files but those that ``is_ours`` says, by real path and asker; 416 for bad ranges.

    Whatever folder the results are put into, nothing else in it can be seen: neither the files that were
    there before, nor hidden ones, nor those that are half written. An address of another server is a file
    that is not ours: nothing is fetched.
    """

    async def gate(request: Request) -> Response | None:
        asked = FILE.fullmatch(path_of(request))
        if asked is None:
            return None
        try:
            path = Path(asked[1]).resolve()
            given_out = format_of(path) is not None and is_ours(path, request) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # no path that a file can have
            given_out = False
        if not given_out:
            return refusal(404, GONE)
        return _range(request, path.stat().st_size)

    return gate


def _range(request: Request, size: int) -> Response | None:
    """416 for a range that is none. Others are left to Starlette, one at most: Gradio would echo headers.

    A unit that is not bytes is as if nothing had been asked for, and whatever ends behind the file ends with
    it (RFC 9110, 14.1 and 14.2).
    """
    asked = request.headers.get("range")
    if asked is None:
        return None
    unit = UNIT.match(asked)
    is_bytes = unit is not None and unit[1].lower() == "bytes"
    ranges = [_range_of(part) for part in asked.partition("=")[2].split(",")] if is_bytes else []
    if unit is None or None in ranges:
        answer = refusal(416, f"Range is {asked!r}; give one like bytes=0-99.")
        answer.headers["content-range"] = f"bytes */{size}"
        return answer
    headers = [(name, value) for name, value in request.scope["headers"] if name.lower() != b"range"]
    if len(ranges) == 1 and ranges[0] is not None:
        first, last = ranges[0]
        # Gradio answers "bytes=1-2" itself, with the request's own headers; the space leaves it to Starlette
        headers.append((b"range", f"bytes= {first}-{last}".encode("ascii")))
    request.scope["headers"] = headers
    return None


def _range_of(text: str) -> tuple[str, str] | None:
    """First and last byte, or none and how many from the end, as digits; None for what is no range."""
    found = ONE_RANGE.fullmatch(text)
    if found is None or found.groups() == (None, None):
        return None
    first, last = (_digits(part) for part in found.groups(default=""))
    return None if first and last and int(first) > int(last) else (first, last)


def _digits(text: str) -> str:
    digits = text.lstrip("0") or text[:1]
    return digits if len(digits) <= MOST_DIGITS else "9" * MOST_DIGITS
