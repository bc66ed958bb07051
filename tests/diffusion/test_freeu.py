"""FreeU: the picture that diffusers draws with it, in chunks of any size, and nothing of it left behind."""

import pytest
import torch
from conftest import seeded, small_pipeline
from diffusers import StableDiffusionPipeline

from t2v.checks import InputError
from t2v.diffusion.freeu import freeu
from t2v.diffusion.options import Motion
from t2v.diffusion.sampling import make_scheduler
from t2v.weights.single_file.generations import SD1, SD2, SDXL, freeu_of

START = torch.randn(1, 4, 8, 8, generator=seeded(1))
SIZE = {"height": 64, "width": 64, "num_inference_steps": 4, "negative_prompt": "blue"}


def test_a_frame_is_stock_diffusers():
    pipe = small_pipeline()
    stock = StableDiffusionPipeline(**small_pipeline().components, requires_safety_checker=False)
    stock.set_progress_bar_config(disable=True)
    stock.scheduler = make_scheduler("ddim", pipe.scheduler.config, 4)
    stock.enable_freeu(*SD1.freeu)
    wanted = stock("a car", latents=START.clone(), output_type="latent", **SIZE).images
    bare = pipe("a car", latents=START, num_frames=1, **SIZE)[0]
    with freeu(pipe.unet, SD1.freeu):
        got = pipe("a car", latents=START, num_frames=1, **SIZE)[0]
    assert (got - wanted).abs().max() / wanted.abs().max() < 1e-5
    assert (got - bare).abs().max() / wanted.abs().max() > 1e-2


@pytest.mark.parametrize("side", [64, 72])  # also one whose cells are no power of two
def test_chunks_never_matter_and_off_is_as_before(side):
    pipe = small_pipeline()
    call = {**SIZE, "height": side, "num_frames": 4, "motion": Motion(4, 4)}
    bare = pipe("a car", generator=seeded(2), **call)
    with freeu(pipe.unet, SD1.freeu):
        drawn = [pipe("a car", generator=seeded(2), chunk_size=size, **call) for size in (0, 1, 3)]
    assert torch.equal(drawn[0], drawn[1]) and torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], bare)
    assert torch.equal(pipe("a car", generator=seeded(2), **call), bare)
    with freeu(pipe.unet, (1.0, 1.0, 1.0, 1.0)):
        assert torch.allclose(pipe("a car", generator=seeded(2), **call), bare, atol=1e-3)


def test_it_is_taken_out_come_what_may_and_an_own_one_stays():
    unet = small_pipeline().unet
    with pytest.raises(RuntimeError), freeu(unet, SD1.freeu):
        raise RuntimeError
    assert all(block.s1 is None and block.b2 is None for block in unet.up_blocks)
    unet.enable_freeu(0.5, 0.5, 1.1, 1.2)
    with freeu(unet, SD1.freeu):
        assert unet.up_blocks[0].b1 == 1.5
    assert unet.up_blocks[0].b1 == 1.1
    with pytest.raises(InputError, match="freeu b1 is 7"), freeu(unet, (0.9, 0.2, 7, 1.6)):
        pass


def test_each_generation_has_its_makers_values():
    assert [freeu_of(one.text_width) for one in (SD1, SD2, SDXL)] == [
        (0.9, 0.2, 1.5, 1.6),
        (0.9, 0.2, 1.4, 1.6),
        (0.6, 0.4, 1.1, 1.2),
    ]
    assert freeu_of(192) == SD1.freeu
