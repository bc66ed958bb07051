"""What the benchmark of shortcuts counts is what a run does."""

import pytest

from benchmarks import shortcuts
from t2v.diffusion.options import Shortcuts


def test_calls_are_counted_as_a_run_makes_them():
    assert shortcuts.calls(50, Shortcuts()) == {shortcuts.WHOLE: {2: 50}, shortcuts.OUTER: {}}
    assert shortcuts.calls(50, Shortcuts(cache_steps=3)) == {
        shortcuts.WHOLE: {2: 17},
        shortcuts.OUTER: {2: 33},
    }
    late = shortcuts.calls(50, Shortcuts(0.2, 1.0))
    assert late[shortcuts.WHOLE] == {1: 10, 2: 40}


def test_outer_blocks_are_a_part_of_the_whole_by_their_flops():
    found = shortcuts.costs("sd1", 64, timed=0)
    assert found[shortcuts.WHOLE]["flops"] == 1
    assert found[shortcuts.ALONE]["flops"] == pytest.approx(0.5, abs=0.01)
    assert 0.3 < found[shortcuts.OUTER]["flops"] < 0.45
    row = shortcuts.shape_line(Shortcuts(cache_steps=2), {"sd1": found})
    assert row == "| cache 2 | 25 | 25 | 69% | - |"


def test_a_draft_s_decoder_is_a_small_part():
    assert 0.04 < shortcuts.decoded_share() < 0.07
