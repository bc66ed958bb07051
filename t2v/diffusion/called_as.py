"""Layers that are called in another way for a while: by a class of their own, not by hooks.

What is compiled goes by a layer's class and by what the layer holds. By a first run's hooks it would go for
ever.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

KINDS: dict[tuple[type, type], type] = {}  # way of calling, a layer's class -> the same class, called so


@contextmanager
def called_as(way: type, layers: Sequence[torch.nn.Module], **held: Any) -> Iterator[None]:
    """Let layers be called by ``way.__call__``, with the layer as ``super()``; as before afterwards.

    held: what each layer holds meanwhile, by its attribute's name.
    """
    found = [
        (type(layer), {name: vars(layer)[name] for name in held.keys() & vars(layer)}) for layer in layers
    ]
    try:
        for layer in layers:
            layer.__class__ = _kind(way, type(layer))
            vars(layer).update(held)
        yield
    finally:
        for layer, (kind, before) in zip(layers, found, strict=True):
            layer.__class__ = kind
            for name in held:
                del vars(layer)[name]
            vars(layer).update(before)


def _kind(way: type, kind: type) -> type:
    """The class so called; itself where it is, as in a run within a run."""
    if issubclass(kind, way):
        return kind
    if (way, kind) not in KINDS:
        KINDS[way, kind] = type(f"{way.__name__}{kind.__name__}", (way, kind), {})
    return KINDS[way, kind]
