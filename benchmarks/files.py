"""Single files of every kind, what each is told to be, and how fast: ``python -m benchmarks.files``.

Made-up files of the published names and shapes, looked at by a process that has no torch. Writes
benchmarks/FILES.md.
"""

import json
import logging
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.write import file_name, write_all
from benchmarks.motion import machine, write

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
LOOK = """
import json, sys, time
from pathlib import Path
from t2v.weights.single_file.checks import why_not
from t2v.weights.single_file.header import read_header
from t2v.weights.single_file.kinds import recognise
told = []
for name in map(Path, sys.argv[1:]):
    took = []
    for _ in range(10):
        began = time.process_time()
        kind = recognise(read_header(name), name)
        took.append(time.process_time() - began)
    ms = 1000 * min(took)
    told.append({"is": kind.words, "why": why_not(kind), "job": kind.job, "precision": kind.precision,
                 "prediction": kind.prediction, "ema": kind.ema, "bytes": kind.size, "ms": ms})
print(json.dumps({"torch": "torch" in sys.modules, "files": told}))
"""


def looked_at(files: Mapping[str, Path]) -> dict[str, Any]:
    """What a process of its own tells of the files: whether it had torch, and of each file what it is."""
    run = [sys.executable, "-c", LOOK, *map(str, files.values())]
    told = subprocess.run(run, cwd=FOLDER.parent, capture_output=True, text=True, check=True).stdout
    found: dict[str, Any] = json.loads(told)
    return found


def row(name: str, told: Mapping[str, Any]) -> str:
    """A line of the table."""
    if told["why"] is None:
        what = "edits videos" if told["job"] == "editing" else "draws"
        more = [told["precision"], told["prediction"] or "what it predicts is tried out"]
        happens = f"{what} ({', '.join([*more, *(['averaged weights'] if told['ema'] else [])])})"
    else:
        happens = f"“{file_name(name)} {told['why']}”"
    return f"| {name} | {told['is']} | {happens} | {told['bytes'] / 1e6:,.1f} | {told['ms']:.1f} |"


def report(found: Mapping[str, Any]) -> str:
    """The page."""
    rows = [row(name, told) for name, told in zip(MADE_UP, found["files"], strict=True)]
    slowest = max(told["ms"] for told in found["files"])
    return f"""# Single files: what each kind is told to be, and what happens with it

{len(rows)} made-up files with the names, shapes and lengths of published ones, and nothing but zeros in them,
given as the model of a run, by `python -m benchmarks.files` on {date.today()}: {machine()}. Each
is told by its header alone, in at most {slowest:.0f} ms of the processor's time (the best of ten looks);
torch was {"" if found["torch"] else "not "}imported.

| file | is | happens | MB | ms |
| --- | --- | --- | ---: | ---: |
{chr(10).join(rows)}

Behind a model's plus, a VAE takes the place of the model's own, and a LoRA goes into its weights.
"""


def main() -> int:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with tempfile.TemporaryDirectory() as folder:
        found = looked_at(write_all(Path(folder)))
    write(FOLDER / "FILES.md", report(found).encode())
    log.info("wrote %s", FOLDER / "FILES.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
