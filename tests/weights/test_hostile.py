"""Folders with one thing broken or hostile: each draws, or is refused in one sentence, and that is all."""

import json
import logging
import os
import shutil
from pathlib import Path

import hostile
import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet
from hostile import binary, changed, cut, gone, header, nested, nested_value, pickled, replaced, text, without
from safetensors.torch import save_file

from t2v.checks import InputError
from t2v.engine.defaults import native_side_px
from t2v.weights.card import read_card
from t2v.weights.controlnet import load_controlnet
from t2v.weights.fits import check_fits
from t2v.weights.index import check_model
from t2v.weights.load import load_pipeline, read_tokenizer
from t2v.weights.refusals import ModelError
from t2v.weights.source import Source

pytestmark = pytest.mark.slow

INDEX, CARD = "model_index.json", "miniature.json"
UNET, VAE, TEXT = "unet/config.json", "vae/config.json", "text_encoder/config.json"
SCHEDULER, WORDS = "scheduler/scheduler_config.json", "tokenizer/tokenizer_config.json"
BIG = "diffusion_pytorch_model.safetensors"
UNET_FILE, VAE_FILE, TEXT_FILE = f"unet/{BIG}", f"vae/{BIG}", "text_encoder/model.safetensors"


def all_of(value):
    return lambda held: {name: torch.full_like(one, value) for name, one in held.items()}


def dropped(number: int):
    return lambda held: dict(list(held.items())[number:])


def other_shapes(held):
    return {name: torch.zeros(*one.shape, 2) for name, one in held.items()}


def renamed(held):
    return {f"module.{name}": one for name, one in held.items()}


def cast(dtype):
    return lambda held: {name: one.to(dtype) for name, one in held.items()}


def sharded(shard: str):
    def spoil(folder: Path) -> None:
        (folder / UNET_FILE).rename(folder.parent / "forbidden" / "outside.safetensors")
        index = {"metadata": {"total_size": 1}, "weight_map": {"conv_in.weight": shard}}
        (folder / "unet" / f"{BIG}.index.json").write_text(json.dumps(index))

    return spoil


REFUSED = {
    "index cut short": text(INDEX, "{"),
    "index empty": text(INDEX, ""),
    "index a list": text(INDEX, "[1, 2]"),
    "index nested lists": nested(INDEX),
    "index nested objects": nested(INDEX, '{"a":', "}"),
    "index nested inside": nested_value(INDEX, "unet", hostile.DEEP),
    "index binary": binary(INDEX, bytes(range(256)) * 9),
    "index of a number without end": text(INDEX, f'{{"unet": {"9" * 9000}}}'),
    "index with a foreign module": changed(INDEX, unet=["os", "system"]),
    "index with a foreign scheduler": changed(INDEX, scheduler=["subprocess", "Popen"]),
    "index with modules of its own": changed(INDEX, vae=["vae.evil", "AutoencoderKL"]),
    "index with lists for names": changed(INDEX, unet=[["os"], ["system"]]),
    "index with numbers for names": changed(INDEX, text_encoder=[5, 6]),
    "index with a pipeline for a VAE": changed(INDEX, vae=["diffusers", "DiffusionPipeline"]),
    "index with another UNet": changed(INDEX, unet=["diffusers", "UNet3DConditionModel"]),
    "index without a UNet": without(INDEX, "unet"),
    "index a folder": replaced(INDEX, Path.mkdir),
    "index a pipe": replaced(INDEX, os.mkfifo),
    "index a dangling link": replaced(INDEX, lambda path: path.symlink_to("nowhere")),
    "UNet's config nested": nested(UNET),
    "UNet's config nested inside": nested_value(UNET, "sample_size", 2000),
    "UNet's config a list": text(UNET, "[]"),
    "UNet's config gone": gone(UNET),
    "UNet's config a pipe": replaced(UNET, os.mkfifo),
    "UNet of endless layers": changed(UNET, layers_per_block=10**9),
    "UNet of endless width": changed(UNET, block_out_channels=[10**12, 10**12]),
    "UNet of no width": changed(UNET, block_out_channels=[0, -16]),
    "UNet of odd blocks": changed(UNET, down_block_types=["os.system", "Evil"]),
    "UNet of words for numbers": changed(UNET, block_out_channels="wide"),
    "UNet without groups": changed(UNET, norm_num_groups=0),
    "UNet of an odd function": changed(UNET, act_fn="__import__('os')"),
    "UNet quantized": changed(UNET, quantization_config={"quant_method": "bitsandbytes"}),
    "UNet of no size": changed(UNET, sample_size=0),
    "UNet of three sizes": changed(UNET, sample_size=[16, 16, 16]),
    "UNet of a size in words": changed(UNET, sample_size="16"),
    "UNet of an endless size": changed(UNET, sample_size=10**6),
    "UNet with labels": changed(UNET, num_class_embeds=1000),
    "UNet that attends to text alone": changed(UNET, only_cross_attention=True),
    "VAE's config nested": nested(VAE),
    "VAE scaled by nothing": changed(VAE, scaling_factor=0),
    "VAE scaled by no number": text(VAE, '{"scaling_factor": NaN}'),
    "VAE scaled by words": changed(VAE, scaling_factor="0.18"),
    "VAE of other latents": changed(VAE, latent_channels=16),
    "VAE of endless layers": changed(VAE, layers_per_block=10**9),
    "text encoder's config nested": nested(TEXT),
    "text encoder of endless layers": changed(TEXT, num_hidden_layers=10**9),
    "text encoder of endless width": changed(TEXT, hidden_size=10**9),
    "text encoder of few words": changed(TEXT, vocab_size=3),
    "text encoder with code from the hub": changed(TEXT, attn_implementation="someone/kernel"),
    "text encoder quantized": changed(TEXT, quantization_config={"quant_method": "gptq", "bits": 4}),
    "scheduler nested": nested(SCHEDULER),
    "scheduler a list": text(SCHEDULER, "[]"),
    "scheduler gone": gone(SCHEDULER),
    "scheduler of another noise": changed(SCHEDULER, _class_name="FlowMatchEulerDiscreteScheduler"),
    "scheduler with NaN": text(SCHEDULER, '{"beta_start": NaN}'),
    "scheduler of endless times": changed(SCHEDULER, num_train_timesteps=10**12),
    "scheduler of other betas": changed(SCHEDULER, trained_betas=[2.0] * 1000),
    "scheduler of pure noise": changed(SCHEDULER, rescale_betas_zero_snr=True),
    "tokenizer's config nested": nested(WORDS),
    "tokenizer's words nested": nested("tokenizer/tokenizer.json"),
    "tokenizer's words no JSON": text("tokenizer/tokenizer.json", "words"),
    "tokenizer of endless texts": changed(WORDS, model_max_length=10**30),
    "tokenizer of longer texts": changed(WORDS, model_max_length=77),
    "weights cut short": cut(UNET_FILE, 999),
    "weights empty": cut(UNET_FILE, 0),
    "weights of a header without end": header(UNET_FILE, {}, 2**60),
    "weights that lie outside of their file": header(
        UNET_FILE, {"conv_in.weight": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}}
    ),
    "weights a pipe": replaced(UNET_FILE, os.mkfifo),
    "weights a folder": replaced(UNET_FILE, Path.mkdir),
    "weights of other shapes": hostile.tensors(UNET_FILE, other_shapes),
    "weights of other names": hostile.tensors(UNET_FILE, renamed),
    "weights of the VAE missing": hostile.tensors(VAE_FILE, dropped(5)),
    "weights of the text missing": hostile.tensors(TEXT_FILE, dropped(1)),
    "weights of the text of other names": hostile.tensors(TEXT_FILE, renamed),
    "weights of NaN": hostile.tensors(UNET_FILE, all_of(float("nan"))),
    "weights of the text of NaN": hostile.tensors(TEXT_FILE, all_of(float("nan"))),
    "weights of the VAE of infinity": hostile.tensors(VAE_FILE, all_of(float("inf"))),
    "weights pickled, with a trap": pickled(UNET_FILE),
    "weights of the text pickled, with a trap": pickled(TEXT_FILE),
    "weights in a file above": sharded("../../forbidden/outside.safetensors"),
    "weights in a file that is not there": sharded("diffusion_pytorch_model-00001-of-00002.safetensors"),
}
DRAWN = {
    "UNet's size a pair": changed(UNET, sample_size=[16, 24]),
    "VAE's words about code": changed(VAE, auto_map={"AutoModel": "evil.Evil"}, _class_name="Evil"),
    "text encoder's words about code": changed(TEXT, auto_map={"AutoModel": "evil.Evil"}),
    "tokenizer's words about code": changed(WORDS, auto_map={"AutoTokenizer": ["evil.Evil", None]}),
    "scheduler of no class": changed(SCHEDULER, _class_name="os.system"),
    "scheduler with nothing in it": text(SCHEDULER, "{}"),
    "index with a safety checker of its own": changed(INDEX, safety_checker=[None, None]),
    "index with a scheduler that is none": changed(INDEX, scheduler=["diffusers", "AutoencoderKL"]),
    "weights as half numbers": hostile.tensors(UNET_FILE, cast(torch.bfloat16)),
    "weights as zeros": hostile.tensors(UNET_FILE, all_of(0.0)),
    "a card nested": nested(CARD),
    "a card of odd numbers": text(CARD, '{"defaults": {"width": NaN, "t0": 1e99, "guidance_scale": "x"}}'),
    "a card of lone times": text(CARD, '{"defaults": {"t0": 5, "t1": 6}}'),
    "a card of odd words": text(CARD, '{"words": {"a": 5}, "preview": [["x"]], "examples": 9}'),
    "a card that is a pipe": lambda folder: os.mkfifo(folder / CARD),
}


def draws(folder: Path) -> None:
    """All that a run does with a model: looked at, loaded, drawn with."""
    name = str(folder)
    card, source = read_card(Source.parse(name)), Source.parse(name)
    assert native_side_px(name, "text-to-video") > 0 and card.suits("text-to-video") == card.defaults
    check_model(name)
    read_tokenizer(source)
    pipeline = load_pipeline(name, "cpu", torch.float32)
    latents = pipeline("a cat", num_frames=2, num_inference_steps=1, height=32, width=32, generator=seeded())
    assert np.stack(list(pipeline.decode(latents))).shape == (2, 32, 32, 3)


@pytest.fixture
def copied(model_folder, tmp_path, caplog) -> Path:
    caplog.set_level(logging.CRITICAL)
    (tmp_path / "forbidden").mkdir()
    return Path(shutil.copytree(model_folder, tmp_path / "model"))


def sentence(refusal: InputError) -> str:
    said = str(refusal)
    assert "\n" not in said and said.count(". ") <= 1 and said.endswith(".") and len(said) < 600, said
    assert "recursion" not in said.lower(), said
    return said


@pytest.mark.parametrize("what", REFUSED)
def test_a_folder_is_refused_in_one_sentence(copied, what):
    REFUSED[what](copied)
    with hostile.watched("forbidden") as seen, pytest.raises(InputError) as refusal:
        draws(copied)
    sentence(refusal.value)
    assert seen == []


@pytest.mark.parametrize("what", DRAWN)
def test_a_folder_draws_all_the_same(copied, what):
    DRAWN[what](copied)
    with hostile.watched("forbidden") as seen:
        draws(copied)
    assert seen == []


CONTROLNETS = {
    "config nested": nested("config.json"),
    "config a list": text("config.json", "[]"),
    "a picture of one channel": changed("config.json", conditioning_channels=1),
    "a picture of six channels": changed("config.json", conditioning_channels=6),
    "nine latent channels": changed("config.json", in_channels=9),
    "another scale": changed("config.json", conditioning_embedding_out_channels=[4, 4, 8]),
    "labels": changed("config.json", class_embed_type="timestep"),
    "endless layers": changed("config.json", layers_per_block=10**9),
    "weights cut": cut(BIG, 500),
    "weights a pipe": replaced(BIG, os.mkfifo),
    "weights pickled": pickled(BIG),
    "weights missing": hostile.tensors(BIG, dropped(3)),
}


@pytest.mark.parametrize("what", CONTROLNETS)
def test_a_controlnet_is_refused_in_one_sentence(pipeline, tmp_path, what):
    folder = tmp_path / "controlnet"
    (tmp_path / "forbidden").mkdir()
    small_controlnet().save_pretrained(folder)
    CONTROLNETS[what](folder)
    with hostile.watched("forbidden") as seen, pytest.raises(ModelError) as refusal:
        check_fits("own", load_controlnet(str(folder), "canny", "cpu", torch.float32), "small", pipeline)
    sentence(refusal.value)
    assert seen == []


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"conditioning_channels": 1}, "other channels of its pictures .1, not 3"),
        ({"conditioning_channels": 6}, "other channels of its pictures .6, not 3"),
        ({"in_channels": 9}, "other latent channels .9, not 4"),
        ({"conditioning_embedding_out_channels": (4, 4, 8)}, "other pixels a latent cell .4, not 8"),
        ({"class_embed_type": "timestep"}, "further input .class_embed_type"),
        ({"num_class_embeds": 3}, "further input .num_class_embeds"),
    ],
)
def test_controlnets_whole_but_of_another_input_do_not_fit(pipeline, changes, told):
    with pytest.raises(ModelError, match=f"controlnet own .*{told}.*; choose"):
        check_fits("own", small_controlnet(**changes), "small", pipeline)


@pytest.mark.parametrize("variant", ["fp16", "bf16"])
def test_a_controlnet_in_half_precision_alone_loads(tmp_path, variant):
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}[variant]
    network = small_controlnet(3)
    right = {name: tensor.to(dtype).float() for name, tensor in network.state_dict().items()}
    network.to(dtype).save_pretrained(tmp_path, variant=variant)
    loaded = load_controlnet(str(tmp_path), "canny", "cpu", torch.float32)
    assert all(torch.equal(tensor, right[name]) for name, tensor in loaded.state_dict().items())


LAYER = "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q"
LORA = "lora.safetensors"


def pair(down=(2, 16), up=(16, 2), name=LAYER, value=0.1, dtype=torch.float32) -> dict[str, torch.Tensor]:
    sides = (("A", down), ("B", up))
    return {f"{name}.lora_{side}.weight": torch.full(shape, value).to(dtype) for side, shape in sides}


def lora(held: dict[str, torch.Tensor], **metadata: str):
    return lambda folder: save_file(held, folder / LORA, metadata=metadata)


def said(**config: object):
    """A LoRA whose file says this of how it is to be used."""
    told = {f"unet.{name}": value for name, value in config.items()}
    return lora(pair(), format="pt", lora_adapter_metadata=json.dumps(told))


LORAS = {
    "empty": binary(LORA, b""),
    "no safetensors": binary(LORA, b"PK" + bytes(900)),
    "a header without end": header(LORA, {}, 2**62),
    "a header with nothing behind": header(
        LORA, {f"{LAYER}.lora_A.weight": {"dtype": "F32", "shape": [2**30, 16], "data_offsets": [0, 2**36]}}
    ),
    "no tensors": lora({}),
    "NaN": lora(pair(value=float("nan"))),
    "infinity": lora(pair(value=float("inf"))),
    "huge": lora(pair(value=1e18)),
    "large": lora(pair(value=50.0)),
    "an alpha of NaN": lora({**pair(), f"{LAYER}.alpha": torch.tensor(float("nan"))}),
    "no rank": lora(pair((0, 16), (16, 0))),
    "two ranks": lora(pair((2, 16), (16, 4))),
    "another width": lora(pair((2, 24), (24, 2))),
    "a convolution for a plain layer": lora(pair((2, 16, 3, 3), (16, 2, 1, 1))),
    "numbers of words for weights": lora({f"{LAYER}.lora_A.weight": torch.zeros(2, dtype=torch.int64)}),
    "half a layer": lora(dict(list(pair().items())[:1])),
    "layers of nowhere": lora(pair(name="unet.../../forbidden")),
    "a pattern for a name": lora(pair(name="unet.(a+)+$|.*")),
    "a name without end": lora(pair(name="unet." + "a." * 5000)),
    "attributes for a name": lora(pair(name="unet.__class__.__init__.__globals__")),
    "metadata nested": lora(pair(), lora_adapter_metadata="[" * hostile.DEEP),
    "metadata no JSON": lora(pair(), lora_adapter_metadata="{"),
    "metadata of an endless alpha": said(r=2, lora_alpha=1e300, target_modules=[LAYER[5:]]),
    "a folder": lambda folder: (folder / LORA).mkdir(),
    "a pipe": lambda folder: os.mkfifo(folder / LORA),
}


@pytest.mark.parametrize("what", LORAS)
def test_a_lora_is_refused_in_one_sentence(model_folder, tmp_path, caplog, what):
    caplog.set_level(logging.CRITICAL)
    (tmp_path / "forbidden").mkdir()
    LORAS[what](tmp_path)
    with hostile.watched("/forbidden/") as seen, pytest.raises(ModelError) as refusal:
        load_pipeline(f"{model_folder}+{tmp_path / LORA}", "cpu", torch.float32)
    sentence(refusal.value)
    assert seen == []


SAID = {
    "another rank": said(r=10**9, target_modules=["to_q"]),
    "code": said(r=2, auto_mapping={"base_model_class": "os", "parent_library": "os"}, evil=1),
    "nothing of ours": lora(pair(), lora_adapter_metadata=json.dumps(["unet.lora_alpha", 9])),
}


@pytest.mark.parametrize("what", SAID)
def test_what_a_lora_says_of_itself_is_believed_as_to_alpha_alone(model_folder, pipeline, tmp_path, what):
    (tmp_path / "forbidden").mkdir()
    SAID[what](tmp_path)
    with hostile.watched("/forbidden/") as seen:
        loaded = load_pipeline(f"{model_folder}+{tmp_path / LORA}", "cpu", torch.float32)
    name = f"{LAYER[5:]}.weight"
    plain, got = (each.unet.state_dict()[name] for each in (pipeline, loaded))
    assert torch.allclose(got, plain + 2 * 0.1 * 0.1, atol=1e-6) and seen == []


def test_the_watch_sees_what_is_opened_and_run(tmp_path):
    (tmp_path / "forbidden").mkdir()
    with hostile.watched("forbidden") as seen:
        (tmp_path / "forbidden" / "file").write_text("x")
        os.system("true")
    assert seen == [str(tmp_path / "forbidden" / "file"), "os.system"]
