"""Results: one JSON file that keeps every part's last rows, and the Markdown table and plot made from it."""

import json
import os
import platform
import re
from datetime import UTC, datetime
from pathlib import Path

import diffusers
import torch

from benchmarks.plot import plotted

Row = dict[str, str]

PEERS = """What a user would pick instead: one call of each network on a whole clip with both guidance
branches, which a video takes once a step. **All weights are random**, in the real networks' shapes: these are
times, and say nothing of pictures. Networks take turns, each in a process of its own, whose peak has the
weights in it. The limit is the speed of one large matrix product in the same precision."""
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


def save_part(output: Path, name: str, device: str, rows: list[Row], seconds: float) -> None:
    """Put a part's rows beside the others', in OUTPUT's name with .json, and write table and plot anew."""
    kept = output.with_suffix(".json")
    parts = json.loads(kept.read_text()) if kept.exists() else {}
    parts[name] = {
        "machine": machine(device),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "seconds": round(seconds),
        "rows": rows,
    }
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
        columns = list(part["rows"][0])
        text += f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}\n"
        text += "".join(f"| {' | '.join(row[column] for column in columns)} |\n" for row in part["rows"])
    return text


def write_whole(path: Path, whole: str | bytes) -> None:
    """Under another name first, so that a reader never sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(whole.encode() if isinstance(whole, str) else whole)
    os.replace(unfinished, path)
