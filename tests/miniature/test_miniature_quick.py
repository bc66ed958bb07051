"""Few steps: courses of a teacher, jumps along them, the LoRA that learns these, and its folder."""

import dataclasses
import json
import shutil
import time

import numpy as np
import pytest
import torch
from conftest import seeded
from diffusers import UNet2DConditionModel
from small_family import batch, small_base, stir, write_family
from torch import nn

from miniature import quick_exam, shapes
from miniature.exam import Exam, Plan
from miniature.fit import fit
from miniature.quick import (
    NAME,
    STEPS,
    TIMES,
    WAYS,
    Courses,
    build_quick,
    jump,
    load_quick,
    made_fast,
    quick_loss,
    save_quick,
)

BOTH = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


class Told(nn.Module):
    """What a UNet would predict if there were one picture (4, h, w) in the world: noise that leads to it."""

    def __init__(self, picture: torch.Tensor):
        super().__init__()
        self.picture, self.device, self.dtype = picture, picture.device, picture.dtype
        self.abar = WAYS["lcm"].scheduler().alphas_cumprod

    def forward(self, latents, times, text):
        a = self.abar[times].view(-1, 1, 1, 1)
        return type("Output", (), {"sample": (latents - a.sqrt() * self.picture) / (1 - a).sqrt()})


@pytest.fixture
def picture():
    return torch.randn(4, 8, 8, generator=seeded(1))


def courses_of(way, teacher, learner):
    return Courses(way, teacher, learner, torch.zeros(1, 3, 5))


def noise_and_text(count=6):
    return torch.randn(count, 4, 8, 8, generator=seeded(2)), torch.zeros(count, 3, 5)


@BOTH
def test_the_times_hold_those_of_fewer_steps(way):
    scheduler = way.scheduler()
    for steps in (1, 2, STEPS):
        scheduler.set_timesteps(steps)
        assert scheduler.timesteps.tolist() == way.times()[:: TIMES // steps]


def test_a_jump_to_the_end_is_the_consistency_function_of_the_lcm_sampler():
    way, latents = WAYS["lcm"], torch.randn(1, 4, 8, 8, generator=seeded(3))
    scheduler = way.scheduler()
    scheduler.set_timesteps(TIMES)
    skips, outs = zip(*map(scheduler.get_scalings_for_boundary_condition_discrete, way.times()), strict=True)
    assert max(skips) < 2e-7 and min(outs) > 1 - 1e-6
    noise = torch.randn(1, 4, 8, 8, generator=seeded(4))
    for when in way.times():
        abar = scheduler.alphas_cumprod[when]
        wanted = scheduler.step(noise, when, latents, generator=seeded(0)).denoised
        assert torch.allclose(jump(latents, noise, abar, torch.tensor(1.0)), wanted, atol=1e-5)


def test_a_jump_between_times_is_a_step_of_ddim():
    scheduler, latents = WAYS["hyper"].scheduler(), torch.randn(1, 4, 8, 8, generator=seeded(3))
    scheduler.set_timesteps(STEPS)
    noise = torch.randn(1, 4, 8, 8, generator=seeded(4))
    abars = scheduler.alphas_cumprod[scheduler.timesteps]
    for when, start, end in zip(scheduler.timesteps, abars, abars[1:], strict=False):
        wanted = scheduler.step(noise, when, latents).prev_sample
        assert torch.allclose(jump(latents, noise, start, end), wanted, atol=1e-5)


@BOTH
def test_a_teacher_that_is_consistent_has_nothing_to_teach(way, picture):
    noise, text = noise_and_text()
    courses = courses_of(way, Told(picture), Told(picture))
    kept = courses.draw(noise, text, 0, 1, renews=False)
    assert torch.equal(kept[:, 0], noise.half())
    assert torch.allclose(kept[:, TIMES].float(), picture.expand(6, -1, -1, -1), atol=2e-3)
    first = torch.zeros(6, dtype=torch.long)
    torch.manual_seed(0)
    assert (
        quick_loss(courses, kept, text, first) < 4e-3
    )  # float16 of the courses, enlarged; bfloat16's rounding
    wrong = courses_of(way, Told(picture), Told(picture + 1))
    assert quick_loss(wrong, kept, text, first) > 0.1


@BOTH
@pytest.mark.parametrize("renews", [False, True])
def test_courses_can_begin_at_what_the_learner_has_drawn(way, renews, picture):
    noise, text = noise_and_text()
    courses = courses_of(way, Told(picture), Told(picture + 1))
    torch.manual_seed(5)
    kept = courses.draw(noise, text, 4, 2, renews)
    assert not kept[:, :4].any()
    a, begun = courses.abar, kept[:, 4].float()
    so_far = (begun - a[4].sqrt() * (picture + 1)) / (1 - a[4]).sqrt()  # the noise in it
    own = (noise - a[0].sqrt() * (picture + 1)) / (1 - a[0]).sqrt()
    assert torch.allclose(so_far, own, atol=5e-3) is not renews
    assert 0.9 < so_far.std() < 1.1
    assert torch.allclose(kept[:, TIMES].float(), picture.expand(6, -1, -1, -1), atol=2e-3)


@BOTH
def test_starts_can_be_reached_in_equal_steps(way):
    rng = np.random.default_rng(0)
    courses = courses_of(way, Told(torch.zeros(4, 8, 8)), Told(torch.zeros(4, 8, 8)))
    begun = [courses.begin(rng) for _ in range(400)]
    firsts = {first for first, _, _ in begun}
    assert firsts == set(range(0, TIMES, 2 if way.goes_on else 1))
    assert all(first % stride == 0 for first, stride, _ in begun)
    assert 0.4 < sum(first == 0 for first, _, _ in begun) / 400 < 0.6


@BOTH
def test_jumps_start_where_courses_have_begun(way, picture):
    """Before that there are zeros, from which the picture is far away."""
    noise, text = noise_and_text()
    courses = courses_of(way, Told(picture), Told(picture))
    kept = courses.draw(noise, text, 6, 2, renews=True)
    kept[:, :6] = float("nan")
    for seed in range(5):
        torch.manual_seed(seed)
        assert quick_loss(courses, kept, text, torch.full((6,), 6)) < 4e-3


@BOTH
def test_the_lora_learns_and_the_unet_stays(way):
    base = small_base()
    unet, (latents, ids, _) = base["unet"], batch()
    with torch.no_grad():
        text = base["text_encoder"](ids).last_hidden_state
    torch.manual_seed(0)
    parts = build_quick(unet)
    before = {name: tensor.clone() for name, tensor in parts.state_dict().items()}
    courses = Courses(way, unet, parts["unet"], text[:1])
    kept = courses.draw(latents, text, 0, 1, renews=False)
    optimizer = torch.optim.AdamW([p for p in parts.parameters() if p.requires_grad], lr=5e-3)
    losses = []
    for _ in range(30):
        torch.manual_seed(0)
        loss = quick_loss(courses, kept, text, torch.zeros(4, dtype=torch.long))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.8 * losses[0]
    changed = {name for name, value in parts.state_dict().items() if not torch.equal(value, before[name])}
    assert changed and all("lora_" in name for name in changed)


def test_layout_and_attention_for_gpus_change_nothing():
    unet, (latents, _, _) = small_base()["unet"], batch()
    text = torch.randn(4, 16, 16, generator=seeded(6))
    with torch.no_grad():
        wanted = unet(latents, torch.tensor(500), text).sample
        got = made_fast(unet)(latents, torch.tensor(500), text).sample
    assert torch.allclose(got, wanted, atol=1e-5)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    root = tmp_path_factory.mktemp("family")
    write_family(root, small_base())
    return root


@BOTH
def test_saved_and_loaded_it_draws_the_same(way, small, tmp_path):
    shutil.copytree(small / "text-to-image", tmp_path / "text-to-image")
    parts = stir(build_quick(small_base()["unet"]), "lora_B").half().float()
    save_quick(tmp_path / NAME, parts["unet"], way)
    pipe = load_quick(tmp_path)
    assert type(pipe.scheduler) is type(way.scheduler())
    settings = {"guidance_scale": 1.0, "num_inference_steps": STEPS, "output_type": "latent"}
    got = pipe("a red car", generator=seeded(0), **settings).images
    pipe.unload_lora_weights()
    without = pipe("a red car", generator=seeded(0), **settings).images
    pipe.unet = parts["unet"]
    wanted = pipe("a red car", generator=seeded(0), **settings).images
    assert torch.allclose(got, wanted, atol=1e-3)
    assert not torch.allclose(got, without, atol=1e-2)
    card = json.loads((tmp_path / NAME / "miniature.json").read_text())
    assert card == {"few_steps": way.key, "defaults": {"num_inference_steps": 4, "guidance_scale": 1.0}}


def test_it_fits_beside_the_bundled_files():
    parts = build_quick(UNet2DConditionModel(**shapes.UNET))
    assert 2 * sum(p.numel() for p in parts.parameters() if p.requires_grad) < 1_900_000


def test_the_courses_of_the_beginning_count_as_running_time(tmp_path):
    """As the recipe draws them in its first step: a budget holds, but for a round that has begun."""
    stage = dataclasses.replace(shapes.QUICK_STAGE, batch=1)
    parts = nn.ModuleDict({"unet": nn.Linear(1, 1)})
    drawn = []

    def loss():
        if not drawn:
            time.sleep(0.6)
            drawn.append(True)
        return parts["unet"](torch.ones(1, 1)).square().mean()

    assert fit(stage, parts, lambda step: loss, tmp_path, minutes=0.5 / 60) == 8
    assert fit(stage, parts, lambda step: loss, tmp_path, minutes=0.5 / 60) == 8  # nothing is left to spend


@pytest.mark.slow
def test_few_steps_are_measured_beside_many_and_shown(small, tmp_path):
    shutil.copytree(small / "text-to-image", tmp_path / "text-to-image")
    save_quick(tmp_path / NAME, build_quick(small_base()["unet"])["unet"], WAYS["lcm"])
    exam = Exam(tmp_path, torch.device("cpu"), Plan(prompts=2))
    figures = quick_exam.quick_steps(exam)
    assert list(figures) == list(quick_exam.WAYS) == list(exam.compared)
    assert all(told["sharpness"] > 0 and told["seconds"] > 0 for told in figures.values())
    untrained = exam.compared["quick, 4"], exam.compared["without it by LCM, 4"]
    assert np.abs(untrained[0].astype(int) - untrained[1]).max() <= 2
    side = untrained[0].shape[1]
    width, height = quick_exam.compared_sheet(exam).size
    assert width > 2 * side and height > len(figures) * side
