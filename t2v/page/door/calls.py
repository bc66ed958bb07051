"""What programs and pages send as JSON, looked at before Gradio does: wrong calls get 4xx and a sentence."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from gradio.utils import get_upload_folder
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from t2v.checks import InputError, counted
from t2v.page.door.gates import API, Gate, path_of, refusal

MAX_BODY_MB = 8  # a prompt of a million characters is refused by its own sentence
MAX_DEPTH = 32
BY_NAME = re.compile(rf"{API}/(call/v2|call|run|api)/([^/]*)/?")
JOIN = f"{API}/queue/join"
OF_RUNS = {f"{API}/cancel", f"{API}/reset"}  # only their shape is looked at
PREDICT = "predict"  # under this name the page's own functions are called, by their numbers

Named = Mapping[str, tuple[tuple[str, ...], Callable[[dict[str, Any]], object]]]


InputsOf = Callable[[int], Sequence[bool | None] | None]


def only_well_formed(named: Named, inputs_of: InputsOf) -> Gate:
    """4xx for calls that cannot be answered; files that nobody uploaded are no files to Gradio.

    named: endpoints → the names of their parameters in order, and what raises InputError for bad values of
    them. inputs_of: for each value that the page's function of a number takes, whether it is a file's
    description, or None where anything may come; None where there is no such function.
    """

    async def gate(request: Request) -> Response | Request | None:
        path = path_of(request).rstrip("/")
        by_name = BY_NAME.fullmatch(path)
        if request.method != "POST" or (by_name is None and path not in {JOIN, *OF_RUNS}):
            return None
        try:
            body = json.loads(await _body(request))
        except InputError as error:
            return refusal(413, str(error))
        except ClientDisconnect:
            return refusal(400, "The request ended before its body did; send it again.")
        except (ValueError, RecursionError):
            body = None
        try:
            _check_shape(body)
            if path in OF_RUNS:
                return _with_body(request, json.dumps(body).encode("utf-8"))
            if by_name is None or (by_name[2] == PREDICT and by_name[1] in ("run", "api")):
                _check_number(body, inputs_of)
            elif by_name[2] in named:
                _check_values(by_name[2], body, named, is_v2=by_name[1] == "call/v2")
            else:
                there = ", ".join(named)
                return refusal(404, f"There is no endpoint {by_name[2][:60]!r}; there are {there}.")
        except InputError as error:
            return refusal(400, str(error))
        _disarm(body)
        return _with_body(request, json.dumps(body).encode("utf-8"))

    return gate


async def _body(request: Request) -> bytes:
    """The whole body; InputError for one that is too long, of which no more is read."""
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MAX_BODY_MB * 2**20:
            raise InputError(f"The request is longer than {MAX_BODY_MB} MB; send less.")
    return bytes(body)


def _with_body(request: Request, body: bytes) -> Request:
    is_sent = False

    async def receive() -> Any:
        nonlocal is_sent
        if is_sent:
            return await request.receive()  # that the caller is gone
        is_sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    headers = [one for one in request.scope["headers"] if one[0].lower() != b"content-length"]
    headers.append((b"content-length", str(len(body)).encode("ascii")))
    return Request({**request.scope, "headers": headers}, receive)


def _check_shape(body: object) -> None:
    if not isinstance(body, dict):
        raise InputError('The body is no JSON object; send {"data": [...]}, as /gradio_api/info tells.')
    level: list[Any] = [body]
    for _ in range(MAX_DEPTH):
        level = [inner for one in level for inner in _parts(one)]
        if not level:
            return
    raise InputError(f"The body is nested more than {MAX_DEPTH} levels deep; send plain values.")


def _parts(value: Any) -> list[Any]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in inner if isinstance(one, (dict, list))]


def _data(body: Mapping[str, Any]) -> list[Any]:
    data = body.get("data")
    if not isinstance(data, list):
        raise InputError('data is missing or no list; send {"data": [...]}, as /gradio_api/info tells.')
    return data


def _check_number(body: Mapping[str, Any], inputs_of: InputsOf) -> None:
    """A call of one of the page's functions, by its number."""
    data, number, session = _data(body), body.get("fn_index"), body.get("session_hash")
    wanted = inputs_of(number) if isinstance(number, int) else None
    if wanted is None:
        raise InputError(f"fn_index is {str(number)[:60]!r}, none of the page's; load the page again.")
    if len(data) < len(wanted):
        raise InputError(f"data has {counted(len(data), 'value')}; this function takes {len(wanted)}.")
    for place, (value, is_file) in enumerate(zip(data, wanted, strict=False)):
        if is_file is None:
            continue
        if is_file and value is not None and not _is_file(value):
            raise InputError(f"data holds no uploaded file at {place}; upload it first.")
        if isinstance(value, (list, dict)) and not is_file:
            raise InputError(f"data holds {str(value)[:60]} at {place}; give a text, a number or null there.")
    if not isinstance(session, str) or not 0 < len(session) <= 100:
        raise InputError("session_hash is missing or no text of at most 100 characters; make one up.")
    for name in ("trigger_id", "event_id", "oauth_token"):
        kind = int if name == "trigger_id" else str
        if body.get(name) is not None and not isinstance(body[name], kind):
            raise InputError(f"{name} is {str(body[name])[:60]!r}; leave it out.")


def _check_values(name: str, body: dict[str, Any], named: Named, is_v2: bool) -> None:
    """A call of an endpoint by its name: all values in order, or in the second version by their names."""
    parameters, check = named[name]
    if not is_v2:
        data = _data(body)
        if len(data) != len(parameters):
            told = f"data has {counted(len(data), 'value')}; {name} takes {len(parameters)} in this order"
            by_name = f"or send some by their names to {API}/call/v2/{name}"
            raise InputError(f"{told}: {', '.join(parameters)} (null: the default); {by_name}.")
        session = body.get("session_hash")
        if session is not None and not (isinstance(session, str) and 0 < len(session) <= 100):
            raise InputError("session_hash is no text of at most 100 characters; leave it out.")
        body = dict(zip(parameters, data, strict=True))
    unknown = [one for one in body if one not in parameters]
    if unknown:
        raise InputError(f"{name} has no {unknown[0][:60]!r}; it has {', '.join(parameters)}.")
    check(body)


def _disarm(body: Any) -> None:
    """Gradio fetches what is described as a file, from other servers too: only uploads are files to it."""
    level = [body]
    while level:
        for one in level:
            if isinstance(one, dict) and "meta" in one and not _is_uploaded(one.get("path")):
                del one["meta"]
        level = [inner for one in level for inner in _parts(one)]


def _is_file(value: object) -> bool:
    """Whether it describes an upload, as Gradio does it."""
    described = value if isinstance(value, dict) else {}
    return described.get("meta") == {"_type": "gradio.FileData"} and _is_uploaded(described.get("path"))


def _is_uploaded(path: object) -> bool:
    if not isinstance(path, str):
        return False
    try:
        place = Path(path).resolve()
        return place.is_relative_to(Path(get_upload_folder()).resolve()) and place.is_file()
    except (OSError, ValueError, RuntimeError):
        return False
