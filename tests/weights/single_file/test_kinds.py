"""What a file is, told by its header alone: every kind that people have, and what happens with it."""

import json
import subprocess
import sys

import pytest
from conftest import ROOT

from benchmarks.made_up.kinds import MADE_UP
from benchmarks.made_up.write import write_all, write_kind
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import check_checkpoint, look, why_not
from t2v.weights.single_file.header import read_header

pytestmark = pytest.mark.slow
WHOLE = "choose a checkpoint of Stable Diffusion 1.x, 2.x or XL."
GUIDE = "give it as ControlNet (--controlnet) to a run that follows a clip."
WORD = "put it into the folder of models, and write its name in the prompt."
DRAWN = (  # as text; what else there is is refused
    "sd1 fp16", "sd1 fp32", "sd1 bf16", "sd1 fp8", "sd1 ema", "sd1 v-prediction key", "sd1 lcm", "sd2",
    "sd2 v told", "sd2 epsilon told", "sdxl", "sdxl v-prediction",
)  # fmt: skip
REFUSED = {
    "sd1 scaled fp8": "has weights in few bits with scales beside them, which are not read; "
    "choose one in float16.",
    "sd1 without vae": "has no VAE inside; give one behind it, as MODEL+VAE.",
    "sd1 without text": "has no text encoder inside; choose a whole checkpoint.",
    "sd1 inpainting": "is a checkpoint for inpainting of Stable Diffusion 1.x, and its UNet wants "
    "more than text; choose a text-to-image checkpoint.",
    "sd1 pix2pix": "is made for editing videos by instructions; choose a text-to-image checkpoint.",
    "sd2 inpainting": "is a checkpoint for inpainting of Stable Diffusion 2.x, and its UNet wants "
    "more than text; choose a text-to-image checkpoint.",
    "sdxl inpainting": "is a checkpoint for inpainting of Stable Diffusion XL, and its UNet wants "
    "more than text; choose a text-to-image checkpoint.",
    "unet sd1": f"is a UNet alone of Stable Diffusion 1.x; {WHOLE}",
    "unet sdxl diffusers": f"is a UNet alone of Stable Diffusion XL; {WHOLE}",
    "vae": "is a VAE; write it behind a model's name, as MODEL+FILE.",
    "taesd": "is a VAE of TAESD's kind; write it behind a model's name, as MODEL+FILE.",
    "lora kohya sd1": "is a LoRA for Stable Diffusion 1.x; write it behind a model's name, as MODEL+FILE.",
    "lora kohya sdxl": "is a LoRA for Stable Diffusion XL; write it behind a model's name, as MODEL+FILE.",
    "loha": "is a LoRA for Stable Diffusion 1.x; write it behind a model's name, as MODEL+FILE.",
    "lokr": "is a LoRA; write it behind a model's name, as MODEL+FILE.",
    "lora flux": f"is a LoRA for another kind of model; {WHOLE}",
    "embedding sd1": f"is a textual inversion for Stable Diffusion 1.x; {WORD}",
    "embedding sdxl": f"is a textual inversion for Stable Diffusion XL; {WORD}",
    "controlnet sd1": f"is a ControlNet for Stable Diffusion 1.x; {GUIDE}",
    "control-lora": f"is a Control-LoRA; {WHOLE}",
    "t2i-adapter": f"is a T2I-Adapter for Stable Diffusion 1.x; {GUIDE}",
    "t2i-adapter sdxl": f"is a T2I-Adapter for Stable Diffusion XL; {GUIDE}",
    "t2i-adapter for styles": f"is a T2I-Adapter for styles; {WHOLE}",
    "t2i-adapters' fuser": f"is a fuser of T2I-Adapters; {WHOLE}",
    "ip-adapter sd1": "is an IP-Adapter for Stable Diffusion 1.x; an IP-Adapter is given beside a model, "
    "to runs with a picture as a prompt.",
    "motion module": f"is a motion module; {WHOLE}",
    "text encoder": f"is a text encoder alone; {WHOLE}",
    "upscaler": f"is an upscaler; {WHOLE}",
    "flux": f"is a UNet alone of Flux; {WHOLE}",
    "something else": f"is a file of an unknown kind; {WHOLE}",
}  # fmt: skip


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return write_all(tmp_path_factory.mktemp("made up"))


@pytest.mark.parametrize("name", MADE_UP)
def test_every_kind_is_told_by_its_header(files, name):
    kind = look("model x", files[name])
    for field, wanted in MADE_UP[name][3].items():
        found = getattr(kind, field)
        found = found.key if field == "generation" and found is not None else found
        assert found == wanted, (name, field)


def test_every_kind_is_drawn_with_or_refused_in_one_sentence(files):
    for name, path in files.items():
        why = why_not(look("model x", path), editor=False)
        if name in DRAWN:
            assert why is None, name
            assert check_checkpoint("x", path).kind == "checkpoint"
        else:
            assert why is not None and why.endswith(".") and why.count(". ") == 0, name
            assert why == REFUSED.get(name, why)
            with pytest.raises(ModelError) as refusal:
                check_checkpoint("x", path, editor=False)
            assert str(refusal.value) == f"model x {why}"


def test_kinds_are_told_without_torch(files):
    """In a process of its own, of more than forty files."""
    code = (
        "import sys, json; from pathlib import Path\n"
        "from t2v.weights.single_file.checks import look\n"
        "kinds = [look('model x', Path(path)).kind for path in sys.argv[1:]]\n"
        "assert not {'torch', 'safetensors', 'diffusers', 'transformers'} & set(sys.modules)\n"
        "print(json.dumps(kinds))"
    )
    run = [sys.executable, "-c", code, *map(str, files.values())]
    told = subprocess.run(run, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert json.loads(told) == [look("model x", path).kind for path in files.values()] and len(files) >= 40


def test_a_yaml_beside_a_file_tells_what_it_predicts(tmp_path):
    path = write_kind(tmp_path / "v2-768.safetensors", "sd2")
    assert look("model x", path).prediction is None
    path.with_suffix(".yaml").write_text('model:\n  params:\n    parameterization: "v"\n    unet_config:\n')
    assert look("model x", path).prediction == "v_prediction"
    path.with_suffix(".yaml").write_text("model:\n  params:\n    unet_config:\n")
    assert look("model x", path).prediction == "epsilon"


BROKEN = {
    "cut short": (b"\x10\x00", "its header is longer than the file"),
    "a long header": ((1 << 60).to_bytes(8, "little") + b"{}", "its header is longer than the file"),
    "no JSON": ((9).to_bytes(8, "little") + b"not json!", "its header is no JSON"),
    "nested": ((20_000).to_bytes(8, "little") + b"[" * 20_000, "its header is no JSON"),
    "a list": ((2).to_bytes(8, "little") + b"[]", "its header is no JSON object"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_headers_that_are_none(tmp_path, name):
    held, told = BROKEN[name]
    (tmp_path / "x.safetensors").write_bytes(held)
    with pytest.raises(ValueError, match=told):
        read_header(tmp_path / "x.safetensors")
    with pytest.raises(ModelError, match=f"model x is broken and cannot be loaded \\({told}"):
        look("model x", tmp_path / "x.safetensors")


@pytest.mark.parametrize(
    "tensor",
    [
        {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 8]},
        {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [True], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1] * 9, "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1 << 70], "data_offsets": [0, 4]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]},
        {"dtype": "F32", "shape": [1], "data_offsets": [4]},
        {"dtype": 5, "shape": [1], "data_offsets": [0, 4]},
        {"shape": [1]},
        [],
        "text",
        {"dtype": "F32", "shape": [64], "data_offsets": [0, 256]},
    ],
)
def test_tensors_that_cannot_be(tmp_path, tensor):
    told = json.dumps({"a": tensor}).encode()
    (tmp_path / "x.safetensors").write_bytes(len(told).to_bytes(8, "little") + told + bytes(16))
    with pytest.raises(ValueError, match="impossible|another size|cut short"):
        read_header(tmp_path / "x.safetensors")
