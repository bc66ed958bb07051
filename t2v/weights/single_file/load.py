"""The parts of a checkpoint file as networks of diffusers and transformers, whole: none left to chance."""

import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from accelerate import init_empty_weights
from diffusers import AutoencoderKL, SchedulerMixin, UNet2DConditionModel
from diffusers.loaders.single_file_utils import convert_ldm_unet_checkpoint, convert_ldm_vae_checkpoint
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from t2v.checks import counted
from t2v.diffusion.schedule import saved_scheduler
from t2v.weights.network import Unset, lost_tensors
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.details import EMA, UNET, VAE, Names
from t2v.weights.single_file.generations import Generation, TextEncoder
from t2v.weights.single_file.header import Tensor
from t2v.weights.single_file.kinds import FileKind
from t2v.weights.single_file.shapes import text_config, unet_config, vae_config
from t2v.weights.single_file.texts import text_state
from t2v.weights.single_file.values import Values

logger = logging.getLogger(__name__)

NOISE = {  # of all Stable Diffusion; what is drawn with is chosen for each run
    "_class_name": "DDIMScheduler", "num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012,
    "beta_schedule": "scaled_linear", "clip_sample": False, "set_alpha_to_one": False, "steps_offset": 1,
}  # fmt: skip
OLD_NAMES = {"query": "to_q", "key": "to_k", "value": "to_v", "proj_attn": "to_out.0"}  # of a VAE's attention
State = dict[str, torch.Tensor]


@dataclass(frozen=True)
class Opened:
    """A checkpoint that is being loaded. name: what people call it; dtype: that its values are to have."""

    name: str
    values: Values
    kind: FileKind
    dtype: torch.dtype

    @property
    def generation(self) -> Generation:
        if self.kind.generation is None:  # checks.py refuses such files
            raise ModelError(f"model {self.name} is {self.kind.words}; choose another.")
        return self.kind.generation

    def behind(self, prefix: str) -> dict[str, str]:
        """Names without a prefix -> whole names, of the tensors that have it."""
        return {name[len(prefix) :]: name for name in self.values if name.startswith(prefix)}

    def read(self, names: Mapping[str, str]) -> State:
        """The tensors of whole names, by short ones."""
        return {short: self.values[name].to(self.dtype) for short, name in names.items()}


def open_checkpoint(name: str, path: Path, kind: FileKind, dtype: torch.dtype) -> Opened:
    return Opened(name, Values(path), kind, dtype)


def load_unet(opened: Opened) -> torch.nn.Module:
    """The UNet, of its averaged weights where the file has both."""
    names = opened.behind(UNET)
    averaged = {short: f"{EMA}diffusion_model{short.replace('.', '')}" for short in names}
    if opened.kind.ema and all(name in opened.values for name in averaged.values()):
        logger.info("model %s is drawn with its averaged weights", opened.name)
        names = averaged
    state = opened.read(names)
    config = unet_config(shapes_of(state), opened.generation, opened.kind.prediction == "v_prediction")
    if opened.kind.layout == "original":
        cond = state.get("time_embed.cond_proj.weight")
        state = convert_ldm_unet_checkpoint({UNET + short: one for short, one in state.items()}, config)
        if cond is not None:  # diffusers leaves it out
            state["time_embedding.cond_proj.weight"] = cond
    return whole(f"model {opened.name}", "UNet", lambda: UNet2DConditionModel(**config), state)


def load_vae(opened: Opened) -> torch.nn.Module:
    """The VAE inside of a checkpoint."""
    return _vae(opened.name, opened.read(opened.behind(VAE)), opened.generation)


def load_vae_file(path: Path, generation: Generation | None, dtype: torch.dtype) -> torch.nn.Module:
    """A VAE from a file of its own, for a model of this generation; None: its factor is yet to be told."""
    values = Values(path)
    has_prefix = any(name.startswith(VAE) for name in values)
    named = {name.removeprefix(VAE): name for name in values if name.startswith(VAE) or not has_prefix}
    parts = ("encoder.", "decoder.", "quant_conv.", "post_quant_conv.")
    state = {short: values[name].to(dtype) for short, name in named.items() if short.startswith(parts)}
    return _vae(path.name, state, generation)


def _vae(name: str, state: State, generation: Generation | None) -> torch.nn.Module:
    config = vae_config(shapes_of(state), generation)
    if any(short.startswith("encoder.down.") for short in state):
        state = convert_ldm_vae_checkpoint(state, config)
    state = {_renewed(short): one for short, one in state.items()}
    return whole(f"model {name}", "VAE", lambda: AutoencoderKL(**config), state)


def _renewed(name: str) -> str:
    """A VAE's name as diffusers has it now."""
    before, attention, last = name.rpartition(".mid_block.attentions.0.")
    part, dot, kind = last.rpartition(".")
    return f"{before}{attention}{OLD_NAMES.get(part, part)}{dot}{kind}" if attention else name


def load_text_encoder(opened: Opened, encoder: TextEncoder) -> torch.nn.Module:
    """One of a checkpoint's text encoders."""
    state = opened.read(opened.behind(encoder.prefix))
    config = CLIPTextConfig(**text_config(shapes_of(state), encoder))
    kind = CLIPTextModelWithProjection if encoder.is_whole else CLIPTextModel
    state = text_state(state, encoder, config.num_hidden_layers)

    def build() -> torch.nn.Module:
        network: torch.nn.Module = kind(config)
        return network

    return whole(f"model {opened.name}", "text encoder", build, state)


def noise_schedule(prediction: str, zero_snr: bool) -> SchedulerMixin:
    """What a checkpoint's noise is, as diffusers saves it."""
    told: dict[str, Any] = {**NOISE, "prediction_type": prediction}
    if zero_snr:
        told |= {"rescale_betas_zero_snr": True, "timestep_spacing": "trailing"}
    return saved_scheduler(told)


def shapes_of(state: State) -> Names:
    return {name: Tensor("", tuple(one.shape)) for name, one in state.items()}


def whole(
    owner: str, part: str, build: Callable[[], torch.nn.Module], state: Mapping[str, torch.Tensor]
) -> torch.nn.Module:
    """The network with these values; ModelError where one of its tensors is not among them.

    owner: "model NAME" or "controlnet NAME"; part: of it.
    """
    with Unset(), init_empty_weights():
        network = build()
    told = network.load_state_dict(dict(state), strict=False, assign=True)
    if told.unexpected_keys:
        logger.info(
            "the %s of %s has tensors that are not used: %s", part, owner, _some(told.unexpected_keys)
        )
    lost = lost_tensors(network, {"missing_keys": told.missing_keys})
    if lost:
        missing = f"{counted(lost, 'missing tensor')} in its {part}"
        raise ModelError(f"{owner} is broken and cannot be loaded ({missing}); fetch it again.")
    return network.eval()


def _some(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)[:6])
