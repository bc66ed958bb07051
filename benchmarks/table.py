"""Results: one JSON file that keeps every part's last rows, and the Markdown table and plot made from it."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import diffusers
import torch

from benchmarks.plot import plotted

Row = dict[str, str]

RESULTS = Path(__file__).resolve().parent / "RESULTS.md"

PEERS = """What a user would pick instead: one call of each network on a whole clip with both guidance
branches, which a video takes once a step. **All weights are random**, in the real networks' shapes: these are
times, and say nothing of pictures. Networks take turns, each in a process of its own, whose peak has the
weights in it. The limit is the speed of one large matrix product in the same precision."""
PROFILES = """How weights are kept, prompt to file, each row drawn by a process of its own. On a CPU the peak
is the process's highest resident memory, Python, PyTorch and the weights in it; on a GPU PyTorch's highest
allocation. Differences are in levels of 255 from the high profile; eight bits are the one option that changes
the picture."""
LENGTHS = "The highest memory of a video in the low profile, by its length, measured as that of profiles."
COMPILED = """The same videos with the network as it is and compiled by PyTorch, each in a process of its own:
the first one, which compiles, and the middle one of those after it, on a CPU in the processor's own seconds.
Differences are in levels of 255."""
GPU = """By `python -m benchmarks.gpu`, random weights of Stable Diffusion's shapes, prompt to latents: the
quickest run of a case, and all that it told."""
NOTES = {
    "miniature": """The bundled model on the CPU, prompt to frames, decoding included. Both sides take turns,
each in a process of its own; the peak is the process's highest resident memory, with Python, PyTorch and
the weights (the same on both sides) in it.""",
    "guided": """Videos that follow a clip of the world, by the bundled family on the CPU, from clip to file,
each in a process of its own; loading the weights is left out. Edges are found in footage, skeletons
and depth come ready drawn.""",
    "guided-memory": """The highest resident memory of a process that draws one video from a clip, with
Python, PyTorch and the weights in it.""",
    "sd15-cpu": """Stable Diffusion 1.5's real network and text encoder with random weights; the decoder, the
same work on both sides, is left out. Where few steps are measured, the share of steps before T' is larger
than in 50: compare the times with the evaluations beside them. "Time per call x calls" is no run of its
own: the median time of each kind of network call, times the calls that the two pipelines were counted to
make. The limit is the speed of one large matrix product in the same precision.""",
    "sd15-cuda": """Stable Diffusion 1.5's real network and text encoder with random weights; the decoder, the
same work on both sides, is left out. The peak is PyTorch's highest allocation, the weights in it. The limit
is the speed of one large matrix product in the same precision.""",
    "sources": """Every kind of source by every task, on the CPU, each in a process of its own; all but the
bundled miniature are small random models of the real classes, written on the spot as people have them, so
seconds and memory compare kinds of sources, and say nothing of real ones' size. Seconds are the processor's,
of the process; loading has checking, reading and putting in LoRAs and ControlNets in it, and a step is the
middle one of a run's later half, in which all frames are drawn together.""",
    "profiles-cpu": PROFILES + " Weights wait where they are computed with, so little is saved here.",
    "profiles-cuda": PROFILES,
    "lengths-cpu": LENGTHS,
    "lengths-cuda": LENGTHS,
    "decoders": """One picture by a decoder of Stable Diffusion's shape with random weights, on the CPU:
memory that decoding adds to a process, and levels of 255 from decoding it whole. Strips are what the medium
and low profiles use, tiles are diffusers' own way.""",
    "few-steps": """The bundled miniature by the paper's method with the samplers of models for few steps:
whether what is drawn moves as asked, and not how such models draw, as the miniature is made for many. **T',
T**: the times of the steps that frames are moved at and noised up to. Seconds are of a video, measuring its
motion in it, and on a CPU the processor's own. More prompts: [FEW_STEPS.md](FEW_STEPS.md).""",
    "compiled-cpu": COMPILED,
    "compiled-cuda": COMPILED,
    "gpu-cpu": GPU + " In tiny sizes on a CPU: only to see that it runs.",
    "gpu-cuda": GPU,
    "arithmetic": """Calls counted while both pipelines draw with a network that answers at once; the FLOPs of
each kind of call come from PyTorch's counter, on tensors without contents.""",
    "peers-cpu": PEERS + " On the CPU all are timed at one small size, none at its own.",
    "peers-cuda": PEERS + " Each at the size that it was trained for, ours at both.",
}
HEAD = """# This project beside diffusers' TextToVideoZeroPipeline

The same weights, prompt, DDIM steps and guidance (7.5, so every frame takes two rows of the batch) on both
sides; T and T' at steps 2 and 5 of 50, or the same share of fewer. "No chunks" is one call of each
pipeline; "chunk 2" is `chunk_size=2` here, and there the recipe for long videos in diffusers' documentation
(`frame_ids=[0, k]`, the generator seeded again before every chunk, the extra first frame dropped). An
evaluation is one frame through the network once, with both guidance branches. Made by `python -m
benchmarks`.
"""


def machine(device: str) -> str:
    """The machine in one line."""
    cpu = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        named = re.search(r"model name\s*:\s*(.+)", info.read_text())
        cpu = named.group(1).strip() if named else cpu
    parts = [f"{cpu}, {os.cpu_count()} cores, {torch.get_num_threads()} threads"]
    if device == "cuda":
        parts.insert(0, torch.cuda.get_device_name())
    parts += [f"torch {torch.__version__}", f"diffusers {diffusers.__version__}"]
    return "; ".join(parts)


def crowded() -> str:
    """To be told behind the machine, where more asked for its cores in the last minutes than it has."""
    load, cores = os.getloadavg()[1], os.cpu_count()
    return f"; shared with other work (load {load:.0f})" if cores is not None and load > cores + 1 else ""


def save_part(output: Path, name: str, device: str, rows: list[Row], seconds: float) -> None:
    """Put a part's rows beside the others', in OUTPUT's name with .json, and write table and plot anew."""
    part = {
        "machine": machine(device) + crowded(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seconds": round(seconds),
        "rows": rows,
    }
    save_parts(output, {name: part})


def save_parts(output: Path, further: dict[str, Any]) -> None:
    """As ``save_part``, of parts as the JSON file has them: what another machine measured, too."""
    kept = output.with_suffix(".json")
    parts = {**(json.loads(kept.read_text()) if kept.exists() else {}), **further}
    write_whole(kept, json.dumps(parts, indent=1) + "\n")
    picture = output.with_suffix(".png")
    write_whole(picture, plotted({name: parts[name] for name in NOTES if name in parts}))
    write_whole(output, markdown(parts, picture.name))


def markdown(parts: dict[str, dict], picture: str) -> str:
    """All parts as Markdown, in NOTES' order. picture: name of the plot beside it."""
    text = f"{HEAD}\n![Seconds, by case]({picture})\n\nBars of one part and one video share a scale.\n"
    for name in (name for name in NOTES if name in parts):
        part = parts[name]
        text += f"\n## {name}\n\n{NOTES[name]}\n\n{part['machine']}; {part['date']}; {part['seconds']} s.\n\n"
        text += table(part["rows"])
    return text


def table(rows: list[Row], without: tuple[str, ...] = ()) -> str:
    """Rows of the same columns as a Markdown table. without: columns that what stands around it tells."""
    columns = [column for column in rows[0] if column not in without]
    text = f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
    return text + "".join(f"| {' | '.join(row[column] for column in columns)} |\n" for row in rows)


def write_whole(path: Path, whole: str | bytes) -> None:
    """Under another name first, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(whole.encode() if isinstance(whole, str) else whole)
    os.replace(unfinished, path)
