"""The web app: ``python app.py`` serves it on http://127.0.0.1:7860."""

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t2v.checks import InputError
from t2v.libraries import loading_libraries, only_for_drawing
from t2v.page.door.belongings import own_temporary_folder
from t2v.page.flags import PROG, arguments, check, is_for_itself, knows_owner, not_served, sign_in
from t2v.page.motion_editor import of_motion_editor
from t2v.page.space import lends_gpus, prepare_lending, trust_its_proxy
from t2v.program import (
    prepare_environment,
    reach_itself_directly,
    show_downloads_only,
    spin_briefly,
)

if TYPE_CHECKING:
    import gradio as gr

    from t2v.engine.engine import Engine
    from t2v.page.studio import Studio

logger = logging.getLogger(__name__)

STATIC = Path(__file__).resolve().parent / "static"
MOTION_STYLE, MOTION_SCRIPTS = of_motion_editor()
OWN_STYLES = ("style.css", "library.css", "files.css", "runs.css", "clips.css", "manners.css")
OWN_SCRIPTS = (
    "answers.js", "page.js", "library.js", "library_shelf.js", "library_open.js",
    "library_compare.js", "library_finish.js", "files.js", "tries.js", "runs.js", "clips.js", "in_use.js",
    "manners.js",
)  # fmt: skip
MAX_UPLOAD = "500mb"
LAST_WORDS_S = 1.0  # at the end, for pages to hear that their run was stopped: the server would wait for them
KEPT_SESSIONS = 20  # Gradio keeps 0.7 MB for each, of which our page needs nothing


def _end_at_signals() -> list[int]:
    """Ctrl-C, TERM and a closed terminal end the program in order; while it tidies up, more of them wait.

    Returns those signals; when all is tidied up they are to be ignored, or they would cut off Python's end.
    """
    names = ("SIGINT", "SIGTERM", "SIGHUP")
    numbers = [getattr(signal, name) for name in names if hasattr(signal, name)]
    heard = [number for number in numbers if signal.getsignal(number) != signal.SIG_IGN]  # nohup's stays so

    def wait(*_: object) -> None:
        logger.info("Ending; what is under way is being tidied up.")

    def end(*_: object) -> None:
        for number in heard:
            signal.signal(number, wait)
        raise KeyboardInterrupt

    for number in heard:
        signal.signal(number, end)
    return heard


def serve(
    options: argparse.Namespace, auth: Mapping[str, str] | None, tasks: Collection[str] | None = None
) -> None:
    """Starts the server and stays until it is told to stop. tasks: the tabs on the page, None for all."""
    lent = lends_gpus()
    if lent:
        prepare_lending()  # before torch comes
    with loading_libraries(), only_for_drawing():
        from t2v.jobs.queue import Jobs
        from t2v.page.glances import Glances
        from t2v.page.layout import build_page
        from t2v.page.library.shelf import opened
        from t2v.page.studio import Studio
        from t2v.tasks import TASKS
        from t2v.tasks.text_to_video import TextToVideoSettings

        show_downloads_only()
    engine = _engine(options, lent)
    quick = TextToVideoSettings(
        "warm-up", model=options.model, num_frames=2, width=64, height=64, num_inference_steps=1
    )
    warm_up = None if lent else quick  # a GPU is lent for somebody's run alone
    is_open = auth is not None or not is_for_itself(options)
    shelf = opened(options.output, is_open)
    library = None if shelf is None else shelf.library
    jobs, page = Jobs(engine, options.output, warm_up=warm_up, library=library), None
    try:
        glances = Glances("cpu" if lent else engine.device)
        knows = auth is None and knows_owner(options)
        studio = Studio(engine, jobs, options.model, glances, is_open, shelf, knows)
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
        if shelf is not None:  # pages ask it to the end
            shelf.close()


def _engine(options: argparse.Namespace, lent: bool) -> "Engine":
    """What draws. lent: where a GPU is there for each run alone; the model is loaded before that, at once."""
    from t2v.engine.engine import Engine

    if not lent:
        return Engine(device=options.device, profile=options.profile)
    from t2v.engine.lent import LentEngine

    engine = LentEngine(device=options.device)
    try:
        engine.load(options.model)
    except InputError as error:
        logger.warning("The model could not be loaded beforehand: %s", error)
    return engine


def looks(studio: "Studio") -> dict[str, Any]:
    """What ``launch`` of any page with our tabs must be told: how they look, which files they may show."""
    from t2v.page.layout import theme

    return {
        "theme": theme(),
        "css_paths": [*(STATIC / name for name in OWN_STYLES), MOTION_STYLE],
        "favicon_path": STATIC / "icon.svg",
        "js": _scripts(),
        "head": (STATIC / "head.html").read_text(encoding="utf-8"),
        "allowed_paths": [
            str(one) for one in (studio.jobs.output_folder, studio.glances.folder, studio.copies.folder)
        ],
        "max_file_size": MAX_UPLOAD,
    }


def _scripts() -> str:
    """What runs in the browser when the page is there: each file is one function."""
    files = (*(STATIC / name for name in OWN_SCRIPTS), *MOTION_SCRIPTS)
    parts = [file.read_text(encoding="utf-8") for file in files]
    return "() => {" + "".join(f"({part.strip()})();\n" for part in parts) + "}"


def _launch(
    page: "gr.Blocks", studio: "Studio", options: argparse.Namespace, auth: Mapping[str, str] | None
) -> None:
    """From now on the page is served, by threads of their own."""
    from starlette.middleware import Middleware

    from t2v.page.door.front_page import FrontPage
    from t2v.page.door.gates import Gates
    from t2v.page.door.recognised import Recognised
    from t2v.page.door.sign_in import SignIn

    signing_in = None if auth is None else SignIn(auth)
    of_sign_in = [] if signing_in is None else [signing_in.gate, signing_in.only_signed_in]
    middleware, first = [Middleware(Recognised)] if studio.is_open else [], []
    if options.mcp:
        from t2v.page.programs.mcp_server import Running, mcp_gate, mcp_manager

        manager = mcp_manager(studio)
        middleware.insert(0, Middleware(Running, manager=manager))
        first.append(mcp_gate(manager, None if signing_in is None else signing_in.only_with_password))
    gates = _gates(page, studio, options, first, of_sign_in)
    try:
        page.queue(default_concurrency_limit=None).launch(
            server_name=f"[{options.host}]" if ":" in options.host else options.host,
            server_port=options.port,
            share=options.share,
            auth=None if signing_in is None else signing_in.check,
            footer_links=["api"],
            ssr_mode=False,
            root_path=options.root_path,
            state_session_capacity=KEPT_SESSIONS,
            enable_monitoring=False,
            app_kwargs={"middleware": [*middleware, Middleware(Gates, gates=gates), Middleware(FrontPage)]},
            quiet=not options.share,  # else it tells the public link
            prevent_thread_lock=True,
            **looks(studio),
        )
    except OSError as error:
        raise not_served(options, error) from error


def _gates(
    page: "gr.Blocks",
    studio: "Studio",
    options: argparse.Namespace,
    first: Sequence[Any],
    of_sign_in: Sequence[Any],
) -> list[Any]:
    """What every request has to pass before Gradio sees it. first: what answers before doors are shut."""
    import gradio as gr

    from t2v.page.door.calls import only_well_formed
    from t2v.page.door.files import only_our_files
    from t2v.page.door.gates import only_open_doors
    from t2v.page.door.neighbours import only_neighbours
    from t2v.page.door.proxies import told_of_proxies
    from t2v.page.endpoints import named_endpoints
    from t2v.page.library.again import run_again
    from t2v.page.library.gate import library_answers
    from t2v.page.uploads import renewed
    from t2v.page.visitors import visitor_of

    def inputs_of(number: int) -> list[bool | None] | None:
        function = page.fns.get(number)
        if function is None or function.fn is None:  # the browser does those alone
            return None
        if function.api_name in named:  # they look at their values themselves, and answer in a sentence
            return [None] * len(function.inputs)
        return [isinstance(one, gr.UploadButton) for one in function.inputs]

    there = {function.api_name for function in page.fns.values()}
    named = {name: one for name, one in named_endpoints(studio).items() if name in there}
    gates = [told_of_proxies(), *first, only_open_doors, *of_sign_in]
    if is_for_itself(options):
        gates.insert(0, only_neighbours(options.host, options.root_path))
    if studio.shelf is not None:
        asked = partial(visitor_of, studio), partial(run_again, studio), partial(renewed, studio)
        gates.append(library_answers(studio.shelf, *asked))

    def is_ours(path: Path, request: Any) -> bool:
        return studio.gives_out(path, visitor_of(studio, request))

    return [*gates, only_our_files(is_ours), only_well_formed(named, inputs_of)]


def main(argv: list[str] | None = None, tasks: Collection[str] | None = None, prog: str = PROG) -> int:
    """Serve the page until a signal ends it; the exit status. tasks: the tabs on it, None for all."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for client in ("httpx", "httpx2"):  # Gradio's and the hub's
        logging.getLogger(client).setLevel(logging.WARNING)
    prepare_environment()
    trust_its_proxy()
    spin_briefly()
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    heard: list[int] = []
    try:
        options = arguments(argv, prog)
        check(options)
        if (told := reach_itself_directly(options.host)) is not None:
            logger.warning("%s", told)
        auth = sign_in(options)
        heard = _end_at_signals()
        with own_temporary_folder():
            serve(options, auth, tasks)
    except InputError as error:
        print(f"{error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        logger.info("Ended.")
    return 0
