"""at_fault.py: a run that gives no numbers names the file that holds none."""

import pytest
import torch
from checkpoint_files import checkpoint, parts_of_1, write_safetensors
from conftest import small_controlnet
from diffusers import UNet2DConditionModel
from safetensors.torch import load_file, save_file
from small_adapters import a_picture, adapter_state, save_adapter, save_image_encoder
from small_t2i import released, small_t2i

from t2v.checks import InputError
from t2v.engine.engine import Engine
from t2v.tasks.canny import CannySettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.picture import write_picture
from t2v.weights.refusals import ModelError

pytestmark = pytest.mark.slow
QUICK = {"num_frames": 2, "num_inference_steps": 2, "width": 64, "height": 64, "seed": 3}
AGAIN = "so nothing can be drawn with it; fetch it again or choose another."


def broken(state: dict[str, torch.Tensor], name: str) -> dict[str, torch.Tensor]:
    """A tensor's first value is no number."""
    held = {key: one.clone(memory_format=torch.contiguous_format) for key, one in state.items()}
    held[name].view(-1)[0] = torch.nan
    return held


def told(settings, dtype: str | None = None) -> str:
    with pytest.raises(ModelError) as refused:
        Engine("cpu", dtype).generate(settings)
    return str(refused.value)


@pytest.mark.parametrize("dtype", [None, "bfloat16"])
def test_a_controlnet_or_adapter_is_named(family, square_clip, tmp_path, dtype):
    small_controlnet(1).save_pretrained(tmp_path / "control")
    weights = tmp_path / "control" / "diffusion_pytorch_model.safetensors"
    save_file(broken(load_file(weights), "conv_in.bias"), weights, metadata={"format": "pt"})
    adapter = released(small_t2i(1))
    file = write_safetensors(tmp_path / "sketch.safetensors", broken(adapter, next(iter(adapter))))
    for source in (weights.parent, file):
        settings = CannySettings(square_clip, "a car", model=family, controlnet=str(source), **QUICK)
        assert (
            told(settings, dtype) == f"controlnet {source} holds weights that are no numbers (NaN), {AGAIN}"
        )


@pytest.mark.parametrize(
    ("part", "called"),
    [("model.diffusion_model.out.2.bias", "UNet"), ("first_stage_model.decoder.conv_in.bias", "VAE")],
)
def test_a_model_is_named_with_its_part(tmp_path, part, called):
    file = write_safetensors(tmp_path / "own.safetensors", broken(checkpoint(parts_of_1()), part))
    settings = TextToVideoSettings("a car", model=str(file), **QUICK)
    assert told(settings) == f"model {file} holds weights that are no numbers (NaN) in its {called}, {AGAIN}"


def test_a_vae_behind_a_model_is_named(tmp_path):
    from diffusers import AutoencoderTiny

    torch.manual_seed(0)
    model = write_safetensors(tmp_path / "own.safetensors", checkpoint(parts_of_1()))
    vae = AutoencoderTiny().state_dict()
    file = write_safetensors(tmp_path / "taesd.safetensors", broken(vae, "decoder.layers.0.weight"))
    settings = TextToVideoSettings("a car", model=f"{model}+{file}", **QUICK)
    assert told(settings) == f"vae taesd.safetensors holds weights that are no numbers (NaN), {AGAIN}"


def test_an_ip_adapter_is_named(family, tmp_path):
    unet = UNet2DConditionModel.from_pretrained(family, subfolder="unet")
    state = adapter_state(unet)
    state["image_proj"] = broken(state["image_proj"], "proj.weight")
    save_image_encoder(tmp_path / "image_encoder")
    file = save_adapter(tmp_path / "ip.safetensors", state)
    picture = str(write_picture(tmp_path / "fur.png", a_picture()))
    settings = TextToVideoSettings(
        "a car", model=family, picture_prompt=picture, ip_adapter=str(file), **QUICK
    )
    assert told(settings) == (
        f"ip_adapter {file}, or its image encoder, holds weights that are no numbers (NaN), {AGAIN}"
    )


def test_where_all_weights_are_numbers_nobody_is_blamed(family, monkeypatch):
    engine = Engine("cpu")
    unet = engine.load(family).unet
    hook = unet.conv_out.register_forward_hook(lambda network, given, out: out * torch.nan)
    with pytest.raises(
        InputError, match="^the model's networks give no numbers .NaN. in float32, so their weights"
    ):
        engine.generate(TextToVideoSettings("a car", model=family, **QUICK))
    hook.remove()
