"""QUALITY.md: a section a question. What was not measured this time stays as it was."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality.draw import Results
from benchmarks.quality.guided import COLUMNS
from benchmarks.quality.measures import LAYER_COLUMNS, LOOK_COLUMNS, MOTION_COLUMNS, Figures
from benchmarks.quality.tables import table
from benchmarks.table import write_whole

TARGET = 0.10  # two-layer error
HEAD = """# The ruler

`python -m benchmarks.quality`. Every table has the rows that need no method: **frozen** (the first frame
again and again), **panned still** (the first frame moved by the subject's motion, mirrored at the border),
**shuffled**, **independent frames** (noise of its own each, no shared attention), and the world's own clip of
the same prompt, whose truth is known. Frozen, panned and shuffled are made of the first variant's clips.
Changes are mean absolute differences of 255. CLIP's text score is a mean cosine; sharpness, the mean
gradient, is told beside the single picture's. The consistencies, smoothness, flickering and the share of
dynamic clips follow VBench's formulas with DIS flow; see `t2v/evaluation`.
"""
LAYERED = """The subject is asked to move by {subject} px a frame, the background by {background}.
**two-layer error** (|s_seen - v_s| + |b_seen - v_b|) / |v_s - v_b|: 0 as asked; a picture that is moved as a
whole, or not at all, has 1 or more whatever it shows; a background that is partly tied to the screen, as suns
are when the miniature pans, lies between. **Changes** are of each layer with its motion asked for undone.
**mask IoU**: the subject's mask in frame k and frame 0's moved as asked. Masks are the second judge's;
on the world's own clips their IoU with the true ones is {agreed:.2f} (median; least {least:.2f})."""
ONE = """All is asked to move by {subject} px a frame. **flicker**: change of neighbours with the motion
*seen* undone; **flickA**: with the motion *asked for* undone, which a frozen clip does not pass; **E**: warp
error along the clip's own flow. A panned still wins this table: what it shows is how near one comes to it."""
FOLLOWED = """**E along the clip's flow**: how much a result changes where the clip that it follows stays the
same. **sharpness**: the mean gradient, beside the first variant's."""


def write_section(path: Path, title: str, text: str) -> None:
    """Put a section into the page in place of the one of that title, or behind the others."""
    old = path.read_text("utf-8") if path.is_file() else ""
    sections = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", old, re.DOTALL | re.MULTILINE))
    sections[title] = text
    body = "\n\n".join(f"## {name}\n\n{told.strip()}" for name, told in sections.items())
    write_whole(path, f"{HEAD}\n{body}\n")


def section(results: Results, made_by: str, picture: str) -> str:
    """A question's text, tables and picture."""
    question = results.question
    x, y = question.subject
    facts = {"subject": f"({x:g}, {y:g})", "background": "({:g}, {:g})".format(*question.background)}
    columns = LAYER_COLUMNS if question.layered else MOTION_COLUMNS
    if question.layered:
        about = LAYERED.format(**facts, agreed=np.median(results.agreed), least=min(results.agreed))
    else:
        about = ONE.format(**facts)
    parts = [
        made_by,
        about,
        table(results.figures, columns),
        table(results.figures, LOOK_COLUMNS),
        f"Prompts: {'; '.join(results.prompts)}.",
        *([missed(results)] if question.layered else []),
        f"![{results.prompts[0]}]({picture})",
    ]
    return "\n\n".join(parts)


def missed(results: Results) -> str:
    """How many clips of each row are within the target, and which are not where some are."""
    told = [f"Clips with a two-layer error of at most {TARGET:g}:\n"]
    for name, clips in results.figures.items():
        bad = [results.prompts[i] for i, clip in enumerate(clips) if not clip["error"] <= TARGET]
        which = f", not {'; '.join(bad)}" if 0 < len(bad) < len(clips) else ""
        told.append(f"- {name}: {len(clips) - len(bad)} of {len(clips)}{which}")
    return "\n".join(told)


def guided_section(tables: Sequence[tuple[str, dict[str, list[Figures]]]], made_by: str, picture: str) -> str:
    """Videos that follow clips: a table a case."""
    told = [f"{title}\n\n{table(rows, COLUMNS)}" for title, rows in tables]
    return "\n\n".join([made_by, FOLLOWED, *told, f"![{tables[0][0]}]({picture})"])
