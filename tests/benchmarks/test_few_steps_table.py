"""The table of motion in few steps: its rows are drawn and measured, and what moves is seen to move."""

import json

import pytest

from benchmarks.few_steps import FILE, SAMPLERS, main

pytestmark = pytest.mark.slow


def test_every_sampler_of_few_steps_is_in_it():
    assert SAMPLERS == ("lcm", "tcd", "euler", "ddim", "euler-ancestral")


def test_two_steps_of_one_sampler_move_as_asked(tmp_path):
    assert main(["--prompts", "1", "--samplers", "lcm", "--steps", "2", "--output", str(tmp_path)]) == 0
    text = (tmp_path / FILE).read_text()
    assert "benchmarks.few_steps --prompts 1`" in text
    cells = [cell.strip() for cell in text.strip().splitlines()[-1].strip("|").split("|")]
    assert cells[:4] == ["lcm", "2", "8 frames, 256x256", "499, 499"] and cells[6] == "1 of 1"
    assert float(cells[7]) > 0.7
    (row,) = json.loads((tmp_path / "RESULTS.json").read_text())["few-steps"]["rows"]
    assert list(row.values()) == cells
