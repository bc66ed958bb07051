"""The app's flags, read and checked before anything large is loaded."""

import argparse
import errno
import ipaddress
import os
import re
import socket
from importlib import metadata
from pathlib import Path

from t2v.checks import InputError, check_int
from t2v.devices import check_device
from t2v.jobs.workshop import PREFIX
from t2v.library.results import OUTPUTS
from t2v.library.space import lack_of_space
from t2v.memory.profiles import AUTO, Kept
from t2v.page.space import host, is_space
from t2v.program import OwnFolder, Parser
from t2v.weights.index import check_model
from t2v.weights.models_folder import (
    MODELS,
    check_models_folder,
    make_models_folder,
    use_models_folder,
)

AUTH_NAME = "T2V_AUTH"  # in the environment, USER:PASSWORD
AUTH_FILE = "a file with USER:PASSWORD in it, or a line of that for each of several people"
MCP_NAME = "T2V_MCP"
ON = ("1", "on", "true", "yes")
MCP_VERSION = 2  # of the package
PROG = "app.py"  # in a clone; installed it is t2v-app


def arguments(argv: list[str] | None = None, prog: str = PROG) -> argparse.Namespace:
    """The flags, read; InputError for those that there are not."""
    parser = Parser(prog=prog, description="Text2Video-Zero Studio in the browser.")
    parser.add_argument("--host", default=host(), help="address to listen on (0.0.0.0: every network)")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--share", action="store_true", help="also open a public link through Gradio's relay")
    parser.add_argument(
        "--model", default="miniature", help="miniature, a Hugging Face id, a folder or a file"
    )
    parser.add_argument("--device", default=None, help="cuda, mps or cpu (default: the best there is)")
    hint = "how weights are kept where a run does not say: auto, high, medium, low or cpu"
    parser.add_argument("--profile", default=AUTO, help=f"{hint} (default: what the device has room for)")
    parser.add_argument("--auth", metavar="USER:PASSWORD", help="ask visitors for this name and password")
    parser.add_argument(
        "--auth-file",
        type=Path,
        metavar="FILE",
        help=AUTH_FILE,
    )
    parser.add_argument(
        "--root-path",
        default="",
        metavar="PATH",
        help="where a proxy serves it: /studio, or https://host/studio; of a proxy on another machine "
        "name the address in the environment too, as FORWARDED_ALLOW_IPS, or all its visitors count as one",
    )
    hint = f"also serve MCP clients, at /gradio_api/mcp, behind the sign-in ({MCP_NAME}=1 does the same)"
    parser.add_argument("--mcp", action="store_true", default=os.environ.get(MCP_NAME, "") in ON, help=hint)
    parser.add_argument("--output", default=OUTPUTS, type=Path, help="folder of the finished videos")
    hint = "folder of models, which are on offer by their names; made where it is missing"
    parser.add_argument("--models", type=Path, metavar="DIR", help=f"{hint} (default: {MODELS})")
    return parser.parse_args(argv)


def sign_in(options: argparse.Namespace) -> dict[str, str] | None:
    """Names and their passwords by the flags, else by the environment; None where nobody has to sign in.

    A flag's value can be seen by everybody on this machine; a file's and the environment's cannot.
    """
    if options.auth is not None and options.auth_file is not None:
        raise InputError("--auth and --auth-file are both given; leave one out.")
    if options.auth_file is None:
        named = "--auth" if options.auth is not None else AUTH_NAME
        return credentials(os.environ.get(AUTH_NAME) if options.auth is None else options.auth, named)
    named = f"--auth-file {options.auth_file}"
    try:
        return credentials(options.auth_file.read_text(encoding="utf-8").strip(), named)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is no text"
        raise InputError(f"{named} cannot be read ({why}); give a file with USER:PASSWORD in it.") from error


def credentials(auth: str | None, named: str = "--auth") -> dict[str, str] | None:
    """``user:password``, a line each → user -> password, which may contain colons. named: where it stands."""
    if auth is None:
        return None
    people: dict[str, str] = {}
    for line in auth.splitlines() or [""]:
        user, colon, password = line.strip().partition(":")
        if not (user and colon and password):
            raise InputError(
                f"{named} needs a name and a password with a colon between them, like anna:secret."
            )
        if user in people:
            raise InputError(f"{named} has two passwords for {user[:60]!r}; give each name one.")
        people[user] = password
    return people


def check(options: argparse.Namespace) -> None:
    """InputError for flags that cannot be followed; better now, before anything is loaded, than at a run.

    A hub id may be right though it cannot be had at the moment: that is left to the runs.
    """
    check_int("--port", options.port, 1, 65535)
    _make_models_folder(options.models)
    try:
        check_model(options.model)
        if options.device is not None:
            check_device(options.device)
        Kept(options.profile).check()
    except InputError as error:
        raise InputError(re.sub(r"^(model|device|profile)\b", r"--\1", str(error))) from None
    _check_root_path(options.root_path)
    if options.mcp:
        _check_mcp()
    _check_output(options.output)
    _check_address(options)


def _check_mcp() -> None:
    """InputError where the package for it is not there, or is an older one."""
    try:
        found = metadata.version("mcp")
    except metadata.PackageNotFoundError:
        found = ""
    if not found.startswith(f"{MCP_VERSION}."):
        has = f"version {found} is there" if found else "it is not there"
        install = f"pip install 'mcp>={MCP_VERSION}.3,<{MCP_VERSION + 1}'"
        raise InputError(f"--mcp needs the package mcp, and {has}; {install}, or leave --mcp out.")


def _make_models_folder(asked: Path | None) -> None:
    """From now on models are known by their names there; InputError for a folder that cannot be made.

    The one beside the app is a convenience: where there can be none, there is none.
    """
    use_models_folder(asked, goes_first=True)
    try:
        make_models_folder(MODELS if asked is None else asked)
    except FileExistsError:
        if asked is not None:
            check_models_folder(asked)
    except OSError as error:
        if asked is not None:
            why = f"which cannot be made ({error.strerror})"
            raise InputError(f"--models is '{asked}', {why}; choose another.") from error


def _check_output(folder: Path) -> None:
    """InputError where no video could be kept; a folder is made."""
    asked = f"--output is '{folder}'"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        OwnFolder(folder, PREFIX).close()  # rights do not tell all, and a full disk takes no folder
    except FileExistsError as error:
        what = "a link to what is not there" if folder.is_symlink() else "a file"
        raise InputError(f"{asked}, which is {what}; choose another.") from error
    except OSError as error:
        raise InputError(f"{asked}, which takes no files ({error.strerror}); choose another.") from error
    lacking = lack_of_space(folder)
    if lacking is not None:
        told = f"{asked}, whose disk is too full for videos ({lacking})"
        raise InputError(f"{told}; free some space there, or choose another folder.")


def _check_root_path(path: str) -> None:
    if not re.fullmatch(r"|(https?://[^/\s?#]+)?(/[^\s?#]*)?", path):
        raise InputError(f"--root-path is {path!r}; give one like /studio, or https://host/studio.")


def _check_address(options: argparse.Namespace) -> None:
    try:
        found = socket.getaddrinfo(options.host, options.port, type=socket.SOCK_STREAM)
        family, *_, address = found[0]
        socket.create_server(address[:2], family=family).close()
    except OSError as error:
        raise not_served(options, error) from error


def not_served(options: argparse.Namespace, error: OSError) -> InputError:
    place = f"port {options.port} of {options.host!r}"
    why = "it is in use, perhaps by this app" if error.errno == errno.EADDRINUSE else error.strerror or error
    return InputError(f"The app cannot be served on {place} ({why}); choose another --host or --port.")


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a server that listens on this host."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except OSError:
        return False
    return all(ipaddress.ip_address(str(address[0]).partition("%")[0]).is_loopback for *_, address in found)


def is_for_itself(options: argparse.Namespace) -> bool:
    """Whether nobody beyond this machine is served; a Space serves everybody."""
    return not options.share and not is_space() and is_loopback(options.host)


def knows_owner(options: argparse.Namespace) -> bool:
    """Whether requests from this machine itself are its owner's: only where no proxy sends others' from here.

    A public link's relay and a proxy that serves the app under a path or is trusted are such.
    """
    return not (options.share or is_space() or options.root_path or os.environ.get("FORWARDED_ALLOW_IPS"))
