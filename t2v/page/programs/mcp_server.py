"""The tools by the Model Context Protocol, at ``/gradio_api/mcp``: off unless the app is told otherwise.

Gradio's own server lists the page's functions, and answers before anybody has signed in; so this one is a
gate of ours before Gradio, with the package ``mcp`` for the protocol. Each request signs in, where there is a
sign-in, and acts for who has.
"""

import asyncio
import base64
import json
import logging
import mimetypes
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from mcp import types
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from mcp.shared.exceptions import MCPError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from t2v.checks import InputError
from t2v.jobs.job import FINISHED
from t2v.page.door.answers import OWN_FAULT
from t2v.page.door.gates import API, Gate, path_of, refusal
from t2v.page.following import HEARTBEAT_S
from t2v.page.programs.desk import Caller, Desk
from t2v.page.programs.tools import check_arguments, tasks, tools_of
from t2v.page.studio import Studio
from t2v.version import __version__

logger = logging.getLogger(__name__)

PATH = f"{API}/mcp"
VIDEOS = "t2v://videos/"
MOST_BODY = 48 * 2**20  # with a clip of 32 MB inside, as base64
MOST_SENT = 32 * 2**20  # bytes of a video in an answer
MOST_SESSIONS = 100
INSTRUCTIONS = (
    "Draws short videos. A tool of a task (text_to_video, canny, ...) waits for its video; submit, follow "
    "and stop do the same step by step. The answer names the video's id in the library: fetch gives its file."
)


class Handlers:
    """What is answered to requests of the protocol, each for who sent it."""

    def __init__(self, studio: Studio) -> None:
        self._studio = studio
        self._tools = {tool.name: tool for tool in tools_of(studio)}

    async def list_tools(self, context: Any, params: Any) -> types.ListToolsResult:
        """All of them, whoever asks."""
        return types.ListToolsResult(tools=[_described(tool) for tool in self._tools.values()])

    async def call_tool(self, context: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        """A task's waits for its video; what is wrong is told in a sentence, as the tool's answer."""
        desk, arguments = self._desk(context), params.arguments or {}
        try:
            if params.name not in self._tools:
                raise InputError(f"tool is {params.name[:60]!r}; choose one of {', '.join(self._tools)}.")
            check_arguments(self._tools[params.name], arguments)
            if params.name in tasks():
                return await _drawn(desk, tasks()[params.name].task, arguments, context.session)
            method = partial(getattr(desk, params.name), **arguments)
            return await run_in_threadpool(_answer, desk, await run_in_threadpool(method), arguments)
        except InputError as error:
            return _failed(str(error))
        except Exception:
            logger.exception("The tool %s failed.", params.name)
            return _failed(OWN_FAULT)

    async def list_resources(self, context: Any, params: Any) -> types.ListResourcesResult:
        """None: the library is searched by its tool."""
        return types.ListResourcesResult(resources=[])

    async def list_templates(self, context: Any, params: Any) -> types.ListResourceTemplatesResult:
        """How videos are named."""
        about = "A finished video of the library, by its id."
        one = types.ResourceTemplate(name="video", uri_template=f"{VIDEOS}{{id}}", description=about)
        return types.ListResourceTemplatesResult(resource_templates=[one])

    async def read_resource(self, context: Any, params: Any) -> types.ReadResourceResult:
        """A video's file."""
        video = str(params.uri).removeprefix(VIDEOS)
        try:
            path = await run_in_threadpool(self._desk(context).fetch, video)
            return types.ReadResourceResult(contents=[await run_in_threadpool(_contents, path, video)])
        except InputError as error:
            raise MCPError(types.INVALID_PARAMS, str(error)) from None

    def _desk(self, context: Any) -> Desk:
        return Desk(self._studio, Caller.of(self._studio, context.request))


def mcp_manager(studio: Studio) -> StreamableHTTPSessionManager:
    """What serves the protocol; ``Running`` keeps it going, ``mcp_gate`` gives it its requests."""
    logging.getLogger("mcp").setLevel(logging.WARNING)
    handlers = Handlers(studio)
    server: Server[Any] = Server(
        "text2video-zero-studio",
        version=__version__,
        title="Text2Video-Zero Studio",
        instructions=INSTRUCTIONS,
        on_list_tools=handlers.list_tools,
        on_call_tool=handlers.call_tool,
        on_list_resources=handlers.list_resources,
        on_list_resource_templates=handlers.list_templates,
        on_read_resource=handlers.read_resource,
    )
    # names and origins are looked at by gates that know how the app is served
    unguarded = TransportSecuritySettings(enable_dns_rebinding_protection=False)
    return StreamableHTTPSessionManager(
        server, security_settings=unguarded, max_request_body_size=MOST_BODY, max_sessions=MOST_SESSIONS
    )


class Running:
    """ASGI middleware: the manager runs as long as the app does."""

    def __init__(self, app: Any, manager: StreamableHTTPSessionManager) -> None:
        self._app, self._manager = app, manager

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self._app(scope, receive, send)
            return
        async with self._manager.run():
            await self._app(scope, receive, send)


def mcp_gate(manager: StreamableHTTPSessionManager, sign_in: Gate | None) -> Gate:
    """Answers what is sent to the server's address. sign_in: refuses who may not; None: everybody may."""

    async def gate(request: Request) -> Response | Request | None:
        if path_of(request).rstrip("/") != PATH:
            return None
        refused = None if sign_in is None else await sign_in(request)
        if refused is not None:
            return refused
        if request.method not in ("POST", "DELETE"):  # nothing is told that was not asked for
            answer = refusal(405, "This address takes the requests of MCP clients, by POST.")
            answer.headers["allow"] = "POST, DELETE"
            return answer
        return _Answered(manager.handle_request)

    return gate


class _Answered(Response):
    """A response that somebody else sends."""

    def __init__(self, app: Callable[..., Any]) -> None:
        super().__init__()
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await self._app(scope, receive, send)


async def _drawn(desk: Desk, task: str, arguments: dict[str, Any], session: Any) -> types.CallToolResult:
    """Runs a task; a caller that goes, or takes the call back, stops its run."""
    settings = await run_in_threadpool(desk.read, {**arguments, "task": task})
    run, before = await run_in_threadpool(desk.queue, settings), -1.0
    try:
        while (told := await run_in_threadpool(desk.follow, run))["state"] not in FINISHED:
            if told["fraction"] > before:  # which has to grow, the protocol says
                before = told["fraction"]
                await session.report_progress(before, 1.0, _standing(told))
            await asyncio.sleep(HEARTBEAT_S)
    except BaseException:
        desk.stop(run)
        raise
    if told["state"] != "done":
        return _failed("The run was stopped." if told["error"] is None else told["error"])
    if before < 1:
        await session.report_progress(1.0, 1.0, "The video is there.")
    return _answer(desk, told, {})


def _standing(told: dict[str, Any]) -> str:
    if told["state"] == "queued":
        return f"Waiting; {told['ahead']} before it"
    if told["steps"]:
        return f"Step {told['step']} of {told['steps']}"
    return str(told["stage"])


def _answer(desk: Desk, found: Any, arguments: dict[str, Any]) -> types.CallToolResult:
    """What a method of the desk gave; a picture in it is shown, a video that is there is linked."""
    if isinstance(found, Path):
        resource = _contents(found, str(arguments.get("id")))
        return types.CallToolResult(content=[types.EmbeddedResource(resource=resource)])
    told = found if isinstance(found, dict) else {"runs": found}
    content: list[Any] = []
    picture = told.get("preview")
    if isinstance(picture, str):
        told = {name: value for name, value in told.items() if name != "preview"}
        content.append(types.ImageContent(data=picture.partition(",")[2], mime_type="image/webp"))
    video = told.get("video")
    if isinstance(video, str):
        path = desk.fetch(video)
        kind = _kind(path)
        content.append(types.ResourceLink(name=path.name, uri=f"{VIDEOS}{video}", mime_type=kind))
    content.insert(0, types.TextContent(text=json.dumps(told, ensure_ascii=False)))
    return types.CallToolResult(content=content, structured_content=told)


def _contents(path: Path, video: str) -> types.BlobResourceContents:
    size = path.stat().st_size
    if size > MOST_SENT:
        most = f"at most {MOST_SENT >> 20} are sent"
        raise InputError(f"This video has {size >> 20} MB, and {most}; get it by the page's API.")
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return types.BlobResourceContents(uri=f"{VIDEOS}{video}", mime_type=_kind(path), blob=data)


def _kind(path: Path) -> str:
    known = mimetypes.guess_type(path.name)[0]
    return "video/mp4" if known is None else known


def _failed(sentence: str) -> types.CallToolResult:
    return types.CallToolResult(content=[types.TextContent(text=sentence)], is_error=True)


def _described(tool: Any) -> types.Tool:
    return types.Tool(
        name=tool.name,
        description=tool.description,
        input_schema=tool.schema,
        annotations=types.ToolAnnotations(read_only_hint=tool.only_reads, destructive_hint=False),
    )
