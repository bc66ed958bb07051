"""What is grown from the miniature's UNet: ControlNets, the editor, the style, and their folders."""

import dataclasses
import functools
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import seeded, small_tokenizer
from diffusers import (
    AutoencoderTiny,
    ControlNetModel,
    StableDiffusionControlNetPipeline,
    StableDiffusionInstructPix2PixPipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from safetensors.torch import load_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel

from miniature import shapes
from miniature.autoencoder import encode
from miniature.controls import CONTROLS, build_controlnet, control_loss, control_picture, load_controlled
from miniature.diffusion import AREA_LIMIT, FIRST_TIMES, SNR_LIMIT, freeze, noise_loss
from miniature.editor import build_editor, editor_loss, load_editor
from miniature.package import replacing, save_model, write_package
from miniature.style import build_style, load_styled, save_style, style_loss
from miniature.world import Scene, Subject, edges

SMALL_UNET = {
    **shapes.UNET,
    "sample_size": 8,
    "block_out_channels": (16, 24, 32),
    "norm_num_groups": 4,
    "cross_attention_dim": 16,
}
SMALL_AUTOENCODER = {
    **shapes.AUTOENCODER,
    "encoder_block_out_channels": (8, 8, 8, 8),
    "decoder_block_out_channels": (8, 8, 8, 8),
    "num_encoder_blocks": (0, 1, 1, 1),
    "num_decoder_blocks": (1, 1, 1, 0),
    "scaling_factor": 0.4,
}
ROBOT = Scene(place="grass", subjects=(Subject(kind="robot", colour="red", pose="waving"),))
STOCK = {
    **dict.fromkeys((f"controlnet-{control}" for control in CONTROLS), StableDiffusionControlNetPipeline),
    "editor": StableDiffusionInstructPix2PixPipeline,
    "style": StableDiffusionPipeline,
}


def small_text_encoder() -> CLIPTextModel:
    shape = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    return CLIPTextModel(CLIPTextConfig(vocab_size=54, max_position_embeddings=16, **shape, **ends))


@pytest.fixture(scope="module")
def base():
    """A small text encoder and UNet, frozen."""
    torch.manual_seed(0)
    parts = nn.ModuleDict({"text_encoder": small_text_encoder(), "unet": UNet2DConditionModel(**SMALL_UNET)})
    freeze(parts)
    return parts


def stir(model: nn.Module, part: str) -> nn.Module:
    """Put something into the parameters that begin with zero, as training would."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if part in name:
                parameter.normal_(std=0.1)
    return model


@pytest.fixture(scope="module")
def small(base, tmp_path_factory) -> Path:
    """The folders of a small family, written by the functions that write the bundled one."""
    root = tmp_path_factory.mktemp("family")
    torch.manual_seed(1)
    write_package(root / "text-to-image", AutoencoderTiny(**SMALL_AUTOENCODER), small_tokenizer(), base, {})
    for control in CONTROLS:
        save_model(stir(build_controlnet(base["unet"]), "controlnet_"), root / f"controlnet-{control}")
    save_model(stir(build_editor(base["unet"]), "conv_in.weight"), root / "editor")
    save_style(root / "style", stir(build_style(base["unet"])["unet"], "lora_B"))
    return root


def batch(count: int = 4):
    """Latents, token numbers and controls; the same at every call."""
    generator = seeded(3)
    latents = torch.randn(count, 4, 8, 8, generator=generator)
    ids = torch.randint(2, 54, (count, 16), generator=generator)
    return latents, ids, torch.rand(count, 3, 64, 64, generator=generator)


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
        loss = functools.partial(editor_loss, parts, text_encoder, latents.flip(0), latents, ids, ids[0])
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


def test_noise_loss_weighs_and_spreads_the_noise_levels():
    latents, seen = batch(10)[0], {}

    def nothing(noisy, times):
        seen["noisy"], seen["times"] = noisy, times
        return torch.zeros_like(noisy)

    torch.manual_seed(5)
    loss = noise_loss(latents, nothing)
    assert (seen["times"] // 100).tolist() == list(range(10))
    roots = [shapes.SCHEDULE[name] ** 0.5 for name in ("beta_start", "beta_end")]
    betas = torch.linspace(*roots, 1000) ** 2
    alpha = (1 - betas).cumprod(0)[seen["times"]].view(-1, 1, 1, 1)
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
            alpha = alphas[at].view(-1, 1, 1, 1)
            return noisy / (1 - alpha).sqrt() + wrong

        return noise_loss(latents, predict, known).item()

    roots = [shapes.SCHEDULE[name] ** 0.5 for name in ("beta_start", "beta_end")]
    alphas = (1 - torch.linspace(*roots, 1000) ** 2).cumprod(0)
    shift, all_rows = torch.tensor(0.1), torch.ones(10, dtype=torch.bool)
    plain = loss(shift, None)
    weights = (1 / alphas[times] - 1).clamp(max=AREA_LIMIT)
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
    roots = [shapes.SCHEDULE[name] ** 0.5 for name in ("beta_start", "beta_end")]
    alphas = (1 - torch.linspace(*roots, 1000) ** 2).cumprod(0)
    alpha = alphas[seen["times"]].view(-1, 1, 1, 1)
    noise = (seen["noisy"] - alpha.sqrt() * latents) / (1 - alpha).sqrt()
    latest = alphas[FIRST_TIMES:].sqrt().mean().item()  # how much of the picture the noise lacks, at most
    known = noise[200:].mean((1, 2, 3))  # the noisier half
    assert noise[:200].mean().item() == pytest.approx(0, abs=0.08)
    assert known.mean().item() == pytest.approx(-0.75 * 0.8 * latest, abs=0.03)


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


def test_a_twentieth_each_of_texts_pictures_and_both_are_dropped():
    count = 4000
    text_encoder, unet = Recorder(), Recorder()
    latents, nothing = torch.ones(count, 4, 1, 1), torch.zeros(2, dtype=torch.long)
    torch.manual_seed(6)
    ids = torch.ones(count, 2, dtype=torch.long)
    editor_loss(nn.ModuleDict({"unet": unet}), text_encoder, latents, latents, ids, nothing)
    no_text = (text_encoder.given == nothing).all(1)
    no_picture = (unet.given[:, 4:] == 0).flatten(1).all(1)
    assert ((unet.given[:, 4:] == 0).flatten(1).any(1) == no_picture).all()
    for dropped in (no_text & ~no_picture, no_picture & ~no_text, no_picture & no_text):
        assert dropped.float().mean().item() == pytest.approx(0.05, abs=0.015)


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
    assert "neon style" in (small / "style" / shapes.CARD).read_text()
    assert {tensor.dtype for tensor in load_file(style).values()} == {torch.float16}


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "model"
    with replacing(folder) as part:
        part.mkdir()
        (part / "first").touch()
    with pytest.raises(OSError, match="disk full"), replacing(folder) as part:
        part.mkdir()
        (part / "second").touch()
        raise OSError("disk full")
    assert [path.name for path in folder.iterdir()] == ["first"]
    with replacing(folder) as part:
        part.mkdir()
        (part / "third").touch()
    assert [path.name for path in folder.iterdir()] == ["third"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_real_shapes_keep_to_their_sizes():
    unet = UNet2DConditionModel(**shapes.UNET)
    style = [p for p in build_style(unet).parameters() if p.requires_grad]
    assert 2 * sum(p.numel() for p in style) < 0.9e6
    assert 1.4e6 < sum(p.numel() for p in build_controlnet(unet).parameters()) < 1.8e6


def test_the_bundled_family_keeps_to_its_budget():
    sizes = [path.stat().st_size for path in shapes.WEIGHTS.rglob("*.safetensors")]
    assert sum(sizes) <= 48e6 and max(sizes) <= 16e6


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
