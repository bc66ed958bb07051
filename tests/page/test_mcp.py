"""MCP clients: each task with progress, taken back, submit and follow, the library; behind the sign-in."""

import asyncio
import base64
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx2
import pytest
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from test_door import API, FAST, App
from test_programs import LONG, PEOPLE, served

from t2v.checks import InputError
from t2v.page import flags
from t2v.page.door import sign_in
from t2v.page.programs.tools import meanings_of, tools_of
from t2v.tasks import TASKS
from t2v.tasks.clip import ClipSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.write import read_settings

pytestmark = pytest.mark.slow

PATH = f"{API}/mcp"
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
DESK = ["submit", "follow", "stop", "runs", "library", "settings", "fetch"]
ERAS = ("legacy", "auto")  # of the protocol: with a handshake, and without


@pytest.fixture(scope="module")
def app(family, tmp_path_factory):
    yield from served(family, tmp_path_factory.mktemp("own"), "--mcp")


@pytest.fixture(scope="module")
def closed(family, tmp_path_factory):
    yield from served(family, tmp_path_factory.mktemp("shared"), "--mcp", people=PEOPLE)


def with_client(
    app: App, do: Callable[[Client], Awaitable[Any]], name: str | None = None, mode: str = "auto"
) -> Any:
    """What is done with a client of the app's, which is signed in by a name's password."""

    async def main() -> Any:
        auth = None if name is None else (name, PEOPLE[name])
        url = f"http://127.0.0.1:{app.port}{PATH}"
        async with (
            httpx2.AsyncClient(auth=auth, timeout=60) as http,
            Client(streamable_http_client(url, http_client=http), mode=mode) as client,
        ):
            return await do(client)

    return asyncio.run(main())


def call(app: App, tool: str, name: str | None = None, **arguments: Any) -> Any:
    return with_client(app, lambda client: client.call_tool(tool, arguments), name)


@pytest.mark.parametrize("mode", ERAS)
def test_the_tools_are_the_tasks_and_the_desk_and_nothing_of_the_page(app, mode):
    listed = with_client(app, lambda client: client.list_tools(), mode=mode).tools
    assert [tool.name for tool in listed] == [*(task.replace("-", "_") for task in TASKS), *DESK]
    fields = listed[0].input_schema["properties"]
    assert listed[0].input_schema["required"] == ["prompt"]
    assert (fields["num_frames"]["minimum"], fields["num_frames"]["maximum"]) == (1, 1000)
    assert fields["scheduler"]["enum"][0] == "ddim" and fields["model"]["default"].endswith("text-to-image")
    assert "multiples of 8" in fields["width"]["description"]
    assert [tool.name for tool in listed if tool.annotations.read_only_hint] == DESK[1:2] + DESK[3:]


@pytest.mark.parametrize("task", TASKS)
def test_each_task_tells_its_progress_and_its_video_is_in_the_library(app, square_clip, task):
    arguments, told = {"prompt": "a red car", **FAST, "num_inference_steps": 3}, []
    if issubclass(TASKS[task], ClipSettings):
        sent = base64.b64encode(Path(square_clip).read_bytes()).decode()
        arguments["clip"] = f"data:video/mp4;base64,{sent}"
    if task in ("pose", "depth"):  # whose detectors' weights are not here
        arguments["control_ready"] = True

    async def on_progress(share: float, total: float | None, message: str | None) -> None:
        told.append((share, total, message))

    async def draw(client: Client) -> tuple[Any, Any, Any]:
        made = await client.call_tool(task.replace("-", "_"), arguments, progress_callback=on_progress)
        video = made.structured_content["video"]
        fetched = await client.call_tool("fetch", {"id": video})
        return made, fetched, await client.read_resource(f"t2v://videos/{video}")

    made, fetched, read = with_client(app, draw)
    assert not made.is_error and json.loads(made.content[0].text) == made.structured_content
    assert [one.type for one in made.content] == ["text", "image", "resource_link"]
    assert (made.structured_content["state"], made.structured_content["seed"]) == ("done", 7)
    shares = [share for share, *_ in told]
    assert shares == sorted(set(shares)) and all(total == 1.0 for _, total, _ in told) and told
    file = app.studio.jobs.follow(made.structured_content["run"]).output
    assert base64.b64decode(fetched.content[0].resource.blob) == file.read_bytes()
    assert base64.b64decode(read.contents[0].blob) == file.read_bytes()
    assert read.contents[0].mime_type == "video/mp4" and read_settings(file)["task"] == task
    found = call(app, "library", task=task, limit=1).structured_content
    assert found["videos"][0]["id"] == made.structured_content["video"]


@pytest.mark.parametrize("mode", ERAS)
def test_a_call_that_is_taken_back_stops_its_run(app, mode):
    async def leave(client: Client) -> None:
        drawing = asyncio.create_task(client.call_tool("text_to_video", {"prompt": f"a {mode} car", **LONG}))
        await _until(client, lambda run: run["prompt"] == f"a {mode} car" and run["step"] > 1)
        drawing.cancel()
        await _until(client, lambda run: run["prompt"] == f"a {mode} car" and run["state"] == "stopped")

    with_client(app, leave, mode=mode)


async def _until(client: Client, is_right: Callable[[dict[str, Any]], bool]) -> None:
    for _ in range(600):
        runs = (await client.call_tool("runs", {})).structured_content["runs"]
        if runs and is_right(runs[0]):
            return
        await asyncio.sleep(0.1)
    raise AssertionError(runs)


def test_submit_follow_and_stop_step_by_step(app):
    async def steps(client: Client) -> tuple[Any, ...]:
        settings = {"task": "text-to-video", "prompt": "a boat", **LONG}
        run = (await client.call_tool("submit", {"settings": settings})).structured_content["run"]
        await _until(client, lambda one: one["run"] == run and one["step"] > 2)
        seen = await client.call_tool("follow", {"run": run})
        await client.call_tool("stop", {"run": run})
        await _until(client, lambda one: one["run"] == run and one["state"] == "stopped")
        kept = await client.call_tool("settings", {"id": run})
        return seen, kept, await client.call_tool("fetch", {"id": run})

    seen, kept, fetched = with_client(app, steps)
    assert seen.structured_content["state"] == "running" and seen.content[1].mime_type == "image/webp"
    assert kept.structured_content["prompt"] == "a boat" and kept.structured_content["num_frames"] == 32
    assert fetched.is_error and fetched.content[0].text.startswith("This run has no video (it is stopped)")


@pytest.mark.parametrize(
    ("tool", "arguments", "sentence"),
    [
        ("text_to_video", {}, "prompt is missing; give it."),
        ("text_to_video", {"prompt": "a", "num_frame": 3}, "text_to_video has no 'num_frame', did you mean"),
        ("text_to_video", {"prompt": "a", "width": 65}, "width is 65; give a multiple of 8"),
        ("canny", {"prompt": "a", "clip": "/etc/passwd"}, "clip is neither an uploaded file nor an example"),
        ("canny", {"prompt": "a", "clip": "file:///etc/passwd"}, "clip is neither an uploaded file"),
        ("follow", {"run": "x"}, "run is none of yours"),
        ("fetch", {"id": "../x"}, "id is of no video"),
        ("predict", {}, "tool is 'predict'; choose one of text_to_video, "),
        ("_start", {}, "tool is '_start'; choose one of"),
    ],
)
def test_what_cannot_be_done_is_told_in_a_sentence(app, tool, arguments, sentence):
    answer = call(app, tool, **arguments)
    assert answer.is_error and answer.content[0].text.startswith(sentence)


def test_it_is_off_unless_it_is_asked_for(family, tmp_path, monkeypatch):
    for app in served(family, tmp_path):
        answer = app.ask(PATH, LIST)
        assert (answer.status, answer.sentence) == (404, "There is nothing at this address.")
    assert flags.arguments([]).mcp is False and flags.arguments(["--mcp"]).mcp is True
    for text, is_on in (("1", True), ("true", True), ("0", False), ("", False)):
        monkeypatch.setenv("T2V_MCP", text)
        assert flags.arguments([]).mcp is is_on


def test_without_signing_in_nothing_is_told(closed, monkeypatch):
    wrong = base64.b64encode(b"anna:guess").decode()
    broken = ("", "Basic", "Basic !!", "Bearer secret", f"Basic {base64.b64encode(b'anna').decode()}")
    for given in broken:
        for method in ("tools/list", "initialize", "server/discover"):
            answer = closed.ask(PATH, LIST | {"method": method}, authorization=given)
            assert answer.status == 401 and answer.sentence.startswith("You are not signed in; send name and")
            assert answer.headers["www-authenticate"].startswith("Basic realm=")
    assert closed.ask(f"{PATH}/", LIST).status == 401 and closed.ask(PATH).status == 401
    statuses = [closed.ask(PATH, LIST, authorization=f"Basic {wrong}").status for _ in range(6)]
    assert statuses == [401] * 5 + [429]  # guesses are slowed down as in the form
    monkeypatch.setattr(sign_in, "WINDOW_S", 0.0)
    assert call(closed, "runs", "anna").structured_content == {"runs": []}


def test_each_program_acts_for_who_has_signed_in(closed):
    made = call(closed, "text_to_video", "anna", prompt="a car", **FAST).structured_content
    assert call(closed, "library", "anna").structured_content["total"] == 1
    assert call(closed, "library", "bob").structured_content["total"] == 0
    for tool, arguments in (
        ("follow", {"run": made["run"]}),
        ("fetch", {"id": made["video"]}),
        ("text_to_video", {"prompt": "a", "first_frame": f"library:{made['video']}"}),
    ):
        assert "of yours" in call(closed, tool, "bob", **arguments).content[0].text


def test_other_pages_and_other_ways_of_asking_are_refused(app):
    assert app.ask(PATH, LIST, origin="https://evil.example").status == 403
    assert app.ask(PATH, LIST, host="evil.example").status == 403
    answer = app.ask(PATH)
    assert (answer.status, answer.headers["allow"]) == (405, "POST, DELETE")
    assert app.ask(PATH, b"x" * (48 * 2**20 + 1)).status == 413


def test_every_field_has_a_type_and_most_a_meaning(app):
    for tool in tools_of(app.studio):
        assert tool.description and tool.schema["type"] == "object"
        for name, field in tool.schema["properties"].items():
            assert field["type"] in ("string", "integer", "number", "boolean", "array", "object"), name
    told = meanings_of(TextToVideoSettings)
    assert told["zoom"] == "the picture's factor of size per frame" and len(told) > 25
    assert told["cross_frame_attention"] == "the paper's ablation switch"


@pytest.mark.parametrize(
    ("version", "has"), [(None, "it is not there"), ("1.30.0", "version 1.30.0 is there")]
)
def test_a_package_that_is_missing_is_told_at_the_start(version, has, monkeypatch):
    def found(name: str) -> str:
        if version is None:
            raise flags.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(flags.metadata, "version", found)
    with pytest.raises(InputError) as refused:
        flags.check(flags.arguments(["--mcp"]))
    install = "pip install 'mcp>=2.3,<3'"
    assert str(refused.value) == f"--mcp needs the package mcp, and {has}; {install}, or leave --mcp out."
