"""lora/: what goes into the weights, what is left out, and what kinds are not read."""

import shutil
from pathlib import Path

import pytest
import torch
from conftest import seeded
from safetensors.torch import load_file, save_file

from t2v.weights.load import load_pipeline
from t2v.weights.refusals import ModelError

BLOCK = "down_blocks.0.attentions.0.transformer_blocks.0"
LAYERS = [f"{BLOCK}.{attn}.to_{part}" for attn in ("attn1", "attn2") for part in "qkv"]
WORDS = "encoder.layers.0.self_attn"
KOHYA = "lora_unet_" + f"{BLOCK}.attn1.to_q".replace(".", "_")
CONV = "lora_unet_down_blocks_0_resnets_0_conv1"


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape, generator=seeded(sum(shape)))


def pairs(names, *, up=1.0) -> dict[str, torch.Tensor]:
    """A LoRA's layers of rank 2 in diffusers' naming, for weights of 16x16."""
    layers = {}
    for name in names:
        layers[f"unet.{name}.lora_A.weight"] = noise(2, 16)
        layers[f"unet.{name}.lora_B.weight"] = noise(16, 2) * up
    return layers


def kohya(name: str = KOHYA, **more: torch.Tensor) -> dict[str, torch.Tensor]:
    layer = {"lora_down.weight": noise(2, 16), "lora_up.weight": noise(16, 2), "alpha": torch.tensor(1.0)}
    return {f"{name}.{part}": tensor for part, tensor in {**layer, **more}.items()}


def write(path: Path, tensors: dict[str, torch.Tensor]) -> Path:
    path.parent.mkdir(exist_ok=True, parents=True)
    save_file({name: tensor.clone() for name, tensor in tensors.items()}, path)
    return path


def load(model: Path, lora: object, dtype=torch.float32):
    return load_pipeline(f"{model}+{lora}", "cpu", dtype)


def test_of_several_files_in_a_folder_the_sentence_asks_for_one(model_folder, pipeline, tmp_path):
    folder = tmp_path / "trained"
    for epoch, strength in (("-000004", 0.4), ("-000008", 0.8), ("", 1.0)):
        write(folder / f"style{epoch}.safetensors", pairs(LAYERS[:1], up=strength))
    with pytest.raises(ModelError, match="folder of several .style-000004.safetensors, .*; give one of them"):
        load(model_folder, folder)
    one = load(model_folder, folder / "style.safetensors").unet.state_dict()[f"{LAYERS[0]}.weight"]
    write(folder / "pytorch_lora_weights.safetensors", pairs(LAYERS[:1]))  # the usual name needs no asking
    assert torch.equal(load(model_folder, folder).unet.state_dict()[f"{LAYERS[0]}.weight"], one)
    alone = write(tmp_path / "alone" / "any.safetensors", pairs(LAYERS[:1])).parent
    assert torch.equal(load(model_folder, alone).unet.state_dict()[f"{LAYERS[0]}.weight"], one)
    assert not torch.equal(pipeline.unet.state_dict()[f"{LAYERS[0]}.weight"], one)
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "pytorch_lora_weights.bin").write_bytes(b"x")
    with pytest.raises(ModelError, match="has no safetensors weights, the only kind read of a lora"):
        load(model_folder, tmp_path / "bare")


def test_layers_that_fit_nothing_are_counted_and_told(model_folder, tmp_path):
    strangers = [f"down_blocks.7.attentions.{number}.attn1.to_q" for number in range(2)]
    part = write(tmp_path / "part.safetensors", pairs([*LAYERS[:3], *strangers]))
    loaded = load(model_folder, part)
    assert loaded.notes == [f"The LoRA {part} fits in part only: 2 layers of its 5 are left out."]
    most = write(tmp_path / "most.safetensors", pairs([LAYERS[0], *strangers]))
    with pytest.raises(ModelError, match="made for another kind of model .1 of its 3 layers fit"):
        load(model_folder, most)
    none = write(tmp_path / "none.safetensors", pairs(strangers))
    with pytest.raises(ModelError, match="0 of its 2 layers fit"):
        load(model_folder, none)
    assert load(model_folder, write(tmp_path / "whole.safetensors", pairs(LAYERS[:3]))).notes == []


def test_kohyas_spelling_goes_in_whole_words_convolutions_and_alpha(model_folder, pipeline, tmp_path):
    down, up = noise(2, 16, 3, 3), noise(16, 2, 1, 1)
    words = [f"lora_te_text_model_{WORDS}.{part}_proj".replace(".", "_") for part in ("q", "k", "v", "out")]
    layers = {
        **kohya(),
        **{name: tensor for word in words for name, tensor in kohya(word).items()},
        **kohya(CONV, **{"lora_down.weight": down, "lora_up.weight": up}),
    }
    loaded = load(model_folder, write(tmp_path / "whole.safetensors", layers))
    assert loaded.notes == []
    half = 0.5  # alpha 1, rank 2
    for part, name, delta in (
        ("unet", LAYERS[0], noise(16, 2) @ noise(2, 16)),
        ("text_encoder", f"{WORDS}.q_proj", noise(16, 2) @ noise(2, 16)),
        ("unet", "down_blocks.0.resnets.0.conv1", torch.einsum("or,rihw->oihw", up[:, :, 0, 0], down)),
    ):
        plain, got = (getattr(each, part).state_dict()[f"{name}.weight"] for each in (pipeline, loaded))
        assert torch.allclose(got, plain + half * delta, atol=1e-5), name


OTHERS = {
    "an OFT": kohya(oft_blocks=noise(2, 8, 8)),
    "an IA3": {f"{KOHYA}.weight": noise(16), f"{KOHYA}.on_input": torch.tensor(True)},
    "a GLoRA": {f"{KOHYA}.a1.weight": noise(2, 16), f"{KOHYA}.b1.weight": noise(16, 2)},
    "a textual inversion": {"emb_params": noise(2, 16)},
    "a LoRA for another model": kohya("lora_unet_double_blocks_0_img_attn_qkv"),
    "a whole model": {"model.diffusion_model.input_blocks.0.0.weight": noise(16, 4)},
    "a Control-LoRA": {"lora_controlnet": noise(1)},
}  # fmt: skip


@pytest.mark.parametrize("kind", OTHERS)
def test_kinds_that_are_not_read_are_told_by_name_and_not_called_broken(model_folder, tmp_path, kind):
    with pytest.raises(ModelError, match=f"{kind}.*, which is not read; choose a LoRA for") as refusal:
        load(model_folder, write(tmp_path / "other.safetensors", OTHERS[kind]))
    assert "broken" not in str(refusal.value)


def test_a_controlnet_is_told_where_it_belongs(model_folder, tmp_path):
    names = {"controlnet_cond_embedding.conv_in.weight": noise(4, 3, 3, 3)}
    told = (
        "is a ControlNet; give it as ControlNet .--controlnet. to a run that follows a clip, or choose a LoRA"
    )
    with pytest.raises(ModelError, match=told):
        load(model_folder, write(tmp_path / "other.safetensors", names))


def test_values_that_would_draw_nothing_are_refused(model_folder, tmp_path):
    layers = pairs(LAYERS)
    name = next(iter(layers))
    for value, told in ((float("nan"), "no numbers"), (float("inf"), "no numbers")):
        spoilt = {**layers, name: torch.full_like(layers[name], value)}
        with pytest.raises(ModelError, match=told):
            load(model_folder, write(tmp_path / "spoilt.safetensors", spoilt))
    for up, dtype in ((1e4, torch.float32), (1e36, torch.float32), (1e5, torch.float16)):
        huge = write(tmp_path / "huge.safetensors", pairs(LAYERS, up=up))
        with pytest.raises(ModelError, match="makes weights so large that nothing can be drawn"):
            load(model_folder, huge, dtype)
    huge = write(tmp_path / "huge.safetensors", kohya(alpha=torch.tensor(1e9)))
    with pytest.raises(ModelError, match="so large"):
        load(model_folder, huge)


def test_half_a_layer_and_foreign_tensors_are_named(model_folder, tmp_path):
    layers = pairs(LAYERS)
    first = f"unet.{LAYERS[0]}.lora_B.weight"
    lone = {name: tensor for name, tensor in layers.items() if name != first}
    with pytest.raises(ModelError, match="is broken .half of unet.down_blocks.0.* is missing"):
        load(model_folder, write(tmp_path / "lone.safetensors", lone))
    with pytest.raises(ModelError, match="holds 'unet.odd.thing', of a kind that is not read"):
        load(model_folder, write(tmp_path / "odd.safetensors", {**layers, "unet.odd.thing": noise(2)}))
    with pytest.raises(ModelError, match="has no layers in it"):
        load(model_folder, write(tmp_path / "none.safetensors", {f"{KOHYA}.alpha": torch.tensor(1.0)}))


def test_a_refused_lora_is_no_end_of_the_model(model_folder, tmp_path):
    model = Path(shutil.copytree(model_folder, tmp_path / "model"))
    before = load_file(model / "unet" / "diffusion_pytorch_model.safetensors")
    with pytest.raises(ModelError):
        load(model, write(tmp_path / "huge.safetensors", pairs(LAYERS, up=1e9)))
    again = load_pipeline(str(model), "cpu", torch.float32).unet.state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in before.items())
