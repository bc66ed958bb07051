"""Several LoRAs in the weights of one model, each at a strength of its own, and out of them again.

The weights that are touched are kept as they were, so that another strength, another LoRA or none is had from
memory and to the last bit: w' = w + sum of strength * change of w, in float32, rounded once.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import torch

from t2v.checks import counted
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.weights.lora.layers import Layer, Misfit
from t2v.weights.lora.places import places
from t2v.weights.lora.read import Lora, find_lora, read_lora
from t2v.weights.lora.spelling import TEXT, TEXT_2, UNET
from t2v.weights.made_of import lora_mark
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.generations import SDXL, by_width

HUGE = 100.0  # a weight of so many times what it was (or 1, if that is more) draws nothing any more
PARTS = (UNET, TEXT, TEXT_2)
Find = Callable[[str], tuple[str, str | None]]


class At(NamedTuple):
    """A layer of a model: the network it is in, and its path there."""

    part: str
    path: str


@dataclass(frozen=True, eq=False)
class Fitted:
    """A LoRA in memory. mark: of its file when it was read. layers: those that fit, where they go.

    told: what to tell people of it.
    """

    path: Path
    mark: object
    layers: dict[At, Layer]
    told: str | None


class Merged:
    """What is in the weights of a model besides its own, and what these were."""

    def __init__(self, pipeline: VideoPipeline) -> None:
        self._pipeline = pipeline
        self._networks = {part: getattr(pipeline, part) for part in PARTS if getattr(pipeline, part, None)}
        self._places = {part: places(network, part) for part, network in self._networks.items()}
        self._own: dict[tuple[At, str], torch.Tensor] = {}  # on the CPU: seldom wanted, and as large
        self._read: dict[str, Fitted] = {}
        self._in: dict[str, float] = {}

    def put(self, asked: Mapping[str, float], find: Find) -> None:
        """Let these, and no others, be in the weights; files that are in memory are not read again.

        asked: LoRAs, as people call them, and their strengths. find: where one lies, as ``find_lora`` takes
        it. ModelError where one cannot be had or does not fit; then none of all is in the weights.
        """
        try:
            self._put({name: self._fitted(name, find) for name in asked}, dict(asked))
        except ModelError:
            self._put({}, {})
            raise

    def _put(self, fitted: dict[str, Fitted], strengths: dict[str, float]) -> None:
        before, was = self._read, self._in
        changed = {
            key
            for key in before.keys() | fitted.keys()
            if was.get(key) != strengths.get(key) or before.get(key) is not fitted.get(key)
        }
        touched = {at for key in changed for one in (before, fitted) if key in one for at in one[key].layers}
        for one in {**before, **fitted}.values():
            if one.told is not None and one.told in self._pipeline.notes:
                self._pipeline.notes.remove(one.told)
        self._read, self._in = fitted, strengths
        for at in sorted(touched):
            layers = [(one.layers[at], strengths[key]) for key, one in fitted.items() if at in one.layers]
            self._set(at, layers)
        for one in fitted.values():
            if one.told is not None:
                self._pipeline.tell(one.told)

    @torch.no_grad()
    def _set(self, at: At, layers: list[tuple[Layer, float]]) -> None:
        """One layer's weights: its own, and what the layers at these strengths add."""
        module = self._networks[at.part].get_submodule(at.path)
        own = {name: self._kept(at, name, module) for name in _there(module)}
        exact = {name: one.to(_of(module, name).device, torch.float32) for name, one in own.items()}
        sums: dict[str, torch.Tensor] = {}
        for layer, strength in layers:
            if strength != 0:
                for name, change in layer.changes(exact["weight"], exact.get("bias")).items():
                    sums[name] = sums.get(name, 0) + strength * change
        for name, parameter in ((name, _of(module, name)) for name in own):
            parameter.copy_(exact[name] + sums[name] if name in sums else exact[name])
            if name in sums:
                _check_size(own[name], parameter, list(self._in))
            if not layers:
                self._own.pop((at, name))

    def _kept(self, at: At, name: str, module: torch.nn.Module) -> torch.Tensor:
        """A parameter as the model has it."""
        if (at, name) not in self._own:
            self._own[at, name] = _of(module, name).detach().to("cpu", copy=True)
        return self._own[at, name]

    def _fitted(self, name: str, find: Find) -> Fitted:
        """A LoRA from memory, or from its file where that has changed since."""
        kept = self._read.get(name)
        if kept is not None and lora_mark(kept.path) == kept.mark:
            return kept
        path = find_lora(name, *find(name))
        mark, read = lora_mark(path), read_lora(name, path)
        _check_family(name, read, self._pipeline)
        layers, misfits = {}, 0
        for at, layer in self._placed(read):
            if self._fits(at, layer):
                layers[at] = layer
            else:
                misfits += 1
        lost = len(read.layers) - len(layers)
        if 2 * len(layers) <= len(read.layers) and lost:
            raise _foreign(name, len(layers), len(read.layers), misfits)
        told = None
        if lost:
            of = f"{counted(lost, 'layer')} of its {len(read.layers)} {'is' if lost == 1 else 'are'} left out"
            told = f"The LoRA {name} fits in part only: {of}."
        elif read.strangers:
            told = f"The LoRA {name} has words of its own inside (bundle_emb), which are left out."
        return Fitted(path, mark, layers, told)

    def _placed(self, read: Lora) -> Iterator[tuple[At, Layer]]:
        for (part, name), layer in read.layers.items():
            path = self._places.get(part, {}).get(name)
            if path is not None:
                yield At(part, path), layer

    @torch.no_grad()
    def _fits(self, at: At, layer: Layer) -> bool:
        """Whether a layer's shapes are those of the weights; of no values, as on the device "meta"."""
        module = self._networks[at.part].get_submodule(at.path)
        own = {name: _of(module, name).to("meta") for name in _there(module)}
        parts = {name: one.to("meta") for name, one in layer.parts.items()}
        try:
            Layer(parts, layer.alpha, layer.rooted).changes(own["weight"], own.get("bias"))
        except Misfit:
            return False
        return True


def merged(pipeline: VideoPipeline) -> Merged:
    """What is in a pipeline's weights; the same at each call."""
    found: Merged | None = pipeline.__dict__.get("_merged")
    if found is None:
        found = pipeline.__dict__["_merged"] = Merged(pipeline)
    return found


def _there(module: torch.nn.Module) -> list[str]:
    return [name for name in ("weight", "bias") if _of(module, name) is not None]


def _of(module: torch.nn.Module, name: str) -> Any:
    return module._parameters.get(name)


def _check_size(own: torch.Tensor, now: torch.Tensor, names: list[str]) -> None:
    largest = float(now.abs().amax()) if now.numel() else 0.0
    if not math.isfinite(largest) or largest > HUGE * max(float(own.abs().amax()), 1):
        if len(names) == 1:
            which, instead = f"lora {names[0]} makes", "choose another"
        else:
            which, instead = f"loras {' and '.join(names)} together make", "lower their strengths"
        raise ModelError(f"{which} weights so large that nothing can be drawn; {instead}.")


def _check_family(name: str, read: Lora, pipeline: VideoPipeline) -> None:
    """ModelError for a LoRA of another family, by the width of the text that its layers read."""
    own = int(pipeline.unet.config.cross_attention_dim)
    is_xl = getattr(pipeline, TEXT_2, None) is not None
    wanted = SDXL.name if read.is_xl else _family(read.text_width)
    has = SDXL.name if is_xl else _family(own)
    if (read.is_xl and not is_xl) or (read.text_width not in (None, own)):
        raise ModelError(f"lora {name} is for {wanted}, and the model is of {has}; choose one made for that.")


def _family(width: int | None) -> str:
    found = None if width is None else by_width(width)
    return f"the kind that reads text {width} wide" if found is None else found.name


def _foreign(name: str, fitting: int, layers: int, misfits: int) -> ModelError:
    if misfits:
        return ModelError(f"lora {name} does not fit here, as it was made for another network; leave it out.")
    fit = f"{fitting} of its {layers} layers fit"
    return ModelError(f"lora {name} was made for another kind of model ({fit}); choose another.")
