"""benchmarks/whole.py: what its judges make of the world's own clips, whole, cut and of something else."""

import numpy as np
import pytest

from benchmarks.quality.asks import Question, asks, true_clip
from benchmarks.quality.judges import watchers
from benchmarks.whole import cut_by_border, look, totals
from t2v.tasks.text_to_video import TextToVideoSettings


def test_what_touches_the_border_or_is_not_there_is_cut():
    covered = np.zeros((4, 8, 8))
    covered[0, 2:5, 2:5] = 0.9
    covered[1, 2:5, 5:] = 0.9
    covered[2, 0:3, 2:5] = 0.9
    assert cut_by_border(covered).tolist() == [False, True, True, True]
    covered[0, 7, 7] = 0.9  # a speck of its own
    assert not cut_by_border(covered)[0]


@pytest.mark.slow
def test_the_judges_see_where_a_true_subject_leaves():
    from runs import resolved

    (ask,) = asks(4)[3:]  # a rocket, which is narrow
    run = resolved(TextToVideoSettings(ask.prompt, num_frames=3), 256)
    eyes = watchers()
    still, _ = true_clip(ask, Question("", "", (0.0, 0.0), (0.0, 0.0)), 3)
    leaving, _ = true_clip(ask, Question("", "", (120.0, 0.0), (0.0, 0.0)), 3)  # cut on both sides
    seen = look(ask, run, still, eyes)
    assert seen.whole.tolist() == [True] * 3
    assert look(ask, run, leaving, eyes).cut.tolist() == [True, False, True]
    other = asks(1)[0]
    assert not look(other, run, still, eyes).kind.any()
    assert "| 3 | (16, 0) | 1 of 1 | 1 of 1 | 100% | 100% | 100% | 100% |" in totals({"3": [seen]})
