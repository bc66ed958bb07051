"""T2I-Adapters: diffusers' pictures, whatever the chunks, alone, together and beside ControlNets."""

import inspect

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline
from diffusers import StableDiffusionAdapterPipeline, StableDiffusionXLAdapterPipeline
from PIL import Image
from small_t2i import small_t2i, small_xl_t2i
from small_xl import small_xl_controlnet, small_xl_pipeline
from test_xl import stock as stock_xl

from t2v.diffusion import adapters
from t2v.diffusion.adapters import shown
from t2v.diffusion.controls import Control
from t2v.diffusion.options import Shortcuts
from t2v.diffusion.sampling import make_scheduler
from t2v.memory.compiled import NOTE, Compiled
from t2v.memory.memory import OVERFLOWS
from t2v.memory.profiles import HIGH, LOW, MEDIUM

STEPS, CHUNKS = 5, (1, 2, 3, 0)
START = torch.randn(1, 4, 8, 8, generator=seeded(1))
OURS = {"num_inference_steps": STEPS, "guidance_scale": 5.0, "latents": START}
SIZE = {"height": 64, "width": 64, "output_type": "latent"}
LIGHT = {"adapter_type": "light_adapter", "channels": [16, 32]}
OVER_TIME = "0: a red car | 4: a blue car"


def clip(seed: int, frames: int = 1, height: int = 64, width: int = 64) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (frames, height, width, 3), np.uint8)


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float() / 255


def grey(pictures: np.ndarray) -> torch.Tensor:
    """By PIL's own means."""
    return (
        torch.from_numpy(np.stack([np.asarray(Image.fromarray(one).convert("L")) for one in pictures]))[
            :, None
        ]
        .float()
        .div(255)
    )


def stock(ours, adapter):
    taken = inspect.signature(StableDiffusionAdapterPipeline.__init__).parameters
    parts = {name: one for name, one in ours.components.items() if name in taken}
    pipe = StableDiffusionAdapterPipeline(**parts, adapter=adapter, requires_safety_checker=False)
    pipe.set_progress_bar_config(disable=True)
    pipe.scheduler = make_scheduler("ddim", ours.scheduler.config, STEPS)
    return pipe


def near(got: torch.Tensor, wanted: torch.Tensor) -> bool:
    return bool((got - wanted).abs().max() < 1e-5 * wanted.std())


@pytest.mark.parametrize("guidance", [5.0, 1.0])
@pytest.mark.parametrize("shape", [{}, LIGHT, {"in_channels": 1}], ids=["full", "light", "grey"])
def test_the_picture_is_stock_diffusers(shape, guidance):
    ours, adapter, pictures = small_pipeline(), small_t2i(1, **shape), clip(1)
    call = {**OURS, "guidance_scale": guidance, "negative_prompt": "blue"}
    got = ours.guided("a red car", controls=[Control(adapter, pictures, 0.8)], **call)[0]
    image = grey(pictures) if "in_channels" in shape else as_tensor(pictures)
    wanted = stock(ours, adapter)("a red car", image=image, adapter_conditioning_scale=0.8, **call, **SIZE)
    assert near(got, wanted.images)
    without = ours.guided("a red car", controls=[Control(adapter, pictures, 0)], **call)[0]
    assert (got - without).abs().max() > 0.01


def test_several_are_summed_as_in_stock_diffusers():
    ours, both, pictures = small_pipeline(), [small_t2i(1), small_t2i(2)], [clip(1), clip(2)]
    controls = [Control(*each) for each in zip(both, pictures, (0.8, 1.3), strict=True)]
    got = ours.guided("a red car", controls=controls, **OURS)[0]
    images = [as_tensor(one) for one in pictures]
    wanted = stock(ours, both)(
        "a red car", image=images, adapter_conditioning_scale=[0.8, 1.3], **OURS, **SIZE
    ).images
    assert near(got, wanted)
    assert not near(got, ours.guided("a red car", controls=controls[:1], **OURS)[0])


@pytest.mark.parametrize("share", [1.0, 0.5])
def test_the_picture_of_xl_and_the_share_of_the_steps_are_stock_diffusers(share):
    ours, adapter, pictures = small_xl_pipeline(), small_xl_t2i(1), clip(1)
    got = ours.guided("a red car", controls=[Control(adapter, pictures, 0.8, end=share)], **OURS)[0]
    pipe = stock_xl(StableDiffusionXLAdapterPipeline, ours, adapter=adapter)
    told = {"adapter_conditioning_scale": 0.8, "adapter_conditioning_factor": share}
    wanted = pipe("a red car", image=as_tensor(pictures), **told, **OURS, **SIZE).images
    assert near(got, wanted)
    without = ours.guided("a red car", controls=[Control(adapter, pictures, 0)], **OURS)[0]
    assert (got - without).abs().max() > 0.01


def test_three_blocks_and_the_middle_get_all_four_levels():
    """As in Stable Diffusion XL itself, whose middle takes the fourth."""
    shape = {
        "block_out_channels": (16, 24, 32),
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        "transformer_layers_per_block": (1, 1, 2),
        "attention_head_dim": (2, 2, 4),
    }
    ours, adapter, pictures = small_xl_pipeline(**shape), small_xl_t2i(1, channels=[16, 24, 32, 32]), clip(1)
    got = ours.guided("a red car", controls=[Control(adapter, pictures)], **OURS)[0]
    pipe = stock_xl(StableDiffusionXLAdapterPipeline, ours, adapter=adapter)
    assert near(got, pipe("a red car", image=as_tensor(pictures), **OURS, **SIZE).images)
    last = adapter.adapter.body[3].resnets[1].block2
    torch.nn.init.normal_(last.weight, std=1.0)
    assert not near(ours.guided("a red car", controls=[Control(adapter, pictures)], **OURS)[0], got)


def of_sd(pipe=None):
    """Two, one of which knows no colours and acts for some of the steps, beside a ControlNet."""
    controls = [
        Control(small_t2i(1), clip(5, 5), 0.9),
        Control(small_t2i(2, **LIGHT, in_channels=1), clip(6, 5), 1.2, 0.3, 0.8),
        Control(small_controlnet(3), clip(7, 5), 0.7),
    ]
    return (small_pipeline() if pipe is None else pipe), controls


def of_xl():
    controls = [Control(small_xl_t2i(1), clip(5, 5), 0.9), Control(small_xl_controlnet(2), clip(6, 5), 0.7)]
    return small_xl_pipeline(), controls


def draw(pipe, controls, prompt="a red car", **asked) -> torch.Tensor:
    return pipe.guided(prompt, controls=controls, generator=seeded(3), **{**OURS, **asked})


@pytest.mark.parametrize("made", [of_sd, of_xl])
@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"prompt": OVER_TIME},
        {"scheduler": "euler-ancestral"},
        {"shortcuts": Shortcuts(cache_steps=3), "num_inference_steps": 9},
    ],
    ids=["plain", "over time", "noise anew", "shortcuts"],
)
def test_the_chunk_size_changes_no_bit_and_each_says_something(made, asked):
    pipe, controls = made()
    drawn = [draw(pipe, controls, chunk_size=chunk, **asked) for chunk in CHUNKS]
    assert all(torch.equal(one, drawn[0]) for one in drawn[1:])
    assert (drawn[0][0, 1:] - drawn[0][0, :1]).abs().amax((1, 2, 3)).min() > 0.01
    for left_out in controls:
        others = [one for one in controls if one is not left_out]
        assert (draw(pipe, others, chunk_size=2, **asked) - drawn[0]).abs().max() > 0.01


def test_steps_between_those_that_are_computed_whole_have_it_too():
    """In what is kept of the UNet its deep levels are in; the first one's is added in every step."""
    pipe, (adapter, *_) = of_sd()
    calls = []
    pipe.unet.down_blocks[0].register_forward_pre_hook(
        lambda _, args, told: calls.append(told.get("additional_residuals")), with_kwargs=True
    )
    draw(pipe, [adapter], shortcuts=Shortcuts(cache_steps=3), num_inference_steps=9)
    assert len(calls) == 9 and all(one is not None and bool(one.any()) for one in calls)


def test_what_is_not_kept_is_made_again_to_the_bit(monkeypatch):
    pipe, controls = of_sd()
    made = []
    controls[0].network.register_forward_hook(lambda *_: made.append(1))
    right = draw(pipe, controls, chunk_size=2)
    assert len(made) == 5  # each frame once, in all steps
    monkeypatch.setattr(adapters.AdapterFeatures, "__init__", _keeping(0))
    assert torch.equal(draw(pipe, controls, chunk_size=2), right)
    assert len(made) == 5 + 5 * STEPS


def _keeping(most: int):
    own = adapters.AdapterFeatures.__init__
    return lambda self, memory: own(self, memory, most)


@pytest.mark.parametrize("profile", [MEDIUM, LOW])
def test_the_profile_changes_no_bit(profile):
    def drawn(kept):
        pipe, controls = of_sd()
        pipe.memory.place(kept, "cpu")
        pipe.memory.place_beside(tuple(one.network for one in controls))
        return draw(pipe, controls, chunk_size=2)

    assert torch.equal(drawn(profile), drawn(HIGH))


@pytest.mark.parametrize("kept", [{"fp8": True}, {"dtype": torch.bfloat16}])
def test_few_bits_draw_much_the_same_and_in_chunks_too(kept):
    def drawn(chunk, **kept):
        pipe, controls = of_sd()
        for network in (pipe.unet, *(one.network for one in controls)):
            network.to(kept.get("dtype", torch.float32))
        pipe.memory.place_beside(tuple(one.network for one in controls))
        pipe.memory.place(HIGH, "cpu", kept.get("fp8", False))
        return draw(pipe, controls, chunk_size=chunk)

    right, found = drawn(0), [drawn(chunk, **kept) for chunk in (0, 2)]
    assert 1e-3 < (found[0] - right).abs().mean() < 0.2 * right.std()
    assert torch.allclose(*found, atol=0.02 * float(right.std()))


def test_what_overflows_in_half_precision_is_made_anew_in_float32():
    pipe, (control, *_) = of_sd()
    with torch.no_grad():
        control.network.adapter.conv_in.weight.mul_(1e5)
    right = draw(pipe, [control])
    for network in (pipe.unet, control.network):
        network.to(torch.float16)
    pipe.memory.place_beside((control.network,))
    found = draw(pipe, [control])
    assert pipe.notes == [OVERFLOWS.format(name="float16")]
    assert (found - right).abs().max() < 0.02 * right.std()
    assert control.network.dtype == torch.float16


def test_memory_that_runs_out_changes_no_bit(monkeypatch):
    pipe, controls = of_sd()
    right = draw(pipe, controls)
    own, calls = pipe.unet.mid_block.forward, []

    def failing(*args, **told):
        calls.append(1)
        if len(calls) in (2, 5):
            raise torch.OutOfMemoryError("out of memory")
        return own(*args, **told)

    monkeypatch.setattr(pipe.unet.mid_block, "forward", failing)
    assert torch.equal(draw(pipe, controls), right)


@pytest.mark.slow
def test_compiled_it_is_the_same():
    pipe, (*controls, _) = of_sd()
    right = draw(pipe, controls, chunk_size=0)
    pipe.memory.compiled, pipe.memory.asks_compiled = Compiled(pipe.tell, "eager"), True
    assert torch.allclose(draw(pipe, controls, chunk_size=0), right, atol=1e-4)
    assert pipe.notes == [NOTE]


@pytest.mark.parametrize("made", [of_sd, of_xl])
def test_sides_of_no_whole_cells_are_made_up(made):
    pipe, (first, *_) = made()
    control = Control(first.network, clip(9, 2, 72, 88))
    side = first.network.downscale_factor
    taken = shown(control, 1)
    assert taken.shape == (1, 3, -(-72 // side) * side, -(-88 // side) * side)
    assert torch.equal(taken[..., :72, :88], as_tensor(clip(9, 2, 72, 88))[1:])
    assert torch.equal(taken[..., -1, :88], taken[..., 71, :88])
    drawn = draw(pipe, [control], latents=torch.randn(1, 4, 9, 11, generator=seeded(2)))
    assert drawn.shape == (1, 2, 4, 9, 11) and bool(drawn.isfinite().all())
