"""merge.py: strengths, several at once, out again to the bit, from memory; what is told and refused."""

import json

import lora_files as made
import pytest
import torch
from safetensors.torch import save_file
from test_lora_exact import again, assert_exact, file_for, put, sd1, sd2, sdxl, small_unet, weights

from t2v.weights.lora.merge import HUGE
from t2v.weights.refusals import ModelError

LAYER = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
NAME = f"unet/{LAYER}.weight"


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(6)


def mixed(before: made.State, *parts: tuple[made.State, float]) -> made.State:
    """The model's own weights and shares of what several lead to."""
    names = {name for wanted, _ in parts for name in wanted}
    shares = {
        name: [
            strength * (wanted[name] - before[name].double()) for wanted, strength in parts if name in wanted
        ]
        for name in names
    }
    return {name: before[name].double() + sum(shares[name]) for name in names}


def two(model, folder):
    first = file_for(model, folder / "a.safetensors", made.lora, made.kohya, alpha=0.5)
    second = file_for(
        model, folder / "b.safetensors", made.dora_of_outputs, made.original, lambda part, *_: part == "unet"
    )
    return (folder / "a.safetensors", first), (folder / "b.safetensors", second)


@pytest.mark.parametrize("family", [sd1, sdxl])
def test_two_at_strengths_of_their_own_add_up_in_any_order_and_leave_nothing(tmp_path, family):
    model = family()
    before = weights(model)
    (a, first), (b, second) = two(model, tmp_path)
    merged = put(model, (a, 0.7), (b, -0.3))
    assert_exact(model, before, mixed(before, (first, 0.7), (second, -0.3)))
    both = weights(model)
    again(merged, (b, -0.3))
    assert_exact(model, before, mixed(before, (second, -0.3)))
    again(merged, (b, -0.3), (a, 0.7))
    assert all(torch.allclose(one, both[name], rtol=1e-6, atol=1e-7) for name, one in weights(model).items())
    again(merged, (a, 0.0), (b, 0))
    assert_exact(model, before, {})
    again(merged)
    assert_exact(model, before, {})
    assert merged._own == {}  # what is not needed any more is not kept


def test_another_strength_comes_from_memory_alone(tmp_path, monkeypatch):
    model = sd1()
    before = weights(model)
    (a, first), (b, second) = two(model, tmp_path)
    merged = put(model, (a, 0.5), (b, 1.0))
    monkeypatch.setattr("t2v.weights.lora.merge.read_lora", None)
    again(merged, (a, 0.9), (b, -2.0))
    assert_exact(model, before, mixed(before, (first, 0.9), (second, -2.0)))


def test_a_file_that_was_written_anew_is_read_anew(tmp_path):
    model = sd1()
    before = weights(model)
    path = tmp_path / "a.safetensors"
    file_for(model, path, made.lora, made.kohya)
    merged = put(model, (path, 1.0))
    other = {
        name: one.detach() for name, one in file_for(sd1_of(before), path, made.loha, made.kohya).items()
    }
    again(merged, (path, 1.0))
    assert_exact(model, before, other)


def sd1_of(state: made.State):
    model = sd1()
    for part in ("unet", "text_encoder"):
        inside = {name.removeprefix(f"{part}/"): one for name, one in state.items() if name.startswith(part)}
        getattr(model, part).load_state_dict(inside)
    return model


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_in_half_precision_the_sum_is_rounded_once(tmp_path, dtype):
    model = sd1()
    for part in ("unet", "text_encoder"):
        getattr(model, part).to(dtype)
    before = weights(model)
    (a, first), (b, second) = two(model, tmp_path)
    merged = put(model, (a, 0.7), (b, -0.3))
    wanted = mixed(before, (first, 0.7), (second, -0.3))
    unequal = sum(int((weights(model)[name] != one.to(dtype)).sum()) for name, one in wanted.items())
    assert (
        unequal <= sum(one.numel() for one in wanted.values()) / 1000
    )  # float32's own rounding, now and then
    again(merged)
    assert_exact(model, before, {})


def single(parts: made.State, name: str = f"unet.{LAYER}") -> made.State:
    return {f"{name}.{made.PEFT.get(what, what)}": one for what, one in parts.items()}


@pytest.mark.parametrize(
    ("said", "scale"),
    [
        ({"unet.lora_alpha": 6, "unet.r": 2}, 3.0),
        ({"unet.lora_alpha": 6, "unet.r": 2, "unet.use_rslora": True}, 6 / 2**0.5),
        ({"unet.lora_alpha": 6, "unet.alpha_pattern": {LAYER: 1}}, 0.5),
        ({"unet.lora_alpha": 6, "unet.alpha_pattern": {"attn1.to_q": 1, "to_k": 9}}, 0.5),
        ({"text_encoder.lora_alpha": 6}, 1.0),
    ],
)
def test_alpha_may_stand_in_what_a_file_says_of_itself(tmp_path, said, scale):
    model, down, up = sd1(), made.noise(2, 8), made.noise(8, 2)
    before, path = weights(model), tmp_path / "a.safetensors"
    save_file(single({"down": down, "up": up}), path, metadata={"lora_adapter_metadata": json.dumps(said)})
    put(model, (path, 1.0))
    assert_exact(model, before, {NAME: before[NAME].double() + scale * up.double() @ down.double()})


def test_alpha_may_stand_in_pefts_own_file_beside_it(tmp_path):
    model, down, up = sd1(), made.noise(2, 8), made.noise(8, 2)
    before, path = weights(model), tmp_path / "adapter_model.safetensors"
    save_file(single({"down": down, "up": up}, f"base_model.model.{LAYER}"), path)
    (tmp_path / "adapter_config.json").write_text('{"lora_alpha": 8, "r": 2}')
    put(model, (path, 1.0))
    assert_exact(model, before, {NAME: before[NAME].double() + 4 * up.double() @ down.double()})


def test_a_bias_beside_the_upper_half_goes_in_as_well(tmp_path):
    model, layer = sd1(), "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_out.0"
    before, bias = weights(model), made.noise(8)
    held = single({"down": made.noise(2, 8), "up": torch.zeros(8, 2)}, f"unet.{layer}")
    save_file({**held, f"unet.{layer}.lora_B.bias": bias}, tmp_path / "a.safetensors")
    put(model, (tmp_path / "a.safetensors", 0.5))
    name = f"unet/{layer}.bias"
    assert_exact(model, before, {name: before[name].double() + 0.5 * bias.double()})


@pytest.mark.parametrize(
    ("of", "to", "told"),
    [
        (
            sdxl,
            sd1,
            "is for the kind that reads text 40 wide, and the model is of the kind that",
        ),
        (
            sd1,
            sdxl,
            "is for the kind that reads text 16 wide, and the model is of Stable Diffusion XL; choose one",
        ),
    ],
)
@pytest.mark.parametrize("kind", [made.lora, made.loha, made.lokr, made.diff])
def test_another_family_is_refused_by_both_names(tmp_path, of, to, told, kind):
    of_other, model = of(), to()
    before, path = weights(model), tmp_path / "a.safetensors"
    keys = file_for(
        of_other, path, kind, made.kohya, lambda part, layer, _: part == "unet" and "attn" in layer
    )
    assert any("attn2.to_k" in name for name in keys)
    with pytest.raises(ModelError, match=told) as refusal:
        put(model, (path, 1.0))
    assert "a.safetensors is for " in str(refusal.value)
    assert_exact(model, before, {})


@pytest.mark.parametrize(
    ("width", "family", "told"),
    [
        (
            768,
            1024,
            "is for Stable Diffusion 1.x, and the model is of Stable Diffusion 2.x; choose one made for",
        ),
        (
            1024,
            768,
            "is for Stable Diffusion 2.x, and the model is of Stable Diffusion 1.x; choose one made for",
        ),
        (
            2048,
            768,
            "is for Stable Diffusion XL, and the model is of Stable Diffusion 1.x; choose one made for",
        ),
    ],
)
def test_families_of_published_widths_have_their_names(tmp_path, width, family, told):
    model = sd1()
    model.unet = small_unet(cross_attention_dim=family)
    layer = LAYER.replace("attn1.to_q", "attn2.to_k")
    save_file(
        single({"down": made.noise(2, width), "up": made.noise(8, 2)}, f"unet.{layer}"),
        tmp_path / "a.safetensors",
    )
    with pytest.raises(ModelError, match=told):
        put(model, (tmp_path / "a.safetensors", 1.0))


def test_the_second_text_encoders_names_tell_of_xl(tmp_path):
    held = single(
        {"down": made.noise(2, 16), "up": made.noise(16, 2)}, "lora_te2_text_model_encoder_layers_0_mlp_fc1"
    )
    held = {
        name.replace("lora_A", "lora_down").replace("lora_B", "lora_up"): one for name, one in held.items()
    }
    save_file(held, tmp_path / "a.safetensors")
    with pytest.raises(ModelError, match="is for Stable Diffusion XL, and the model is"):
        put(sd2(), (tmp_path / "a.safetensors", 1.0))


def test_what_does_not_fit_is_counted_and_told_as_long_as_it_is_in(tmp_path):
    model = sd1()
    before, path = weights(model), tmp_path / "a.safetensors"
    right, wrong = (
        {"down": made.noise(2, 8), "up": made.noise(8, 2)},
        {"down": made.noise(2, 6), "up": made.noise(8, 2)},
    )
    keys = [LAYER.replace("to_q", f"to_{part}") for part in "qk"]
    held = {name: one.clone() for key in keys for name, one in single(right, f"unet.{key}").items()}
    save_file({**held, **single(wrong, f"unet.{LAYER.replace('to_q', 'to_v')}")}, path)
    merged = put(model, (path, 1.0))
    assert model.notes == [f"The LoRA {path} fits in part only: 1 layer of its 3 is left out."]
    again(merged, (path, 0.5))
    assert len(model.notes) == 1
    again(merged)
    assert model.notes == []
    assert_exact(model, before, {})


def test_together_too_large_is_told_of_all_and_leaves_the_model_as_it_was(tmp_path):
    model = sd1()
    before = weights(model)
    largest = float(before[NAME].abs().max())
    for name in "ab":
        value = 0.6 * HUGE * max(largest, 1)
        change = torch.zeros(8, 8)
        change[0, 0] = value
        save_file({f"lora_unet_{LAYER.replace('.', '_')}.diff": change}, tmp_path / f"{name}.safetensors")
    a, b = (tmp_path / f"{name}.safetensors" for name in "ab")
    merged = put(model, (a, 1.0))
    with pytest.raises(ModelError, match="a.safetensors and .*b.safetensors together make weights so large"):
        again(merged, (a, 1.0), (b, 1.0))
    assert_exact(model, before, {})
    again(merged, (a, 1.0), (b, 0.5))
    assert float(weights(model)[NAME][0, 0]) == pytest.approx(0.9 * HUGE * max(largest, 1), rel=0.02)
