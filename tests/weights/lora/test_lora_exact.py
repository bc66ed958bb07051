"""lora/: every kind and spelling, in every layer of real networks, against weights computed by hand."""

from pathlib import Path
from types import SimpleNamespace

import lora_files as made
import pytest
import torch
from diffusers import UNet2DConditionModel
from safetensors.torch import save_file
from torch import nn
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from t2v.weights.lora.merge import Merged

NETWORKS = ("unet", "text_encoder", "text_encoder_2")


def text_config(width: int) -> CLIPTextConfig:
    marks = {"bos_token_id": 0, "eos_token_id": 1, "pad_token_id": 1}
    shape = {
        "vocab_size": 54,
        "intermediate_size": 2 * width,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    return CLIPTextConfig(
        hidden_size=width, projection_dim=width, max_position_embeddings=16, **shape, **marks
    )


def small_unet(**changes: object) -> UNet2DConditionModel:
    shape = {
        "sample_size": 16, "block_out_channels": (8, 16), "layers_per_block": 2, "norm_num_groups": 4,
        "down_block_types": ("CrossAttnDownBlock2D", "DownBlock2D"),
        "up_block_types": ("UpBlock2D", "CrossAttnUpBlock2D"), "cross_attention_dim": 16,
        "attention_head_dim": 4,
    }  # fmt: skip
    return UNet2DConditionModel(**{**shape, **changes})


class Model(SimpleNamespace):
    """The networks of a model, as a pipeline has them."""

    def tell(self, sentence: str) -> None:
        self.notes.append(sentence)


def sd1() -> Model:
    return Model(unet=small_unet(), text_encoder=CLIPTextModel(text_config(16)), notes=[])


def sd2() -> Model:
    unet = small_unet(use_linear_projection=True)
    return Model(unet=unet, text_encoder=CLIPTextModel(text_config(16)), notes=[])


def sdxl() -> Model:
    unet = small_unet(
        use_linear_projection=True, addition_embed_type="text_time", addition_time_embed_dim=4,
        projection_class_embeddings_input_dim=40, cross_attention_dim=40, transformer_layers_per_block=(2, 1),
    )  # fmt: skip
    second = CLIPTextModelWithProjection(text_config(24))
    return Model(unet=unet, text_encoder=CLIPTextModel(text_config(16)), text_encoder_2=second, notes=[])


FAMILIES = {"sd1": sd1, "sd2": sd2, "sdxl": sdxl}


def networks(model: Model) -> dict[str, nn.Module]:
    return {part: getattr(model, part) for part in NETWORKS if hasattr(model, part)}


def weights(model: Model) -> made.State:
    states = {part: network.state_dict() for part, network in networks(model).items()}
    return {f"{part}/{name}": one.clone() for part, state in states.items() for name, one in state.items()}


def file_for(model: Model, path: Path, kind, spelling, fits=lambda part, layer, weight: True, alpha=1.0):
    """A LoRA for all layers of a model that fit, and the weights that it must lead to."""
    held, wanted = {}, {}
    for part, network in networks(model).items():
        for layer in made.layers(network):
            weight = network.get_submodule(layer).weight.detach()
            if fits(part, layer, weight):
                parts, wanted[f"{part}/{layer}.weight"] = kind(weight, alpha)
                held |= {spelling(model, part, layer, what): one for what, one in parts.items()}
    assert len(wanted) > 5
    save_file(held, path)
    return wanted


def put(model: Model, *loras: tuple[Path, float]) -> Merged:
    merged = Merged(model)
    again(merged, *loras)
    return merged


def again(merged: Merged, *loras: tuple[Path, float]) -> None:
    strengths = {str(path): strength for path, strength in loras}
    merged.put(strengths, lambda name: (str(Path(name).parent), Path(name).name))


def assert_exact(model: Model, before: made.State, wanted: made.State) -> None:
    """Every layer is as computed, and all else is as it was, to the bit."""
    for name, one in weights(model).items():
        if name in wanted:
            torch.testing.assert_close(one, wanted[name].float(), rtol=1e-6, atol=1e-6, msg=name)
            assert not torch.equal(one, before[name]), name
        else:
            assert torch.equal(one, before[name]), name


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(5)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("spelling", [made.kohya, made.original, made.dotted])
@pytest.mark.parametrize("kind", [*made.LINEAR_AND_CONV, *made.CONV])
def test_every_kind_is_exact_in_every_layer(tmp_path, family, spelling, kind):
    model = FAMILIES[family]()
    before, path = weights(model), tmp_path / "all.safetensors"

    def fits(part, layer, weight):
        halves = "lokr" not in kind or (weight.shape[0] % 2 == 0 and weight.shape[1] % 2 == 0)
        return halves and (kind not in made.CONV or weight.ndim == 4)

    make = {**made.LINEAR_AND_CONV, **made.CONV}[kind]
    wanted = file_for(model, path, make, spelling, fits)
    merged = put(model, (path, 1.0))
    assert_exact(model, before, wanted)
    assert model.notes == []
    again(merged)
    assert_exact(model, before, {})


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("spelling", [made.peft, made.bare, made.base_model, made.default_adapter])
@pytest.mark.parametrize("kind", [made.lora, made.dora_of_peft])
def test_pefts_spellings_are_exact(tmp_path, family, spelling, kind):
    model = FAMILIES[family]()
    has_start = spelling is made.peft  # without one, nothing tells which text encoder is meant
    before, path = weights(model), tmp_path / "all.safetensors"
    wanted = file_for(
        model, path, kind, spelling, lambda part, layer, weight: has_start or part != "text_encoder_2"
    )
    put(model, (path, 1.0))
    assert_exact(model, before, wanted)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_processors_of_old_are_exact(tmp_path, family):
    model = FAMILIES[family]()
    before, path = weights(model), tmp_path / "all.safetensors"

    def fits(part, layer, weight):
        return ".attn" in layer or (part != "unet" and "self_attn" in layer)

    def plain(weight, alpha):  # they had no alpha
        parts, wanted = made.lora(weight, float(made.RANK))
        return {what: one for what, one in parts.items() if what != "alpha"}, wanted

    wanted = file_for(model, path, plain, made.processors, fits)
    put(model, (path, 1.0))
    assert_exact(model, before, wanted)


@pytest.mark.parametrize("family", FAMILIES)
def test_norms_and_biases_are_changed_by_what_the_file_says(tmp_path, family):
    model = FAMILIES[family]()
    before, held, wanted = weights(model), {}, {}
    for part, network in networks(model).items():
        for layer in made.layers(network, (nn.GroupNorm, nn.LayerNorm, nn.Linear)):
            module = network.get_submodule(layer)
            is_norm = not isinstance(module, nn.Linear)
            for name, what in (
                (("weight", "w_norm"), ("bias", "b_norm")) if is_norm else (("bias", "diff_b"),)
            ):
                value = getattr(module, name)
                if value is not None:
                    change = made.noise(*value.shape)
                    held[made.kohya(model, part, layer, what)] = change
                    wanted[f"{part}/{layer}.{name}"] = value.detach().double() + change.double()
    save_file(held, tmp_path / "norms.safetensors")
    put(model, (tmp_path / "norms.safetensors", 1.0))
    assert_exact(model, before, wanted)
