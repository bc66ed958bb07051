"""What a layer of a LoRA's file adds to the weights that it belongs to, in float32.

LoRA (arXiv 2106.09685), LoCon, LoHa and LoKr as LyCORIS has them (arXiv 2309.14859), with and without the
core tensor of a Tucker decomposition (arXiv 2108.06098), DoRA (arXiv 2402.09353), whole differences.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch

PLAIN, LOHA = ("down", "up"), ("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b")
LOKR = "lokr_"
Parts = Mapping[str, torch.Tensor]


class Misfit(Exception):
    """A layer of other shapes than the weights that it is for."""


@dataclass(frozen=True, eq=False)
class Layer:
    """A layer's tensors by what they are of it (spelling.py); alpha: beside them in the file, else None.

    rooted: alpha is over the rank's root instead of the rank, as in rank-stabilised LoRAs (arXiv 2312.03732).
    """

    parts: Parts
    alpha: float | None = None
    rooted: bool = False

    @property
    def missing(self) -> bool:
        """Whether it is only half of what its kind needs."""
        has = self.parts.keys()
        halves = (PLAIN, LOHA)
        if any(has & set(half) and not has >= set(half) for half in halves):
            return True
        if any(name.startswith(LOKR) for name in has):
            return not all(_has_factor(has, factor) for factor in ("lokr_w1", "lokr_w2"))
        beside = {"mid", "dora_scale", "magnitude", "alpha", "up_bias"}
        return not has - beside  # something beside a layer, and no layer

    @property
    def width(self) -> int | None:
        """How many values a linear layer of this kind reads; None where it does not tell."""
        parts = self.parts
        if "down" in parts:
            return parts["down"].shape[1]
        if "hada_w1_b" in parts:
            return parts["hada_w1_b"].shape[1]
        if "diff" in parts:
            return parts["diff"].shape[-1]
        sides = [parts[name].shape[1] for name in _kron_sides(parts)]
        return sides[0] * sides[1] if len(sides) == 2 else None

    def changes(self, weight: torch.Tensor, bias: torch.Tensor | None) -> dict[str, torch.Tensor]:
        """What is added to "weight" and "bias" at strength 1; both and all are float32. Misfit."""
        parts = {name: one.to(weight.device, torch.float32) for name, one in self.parts.items()}
        found = {}
        try:
            change = self._change(parts)
            if change is not None:
                whole = _as(change, weight.shape)
                found["weight"] = decomposed(weight, whole, parts) if _has_magnitude(parts) else whole
            added = parts.get("diff_b")
            if "up_bias" in parts:
                added = parts["up_bias"] * self._scale(parts["down"].shape[0])
            if added is not None:
                if bias is None:
                    raise Misfit("it changes a bias that is not there")
                found["bias"] = added.reshape(bias.shape)
        except (RuntimeError, IndexError, ValueError) as error:
            raise Misfit(str(error)) from error
        return found

    def _change(self, parts: Parts) -> torch.Tensor | None:
        if "diff" in parts:
            return parts["diff"]
        if "down" in parts:
            return lora(parts) * self._scale(parts["down"].shape[0])
        if "hada_w1_b" in parts:
            return loha(parts) * self._scale(parts["hada_w1_b"].shape[0])
        if any(name.startswith(LOKR) for name in parts):
            change, rank = lokr(parts)
            return change if rank is None else change * self._scale(rank)
        return None

    def _scale(self, rank: int) -> float:
        if self.alpha is None:
            return 1.0
        return self.alpha / (rank**0.5 if self.rooted else rank)


def lora(parts: Parts) -> torch.Tensor:
    """Up times down; "mid" is a convolution in between. Of a convolution, down has the kernel."""
    up, down, mid = parts["up"], parts["down"], parts.get("mid")
    if mid is None:
        return up.flatten(1) @ down.flatten(1)
    return torch.einsum("pi,ij...,jr->pr...", up.flatten(1), mid, down.flatten(1))


def _as(change: torch.Tensor, shape: torch.Size) -> torch.Tensor:
    """A change in its weights' shape; a kernel may be written as one axis with the inputs. Misfit."""
    flat = change.flatten(1) if change.ndim > 1 else change
    if tuple(flat.shape) != (shape if len(shape) == 1 else (shape[0], shape[1:].numel())):
        raise Misfit("of another shape")
    return change.reshape(shape)


def loha(parts: Parts) -> torch.Tensor:
    """The product, value by value, of two matrices of low rank."""
    return _loha_half(parts, "1") * _loha_half(parts, "2")


def _loha_half(parts: Parts, which: str) -> torch.Tensor:
    a, b, core = parts[f"hada_w{which}_a"], parts[f"hada_w{which}_b"], parts.get(f"hada_t{which}")
    return a @ b if core is None else _tucker(core, a, b)


def _tucker(core: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """core (rank, rank, kernel ...), a (rank, out), b (rank, in) -> (out, in, kernel ...)."""
    return torch.einsum("ij...,ip,jr->pr...", core, a, b)


def lokr(parts: Parts) -> tuple[torch.Tensor, int | None]:
    """The Kronecker product of two matrices, and the rank of the first that is no whole one; None without."""
    first, rank_1 = _kron_factor(parts, "lokr_w1", None)
    second, rank_2 = _kron_factor(parts, "lokr_w2", parts.get("lokr_t2"))
    first = first.reshape(*first.shape, *(1,) * (second.ndim - first.ndim))
    return torch.kron(first.contiguous(), second.contiguous()), rank_2 if rank_1 is None else rank_1


def _kron_factor(parts: Parts, name: str, core: torch.Tensor | None) -> tuple[torch.Tensor, int | None]:
    if name in parts:
        return parts[name], None
    a, b = parts[f"{name}_a"], parts[f"{name}_b"]
    return (a @ b if core is None else _tucker(core, a, b)), b.shape[0]


def _kron_sides(parts: Parts) -> list[str]:
    """The names of the tensors that tell how much the two factors read."""
    return [name for which in "12" for name in (f"lokr_w{which}", f"lokr_w{which}_b") if name in parts]


def _has_factor(names: object, factor: str) -> bool:
    has = set(names)  # type: ignore[call-overload]
    return factor in has or has >= {f"{factor}_a", f"{factor}_b"}


def _has_magnitude(parts: Parts) -> bool:
    return "magnitude" in parts or "dora_scale" in parts


def decomposed(weight: torch.Tensor, change: torch.Tensor, parts: Parts) -> torch.Tensor:
    """What a DoRA adds: the changed weights at lengths of its own, less the weights themselves.

    PEFT keeps a length for each output. LyCORIS keeps them for outputs or inputs, which their shape tells:
    (out, 1 ...) or (1, in ...).
    """
    changed, lengths = weight + change, parts.get("magnitude")
    axis = 0
    if lengths is None:
        lengths = parts["dora_scale"]
        is_of_inputs = lengths.ndim > 1 and lengths.shape[0] == 1 and lengths.shape[1] == weight.shape[1]
        axis = 1 if is_of_inputs and lengths.numel() == weight.shape[1] else 0
    if lengths.numel() != weight.shape[axis]:
        raise Misfit("it has lengths of another shape")
    others = [one for one in range(weight.ndim) if one != axis]
    norms = torch.linalg.vector_norm(changed, dim=others, keepdim=True)
    return changed * (lengths.reshape(norms.shape) / norms) - weight
