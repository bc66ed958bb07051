"""How often previews are taken: by a clock that the test sets, of a decoder that takes as long as it says."""

import numpy as np
import torch

from t2v.jobs.cadence import FREE_S, MOST_FRAMES, SHARE, Cadence


class Run:
    """Steps and previews that move the clock on. frame_s: of a preview's frame; first_s: the first's more."""

    def __init__(self, frame_s, first_s=0.0):
        self.now_s, self.frame_s, self.first_s = 100.0, frame_s, first_s
        self.shown, self.spent_s = [], 0.0
        self.cadence = Cadence(self.preview, lambda: self.now_s)

    def preview(self, latents):
        took_s = latents.shape[1] * self.frame_s + (0.0 if self.shown else self.first_s)
        self.now_s, self.spent_s = self.now_s + took_s, self.spent_s + took_s
        self.shown.append(latents[0, :, 0, 0, 0].tolist())
        return np.zeros((latents.shape[1], 8, 8, 3), np.uint8)

    def steps(self, count, step_s, frames):
        latents = torch.arange(frames).reshape(1, -1, 1, 1, 1).expand(1, -1, 4, 2, 2)
        taken = []
        for number in range(count):
            self.now_s += step_s
            if self.cadence.of(latents) is not None:
                taken.append(number)
        return taken


def test_cheap_ones_are_taken_at_every_step():
    assert Run(FREE_S / 10).steps(50, 0.001, 8) == list(range(50))
    assert Run(SHARE * 10 / 8 * 0.9).steps(50, 10.0, 8) == list(range(50))


def test_dear_ones_are_taken_as_seldom_as_keeps_them_a_small_share():
    run = Run(1.0)  # a tenth of a step
    assert run.steps(50, 80.0, 8) == [0, 3, *range(7, 50, 4)]
    assert run.spent_s / (run.now_s - 100.0) < SHARE
    few = Run(1.0)
    assert few.steps(4, 80.0, 8) == [0, 3]  # of four steps, one and the last


def test_what_warms_up_with_the_first_does_not_count():
    assert Run(0.001, first_s=0.9).steps(50, 1.0, 8) == list(range(50))


def test_a_frame_alone_does_not_make_many_look_cheap():
    run = Run(1.0)
    assert run.steps(4, 50.0, 1) == [0, 1, 2, 3]
    assert run.steps(12, 50.0, 16) == [10]  # 16 s, after 550 s


def test_of_many_frames_some_are_shown_evenly_spaced_with_both_ends():
    run = Run(0.0)
    run.steps(1, 1.0, 5)
    run.steps(1, 1.0, 100)
    short, long = run.shown
    assert short == [0, 1, 2, 3, 4]
    assert len(long) == MOST_FRAMES and (long[0], long[-1]) == (0, 99)
    assert set(np.diff(long)) <= {6, 7}
