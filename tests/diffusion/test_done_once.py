"""before_text.py, text_rows.py: what branches and frames have in common is computed once, unchanged."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline, small_unet
from diffusers.models.attention_processor import AttnProcessor2_0
from small_xl import small_union, small_xl_controlnet, small_xl_pipeline

from t2v.diffusion import calls, text_rows
from t2v.diffusion.attention import text_attention_layers
from t2v.diffusion.before_text import layers_before_text
from t2v.diffusion.calls import made_for_frames
from t2v.diffusion.controls import Control
from t2v.diffusion.freeu import freeu
from t2v.diffusion.guidance import Guidance
from t2v.diffusion.options import Motion, Shortcuts
from t2v.diffusion.picture_prompt import PicturePrompt
from t2v.diffusion.progress import Cancelled
from t2v.diffusion.text_rows import TextAttention, TextEachRow

FRAMES = 5
QUICK = {"num_inference_steps": 4, "negative_prompt": "blue"}
LIKE_MINIATURE = {  # no attention at the top
    "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
    "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
}


def clip(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (FRAMES, 32, 32, 3), np.uint8)


def video(pipeline, **asked) -> torch.Tensor:
    call = {"num_frames": FRAMES, "height": 32, "width": 32, "motion": Motion(8, 4), **QUICK, **asked}
    return pipeline(call.pop("prompt", "a cat"), generator=seeded(), **call)


def followed(pipeline, *networks, **asked) -> torch.Tensor:
    controls = [Control(one, clip(n), union_kind=2) for n, one in enumerate(networks)]
    return pipeline.guided("a cat", controls=controls, generator=seeded(), **QUICK, **asked)


def edited(pipeline, **asked) -> torch.Tensor:
    source = torch.randn(FRAMES, 4, 4, 4, generator=seeded(2))
    return pipeline.guided("make it red", source=source, generator=seeded(), **QUICK, **asked)


def with_shortcuts(pipeline, **asked) -> torch.Tensor:
    return video(pipeline, shortcuts=Shortcuts(0.2, 0.7, 2), num_inference_steps=10, **asked)


def with_picture(pipeline, **asked) -> torch.Tensor:
    made = seeded(3)
    layers = {
        name: tuple(torch.randn(2, 3, layer.to_k.out_features, generator=made) for _ in "kv")
        for name, layer in text_attention_layers(pipeline.unet).items()
    }
    with pipeline.shown(PicturePrompt(layers)):
        return video(pipeline, **asked)


def with_freeu(pipeline, **asked) -> torch.Tensor:
    with freeu(pipeline.unet, (0.9, 0.2, 1.2, 1.4)):
        return video(pipeline, **asked)


@pytest.fixture
def all_anew(monkeypatch):
    """Ends what this is about: every row is computed, and told its own copy of the text."""

    def begin() -> None:
        monkeypatch.setattr(calls, "once_before_text", lambda *_: nullcontext())
        monkeypatch.setattr(text_rows, "TextAttention", lambda: TextEachRow(AttnProcessor2_0()))

    return begin


@pytest.mark.parametrize(
    ("make", "draw"),
    [
        (small_pipeline, video),
        (small_pipeline, lambda one, **asked: video(one, prompt="0: a day | 4: a night", **asked)),
        (small_pipeline, with_shortcuts),
        (small_pipeline, lambda one, **asked: video(one, cross_frame=False, **asked)),
        (small_pipeline, lambda one, **asked: video(one, guidance_scale=1.0, **asked)),
        (small_pipeline, with_picture),
        (small_pipeline, with_freeu),
        (
            small_pipeline,
            lambda one, **asked: followed(one, small_controlnet(1), small_controlnet(2), **asked),
        ),
        (lambda: small_pipeline(in_channels=8), edited),
        (lambda: small_pipeline(**LIKE_MINIATURE), video),
        (lambda: small_pipeline(**LIKE_MINIATURE), with_picture),
        (
            lambda: small_pipeline(**LIKE_MINIATURE),
            lambda one, **asked: followed(
                one, small_controlnet(1, down_block_types=LIKE_MINIATURE["down_block_types"]), **asked
            ),
        ),
        (lambda: small_pipeline(**LIKE_MINIATURE, in_channels=8), edited),
        (lambda: small_pipeline(use_linear_projection=True, time_cond_proj_dim=8), video),
        (small_xl_pipeline, video),
        (small_xl_pipeline, lambda one, **asked: followed(one, small_xl_controlnet(4), **asked)),
        (small_xl_pipeline, lambda one, **asked: followed(one, small_union(4), **asked)),
    ],
)
def test_the_picture_is_the_same_as_with_all_computed_anew(all_anew, make, draw):
    pipeline = make()
    once = [draw(pipeline, chunk_size=size) for size in (0, 1, 2, 3)]
    all_anew()
    anew = draw(pipeline, chunk_size=0)
    for one in once:
        assert torch.allclose(one, anew, atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize(
    ("alike", "rows"),
    [((2,), FRAMES), ((1, 2), 2 * FRAMES), ((1, 1, 1), 3 * FRAMES), ((1,), FRAMES), ((2, 1), 2 * FRAMES)],
)
def test_layers_compute_no_more_rows_than_differ(alike, rows):
    network = small_unet(**LIKE_MINIATURE).eval()
    top, half = network.down_blocks
    first = [network.conv_in, top.resnets[0], top.downsamplers[0]]
    first += [half.resnets[0], half.attentions[0].transformer_blocks[0].attn1]
    assert list(layers_before_text(network)) == first
    told = half.attentions[0].transformer_blocks[0].attn2
    found: dict[torch.nn.Module, int] = {}
    for layer in (*first, told.to_k, told.to_q, network.conv_out):  # before what is made is handed on
        layer.register_forward_hook(lambda own, _, made: found.update({own: len(made)}))
    branches = sum(alike)
    noisy = torch.randn(FRAMES, 4, 16, 16, generator=seeded()).repeat(branches, 1, 1, 1)
    text = torch.randn(branches, 6, 16, generator=seeded(1))
    with torch.inference_mode(), made_for_frames(network) as bank:
        bank.expect(branches, True, alike)
        network(noisy, 500, encoder_hidden_states=text)
        assert bank.branches == branches
    assert [found.pop(layer) for layer in first] == [rows] * len(first)
    assert found == {
        told.to_k: branches,
        told.to_q: branches * FRAMES,
        network.conv_out: branches * FRAMES,
    }


def test_branches_that_see_the_same_are_counted():
    text = torch.zeros(3, 6, 16)
    assert Guidance(text[:2]).alike(False) == (2,) and Guidance(text[:1]).alike(False) == (1,)
    edits = Guidance(text, (1.5, 7.5), (False, True, True))
    assert edits.alike(True) == (1, 2) and edits.alike(False) == (3,)
    assert Guidance(text[:1]).alike(True) == (1,)


def test_frames_that_are_told_different_things_each_have_their_text():
    embeds = torch.randn(2, FRAMES, 6, 16, generator=seeded())
    told = Guidance(embeds, (7.5,), late=0.5)
    assert torch.equal(told.text(2, 2, 0.1), embeds[:, 0])
    assert torch.equal(told.text(2, 2, 0.6), embeds[:, 2:4].flatten(0, 1))


def test_processors_of_others_find_a_text_for_each_row_and_stay():
    seen = []

    class Others(AttnProcessor2_0):
        def __call__(self, attn, hidden_states, encoder_hidden_states=None, *rest, **named):
            seen.append((len(hidden_states), encoder_hidden_states.clone()))
            return super().__call__(attn, hidden_states, encoder_hidden_states, *rest, **named)

    network, own = small_unet().eval(), Others()
    layers = text_attention_layers(network)
    before = {name: layer.processor for name, layer in layers.items()}
    name, layer = next(iter(layers.items()))
    layer.processor = before[name] = own
    text = torch.randn(2, 6, 16, generator=seeded())
    with pytest.raises(Cancelled), torch.inference_mode(), made_for_frames(network) as bank:
        kinds = {type(one.processor) for one in layers.values()}
        assert kinds == {TextAttention, TextEachRow}
        bank.expect(2, True, (2,))
        network(torch.randn(6, 4, 16, 16), 500, encoder_hidden_states=text)
        raise Cancelled
    ((rows, told),) = seen
    assert rows == 6 and torch.equal(told, text.repeat_interleave(3, dim=0))
    assert {name: layer.processor for name, layer in layers.items()} == before
    assert not any(one._forward_hooks or one._forward_pre_hooks for one in network.modules())
