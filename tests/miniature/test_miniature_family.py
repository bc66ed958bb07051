"""What is grown from the miniature's UNet: ControlNets, the editor, the style, and their folders."""

import dataclasses
import functools
import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import seeded
from diffusers import (
    ControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file
from small_family import batch, small_base, stir, write_family
from torch import nn

import miniature.editor
from miniature import shapes
from miniature.autoencoder import encode
from miniature.controls import CONTROLS, build_controlnet, control_loss, control_picture, load_controlled
from miniature.editor import build_editor, editor_loss, load_editor
from miniature.package import save_model
from miniature.style import build_style, load_styled, save_style, style_loss
from miniature.world import Scene, Subject, edges

pytestmark = pytest.mark.slow

ROBOT = Scene(place="grass", subjects=(Subject(kind="robot", colour="red", pose="waving"),))
STOCK = {
    **dict.fromkeys((f"controlnet-{control}" for control in CONTROLS), StableDiffusionControlNetPipeline),
    "editor": StableDiffusionInstructPix2PixPipeline,
    "style": StableDiffusionPipeline,
}


@pytest.fixture(scope="module")
def base() -> nn.ModuleDict:
    return small_base()


@pytest.fixture(scope="module")
def small(base, tmp_path_factory) -> Path:
    root = tmp_path_factory.mktemp("family")
    write_family(root, base)
    return root


def setting(kind: str, base: nn.ModuleDict):
    """Fresh parts of a kind and their loss on the fixed batch, with the same noise at every call."""
    torch.manual_seed(2)
    text_encoder, unet = base["text_encoder"], base["unet"]
    latents, ids, controls = batch()
    if kind == "controlnet":
        parts = nn.ModuleDict({"controlnet": build_controlnet(unet)})
        loss = functools.partial(control_loss, parts, unet, text_encoder, latents, ids, controls)
    elif kind == "editor":
        parts = nn.ModuleDict({"unet": build_editor(unet)})
        loss = functools.partial(editor_loss, parts, text_encoder, latents.flip(0), latents, ids, ids[0], 1.0)
    else:
        parts = build_style(unet)
        loss = functools.partial(style_loss, parts, text_encoder, latents, ids)

    def seeded_loss() -> torch.Tensor:
        torch.manual_seed(4)
        return loss()

    return parts, seeded_loss


def copies(module: nn.Module) -> dict[str, torch.Tensor]:
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def changed(module: nn.Module, before: dict[str, torch.Tensor]) -> set[str]:
    return {name for name, tensor in module.state_dict().items() if not torch.equal(tensor, before[name])}


@pytest.mark.parametrize("kind", ["controlnet", "editor", "style"])
def test_each_learns_and_what_is_frozen_stays(kind, base):
    parts, loss = setting(kind, base)
    frozen, own = copies(base), copies(parts)
    optimizer = torch.optim.AdamW([p for p in parts.parameters() if p.requires_grad], lr=3e-3)
    parts.train()
    losses = []
    for _ in range(20):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
        losses.append(value.item())
    assert losses[-1] < 0.9 * losses[0]
    assert changed(base, frozen) == set()
    if kind == "style":
        assert changed(parts, own) == {name for name in own if "lora_" in name}
    else:
        assert changed(parts, own) == {name for name, _ in parts.named_parameters()}


def test_a_controlnet_begins_with_the_unets_own_parameters(base):
    model = build_controlnet(base["unet"])
    own, unet = model.state_dict(), base["unet"].state_dict()
    fresh = {name for name in own if name not in unet or not torch.equal(own[name], unet[name])}
    assert {name.split(".")[0] for name in fresh} == {
        "controlnet_cond_embedding",
        "controlnet_down_blocks",
        "controlnet_mid_block",
    }
    copied = "\n".join(own.keys() - fresh)
    attention = "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k"
    resnets = ("down_blocks.0.resnets.0.conv1", "down_blocks.2.resnets.0.conv2", "mid_block.resnets.0.conv1")
    for name in ("conv_in", "time_embedding.linear_2", attention, *resnets):
        assert f"{name}.weight" in copied


def test_an_untrained_controlnet_changes_nothing_but_sees_its_picture(base):
    model = build_controlnet(base["unet"])
    latents, ids, controls = batch(2)
    text = base["text_encoder"](ids).last_hidden_state
    with torch.no_grad():
        down, middle = model(latents, torch.tensor([10, 900]), text, controls, return_dict=False)
        embedded = model.controlnet_cond_embedding(controls)
    assert all(not residual.any() for residual in (*down, middle))
    assert embedded.std() > 0.05


def test_an_untrained_editor_predicts_what_the_unet_does(base):
    latents, ids, _ = batch(2)
    text, times = base["text_encoder"](ids).last_hidden_state, torch.tensor([10, 900])
    editor = build_editor(base["unet"]).eval()
    with torch.no_grad():
        wanted = base["unet"](latents, times, text).sample
        got = editor(torch.cat([latents, 3 * latents.flip(0)], dim=1), times, text).sample
    assert torch.allclose(got, wanted, atol=1e-5)
    assert base["unet"].config.in_channels == 4


class Recorder(nn.Module):
    """Stands in a loss for a model and keeps what it was given."""

    def forward(self, given, *rest):
        self.given = given
        return SimpleNamespace(last_hidden_state=given, sample=given[:, :4])


def test_a_twentieth_of_pictures_and_of_both_is_dropped_and_what_no_text_speaks_of_stays(monkeypatch):
    count, drawn = 4000, {}

    def keep(*given, **known):
        drawn.update(given=given, **known)

    text_encoder, unet = Recorder(), Recorder()
    source, nothing = torch.ones(count, 4, 1, 1), torch.zeros(2, dtype=torch.long)
    monkeypatch.setattr(miniature.editor, "noise_loss", keep)
    torch.manual_seed(6)
    ids = torch.ones(count, 2, dtype=torch.long)
    editor_loss(nn.ModuleDict({"unet": unet}), text_encoder, source, 3 * source, ids, nothing, 0.5)
    target, predict = drawn["given"]
    predict(target, torch.zeros(count))
    no_text = (text_encoder.given == nothing).all(1)
    shown = unet.given[:, 4:].flatten(1)
    no_picture = (shown == 0).all(1)
    assert (shown[~no_picture] == 2).all() and torch.equal(drawn["known"], ~no_picture)
    assert torch.equal(target.flatten(1).amin(1) == 1, no_text & ~no_picture)
    assert ((target == 1) | (target == 3)).all()
    for rows, share in ((no_picture & ~no_text, 0.05), (no_picture & no_text, 0.05), (no_text, 0.2)):
        assert rows.float().mean().item() == pytest.approx(share, abs=0.015)


def test_the_editor_is_shown_in_training_what_the_stock_pipeline_shows_it(small):
    """Latents as the autoencoder gives them: unlike those that are denoised they are not scaled."""
    pipe = load_editor(small)
    picture = 2 * batch(1)[2] - 1
    shown = pipe.prepare_image_latents(picture, 1, 1, torch.float32, "cpu", True)
    with torch.no_grad():
        own = encode(pipe.vae, picture)
    assert torch.allclose(shown[:1], own, atol=0.02 * own.std().item())
    assert torch.equal(shown[1], shown[0]) and not shown[2].any()


def drawn(pipe, kind: str, control: torch.Tensor) -> np.ndarray:
    """A picture of 64×64 after two steps of a stock pipeline."""
    size = {} if kind == "editor" else {"height": 64, "width": 64}
    extra = {} if kind == "style" else {"image": control}
    settings = {"num_inference_steps": 2, "generator": seeded(), "output_type": "np", **size, **extra}
    return pipe("a red robot on the grass", **settings).images[0]


@pytest.mark.parametrize("family", ["small", "bundled"])
@pytest.mark.parametrize("kind", STOCK)
def test_stock_pipelines_draw_with_every_checkpoint(family, kind, request):
    root = request.getfixturevalue("small") if family == "small" else shapes.WEIGHTS
    if not (root / kind).exists():
        pytest.skip(f"the bundled family has no {kind} yet")
    control = kind.removeprefix("controlnet-")
    loaders = {"editor": load_editor, "style": load_styled}
    pipe = loaders[kind](root) if kind in loaders else load_controlled(root, control)
    assert type(pipe) is STOCK[kind]
    shown = torch.zeros(1, 3, 64, 64)
    if kind != "style":
        picture = control_picture(control if kind not in loaders else "depth", ROBOT, 64)
        shown = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    picture = drawn(pipe, kind, shown)
    if kind == "style":
        pipe.disable_lora()
    other = drawn(pipe, kind, torch.zeros_like(shown))
    assert picture.shape == (64, 64, 3) and np.isfinite(picture).all() and picture.std() > 0.005
    assert np.abs(picture - other).mean() > 1e-4


def test_a_style_predicts_the_same_after_stock_loading(base, small, tmp_path):
    torch.manual_seed(7)
    parts = build_style(base["unet"])
    latents, ids, _ = batch(2)
    text, times = base["text_encoder"](ids).last_hidden_state, torch.tensor([10, 900])

    @torch.no_grad()
    def predict(unet):
        return unet(latents, times, text).sample

    plain = predict(base["unet"])
    assert torch.allclose(predict(parts["unet"]), plain, atol=1e-5)
    save_style(tmp_path / "style", stir(parts["unet"], "lora_B"))
    pipe = StableDiffusionPipeline.from_pretrained(small / "text-to-image", safety_checker=None)
    pipe.unet.load_state_dict(base["unet"].state_dict())  # in full precision
    pipe.load_lora_weights(tmp_path / "style")
    wanted, got = predict(parts["unet"]), predict(pipe.unet)
    assert (wanted - plain).std() > 0.1
    assert torch.allclose(got, wanted, atol=0.02)


def test_models_are_kept_in_halves_readable_by_all_and_without_where_they_came_from(small, tmp_path):
    model = ControlNetModel.from_pretrained(small / "controlnet-canny")
    folder = save_model(model, tmp_path / "again")
    [weights] = folder.glob("*.safetensors")
    assert {tensor.dtype for tensor in load_file(weights).values()} == {torch.float16}
    assert weights.stat().st_mode & 0o777 == 0o644
    assert str(small) not in (folder / "config.json").read_text()
    assert next(model.parameters()).dtype == torch.float32
    [style] = (small / "style").glob("*.safetensors")
    card = json.loads((small / "style" / shapes.CARD).read_text())
    assert (card["words"], card["keywords_last"]) == ({"styles": ["neon style"]}, True)
    assert card["defaults"] == {"guidance_scale": 1.5}
    assert card["tasks"] == {"text-to-video": {"num_inference_steps": 25, "scheduler": "ddim"}}
    assert {tensor.dtype for tensor in load_file(style).values()} == {torch.float16}


def test_the_real_shapes_keep_to_their_sizes():
    unet = UNet2DConditionModel(**shapes.UNET)
    style = [p for p in build_style(unet).parameters() if p.requires_grad]
    assert 2 * sum(p.numel() for p in style) < 1.2e6
    assert 1.4e6 < sum(p.numel() for p in build_controlnet(unet).parameters()) < 1.8e6


def test_control_pictures_show_what_the_world_knows():
    assert (control_picture("canny", ROBOT, 64) == edges(ROBOT, 64)[..., None]).all()
    varied = [control_picture("canny", ROBOT, 128, np.random.default_rng(seed)) for seed in range(6)]
    assert len({picture.tobytes() for picture in varied}) > 3
    assert all(set(np.unique(picture)) == {0, 255} for picture in varied)
    depth = control_picture("depth", ROBOT, 64)
    assert depth.shape == (64, 64, 3) and depth[-1].min() > depth[0].max()
    car = dataclasses.replace(ROBOT, subjects=(Subject(kind="car", colour="red"),))
    assert control_picture("pose", ROBOT, 64).any() and not control_picture("pose", car, 64).any()
    with pytest.raises(ValueError, match="allowed are canny, pose, depth"):
        control_picture("edges", ROBOT)
