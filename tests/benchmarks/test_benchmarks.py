"""The benchmark: fair sides, right counts, and a table that keeps what it had. No clock is judged."""

import json
import os
from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import memory
from benchmarks.__main__ import main, run_part
from benchmarks.calls import calls_in_turn, count_calls, evaluations, flops, flops_by_kind, predicted_seconds
from benchmarks.guided import GuidedCase, GuidedPlan
from benchmarks.networks import SILENT, TINY, random_unet
from benchmarks.parts import PARTS
from benchmarks.plans import quick_plan
from benchmarks.sides import FIRST, LATER, OURS, PEER, WHOLE, Case, draw_ours, draw_peer, recipe_chunks
from benchmarks.sources import SOURCE_TASKS
from benchmarks.speed import alone, here, in_process, pipeline_of, take_turns
from benchmarks.table import save_part

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def plan():
    return replace(quick_plan(TINY), gpu=None)  # whose cases test_gpu_benchmark.py draws


def test_the_recipe_is_the_documented_one():
    assert recipe_chunks(4, 2) == [[0, 0], [0, 1], [0, 2], [0, 3]]
    assert recipe_chunks(8, 4) == [[0, 0, 1, 2], [0, 3, 4, 5], [0, 6, 7]]


def test_motion_comes_at_the_papers_share_of_the_steps():
    shares = [Case(TINY, 8, 0, steps).motion_steps for steps in (50, 25, 10, 4, 1)]
    assert shares == [(2, 5), (1, 2), (0, 1), (0, 1), (0, 0)]


@pytest.mark.parametrize(
    ("frames", "chunk_size", "ours", "diffusers"),
    [(8, 0, 5 + 48 * 8, 5 + 48 * 8), (16, 2, 5 + 48 * 16, 16 * (5 + 48 * 2)), (8, 4, 389, 5 * 3 + 48 * 11)],
)
def test_frame_evaluations_of_fifty_steps(frames, chunk_size, ours, diffusers):
    assert evaluations(count_calls(OURS, frames, chunk_size, 50)) == ours
    assert evaluations(count_calls(PEER, frames, chunk_size, 50)) == diffusers


def test_both_sides_draw_the_same_first_frame():
    case = Case(TINY, 3, 0, steps=4, decode=False)
    ours = draw_ours(pipeline_of(OURS, TINY, "cpu", "float32"), case)
    peers = draw_peer(pipeline_of(PEER, TINY, "cpu", "float32"), case)
    assert ours.shape == peers.shape == (3, 4, 8, 8)
    assert np.abs(ours[0] - peers[0]).max() < 1e-3
    assert np.abs(ours[0] - ours[1]).max() > 0.1


def test_sides_alternate_and_draw_all_frames():
    order = []

    def run(side, function, *arguments):
        order.append((function.__name__, side))
        return in_process(side, function, *arguments)

    pair = take_turns(Case(TINY, 4, 2, steps=2, repeats=2), run)
    assert order[:2] == [("warm_up", OURS), ("warm_up", PEER)]
    assert order[2:] == [("measure", side) for side in (OURS, PEER, PEER, OURS)]
    assert {run.frames for runs in pair.runs.values() for run in runs} == {4}
    assert [pair.runs[side][0].evaluations for side in (OURS, PEER)] == [1 + 2 * 4, 4 * (1 + 2 * 2)]
    assert set(pair.call_seconds()) == {(FIRST, 1), (FIRST, 2), (LATER, 2), (WHOLE, 1), (WHOLE, 2)}
    assert pair.peak_mb(OURS) > 50


def test_shared_keys_and_values_are_less_arithmetic():
    one, two = (flops_by_kind(TINY, frames, 64) for frames in (1, 2))
    assert two[LATER] < two[FIRST] < two[WHOLE] == 2 * one[WHOLE]
    calls = {(FIRST, 2): 1, (LATER, 2): 3}
    assert flops(calls, TINY, 64) == two[FIRST] + 3 * two[LATER]


def test_a_video_takes_its_calls_times_their_time():
    assert predicted_seconds({(FIRST, 2): 10, (WHOLE, 1): 4}, {(FIRST, 2): 0.5, (WHOLE, 1): 2.0}) == 13.0


def test_the_network_is_left_as_found():
    unet = random_unet(SILENT, "cpu", torch.float32)
    found = dict(unet.attn_processors)
    kinds = [kind for kind, call in calls_in_turn(unet, 2, 64) if call() is not None]
    assert kinds == [FIRST, LATER, WHOLE]
    assert dict(unet.attn_processors) == found


def test_every_part_is_written_and_kept(plan, tmp_path):
    output = tmp_path / "results" / "table.md"
    assert {name: run_part(name, plan, output) for name in PARTS} == dict.fromkeys(PARTS, 0)
    first = output.read_text()
    assert "| 16 frames, chunk 2, 50 steps, 64x64 | 773 | 1616 | 2.09 |" in first
    assert first.split("## sources")[0].count(f"| {TINY} | ") == 1 + 3
    assert [line for line in first.splitlines() if line.startswith("## ")] == [
        "## miniature",
        "## guided",
        "## guided-memory",
        "## sd15-cpu",
        "## sources",
        "## profiles-cpu",
        "## lengths-cpu",
        "## decoders",
        "## few-steps",
        "## compiled-cpu",
        "## arithmetic",
        "## peers-cpu",
    ]
    kept = json.loads(output.with_suffix(".json").read_text())
    assert_all_is_in(kept)
    assert run_part("arithmetic", replace(plan, counted=((4, 2),)), output) == 0
    now = json.loads(output.with_suffix(".json").read_text())
    assert all(now[name] == kept[name] for name in ("miniature", "guided", "guided-memory", "sd15-cpu"))
    assert [row["task"] for row in now["guided"]["rows"]] == ["canny", "pose", "depth", "pix2pix"]
    assert [row["video"] for row in now["guided-memory"]["rows"]] == [
        "3 frames, 2 steps, 64x64",
        "12 frames, 2 steps, 64x64",
    ]
    assert now["arithmetic"]["rows"][0]["diffusers, evaluations"] == str(4 * 101)
    assert sorted(path.name for path in output.parent.iterdir()) == ["table.json", "table.md", "table.png"]


def assert_all_is_in(parts):
    """What every part is to tell, in the one JSON."""
    rows = {name: part["rows"] for name, part in parts.items()}
    sources = {(row["source"], row["task"]): row["comes to"] for row in rows["sources"]}
    assert len(sources) == 6 * len(SOURCE_TASKS) == 30
    (refused,) = (one for one in sources if sources[one] != "drawn")
    assert refused == ("LCM, single file", "pix2pix")
    assert sources[refused].startswith("refused: model own lcm.safetensors cannot edit")
    drawn = [row for row in rows["sources"] if row["comes to"] == "drawn"]
    assert all(float(row["a step, s"]) > 0 and float(row["to load, s"]) > 0 for row in drawn)
    assert [row["profile"] for row in rows["profiles-cpu"]] == [
        "high", "medium", "low", "high, fp8", "low, fp8",
    ]  # fmt: skip
    assert all(int(row["peak MB"]) > 50 for row in rows["profiles-cpu"])
    assert [row["steps"] for row in rows["few-steps"]] == ["1", "2", "4", "8"]
    as_it_is, compiled = rows["compiled-cpu"]
    assert as_it_is["times faster"] == "1.00" and int(compiled["largest difference"]) <= 1
    shares = [row["ours, of the matrix limit"] for row in rows["sd15-cpu"]]
    shares += [row["of the matrix limit"] for row in rows["peers-cpu"]]
    assert len(shares) == 3 + 4 and all(float(one.rstrip("%")) >= 0 for one in shares)


def test_another_machines_results_stand_beside_these(tmp_path):
    ours, theirs = tmp_path / "ours.md", tmp_path / "theirs.md"
    row = {"network": "a", "video": "8 frames", "ours, s": "2"}
    save_part(ours, "miniature", "cpu", [row], 1)
    save_part(theirs, "arithmetic", "cpu", [{"network": "b", "video": "8 frames"}], 1)
    assert main(["--take", str(theirs.with_suffix(".json")), "--output", str(ours)]) == 0
    assert list(json.loads(ours.with_suffix(".json").read_text())) == ["miniature", "arithmetic"]
    assert "| a | 8 frames | 2 |" in ours.read_text() and "| b | 8 frames |" in ours.read_text()


def test_without_a_gpu_its_part_is_left_out(plan, tmp_path):
    assert run_part("gpu", plan, tmp_path / "table.md") == 0
    assert list(tmp_path.iterdir()) == []


def test_a_process_of_its_own_answers():
    assert alone(os.getpid) != here(os.getpid) == os.getpid()


def test_a_part_without_its_weights_says_so(plan, tmp_path, caplog):
    cases = tuple(replace(case, network=str(tmp_path / "none")) for case in plan.miniature)
    assert run_part("miniature", replace(plan, miniature=cases), tmp_path / "table.md") == 1
    assert "miniature is left out" in caplog.text
    none = GuidedPlan((GuidedCase("canny", 3, model=str(tmp_path / "none")),), ())
    assert run_part("guided", replace(plan, guided=none), tmp_path / "table.md") == 1
    assert "guided is left out" in caplog.text
    assert list(tmp_path.iterdir()) == []


def test_visits_draw_and_look_around_and_the_servers_memory_is_told(family, capsys):
    assert memory.main(["--visits", "10", "--model", family]) == 0
    table, told = capsys.readouterr().out.strip().rsplit("\n\n", 1)
    assert table.splitlines()[-1].startswith("| 10 | 5 | ")
    assert told == "After the first 50 runs memory grew by at most 0.0 %."
