"""The page behind a proxy that serves it at a path of its own, as ``--root-path`` allows."""

import http.client
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from conftest import free_port
from pages import button, needs_browser
from playwright.sync_api import expect
from test_app import ask, stage
from test_service import Served

HOP = {"connection", "transfer-encoding", "keep-alive"}


def proxy_to(port: int, prefix: str) -> type[BaseHTTPRequestHandler]:
    class Proxy(BaseHTTPRequestHandler):
        def forward(self) -> None:
            if not self.path.startswith(f"{prefix}/"):
                self.send_error(404)
                return
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            server = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            server.request(self.command, self.path[len(prefix) :], body, dict(self.headers))
            answer = server.getresponse()
            self.send_response(answer.status)
            for name, value in answer.getheaders():
                if name.lower() not in HOP:
                    self.send_header(name, value)
            self.end_headers()
            while piece := answer.read1(65536):
                self.wfile.write(piece)
                self.wfile.flush()

        do_GET = do_POST = do_HEAD = forward

        def log_message(self, *_: object) -> None:
            pass

    return Proxy


@needs_browser
@pytest.mark.slow
def test_a_run_and_its_video_behind_a_proxy_at_a_sub_path(browser, family, tmp_path):
    outside = free_port()
    root = f"http://studio.localhost:{outside}/studio"
    app = Served(family, tmp_path, "--root-path", root)
    server = ThreadingHTTPServer(("127.0.0.1", outside), proxy_to(app.port, "/studio"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = browser.new_page()
    try:
        page.goto(f"{root}/")
        page.wait_for_selector(".stage[data-state=idle]")
        ask(page, "a red car", Steps=1, Frames=2)
        button(page, "Run").click()
        stage(page, "done")
        page.wait_for_function("document.querySelector('.stage video').readyState >= 2")
        expect(page.locator(".answers .note")).to_have_count(0)
    finally:
        page.close()
        server.shutdown()
        app.process.terminate()
        app.process.wait(30)
