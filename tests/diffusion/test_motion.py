"""motion.py: fields, warps, the way from T' to T."""

import math

import pytest
import torch

from t2v.checks import InputError
from t2v.diffusion.motion import KnownTimes, alpha_ratio, default_times, motion_field, noise_to, warp
from t2v.diffusion.options import Motion

SD_ALPHAS = torch.cumprod(1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2, 0)


def columns(width: int = 32, height: int = 24) -> torch.Tensor:
    """One latent whose cells hold their own column's number."""
    return torch.arange(width, dtype=torch.float32).expand(1, 1, height, width)


def test_motion_field_grows_with_the_frame():
    assert motion_field(4, 6, -3).tolist() == [[0, 0], [6, -3], [12, -6], [18, -9]]


@pytest.mark.parametrize("mode", ["subcell", "whole-cell"])
def test_whole_cells_move_exactly_and_edges_mirror(mode):
    moved = warp(columns(), torch.tensor([[16.0, 0.0]]), 8, mode)
    assert moved[0, 0, 5, :5].tolist() == [1, 0, 0, 1, 2]
    back = warp(columns(), torch.tensor([[-16.0, 0.0]]), 8, mode)
    assert back[0, 0, 5, -4:].tolist() == [30, 31, 31, 30]


def test_vertical_and_horizontal_do_not_mix():
    x = torch.randn(1, 4, 24, 32, generator=torch.Generator().manual_seed(1))
    moved = warp(x, torch.tensor([[24.0, -8.0]]), 8)
    assert torch.equal(moved[..., :23, 3:], x[..., 1:, :29])


def test_subcell_moves_a_smooth_wave_by_the_part_of_a_cell():
    place = torch.arange(64, dtype=torch.float32)

    def wave(shift: float) -> torch.Tensor:
        # cosine of the mirrored plane: half a period per width keeps it smooth across the edge
        return torch.cos(math.pi * 3 * (place + 0.5 - shift) / 64).expand(1, 1, 8, 64)

    moved = warp(wave(0.0), torch.tensor([[8 * 1.5, 0.0]]), 8, "subcell")
    assert (moved[..., 4:] - wave(1.5)[..., 4:]).abs().max() < 1e-4


def test_subcell_keeps_noise_white_where_bilinear_would_not():
    x = torch.randn(64, 4, 32, 32, generator=torch.Generator().manual_seed(2))
    moved = warp(x, torch.full((64, 2), 4.0), 8, "subcell")
    assert abs(float(moved.std()) - 1) < 0.02
    halves = (x + x.roll(1, -1)) / 2
    assert float(((halves + halves.roll(1, -2)) / 2).std()) < 0.55


def test_whole_cell_rounding_never_loses_a_column():
    for frame in range(1, 12):
        moved = warp(columns(), torch.tensor([[12.0 * frame, 0.0]]), 8, "whole-cell")[0, 0, 0]
        steps = moved.diff()
        assert set(steps.tolist()) <= {-1.0, 0.0, 1.0}
        assert (steps == 0).sum() <= 2  # only where the mirror turns


def test_motion_speed_is_even_and_the_reference_is_not():
    def travelled(mode: str) -> list[float]:
        moved = (warp(columns(64, 64), torch.tensor([[12.0 * k, 0.0]]), 8, mode) for k in range(1, 9))
        return [float(32 - latent[0, 0, 32, 32]) for latent in moved]

    ours, theirs = travelled("whole-cell"), travelled("reference")
    assert ours == [round(1.5 * k) for k in range(1, 9)]
    assert theirs[-1] == pytest.approx(12, abs=1)  # as far, in uneven steps


def test_reference_warp_ties_motion_to_512_pixels():
    x = columns(32, 32)  # 256 px: a reference's 16 px is half as many output pixels
    moved = warp(x, torch.tensor([[32.0, 0.0]]), 8, "reference")[0, 0, 8]
    assert float(moved[20]) == 18.0


def test_alpha_ratio_is_the_share_of_signal_and_not_the_references():
    ours = alpha_ratio(float(SD_ALPHAS[941]), float(SD_ALPHAS[881]))
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    theirs = float(torch.prod((1 - betas)[881:941]))
    assert ours == pytest.approx(0.53053, abs=1e-5)
    assert theirs == pytest.approx(0.53106, abs=1e-5)


def test_noise_to_keeps_unit_variance_and_ends_where_it_should():
    x, noise = torch.ones(2, 3), torch.full((2, 3), 2.0)
    assert torch.equal(noise_to(x, 1.0, noise), x)
    assert noise_to(x, 0.36, noise)[0, 0] == pytest.approx(0.6 + 0.8 * 2)


def test_default_times_are_the_papers_at_64_cells_and_earlier_below():
    assert default_times(SD_ALPHAS, 64, 64) == (881, 941)
    assert default_times(SD_ALPHAS, 128, 128) == (881, 941)
    t0, t1 = default_times(SD_ALPHAS, 32, 32)
    assert (t0, t1) == (731, 804)
    assert default_times(SD_ALPHAS, 32, 32, KnownTimes(681, 741, 32)) == (681, 741)
    assert default_times(SD_ALPHAS, 16, 16, KnownTimes(681, 741, 32))[0] < 681


@pytest.mark.parametrize(
    ("motion", "named"),
    [
        (Motion(x=math.nan), "motion_x"),
        (Motion(y=1e308), "motion_y"),
        (Motion(t0=1000), "t0"),
        (Motion(t0=-1), "t0"),
        (Motion(t0=700, t1=600), "t1"),
        (Motion(warp="bicubic"), "warp"),
    ],
)
def test_motion_out_of_range_is_refused_by_name(motion, named):
    with pytest.raises(InputError, match=named):
        motion.check()
