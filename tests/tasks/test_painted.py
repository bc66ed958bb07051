"""painted.py: masks as text."""

import numpy as np
import pytest

from t2v.checks import InputError
from t2v.tasks.painted import in_size, read_painted, write_painted


def test_masks_are_written_and_read_again():
    mask = np.zeros((3, 4), bool)
    mask[0, 1:3] = mask[2, 3] = True
    assert write_painted([mask, None]) == "4x3:1,2,8,1;"
    masks = [mask, None, ~mask, np.ones((1, 1), bool)]
    for one, again in zip(masks, read_painted(write_painted(masks)), strict=True):
        assert (one is None and again is None) or np.array_equal(one, again)
    rng = np.random.default_rng(0)
    for _ in range(20):
        one = rng.random((rng.integers(1, 40), rng.integers(1, 40))) < 0.5
        one[0, 0] = True
        assert np.array_equal(read_painted(write_painted([one]))[0], one)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("mask.png", "painted is 'mask.png'; give it as the page writes it"),
        ("4x3:", "painted is '4x3:'"),
        ("0x3:1,1", "painted has a grid of 0x3"),
        ("999x3:1,1", "painted has a grid of 999x3; give sides from 1 to 128"),
        ("4x3:10,3", "painted has runs of 13 cells on a grid of 12"),
        ("4x3:12", "painted shows nothing"),
        ("1" * 50_000, "painted has 50000 characters"),
    ],
)
def test_what_is_no_mask_is_refused(text, told):
    with pytest.raises(InputError, match=f"^{told}"):
        read_painted(text)


def test_a_mask_fits_any_size_and_its_outline_is_rounded():
    mask = np.zeros((8, 8), bool)
    mask[2:6, 2:6] = True
    large = in_size(mask, 96, 64)
    assert large.shape == (64, 96) and large[32, 48] and not large[17, 26]
    assert large.mean() == pytest.approx(mask.mean(), rel=0.05)
