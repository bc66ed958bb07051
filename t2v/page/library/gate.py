"""Where the page asks the library, and is answered as JSON: a gate before Gradio, as light as files are."""

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response

from t2v.checks import InputError
from t2v.page.door.gates import API, Gate, path_of, refusal
from t2v.page.library.answers import NOT_HERE, ORDERS, QUESTIONS, Answers
from t2v.page.library.asked import Values
from t2v.page.library.shelf import Shelf

BELOW = f"{API}/library/"
THUMBNAIL = "thumbnail/"
MAX_BODY = 2**20
KEPT = {"cache-control": "private, max-age=31536000, immutable"}  # its name is its content's


def library_answers(
    shelf: Shelf,
    who: Callable[[Request], str | None],
    run: Callable[[Request, Any], str],
    renew: Callable[[str | None, str], str] = lambda _, path: path,
) -> Gate:
    """Answers what the page asks of its library.

    who: asks. run: runs settings for who asks; the run's id. renew: for who asks, the path of an upload that
    went with an earlier program.
    """

    async def gate(request: Request) -> Response | None:
        path = path_of(request)
        if not path.startswith(BELOW):
            return None
        name, visitor = path.removeprefix(BELOW), who(request)
        if name.startswith(THUMBNAIL) and request.method in ("GET", "HEAD"):
            found = await run_in_threadpool(shelf.thumbnail, name.removeprefix(THUMBNAIL), visitor)
            return refusal(404, NOT_HERE) if found is None else FileResponse(found, headers=KEPT)
        answers = Answers(shelf, visitor, partial(run, request), partial(renew, visitor))
        try:
            if request.method == "GET" and name in QUESTIONS:
                answer = await run_in_threadpool(QUESTIONS[name], answers, dict(request.query_params))
            elif request.method == "POST" and name in ORDERS:
                answer = await run_in_threadpool(ORDERS[name], answers, await _body(request))
            else:
                return refusal(404, "There is nothing at this address.")
        except InputError as error:
            return refusal(400, str(error))
        return JSONResponse(answer, headers={"cache-control": "no-store"})

    return gate


async def _body(request: Request) -> Values:
    """A JSON object; InputError for anything else. Its type is told: no other page's form can send that."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/json":
        raise InputError("The body is no JSON; send it as application/json.")
    body = bytearray()
    try:
        async for piece in request.stream():
            body += piece
            if len(body) > MAX_BODY:
                break
        values = None if len(body) > MAX_BODY else json.loads(body)
    except (ValueError, RecursionError, ClientDisconnect):
        values = None
    if not isinstance(values, dict):
        raise InputError(f"The body is no JSON object of at most {MAX_BODY:,} bytes.")
    return values
