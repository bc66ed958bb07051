"""The page on its way to the browser: packed, and lightened before Gradio builds it."""

import asyncio
import gzip

import pytest
from pages import Windows, browsing, needs_browser, serving
from playwright.sync_api import expect
from starlette.responses import Response, StreamingResponse
from starlette.testclient import TestClient

from t2v.page.door.front_page import SCRIPT, FrontPage

PAGE = "<html><head><script>window.gradio_config = {};</script></head><body>ß</body></html>"


def answering(response: Response) -> TestClient:
    async def app(scope, receive, send):
        await response(scope, receive, send)

    return TestClient(FrontPage(app))


def test_the_page_is_packed_and_has_the_script_before_its_head_ends():
    answer = answering(Response(PAGE, media_type="text/html")).get("/")
    script = f"<script>({SCRIPT.read_text().strip()})();</script>\n"
    assert answer.text == PAGE.replace("</head>", f"{script}</head>")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "accept-encoding"


def test_who_cannot_unpack_gets_it_as_it_is():
    client = answering(Response(PAGE, media_type="text/html"))
    answer = client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert SCRIPT.read_text().strip() in answer.text


@pytest.mark.parametrize("kind", ["text/css", "text/javascript; charset=utf-8", "application/javascript"])
def test_scripts_and_styles_that_come_in_pieces_are_packed_whole(kind):
    def pieces():
        yield "a</head>" * 1000
        yield "b" * 1000

    answer = answering(StreamingResponse(pieces(), media_type=kind)).get("/assets/x")
    assert answer.text == "a</head>" * 1000 + "b" * 1000
    assert int(answer.headers["content-length"]) < 200


@pytest.mark.parametrize(
    "response",
    [
        Response(b"\0" * 1000, media_type="video/mp4"),
        Response("data: 1\n\n", media_type="text/event-stream"),
        Response(PAGE, 404, media_type="text/html"),
        Response(
            gzip.compress(PAGE.encode(), mtime=0),
            media_type="text/html",
            headers={"content-encoding": "gzip"},
        ),
    ],
    ids=["video", "events", "refused", "packed already"],
)
def test_everything_else_passes_as_it_is(response):
    sent = []

    async def send(message):
        sent.append(message)

    async def receive():
        return {"type": "http.request"}

    scope = {"type": "http", "method": "GET", "path": "/", "headers": [(b"accept-encoding", b"gzip")]}
    asyncio.run(FrontPage(response)(scope, receive, send))
    assert sent[0]["headers"] == response.raw_headers
    assert sent[1]["body"] == response.body


LIGHT = """() => {
    const config = window.gradio_config;
    const kinds = Object.fromEntries(config.components.map((one) => [one.id, one.type]));
    const parts = [];
    const walk = (node) => (node.children || []).forEach((one) => { parts.push(kinds[one.id]); walk(one); });
    walk(config.page[''].layout);
    return {
        kind: config.dependencies.constructor.name,
        programs: parts.filter((one) => one === 'api').length,
        all: parts.length,
        nowhere: config.dependencies.flatMap((one) => one.targets).filter(([part]) => part === null).length,
        told: config.dependencies.filter((one) => (one.show_progress_on || one.outputs).length).length,
    };
}"""


@pytest.mark.slow
@needs_browser
def test_the_browser_has_less_to_build_and_the_endpoints_are_still_told(videos, family):
    with serving(family, videos) as url, browsing() as browser:
        windows = Windows(url, browser)
        page = windows()
        light = page.evaluate(LIGHT)
        assert light.pop("all") > 500
        assert light == {"kind": "Unwatched", "programs": 0, "nowhere": 0, "told": 0}
        page.get_by_role("button", name="Use via API").click()
        told = page.get_by_role("document")
        for name in ("/text_to_video", "/canny", "/submit", "/library"):
            expect(told.get_by_text(name, exact=True).first).to_be_visible()
        expect(told.get_by_text("num_inference_steps").first).to_be_attached()
        windows.close()
