"""gpu.py: cases fail alone, what there is no time for is told, and tables say what was measured."""

import json

import pytest

from benchmarks import gpu, gpu_cases
from benchmarks.gpu import GpuPlan, all_gpu_rows, gpu_rows, main


def test_what_there_is_no_time_for_is_told_and_makes_no_model():
    rows = all_gpu_rows(GpuPlan("cpu", minutes=-1))
    assert [row["case"] for row in rows] == list(gpu_cases.CASES)
    assert all(row["figures"].startswith("left out: -") and not row["best run, s"] for row in rows)
    assert rows[0]["video"] == "8 frames, 50 steps, 512x512, float32"


def test_a_case_that_fails_leaves_the_others(monkeypatch, tmp_path, capsys):
    def breaks(bench):
        raise RuntimeError("no such card")

    cases = {"breaks": (breaks, 0.0), "limit of the card": (gpu_cases.limit, 0.0)}
    monkeypatch.setattr(gpu, "CASES", cases)
    assert main(["--tiny", "--out", str(tmp_path)]) == 1
    assert "no such card" in capsys.readouterr().err
    (device,) = json.loads((tmp_path / "RESULTS.json").read_text())
    rows = json.loads((tmp_path / "RESULTS.json").read_text())[device]["rows"]
    assert rows[0]["figures"].startswith("failed: RuntimeError: no such card")
    assert rows[1]["figures"].startswith("TFLOP/s: ")
    assert "## limit of the card" in (tmp_path / "GPU.md").read_text()


@pytest.mark.slow
def test_every_case_runs_in_tiny_sizes(monkeypatch):
    """But the compiled one: tracing takes as long as all the others together, and is tested as a part."""
    cases = {name: one for name, one in gpu_cases.CASES.items() if name != "compiled"}
    monkeypatch.setattr(gpu, "CASES", cases)
    rows = {row["case"]: row for row in all_gpu_rows(GpuPlan("cpu", is_tiny=True))}
    assert list(rows) == list(cases)
    assert not [name for name, row in rows.items() if "failed" in row["figures"]]
    assert "eager and graphs: latents differ by at most 0;" in rows["the same picture"]["figures"]
    assert rows["memory, low, 64 frames"]["figures"].startswith("frames: 12; ")
    assert float(rows["eager"]["best run, s"]) > 0


def test_the_best_run_is_told():
    told = {"eager": {"runs, s": [3.0, 2.5], "told": [], "times diffusers": 1.25}}
    bench = GpuPlan("cpu", is_tiny=True).bench()
    assert gpu_rows(bench, told) == [
        {
            "case": "eager",
            "video": "8 frames, 4 steps, 64x64, float32",
            "best run, s": "2.5",
            "figures": "runs, s: 3, 2.5; times diffusers: 1.25",
        }
    ]
