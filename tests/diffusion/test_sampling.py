"""sampling.py: schedulers by name and the tracks that carry their state."""

import pytest
import torch
from conftest import SD_SCHEDULE, seeded
from diffusers import PNDMScheduler

from t2v.diffusion.sampling import SCHEDULERS, Track, alpha_bar, make_scheduler, nearest_index, step_before

CONFIG = PNDMScheduler(**SD_SCHEDULE).config
ALPHAS = PNDMScheduler(**SD_SCHEDULE).alphas_cumprod


@pytest.mark.parametrize("name", SCHEDULERS)
def test_alpha_bar_is_the_schedules_own(name):
    scheduler = make_scheduler(name, CONFIG, 20)
    for index in (0, 7, 19):
        time = int(scheduler.timesteps[index])
        assert alpha_bar(scheduler, index) == pytest.approx(float(ALPHAS[time]), rel=2e-2)


def test_fifty_ddim_steps_are_the_papers_times():
    scheduler = make_scheduler("ddim", CONFIG, 50)
    assert int(scheduler.timesteps[nearest_index(scheduler, 881)]) == 881
    assert int(scheduler.timesteps[nearest_index(scheduler, 941)]) == 941


def papers_step(name: str, steps: int) -> tuple[int, int]:
    """The times at T' and T that the paper's 881 and 941 are in so many steps."""
    scheduler = make_scheduler(name, CONFIG, steps)
    t0 = max(nearest_index(scheduler, 881), min(1, steps - 1))
    t1 = step_before(scheduler, t0, float(ALPHAS[941] / ALPHAS[881]))
    return int(scheduler.timesteps[t0]), int(scheduler.timesteps[t1])


def test_the_papers_two_times_in_fewer_steps():
    assert papers_step("ddim", 50) == (881, 941)
    assert papers_step("ddim", 25) == (881, 921)  # abar falls to 0.66 of it there, to 0.40 at the next, 961
    assert papers_step("ddim", 1) == (999, 999)


@pytest.mark.parametrize("steps", [2, 4, 8])
@pytest.mark.parametrize("name", SCHEDULERS)
def test_in_a_few_steps_what_is_moved_is_not_noised_away(name, steps):
    t0, t1 = papers_step(name, steps)
    assert t0 == t1 < 999


@pytest.mark.parametrize("name", SCHEDULERS)
def test_few_steps_begin_in_the_noise(name):
    assert float(make_scheduler(name, CONFIG, 4).timesteps[0]) >= 990


@pytest.mark.parametrize("name", SCHEDULERS)
def test_a_perfect_prediction_leads_to_the_picture(name):
    """With the true noise predicted at every step, every sampler ends at x_0, from the start and from T."""
    picture = torch.randn(2, 4, 8, 8, generator=seeded(1))
    noise = torch.randn(2, 4, 8, 8, generator=seeded(2))
    scheduler = make_scheduler(name, CONFIG, 30)
    for begin in (0, 12):
        a = alpha_bar(scheduler, begin)
        generators = [seeded(5), seeded(6)]
        noised = a**0.5 * picture + (1 - a) ** 0.5 * noise
        track = Track.from_latents(scheduler, noised, generators, begin)
        assert torch.allclose(track.preserving(), noised, atol=1e-4)
        while track.index < 30:
            a = alpha_bar(track.scheduler, track.index)
            prediction = (track.preserving() - a**0.5 * picture) / (1 - a) ** 0.5
            assert torch.allclose(track.clean(prediction), picture, atol=5e-3)
            track.step(prediction)
        # those that end at time 0 leave 3 % of noise, as sqrt(1 - abar) is there
        assert (track.latents - picture).abs().max() < 0.13


def test_a_fork_runs_ahead_without_moving_its_parent():
    scheduler = make_scheduler("euler-ancestral", CONFIG, 10)
    track = Track.from_noise(scheduler, torch.randn(1, 4, 8, 8, generator=seeded(1)), [seeded(3)])
    track.step(torch.zeros(1, 4, 8, 8))
    before = track.latents.clone()
    fork = track.fork()
    for _ in range(3):
        fork.step(torch.zeros(1, 4, 8, 8))
    assert torch.equal(track.latents, before) and track.index == 1
    again = track.fork()
    for _ in range(3):
        again.step(torch.zeros(1, 4, 8, 8))
    assert torch.equal(again.latents, fork.latents)  # the same noise as the first fork drew


def test_a_frames_sampler_noise_does_not_depend_on_its_neighbours():
    scheduler = make_scheduler("euler-ancestral", CONFIG, 10)
    noise = torch.randn(3, 4, 8, 8, generator=seeded(1))
    both = Track.from_noise(scheduler, noise, [seeded(3), seeded(4), seeded(5)])
    alone = Track.from_noise(scheduler, noise[1:2], [seeded(4)])
    for track in (both, alone):
        track.step(torch.zeros_like(track.latents))
    assert torch.allclose(both.latents[1:2], alone.latents, atol=1e-5)
