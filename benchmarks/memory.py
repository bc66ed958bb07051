"""Memory of the served app under many visitors: ``python -m benchmarks.memory [--visits N] [--at-once N]``

Every second visit draws the smallest video, as the page does: a session of its own, its heartbeat, Run, the
run followed to its end, the video fetched. The visits between make only cheap calls; each fifth of those also
uploads a clip of its own and has a glance at it. Linux, as the server's memory is read from /proc.
"""

import argparse
import contextlib
import http.client
import json
import os
import re
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
API = "/gradio_api"
VISITS, EVERY = 500, 50  # and between two looks at the server's memory
SETTLED = 50  # runs, after which memory is to stay as it is
CLIP = ROOT / "examples" / "pose" / "dancing.mp4"
CLIP_EACH = 5  # visits without a run: one that has a glance at a clip
SMALLEST = {"What should the video show?": "a red car", "Frames": 2, "Steps": 1, "Width": 64, "Height": 64}


@dataclass(frozen=True)
class Server:
    """A served app: its process and port, and what its page consists of, as it tells browsers."""

    process: int
    port: int
    config: dict[str, Any]

    def memory_mb(self) -> float:
        """Memory of the process that is really there (RSS)."""
        status = Path(f"/proc/{self.process}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        assert found is not None  # of every process that lives
        return int(found[1]) / 1024

    def threads_and_files(self) -> tuple[int, int]:
        """How many threads it has, and how many open files."""
        of_process = Path(f"/proc/{self.process}")
        return len(os.listdir(of_process / "task")), len(os.listdir(of_process / "fd"))

    def asked(self, name: str, first: tuple[str, ...], labelled: dict[str, Any]) -> dict[str, Any]:
        """A call of the first of the page's functions of this name: the fields' values as at first, but for
        ``first`` of those without a label, and ``labelled``."""
        found = next(one for one in self.config["dependencies"] if one["api_name"] == name)
        fields = {one["id"]: one["props"] for one in self.config["components"]}
        data = [
            labelled.get(fields[number].get("label"), fields[number].get("value"))
            for number in found["inputs"]
        ]
        data[: len(first)] = first
        return {"fn_index": found["id"], "data": data}


class Visit:
    """One window of one visitor: a session hash, and a heartbeat as long as it is open."""

    def __init__(self, server: Server) -> None:
        self._server, self._session = server, secrets.token_hex(6)
        self._heart = self._open("GET", f"{API}/heartbeat/{self._session}")

    def close(self) -> None:
        self._heart.close()

    def _open(self, method: str, path: str, body: bytes | None = None, kind: str = "application/json") -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._server.port, timeout=120)
        connection.request(method, path, body, {} if body is None else {"Content-Type": kind})
        answer = connection.getresponse()
        if answer.status != 200:
            raise SystemExit(f"{method} {path} was answered with {answer.status}: {answer.read()[:300]!r}")
        return answer

    def get(self, path: str) -> bytes:
        return bytes(self._open("GET", path).read())

    def call(self, name: str, *first: str, **labelled: Any) -> list[Any]:
        """Call a function that does not queue; what it gives."""
        answer = self._open("POST", f"{API}/run/predict", self._body(name, first, labelled))
        return list(json.loads(answer.read())["data"])

    def follow(self, name: str, *first: str, **labelled: Any) -> str:
        """Call one that queues; all that it streams to its end."""
        self._open("POST", f"{API}/queue/join", self._body(name, first, labelled)).read()
        told = self.get(f"{API}/queue/data?session_hash={self._session}").decode()
        if '"success": false' in told or "process_completed" not in told:
            raise SystemExit(f"{name} failed: {told[-500:]}")
        return told

    def _body(self, name: str, first: tuple[str, ...], labelled: dict[str, Any]) -> bytes:
        asked = self._server.asked(name, first, {**SMALLEST, **labelled})
        return json.dumps({**asked, "session_hash": self._session}).encode()

    def upload(self, path: Path) -> dict[str, Any]:
        """The file, under a name and with bytes of its own, as Gradio describes uploads."""
        name, edge = f"{secrets.token_hex(4)}.mp4", secrets.token_hex(16)
        own = path.read_bytes() + b"\x00\x00\x00\x10free" + secrets.token_bytes(8)
        head = f'--{edge}\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\n'
        body = head.encode() + own + f"\r\n--{edge}--\r\n".encode()
        kind = f"multipart/form-data; boundary={edge}"
        (where,) = json.loads(self._open("POST", f"{API}/upload", body, kind).read())
        return {"path": where, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def draw(visit: Visit) -> None:
    """What a page does from Run to a video that plays."""
    visit.get("/")
    job, _ = visit.call("_start", "")
    _fetch_videos(visit, visit.follow("_follow", job, ""))


def look_around(visit: Visit, with_clip: bool) -> None:
    """Calls that draw nothing; with_clip: a clip is uploaded, and seen as a run would see it."""
    visit.get("/")
    visit.call("_reattach", "a run of another day")
    visit.call("_seed", "")
    if with_clip:
        _fetch_videos(visit, visit.follow("_show_clip", "", "", Clip=visit.upload(CLIP)["path"]))


def _fetch_videos(visit: Visit, told: str) -> None:
    found = set(re.findall(r"gradio_api/file=[^\"\\ #]*\.mp4", told))
    if not found:
        raise SystemExit(f"No video came: {told[-500:]}")
    for address in found:
        visit.get(f"/{address}")


def make(server: Server, number: int) -> None:
    """The visit of this number, from 1."""
    with contextlib.closing(Visit(server)) as visit:
        if number % 2:
            draw(visit)
        else:
            look_around(visit, with_clip=number % (2 * CLIP_EACH) == 0)


@contextlib.contextmanager
def served(model: str) -> Iterator[Server]:
    """The app as people start it, with all its files in a folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "app.py", "--port", str(port), "--model", model, "--output", folder]
        with (Path(folder) / "log.txt").open("w") as log:
            process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        try:
            yield Server(process.pid, port, _config(process, port))
        finally:
            process.terminate()
            process.wait(60)


def _config(process: "subprocess.Popen[bytes]", port: int) -> dict[str, Any]:
    while process.poll() is None:
        with contextlib.suppress(OSError):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", "/config")
            return dict(json.loads(connection.getresponse().read()))
        time.sleep(0.2)
    raise SystemExit("The app did not start.")


def main(arguments: list[str] | None = None) -> int:
    """Visits in turn, a line for each fifty; 1 where memory grew by more than 5 % after the first runs."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.memory", description=__doc__)
    parser.add_argument("--visits", type=int, default=VISITS, help="half of them draw (500)")
    parser.add_argument("--at-once", type=int, default=1, help="how many visitors there are at a time (1)")
    parser.add_argument("--model", default="miniature", help="folder or hub id")
    asked = parser.parse_args(arguments)
    print("| visits | runs | MB | threads | open files |\n|---|---|---|---|---|")
    settled = most = 0.0
    with served(asked.model) as server, ThreadPoolExecutor(asked.at_once) as visitors:
        for first in range(1, asked.visits + 1, EVERY):
            last = min(first + EVERY - 1, asked.visits)
            list(visitors.map(partial(make, server), range(first, last + 1)))
            now = server.memory_mb()
            threads, files = server.threads_and_files()
            print(f"| {last} | {(last + 1) // 2} | {now:.0f} | {threads} | {files} |", flush=True)
            if last >= 2 * SETTLED:
                settled, most = settled or now, max(most, now)
    grew = most / settled - 1 if settled else 0.0
    print(f"\nAfter the first {SETTLED} runs memory grew by at most {100 * grew:.1f} %.")
    return int(grew > 0.05)


if __name__ == "__main__":
    sys.exit(main())
