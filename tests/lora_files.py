"""LoRAs of every kind and spelling for small networks, and the weights that each must lead to, by hand.

Written from what the kinds are, apart from the code that reads such files: products are what a layer of the
kind gives for single values, and names are built up instead of being taken apart.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from benchmarks.original_names import unet_name

RANK = 2
State = dict[str, torch.Tensor]
Made = tuple[State, torch.Tensor]  # a layer's tensors, and its weights as they must become, in float64


def noise(*shape: int) -> torch.Tensor:
    return torch.randn(*shape) * 0.3


def kernel_of(layer: Callable[[torch.Tensor], torch.Tensor], weight: torch.Tensor) -> torch.Tensor:
    """The weights of a linear layer or a convolution that does the same: what it gives for single values."""
    inputs = weight.shape[1]
    if weight.ndim == 2:
        return layer(torch.eye(inputs, dtype=torch.float64)).T
    size = weight.shape[-1]
    points = torch.zeros(inputs, inputs, 2 * size - 1, 2 * size - 1, dtype=torch.float64)
    for channel in range(inputs):
        points[channel, channel, size - 1, size - 1] = 1
    return layer(points).flip(2, 3).transpose(0, 1)


def lora(weight: torch.Tensor, alpha: float) -> Made:
    kernel = weight.shape[2:]
    down, up = noise(RANK, weight.shape[1], *kernel), noise(weight.shape[0], RANK, *[1] * len(kernel))
    through = functional.conv2d if kernel else functional.linear
    change = kernel_of(lambda x: through(through(x, down.double()), up.double()), weight)
    return {"down": down, "up": up, "alpha": torch.tensor(alpha)}, weight.double() + change * alpha / RANK


def lora_mid(weight: torch.Tensor, alpha: float) -> Made:
    down, mid = noise(RANK, weight.shape[1], 1, 1), noise(RANK, RANK, *weight.shape[2:])
    up = noise(weight.shape[0], RANK, 1, 1)

    def layer(x: torch.Tensor) -> torch.Tensor:
        for one in (down, mid, up):
            x = functional.conv2d(x, one.double())
        return x

    parts = {"down": down, "mid": mid, "up": up, "alpha": torch.tensor(alpha)}
    return parts, weight.double() + kernel_of(layer, weight) * alpha / RANK


def loha(weight: torch.Tensor, alpha: float) -> Made:
    parts, product = {}, torch.ones(weight.shape[0], weight[0].numel(), dtype=torch.float64)
    for which in "12":
        a, b = noise(weight.shape[0], RANK), noise(RANK, weight[0].numel())
        parts |= {f"hada_w{which}_a": a, f"hada_w{which}_b": b}
        product = product * sum(torch.outer(a[:, r].double(), b[r].double()) for r in range(RANK))
    change = product.reshape(weight.shape)
    return {**parts, "alpha": torch.tensor(alpha)}, weight.double() + change * alpha / RANK


def cored(core: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """The core's values spread by a (rank, out) and b (rank, in)."""
    total = torch.zeros(a.shape[1], b.shape[1], *core.shape[2:], dtype=torch.float64)
    for i in range(RANK):
        for j in range(RANK):
            spread = torch.outer(a[i].double(), b[j].double())
            total += spread[:, :, None, None] * core[i, j].double()
    return total


def loha_tucker(weight: torch.Tensor, alpha: float) -> Made:
    parts, product = {}, torch.ones(weight.shape, dtype=torch.float64)
    for which in "12":
        core, a, b = (
            noise(RANK, RANK, *weight.shape[2:]),
            noise(RANK, len(weight)),
            noise(RANK, weight.shape[1]),
        )
        parts |= {f"hada_t{which}": core, f"hada_w{which}_a": a, f"hada_w{which}_b": b}
        product = product * cored(core, a, b)
    return {**parts, "alpha": torch.tensor(alpha)}, weight.double() + product * alpha / RANK


def blocks_of(first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Each value of the first times the whole second, laid out as the first's values are."""
    rows = [torch.cat([one * second for one in row], dim=1) for row in first]
    return torch.cat(rows, dim=0)


def lokr(weight: torch.Tensor, alpha: float) -> Made:
    """Both factors whole: then alpha says nothing."""
    first = noise(2, 2)
    second = noise(weight.shape[0] // 2, weight.shape[1] // 2, *weight.shape[2:])
    change = blocks_of(first.double(), second.double())
    return {"lokr_w1": first, "lokr_w2": second, "alpha": torch.tensor(alpha)}, weight.double() + change


def lokr_low(weight: torch.Tensor, alpha: float) -> Made:
    """Both factors of low rank; a kernel is one axis with the inputs."""
    out, inside = weight.shape[0] // 2, weight.shape[1] // 2
    a, b, first = noise(2, RANK), noise(RANK, 2), noise(out, RANK)
    second = noise(RANK, inside * weight[0, 0].numel())
    right = (first.double() @ second.double()).reshape(out, inside, *weight.shape[2:])
    change = blocks_of(a.double() @ b.double(), right)
    parts = {"lokr_w1_a": a, "lokr_w1_b": b, "lokr_w2_a": first, "lokr_w2_b": second}
    return {**parts, "alpha": torch.tensor(alpha)}, weight.double() + change * alpha / RANK


def lokr_tucker(weight: torch.Tensor, alpha: float) -> Made:
    first, core = noise(2, 2), noise(RANK, RANK, *weight.shape[2:])
    a, b = noise(RANK, weight.shape[0] // 2), noise(RANK, weight.shape[1] // 2)
    change = blocks_of(first.double(), cored(core, a, b))
    parts = {"lokr_w1": first, "lokr_t2": core, "lokr_w2_a": a, "lokr_w2_b": b}
    return {**parts, "alpha": torch.tensor(alpha)}, weight.double() + change * alpha / RANK


def lengthened(changed: torch.Tensor, lengths: torch.Tensor, axis: int) -> torch.Tensor:
    slices = [
        one / one.norm() * length for one, length in zip(changed.unbind(axis), lengths.double(), strict=True)
    ]
    return torch.stack(slices, axis)


def dora_of_outputs(weight: torch.Tensor, alpha: float) -> Made:
    parts, changed = lora(weight, alpha)
    lengths = noise(len(weight)) + 1
    scale = lengths.reshape(-1, *[1] * (weight.ndim - 1))
    return {**parts, "dora_scale": scale}, lengthened(changed, lengths, 0)


def dora_of_inputs(weight: torch.Tensor, alpha: float) -> Made:
    parts, changed = lora(weight, alpha)
    lengths = noise(weight.shape[1]) + 1
    scale = lengths.reshape(1, -1, *[1] * (weight.ndim - 2))
    return {**parts, "dora_scale": scale}, lengthened(changed, lengths, 1)


def dora_of_peft(weight: torch.Tensor, alpha: float) -> Made:
    """Of convolutions PEFT writes (1, out, 1, 1): outputs all the same."""
    parts, changed = lora(weight, alpha)
    lengths = noise(len(weight)) + 1
    scale = lengths if weight.ndim == 2 else lengths.reshape(1, -1, 1, 1)
    return {**parts, "magnitude": scale}, lengthened(changed, lengths, 0)


def diff(weight: torch.Tensor, alpha: float) -> Made:
    change = noise(*weight.shape)
    return {"diff": change}, weight.double() + change.double()


LINEAR_AND_CONV = {
    "lora": lora, "loha": loha, "lokr": lokr, "lokr of low rank": lokr_low,
    "dora of outputs": dora_of_outputs,
    "dora of inputs": dora_of_inputs, "differences": diff,
}  # fmt: skip
CONV = {"locon with a middle": lora_mid, "loha with a core": loha_tucker, "lokr with a core": lokr_tucker}
KOHYA = {"down": "lora_down.weight", "up": "lora_up.weight", "mid": "lora_mid.weight"}
PEFT = {"down": "lora_A.weight", "up": "lora_B.weight", "magnitude": "lora_magnitude_vector"}
TEXT = {"text_encoder": "lora_te_", "text_encoder_2": "lora_te2_"}


def text_path(path: str) -> str:
    return path if path.startswith(("text_model.", "text_projection")) else f"text_model.{path}"


def kohya(pipe: Any, part: str, path: str, what: str) -> str:
    """kohya's, with diffusers' names of blocks."""
    is_xl = getattr(pipe, "text_encoder_2", None) is not None
    start = (
        "lora_unet_" if part == "unet" else "lora_te1_" if is_xl and part == "text_encoder" else TEXT[part]
    )
    inside = path if part == "unet" else text_path(path)
    return f"{start}{inside.replace('.', '_')}.{KOHYA.get(what, what)}"


def original(pipe: Any, part: str, path: str, what: str) -> str:
    """kohya's, with the original networks' names of blocks."""
    if part != "unet":
        return kohya(pipe, part, path, what)
    config = pipe.unet.config
    attends = {number for number, kind in enumerate(config.up_block_types) if kind.startswith("CrossAttn")}
    name = unet_name(f"{path}.weight", config.layers_per_block, attends).removesuffix(".weight")
    return f"lora_unet_{name.replace('.', '_')}.{KOHYA.get(what, what)}"


def dotted(pipe: Any, part: str, path: str, what: str) -> str:
    """As node programs write what they train themselves."""
    if part != "unet":
        which = "clip_l" if part == "text_encoder" else "clip_g"
        return f"text_encoders.{which}.transformer.{text_path(path)}.{KOHYA.get(what, what)}"
    name = original(pipe, part, path, what).removeprefix("lora_unet_")
    return f"diffusion_model.{name}"


def peft(pipe: Any, part: str, path: str, what: str) -> str:
    """diffusers' own of today."""
    return f"{part}.{path if part == 'unet' else text_path(path)}.{PEFT.get(what, what)}"


def bare(pipe: Any, part: str, path: str, what: str) -> str:
    inside = path if part == "unet" else text_path(path)
    return f"{inside}.{PEFT.get(what, what)}"


def base_model(pipe: Any, part: str, path: str, what: str) -> str:
    return f"base_model.model.{bare(pipe, part, path, what)}"


def default_adapter(pipe: Any, part: str, path: str, what: str) -> str:
    return bare(pipe, part, path, what).replace(".weight", ".default.weight")


def processors(pipe: Any, part: str, path: str, what: str) -> str:
    """diffusers' of 2023: attention alone."""
    inside = path if part == "unet" else text_path(path)
    before, _, last = inside.removesuffix(".0").rpartition(".")
    if part != "unet":
        return f"{part}.{inside}.lora_linear_layer.{what}.weight"
    return f"unet.{before}.processor.{last}_lora.{what}.weight"


def layers(network: nn.Module, kinds: tuple[type, ...] = (nn.Linear, nn.Conv2d)) -> list[str]:
    return [path for path, module in network.named_modules() if isinstance(module, kinds)]
