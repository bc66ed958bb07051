"""subject.py: where the words of a prompt are drawn."""

import numpy as np
import pytest
import torch
from conftest import small_tokenizer, small_unet

from t2v.checks import InputError
from t2v.diffusion.masks import filled, grown, in_cells, in_pixels
from t2v.diffusion.subject import cut_out, heeding, mask_of, without, word_places


def test_the_words_are_found_among_the_tokens():
    tokenizer = small_tokenizer()  # a token a letter
    assert word_places(tokenizer, "a red car", "red") == [2, 3, 4]
    with pytest.raises(InputError, match="^subject is 'cat', which the prompt does not say; give words of"):
        word_places(tokenizer, "a red car", "cat")


def test_a_prompt_without_its_subject():
    assert without("a red car on the street", "red car") == "on the street"
    assert without("At night the Red Car, alone", "red car") == "At night , alone"
    assert without("the  red\ncar in snow", "red car") == "in snow"
    assert without("a cat", "cat") == "" and without("a cat", "dog") == "a cat"


@torch.inference_mode()
def test_listening_changes_nothing_and_hears_each_layer_once_a_step():
    unet, generator = small_unet().eval(), torch.Generator().manual_seed(0)
    noisy, text = torch.randn(4, 4, 16, 16, generator=generator), torch.randn(4, 8, 16, generator=generator)
    alone = unet(noisy, 500, text).sample
    processors = list(unet.attn_processors.values())
    with heeding(unet, [2, 3], branches=2) as heard:
        heard.next_step(0.1)
        assert torch.equal(unet(noisy, 500, text).sample, alone) and heard.sums == {}
        heard.next_step(0.5)
        unet(noisy, 500, text)
        once = {layer: told.clone() for layer, told in heard.sums.items()}
        unet(noisy * 2, 500, text)  # a later chunk of the same step
        assert len(once) == 4 and all(torch.equal(heard.sums[layer], told) for layer, told in once.items())
    assert list(unet.attn_processors.values()) == processors
    assert {len(told) for told in once.values()} == {64, 256}
    assert all(told.min() > 0 and told.max() < 1 for told in once.values())  # shares of attention
    told = heard.map(16, 16)
    assert told.shape == (16, 16) and told.min() >= 0 and told.max() <= 1


def test_what_is_heard_is_the_first_frame_in_the_branch_told_most():
    unet, generator = small_unet().eval(), torch.Generator().manual_seed(0)
    noisy, text = torch.randn(1, 4, 16, 16, generator=generator), torch.randn(1, 8, 16, generator=generator)
    others = torch.randn(3, 4, 16, 16, generator=generator), torch.randn(3, 8, 16, generator=generator)

    def hear(latents, words, branches):
        with heeding(unet, [1], branches) as heard, torch.inference_mode():
            unet(latents, 300, words)
            heard.next_step(0.5)
            unet(latents, 300, words)
        return heard.map(16, 16)

    # (b f): two frames of the branch without text, then the frame looked at and one more
    batch = torch.cat([others[0][:2], noisy, others[0][2:]]), torch.cat([others[1][:2], text, others[1][2:]])
    assert np.allclose(hear(*batch, 2), hear(noisy, text, 1), atol=1e-5)


def test_the_mask_is_the_largest_piece_of_what_is_heeded_more():
    heeded = np.full((12, 12), 0.1, np.float32)
    heeded[2:8, 3:9], heeded[4:6, 5:7], heeded[10:12, 0:2] = 0.9, 0.1, 0.8
    expected = np.zeros((12, 12), bool)
    expected[2:8, 3:9] = True  # its hole is closed, and the smaller piece is left out
    assert np.array_equal(mask_of(heeded), expected)
    assert mask_of(np.zeros((4, 4), np.float32)).any()


def test_masks_grow_shrink_and_are_filled():
    mask = np.zeros((7, 7), bool)
    mask[2:5, 2:5] = True
    assert grown(mask, 1).sum() == 25 and grown(mask, -1).sum() == 1 and grown(mask, 0).sum() == 9
    edge = np.ones((4, 4), bool)
    assert grown(edge, -1).all()  # what leaves the picture has no edge there
    ring = mask.copy()
    ring[3, 3] = False
    assert np.array_equal(filled(ring), mask)


def test_a_rough_mask_becomes_the_subjects_own_pixels():
    rng = np.random.default_rng(0)
    picture = np.full((96, 96, 3), (90, 160, 220), np.uint8)
    true = np.zeros((96, 96), bool)
    true[30:66, 26:70] = True
    picture[true] = (200, 40, 40)
    picture = (picture + rng.integers(-6, 7, picture.shape)).clip(0, 255).astype(np.uint8)
    rough = np.zeros((12, 12), bool)
    rough[3:9, 2:8] = True  # a cell too far to the left, and one too short on the right
    heeded = np.where(rough, 0.9, 0.1).astype(np.float32)
    found = cut_out(picture, rough, heeded, 8)
    assert (found & true).sum() / (found | true).sum() > 0.95
    assert np.array_equal(found, cut_out(picture, rough, heeded, 8))
    assert np.array_equal(in_cells(found, 8)[3:9, 3:9], np.ones((6, 6), bool))


def test_where_nothing_can_be_told_apart_the_rough_mask_stays():
    rough = np.zeros((8, 8), bool)
    rough[2:6, 2:6] = True
    picture = np.full((64, 64, 3), 128, np.uint8)
    assert cut_out(picture, rough, rough.astype(np.float32), 8).any()
    whole = np.ones((8, 8), bool)
    assert cut_out(picture, whole, whole.astype(np.float32), 8).all()


def test_cells_and_pixels():
    mask = np.eye(3, dtype=bool)
    assert np.array_equal(in_cells(in_pixels(mask, 4), 4), mask)
    speck = np.zeros((8, 8), bool)
    speck[0, 0] = True  # less than is counted, and yet all there is
    assert in_cells(speck, 8).all()
