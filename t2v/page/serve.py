"""The web app: ``python app.py`` serves it on http://127.0.0.1:7860."""

import argparse
import errno
import logging
import os
import re
import signal
import socket
import sys
import time
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError, check_int
from t2v.devices import check_device
from t2v.library.results import OUTPUTS
from t2v.program import Parser, loading_libraries, prepare_environment, show_downloads_only, spin_briefly
from t2v.weights.index import check_model

if TYPE_CHECKING:
    import gradio as gr

    from t2v.page.studio import Studio

logger = logging.getLogger(__name__)

PROG = "app.py"  # in a clone; installed it is t2v-app
STATIC = Path(__file__).resolve().parent / "static"
MAX_UPLOAD = "500mb"
LAST_WORDS_S = 1.0  # at the end, for pages to hear that their run was stopped: the server would wait for them
# Nothing the page shows may be fetched from elsewhere, whatever a component would like to load.
CONTENT_POLICY = b"default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; object-src 'none'"


def arguments(argv: list[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    """The flags, read; InputError for those that there are not."""
    parser = Parser(prog=prog, description="Text2Video-Zero Studio in the browser.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (0.0.0.0: every network)")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--share", action="store_true", help="also open a public link through Gradio's relay")
    parser.add_argument("--model", default="miniature", help="miniature, a Hugging Face id or a folder")
    parser.add_argument("--device", default=None, help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask visitors for this name and password")
    parser.add_argument("--output", default=OUTPUTS, type=Path, help="folder of the finished videos")
    return parser.parse_args(argv)


def credentials(auth: str | None) -> tuple[str, str] | None:
    """``user:password`` → (user, password); the password may contain colons."""
    if auth is None:
        return None
    user, colon, password = auth.partition(":")
    if not (user and colon and password):
        raise InputError("--auth needs a name and a password with a colon between them, like anna:secret.")
    return user, password


def check(options: argparse.Namespace) -> None:
    """InputError for flags that cannot be followed; better now, before anything is loaded, than at a run.

    A hub id may be right though it cannot be had at the moment: that is left to the runs.
    """
    check_int("--port", options.port, 1, 65535)
    try:
        check_model(options.model)
        if options.device is not None:
            check_device(options.device)
    except InputError as error:
        raise InputError(re.sub(r"^(model|device)\b", r"--\1", str(error))) from None
    folder = options.output
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError(f"--output {folder} cannot be made ({error.strerror}); choose another.") from error
    _check_address(options)


def _check_address(options: argparse.Namespace) -> None:
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, *_, address = found[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        raise _not_served(options, error) from error


def _not_served(options: argparse.Namespace, error: OSError) -> InputError:
    place = f"port {options.port} of {options.host!r}"
    why = "it is in use, perhaps by this app" if error.errno == errno.EADDRINUSE else error.strerror or error
    return InputError(f"The app cannot be served on {place} ({why}); choose another --host or --port.")


class OnlyFromHere:
    """ASGI middleware: every answer tells the browser to load things from this server alone."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_policy(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"content-security-policy", CONTENT_POLICY)]
            await send(message)

        await self.app(scope, receive, send_with_policy if scope["type"] == "http" else send)


def serve(
    options: argparse.Namespace, auth: tuple[str, str] | None, tasks: Collection[str] | None = None
) -> None:
    """Starts the server and stays until it is told to stop. tasks: the tabs on the page, None for all."""
    with loading_libraries():
        from t2v.engine.engine import Engine
        from t2v.jobs.queue import Jobs
        from t2v.page.glances import Glances
        from t2v.page.layout import build_page
        from t2v.page.studio import Studio
        from t2v.tasks import TASKS
        from t2v.tasks.text_to_video import TextToVideoSettings

        show_downloads_only()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: uploads and previews are removed
    engine = Engine(device=options.device)
    warm_up = TextToVideoSettings(
        "warm-up", model=options.model, num_frames=2, width=64, height=64, num_inference_steps=1
    )
    jobs, page = Jobs(engine, options.output, warm_up=warm_up), None
    try:
        studio = Studio(engine, jobs, options.model, Glances(engine.device))
        page = build_page(studio, TASKS if tasks is None else tasks)
        _launch(page, studio, options, auth)
        logger.info("Serving on %s; Ctrl-C ends it. Videos go to %s.", page.local_url, jobs.output_folder)
        while True:  # until a signal
            time.sleep(1)
    finally:
        jobs.close(timeout_s=5)
        if page is not None:
            time.sleep(LAST_WORDS_S)
            page.close(verbose=False)


def looks(studio: "Studio") -> dict[str, Any]:
    """What ``launch`` of any page with our tabs must be told: how they look, which files they may show."""
    from t2v.page.layout import theme

    return {
        "theme": theme(),
        "css_paths": STATIC / "style.css",
        "favicon_path": STATIC / "icon.svg",
        "js": (STATIC / "page.js").read_text(encoding="utf-8"),
        "allowed_paths": [str(studio.jobs.output_folder), str(studio.glances.folder)],
        "max_file_size": MAX_UPLOAD,
    }


def _launch(
    page: "gr.Blocks", studio: "Studio", options: argparse.Namespace, auth: tuple[str, str] | None
) -> None:
    """From now on the page is served, by threads of their own."""
    from starlette.middleware import Middleware

    try:
        page.queue(default_concurrency_limit=None).launch(
            server_name=f"[{options.host}]" if ":" in options.host else options.host,
            server_port=options.port,
            share=options.share,
            auth=auth,
            footer_links=["api"],
            ssr_mode=False,
            app_kwargs={"middleware": [Middleware(OnlyFromHere)]},
            quiet=not options.share,  # else it tells the public link
            prevent_thread_lock=True,
            **looks(studio),
        )
    except OSError as error:
        raise _not_served(options, error) from error


def t2v_app() -> int:
    """The console command of an installed package."""
    return main(prog="t2v-app")


def main(argv: list[str] | None = None, tasks: Collection[str] | None = None, prog: str = PROG) -> int:
    """Serve the page until a signal ends it; the exit status. tasks: the tabs on it, None for all."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for client in ("httpx", "httpx2"):  # Gradio's and the hub's
        logging.getLogger(client).setLevel(logging.WARNING)
    prepare_environment()
    spin_briefly()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    try:
        options = arguments(argv, prog)
        check(options)
        serve(options, credentials(options.auth), tasks)
    except InputError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        logger.info("Ended.")
    return 0
