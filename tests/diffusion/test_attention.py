"""attention.py: what each frame may see, and that the network is left as found."""

import pytest
import torch
from conftest import small_unet
from einops import rearrange

from t2v.diffusion.attention import CrossFrameAttention, cross_frame_attention, self_attention_layers


@pytest.fixture(scope="module")
def unet():
    torch.manual_seed(0)
    return small_unet().eval()


def inputs(branches: int, frames: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    latents = torch.randn(branches, frames, 4, 16, 16, generator=generator)
    text = torch.randn(branches, 1, 5, 16, generator=generator).expand(-1, frames, -1, -1)
    return rearrange(latents, "b f c h w -> (b f) c h w"), rearrange(text, "b f n d -> (b f) n d")


def predict(unet, latents, text, branches, enabled=True) -> torch.Tensor:
    with torch.inference_mode(), cross_frame_attention(unet, enabled) as bank:
        bank.expect(branches, first_chunk=True)
        out = unet(latents, 500, encoder_hidden_states=text).sample
    return rearrange(out, "(b f) c h w -> b f c h w", b=branches)


def test_one_layer_equals_the_papers_formula(unet):
    layer = next(iter(self_attention_layers(unet).values()))
    hidden = torch.randn(6, 10, layer.to_q.in_features, generator=torch.Generator().manual_seed(4))
    with torch.inference_mode(), cross_frame_attention(unet) as bank:
        bank.expect(2, first_chunk=True)
        got = layer(hidden)
        frames = rearrange(hidden, "(b f) l c -> b f l c", b=2)
        query, heads = layer.to_q(frames), layer.heads
        key, value = layer.to_k(frames[:, :1]), layer.to_v(frames[:, :1])
        q, k, v = (rearrange(x, "b f l (h d) -> b f h l d", h=heads) for x in (query, key, value))
        weights = (q @ k.transpose(-1, -2) * q.shape[-1] ** -0.5).softmax(-1)
        wanted = layer.to_out[0](rearrange(weights @ v, "b f h l d -> (b f) l (h d)"))
    assert torch.allclose(got, wanted, atol=1e-5)


@pytest.mark.parametrize("branches", [1, 2])
def test_frames_depend_on_frame_0_and_on_no_other(unet, branches):
    latents, text = inputs(branches, 4)
    before = predict(unet, latents, text, branches)
    for changed in range(4):
        other = rearrange(latents, "(b f) c h w -> b f c h w", b=branches).clone()
        other[:, changed] += 1.0
        after = predict(unet, rearrange(other, "b f c h w -> (b f) c h w"), text, branches)
        moved = {k for k in range(4) if (after[:, k] - before[:, k]).abs().max() > 1e-4}
        assert moved == ({0, 1, 2, 3} if changed == 0 else {changed})


def test_frame_0_is_drawn_as_a_picture_on_its_own(unet):
    latents, text = inputs(2, 3)
    got = predict(unet, latents, text, 2)[:, 0]
    alone = latents.reshape(2, 3, 4, 16, 16)[:, 0], text.reshape(2, 3, 5, 16)[:, 0]
    with torch.inference_mode():
        assert torch.allclose(got, unet(alone[0], 500, encoder_hidden_states=alone[1]).sample, atol=1e-5)


def test_later_chunks_read_what_the_first_left(unet):
    latents, text = inputs(2, 5)
    whole = predict(unet, latents, text, 2)
    frames, words = latents.reshape(2, 5, 4, 16, 16), text.reshape(2, 5, 5, 16)
    got = []
    with torch.inference_mode(), cross_frame_attention(unet) as bank:
        for start, end in ((0, 2), (2, 4), (4, 5)):
            bank.expect(2, first_chunk=start == 0)
            chunk = frames[:, start:end].flatten(0, 1)
            out = unet(chunk, 500, encoder_hidden_states=words[:, start:end].flatten(0, 1)).sample
            got.append(out.reshape(2, end - start, 4, 16, 16))
    assert torch.allclose(torch.cat(got, 1), whole, atol=1e-5)


def test_every_self_attention_layer_runs_ours_and_text_attention_is_untouched(unet):
    layers = self_attention_layers(unet)
    assert len(layers) == 4  # one down, one in the middle, two up
    text_before = {n: p for n, p in unet.attn_processors.items() if "attn2" in n}
    ran = set()
    with torch.inference_mode(), cross_frame_attention(unet) as bank:
        assert all(isinstance(layer.processor, CrossFrameAttention) for layer in layers.values())
        assert {n: p for n, p in unet.attn_processors.items() if "attn2" in n} == text_before
        bank.expect(1, first_chunk=True)
        latents, text = inputs(1, 2)
        unet(latents, 500, encoder_hidden_states=text)
        ran = set(bank.kept)
    assert ran == set(layers)


def test_processors_come_out_again_after_an_exception(unet):
    before = dict(unet.attn_processors)
    with pytest.raises(RuntimeError, match="stop"), cross_frame_attention(unet):
        raise RuntimeError("stop")
    assert unet.attn_processors == before


def test_switched_off_nothing_is_installed(unet):
    latents, text = inputs(1, 3)
    with torch.inference_mode():
        plain = unet(latents, 500, encoder_hidden_states=text).sample
    assert torch.equal(predict(unet, latents, text, 1, enabled=False)[0], plain)


def test_text_in_a_self_attention_layer_is_refused(unet):
    layer = next(iter(self_attention_layers(unet).values()))
    hidden = torch.zeros(2, 4, layer.to_q.in_features)
    with cross_frame_attention(unet), pytest.raises(ValueError, match="attn1"):
        layer(hidden, encoder_hidden_states=hidden)
