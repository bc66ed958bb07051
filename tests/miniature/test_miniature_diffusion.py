"""The loss of all models grown from the miniature's UNet: how it weighs and draws the noise."""

import pytest
import torch
from conftest import seeded

from miniature import shapes
from miniature.diffusion import AREA_LIMIT, FIRST_TIMES, SNR_LIMIT, noise_loss

ROOTS = (shapes.SCHEDULE[name] ** 0.5 for name in ("beta_start", "beta_end"))
ALPHAS = (1 - torch.linspace(*ROOTS, 1000) ** 2).cumprod(0)  # of the schedule, at times 0..999


def test_noise_loss_weighs_and_spreads_the_noise_levels():
    latents, seen = torch.randn(10, 4, 8, 8, generator=seeded(3)), {}

    def nothing(noisy, times):
        seen["noisy"], seen["times"] = noisy, times
        return torch.zeros_like(noisy)

    torch.manual_seed(5)
    loss = noise_loss(latents, nothing)
    assert (seen["times"] // 100).tolist() == list(range(10))
    alpha = ALPHAS[seen["times"]].view(-1, 1, 1, 1)
    noise = (seen["noisy"] - alpha.sqrt() * latents) / (1 - alpha).sqrt()
    weights = (SNR_LIMIT * (1 - alpha) / alpha).clamp(max=1).flatten()
    assert loss.item() == pytest.approx((weights * noise.square().mean((1, 2, 3))).mean().item(), rel=1e-3)
    torch.manual_seed(5)
    assert noise_loss(latents, lambda noisy, times: noise).item() < 1e-4


def test_colours_of_areas_weigh_more_where_the_picture_is_known():
    """A noise wrong by a constant shifts the picture's colours, one wrong from cell to cell hardly does."""
    latents, times = torch.zeros(10, 4, 8, 8), []
    checks = torch.ones(8, 8)
    checks[::2, ::2] = checks[1::2, 1::2] = -1

    def loss(wrong: torch.Tensor, known: torch.Tensor | None) -> float:
        torch.manual_seed(5)

        def predict(noisy, at):
            times[:] = at.tolist()
            alpha = ALPHAS[at].view(-1, 1, 1, 1)
            return noisy / (1 - alpha).sqrt() + wrong

        return noise_loss(latents, predict, known).item()

    shift, all_rows = torch.tensor(0.1), torch.ones(10, dtype=torch.bool)
    plain = loss(shift, None)
    weights = (1 / ALPHAS[times] - 1).clamp(max=AREA_LIMIT)
    assert loss(shift, all_rows) - plain == pytest.approx(0.01 * weights.mean().item(), rel=1e-3)
    assert loss(shift, ~all_rows) == pytest.approx(plain)
    assert loss(0.1 * checks, all_rows) == pytest.approx(loss(0.1 * checks, None), rel=1e-4)


def test_where_the_picture_is_known_its_noise_is_what_a_sampler_goes_on_with():
    """It lacks as much of the picture as a sampler's first latents, which are nothing but noise."""
    latents, seen = torch.full((400, 4, 2, 2), 0.8), {}

    def predict(noisy, times):
        seen["noisy"], seen["times"] = noisy, times
        return torch.zeros_like(noisy)

    torch.manual_seed(5)
    noise_loss(latents, predict, torch.arange(400) >= 200)
    alpha = ALPHAS[seen["times"]].view(-1, 1, 1, 1)
    noise = (seen["noisy"] - alpha.sqrt() * latents) / (1 - alpha).sqrt()
    latest = ALPHAS[FIRST_TIMES:].sqrt().mean().item()  # how much of the picture the noise lacks, at most
    known = noise[200:].mean((1, 2, 3))  # the noisier half
    assert noise[:200].mean().item() == pytest.approx(0, abs=0.08)
    assert known.mean().item() == pytest.approx(-0.75 * 0.8 * latest, abs=0.03)


def test_cells_that_are_kept_come_as_the_model_drew_them_and_are_to_be_put_right():
    latents, seen = torch.full((200, 4, 2, 2), 0.8), []
    kept = torch.zeros(200, 1, 2, 2, dtype=torch.bool)
    kept[:, :, :, 1] = True

    def loss(drawn: float) -> float:
        """Of a model that first takes the picture to be all ``drawn``, and then draws it perfectly."""
        seen.clear()
        torch.manual_seed(5)

        def predict(noisy, times):
            seen.append((noisy, times, torch.is_grad_enabled()))
            alpha = ALPHAS[times].view(-1, 1, 1, 1)
            return (noisy - alpha.sqrt() * (drawn if len(seen) == 1 else latents)) / (1 - alpha).sqrt()

        return noise_loss(latents, predict, kept=kept).item()

    assert loss(0.8) < 1e-8
    right = seen[1][0]
    assert loss(0.5) < 1e-8  # whatever it has drawn, what is wanted is the picture
    (_, earlier, first_learns), (noisy, times, learns) = seen
    assert learns and not first_learns and (earlier >= times).all() and (earlier > times).any()
    assert torch.allclose(noisy[..., 0], right[..., 0], atol=1e-5)
    before, after = (ALPHAS[each].view(-1, 1, 1) for each in (earlier, times))
    lost = (right - noisy)[:, 0, 0, 1:].unsqueeze(1)
    ddim = 0.3 * (after.sqrt() - (1 - after).sqrt() * (before / (1 - before)).sqrt())
    assert (lost > -1e-5).all() and (lost < 0.3 * after.sqrt() + 1e-5).all()  # at most, all is new noise
    whole = torch.isclose(lost, ddim, rtol=0.01, atol=1e-6).float().mean()
    assert whole.item() == pytest.approx(0.25, abs=0.12)
    assert (lost > 1.01 * ddim + 1e-4).any()
