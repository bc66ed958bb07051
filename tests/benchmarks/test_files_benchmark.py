"""files.py: the table says of each kind what happens with it."""

from benchmarks.files import looked_at, report, row
from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.write import write_made_up


def test_a_line_tells_what_happens(tmp_path):
    drawn = {
        "is": "a checkpoint of Stable Diffusion 1.x", "why": None, "job": "text", "precision": "float16",
        "prediction": "epsilon", "ema": True, "bytes": 2_000_000, "ms": 3.14,
    }  # fmt: skip
    happens = "draws (float16, epsilon, averaged weights)"
    assert row("own", drawn) == f"| own | a checkpoint of Stable Diffusion 1.x | {happens} | 2.0 | 3.1 |"
    refused = {**drawn, "why": "is a LoRA; leave it out."}
    assert "| “own.safetensors is a LoRA; leave it out.” |" in row("own", refused)


def test_files_are_looked_at_without_torch(tmp_path):
    shapes, dtype, metadata, _ = MADE_UP["embedding sd1"]
    found = looked_at({"one": write_made_up(tmp_path / "one.safetensors", shapes(), dtype, metadata)})
    assert found["torch"] is False
    assert found["files"][0]["is"] == "a textual inversion for Stable Diffusion 1.x"
    whole = report({"torch": False, "files": found["files"] * len(MADE_UP)})
    assert f"{len(MADE_UP)} made-up files" in whole and "torch was not imported" in whole
