"""benchmarks/actions.py: what its measure makes of paths that are followed, stood through, reversed."""

import numpy as np
import pytest

from benchmarks.actions import PROMPTS, correlation
from miniature.judges.scenes import CLASSES
from t2v.tasks.acting import told_action
from t2v.tasks.actions import Clip, path
from t2v.weights.figure import PERSON


def test_correlation_is_of_what_moves():
    wanted = path(PERSON, [{"wave": 1}] * 8, 1, Clip(8, (256, 256)))
    noisy = wanted + np.random.default_rng(0).normal(0, 1, wanted.shape)
    assert correlation(wanted, wanted + 30) == pytest.approx(1)  # elsewhere, but the same path
    assert 0.9 < correlation(wanted, noisy) < 1
    assert correlation(wanted, wanted[:1].repeat(8, axis=0)) == 0  # a frozen clip
    assert correlation(wanted, wanted[::-1]) < 0.2


def test_each_prompt_names_one_figure_its_colour_and_what_it_does():
    for prompt in PROMPTS:
        words = prompt.split()
        assert told_action(prompt, "miniature") is not None, prompt
        assert sum(word in CLASSES["subject"] for word in words) == 1
        assert sum(word in CLASSES["colour"] for word in words) == 1
