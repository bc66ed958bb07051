"""Attention at full resolution: grown without a change, looking at another frame, learning on pairs."""

import dataclasses
import logging

import numpy as np
import pytest
import torch
from conftest import seeded
from diffusers import ControlNetModel, UNet2DConditionModel
from small_family import SMALL_UNET, batch, small_base, stir
from torch import nn

from miniature import shapes
from miniature.controls import build_controlnet
from miniature.diffusion import noise_losses
from miniature.fit import WARM_UP_STEPS, Trainer
from miniature.package import load_pipeline
from miniature.pairs import grow_attention, look_beside, pair_losses, paired, rate, without_grown
from miniature.recipes import pairs as recipe
from miniature.recipes.pairs import KINDS, WITH_EMPTY, Tally
from miniature.text_to_image import use_quick_attention
from miniature.world import draw, sample_scene
from t2v.diffusion.attention import cross_frame_attention, self_attention_layers
from t2v.diffusion.pipeline import TextToVideoPipeline
from t2v.weights.fits import check_fits

pytestmark = pytest.mark.slow

NEW = "down_blocks.0.attentions", "up_blocks.2.attentions"


@pytest.fixture(scope="module")
def unet() -> UNet2DConditionModel:
    """A small one, grown, with something in its new layers."""
    torch.manual_seed(0)
    grown = stir(grow_attention(UNet2DConditionModel(**SMALL_UNET)), "attentions.0.proj_out").eval()
    use_quick_attention(grown)
    return grown


def text(rows: int) -> torch.Tensor:
    return torch.randn(1, 5, 16, generator=seeded(4)).expand(rows, -1, -1)


def predict(unet: UNet2DConditionModel, latents: torch.Tensor) -> torch.Tensor:
    with torch.no_grad():
        return unet(latents, 500, text(len(latents))).sample


def test_a_grown_unet_draws_what_it_drew():
    old = without_grown(load_pipeline(shapes.TEXT_TO_IMAGE).unet).eval()
    grown = grow_attention(old).eval()
    latents = torch.randn(2, 4, 32, 32, generator=seeded(1))
    words, times = torch.randn(2, 24, 192, generator=seeded(2)), torch.tensor([40, 800])
    with torch.no_grad():
        before, after = (each(latents, times, words).sample for each in (old, grown))
    assert torch.allclose(before, after, atol=1e-5)
    assert before.std() > 0.5
    fresh = grown.state_dict().keys() - old.state_dict().keys()
    assert fresh and all(name.startswith(NEW) for name in fresh)
    assert sum(grown.state_dict()[name].numel() for name in fresh) < 0.35e6
    again, own = without_grown(grown).state_dict(), old.state_dict()
    assert again.keys() == own.keys() and all(torch.equal(again[name], own[name]) for name in own)


def test_what_is_grown_already_stays_as_it_is(unet):
    again = grow_attention(unet)
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in unet.state_dict().items())


def test_a_second_frame_looks_at_its_first_and_at_nothing_else(unet):
    beside = look_beside(unet)
    rows = paired(singles=2, pairs=2)
    assert rows.tolist() == [0, 1, 2, 3, 2, 3]
    latents = torch.randn(6, 4, 8, 8, generator=seeded(5))
    beside.rows = rows
    before = predict(unet, latents)
    seen_by = {}
    for changed in range(6):
        other = latents.clone()
        other[changed] += 1.0
        differs = (predict(unet, other) - before).abs().amax((1, 2, 3)) > 1e-4
        seen_by[changed] = differs.nonzero().flatten().tolist()
    assert seen_by == {0: [0], 1: [1], 2: [2, 4], 3: [3, 5], 4: [4], 5: [5]}
    beside.rows = None
    assert not torch.allclose(predict(unet, latents)[4:], before[4:], atol=1e-3)


def test_pairs_are_drawn_as_the_program_draws_its_videos(unet):
    latents = torch.randn(3, 4, 8, 8, generator=seeded(6))
    with cross_frame_attention(unet) as bank:
        bank.expect(1, first_chunk=True)
        wanted = predict(unet, latents)
    look_beside(unet).rows = torch.tensor([0, 0, 0])
    assert torch.allclose(predict(unet, latents), wanted, atol=1e-4)


def test_all_self_attention_looks_beside_and_text_attention_does_not(unet):
    beside = look_beside(unet)
    layers = self_attention_layers(unet)
    assert {name.split(".transformer_blocks")[0] for name in layers} >= {f"{block}.0" for block in NEW}
    users = {name for name, each in unet.named_modules() if getattr(each, "processor", None) is beside}
    assert users == set(layers)


def test_frames_drawn_together_share_their_time_and_some_noise():
    latents, rows, seen = torch.zeros(300, 4, 8, 8), paired(100, 100), {}

    def nothing(noisy, times):
        seen["noisy"], seen["times"] = noisy, times
        return torch.zeros_like(noisy)

    torch.manual_seed(7)
    losses = noise_losses(latents, nothing, beside=rows)
    assert losses.shape == (300,)
    times = seen["times"]
    assert torch.equal(times, times[rows])
    assert times[:100].float().mean() == pytest.approx(500, abs=80)  # each kind sees all levels
    first, second = (seen["noisy"][part].flatten(1) for part in (slice(100, 200), slice(200, 300)))
    alike = torch.cosine_similarity(first, second)
    assert alike.min() < 0.25 and alike.max() > 0.95
    assert torch.cosine_similarity(*seen["noisy"][:2].flatten(1), dim=0).abs() < 0.25
    assert second.std(dim=1) / first.std(dim=1) == pytest.approx(torch.ones(100), abs=0.25)


def test_the_new_layers_learn_first():
    parts = nn.ModuleDict({"unet": grow_attention(UNet2DConditionModel(**SMALL_UNET))})
    stage = dataclasses.replace(shapes.PAIRS_STAGE, learning_rate=1e-2)
    before = {name: p.detach().clone() for name, p in parts.named_parameters()}
    trainer = Trainer(stage, parts, shapes.RUNS, rate)
    trainer.step = WARM_UP_STEPS
    trainer.update(sum(p.sum() for p in parts.parameters()), progress=0.0)
    moved = {name: (p - before[name]).abs().mean().item() for name, p in parts.named_parameters()}
    for name, step in moved.items():
        share = 1.0 if any(f"unet.{block}" in name for block in NEW) else shapes.KNOWN_RATE
        assert step == pytest.approx(share * 1e-2, rel=0.03), name


def test_pairs_are_learned_and_the_text_encoder_stays():
    base = small_base()
    grown = grow_attention(base["unet"]).requires_grad_(True)
    parts = nn.ModuleDict({"text_encoder": base["text_encoder"], "unet": grown})
    words = {name: tensor.clone() for name, tensor in parts["text_encoder"].state_dict().items()}
    latents, ids, _ = batch(6)
    rows, beside, losses = paired(2, 2), look_beside(grown), []
    optimizer = torch.optim.AdamW([p for p in parts.parameters() if p.requires_grad], lr=3e-3)
    for _ in range(20):
        torch.manual_seed(4)
        each = pair_losses(parts, beside, latents, ids[rows], rows)
        optimizer.zero_grad()
        each.mean().backward()
        optimizer.step()
        losses.append(each.mean().item())
    assert losses[-1] < 0.9 * losses[0]
    assert beside.rows is None
    assert all(torch.equal(words[name], each) for name, each in parts["text_encoder"].state_dict().items())
    assert grown.state_dict()[f"{NEW[1]}.1.proj_out.weight"].any()


def test_the_log_tells_pairs_from_singles_and_empty_scenes(caplog):
    tally = Tally(singles=2, pairs=1)
    empty = torch.tensor([False, True, False, False])
    with caplog.at_level(logging.INFO):
        for _ in range(recipe.LOG_EVERY):
            tally.add(torch.tensor([1.0, 2.0, 3.0, 4.0]), empty)
    assert [record.message for record in caplog.records] == [
        "single 1.5000, first frame 3.0000, second frame 4.0000, empty 2.0000"
    ]
    assert len(KINDS) == 4 and not tally.counts.any()


def test_some_of_the_scenes_are_empty_and_drawn_so():
    rng = np.random.default_rng(3)
    scenes = [sample_scene(rng, "train", WITH_EMPTY) for _ in range(600)]
    share = np.mean([not scene.subjects for scene in scenes])
    assert share == pytest.approx(WITH_EMPTY.empty, abs=0.04)
    assert {scene.place for scene in scenes if not scene.subjects} == set(WITH_EMPTY.places)
    assert draw(next(scene for scene in scenes if not scene.subjects), 64).std() > 5


@pytest.mark.parametrize("control", ["canny", "pose", "depth"])
def test_controlnets_of_the_unet_before_fit_the_grown_one(control):
    """Their residuals have the shapes of its skips, though their attention stands at other sizes."""
    pipe = load_pipeline(shapes.TEXT_TO_IMAGE)
    unet = grow_attention(pipe.unet).eval()
    network = ControlNetModel.from_pretrained(shapes.WEIGHTS / f"controlnet-{control}")
    grown = build_controlnet(unet)
    own = {**pipe.components, "unet": unet, "requires_safety_checker": False}
    pipeline = TextToVideoPipeline(**own)
    latents, picture = torch.randn(1, 4, 32, 32, generator=seeded(1)), torch.zeros(1, 3, 256, 256)
    words = torch.randn(1, 24, 192, generator=seeded(2))
    with torch.no_grad():
        for each in (network, grown):
            check_fits(control, each, "grown", pipeline)
            down, middle = each(latents, 500, words, picture, return_dict=False)
            out = unet(
                latents,
                500,
                words,
                down_block_additional_residuals=down,
                mid_block_additional_residual=middle,
            ).sample
            assert out.shape == latents.shape and out.isfinite().all()
