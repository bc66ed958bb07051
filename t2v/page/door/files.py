"""Which files leave the server: finished videos of this program, previews, what programs fetch."""

import re
from collections.abc import Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from t2v.page.door.gates import API, Gate, path_of, refusal

FILE = re.compile(rf"{API}/file[=/](.*)", re.DOTALL)
ONE_RANGE = re.compile(r"bytes=\s*(\d{1,18})?\s*-\s*(\d{1,18})?\s*")
GONE = "This file is not on the server, or it is not given out."


def only_our_files(is_ours: Callable[[Path], bool]) -> Gate:
    """404 for all files but those that ``is_ours`` says, by their real paths; 416 for ranges that are none.

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
            given_out = path.suffix.lower() == ".mp4" and is_ours(path) and path.is_file()
        except (OSError, ValueError, RuntimeError):  # no path that a file can have
            given_out = False
        if not given_out:
            return refusal(404, GONE)
        return _range(request, path.stat().st_size)

    return gate


def _range(request: Request, size: int) -> Response | None:
    """416 for a range that is none. Others are left to Starlette, one at most: Gradio would echo headers."""
    asked = request.headers.get("range")
    if asked is None:
        return None
    ranges = [ONE_RANGE.fullmatch(f"bytes={part.strip()}") for part in asked.strip()[6:].split(",")]
    if asked.strip()[:6].lower() != "bytes=" or any(not _is_range(one) for one in ranges):
        answer = refusal(416, f"Range is {asked!r}; give one like bytes=0-99.")
        answer.headers["content-range"] = f"bytes */{size}"
        return answer
    headers = [(name, value) for name, value in request.scope["headers"] if name.lower() != b"range"]
    if len(ranges) == 1 and ranges[0] is not None:
        first, last = ranges[0].groups(default="")
        # Gradio answers "bytes=1-2" itself, with the request's own headers; the space leaves it to Starlette
        headers.append((b"range", f"bytes= {first}-{last}".encode("ascii")))
    request.scope["headers"] = headers
    return None


def _is_range(found: re.Match[str] | None) -> bool:
    if found is None or found.groups() == (None, None):
        return False
    first, last = found.groups()
    return first is None or last is None or int(first) <= int(last)
