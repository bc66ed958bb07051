"""What a pickle of tensors makes here: stand-ins without values, and nothing of what else it names.

A pickle is a program. Of the names that it may call, those of tensors make stand-ins, some that trainers
leave beside the weights make nothing at all, and any other ends the reading by its name.
"""

import pickle
from collections.abc import Callable
from typing import Any, NamedTuple

from t2v.weights.single_file.header import MAX_DIMENSIONS

STORAGES = {
    "Float": "F32", "Half": "F16", "BFloat16": "BF16", "Double": "F64", "Long": "I64", "Int": "I32",
    "Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL", "Untyped": "U8",
}  # fmt: skip
DTYPES = {
    "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float64": "F64", "float8_e4m3fn": "F8_E4M3",
    "float8_e5m2": "F8_E5M2", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint8": "U8",
    "bool": "BOOL",
}  # fmt: skip
INERT = {  # what trainers leave beside the weights: nothing is made of it
    ("numpy", "dtype"), ("numpy", "ndarray"), ("_codecs", "encode"),
    *((f"numpy.{core}.multiarray", name)
      for core in ("core", "_core") for name in ("scalar", "_reconstruct")),
    ("pytorch_lightning.callbacks.model_checkpoint", "ModelCheckpoint"),
    ("lightning_fabric.utilities.data", "AttributeDict"),
    ("pytorch_lightning.utilities.parsing", "AttributeDict"),
    ("torch", "device"), ("torch.nn.modules.container", "ParameterDict"), ("argparse", "Namespace"),
    ("omegaconf.dictconfig", "DictConfig"), ("omegaconf.listconfig", "ListConfig"),
    ("omegaconf.base", "ContainerMetadata"), ("omegaconf.base", "Metadata"), ("omegaconf.nodes", "AnyNode"),
    ("typing", "Any"), ("collections", "defaultdict"), ("collections", "Counter"),
    *((module, name) for module in ("builtins", "__builtin__") for name in
      ("object", "dict", "list", "set", "int", "float", "long", "str", "unicode", "bool")),
}  # fmt: skip


class Foreign(ValueError):
    """A pickle holds more than tensors. name: what it would have called."""

    def __init__(self, name: str) -> None:
        super().__init__(f"it holds {name}, and nothing but tensors is read of such files")
        self.name = name


class PickledTensor(NamedTuple):
    """A tensor without values. storage: where they are, from ``offset`` on; stride: in elements."""

    dtype: str
    shape: tuple[int, ...]
    stride: tuple[int, ...]
    offset: int
    storage: "Storage"


class Storage(NamedTuple):
    """Values in one piece. length: how many; dtype: of which kind they were stored."""

    key: str
    dtype: str
    length: int


class Nothing:
    """What is made of an object that is not read: it takes whatever a pickle does to it.

    Only the tensors of an old embedding's dictionary are looked for in it.
    """

    __slots__ = ("state",)

    def __init__(self, *_: Any) -> None:
        self.state: Any = None

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def __setitem__(self, *_: Any) -> None: ...

    def __hash__(self) -> int:
        return id(self)

    def append(self, _: Any) -> None: ...

    def extend(self, _: Any) -> None: ...

    def add(self, _: Any) -> None: ...


class _Names(dict[Any, Any]):
    """An OrderedDict's stand-in; what is set on it beside its items is forgotten."""

    def __init__(self, *items: Any) -> None:
        super().__init__(*items[:1])

    def __setstate__(self, _: Any) -> None: ...


class _Maker:
    """A function that a pickle may call; it cannot set anything on it."""

    __slots__ = ("_make",)

    def __init__(self, make: Callable[..., Any]) -> None:
        self._make = make

    def __call__(self, *given: Any) -> Any:
        return self._make(*given)

    def __setstate__(self, _: Any) -> None:
        raise pickle.UnpicklingError("a function's state")


class _Word(NamedTuple):
    """A kind of numbers, where a pickle names one."""

    dtype: str


def _tensor(storage: Any, offset: Any, shape: Any, stride: Any, *_: Any) -> PickledTensor:
    if not isinstance(storage, Storage):
        raise ValueError("a tensor of its pickle has no values")
    sizes = [tuple(one) if isinstance(one, (tuple, list)) else () for one in (shape, stride)]
    whole = all(type(one) is int and one >= 0 for one in (offset, *sizes[0], *sizes[1]))
    if not whole or len(sizes[0]) != len(sizes[1]) or len(sizes[0]) > MAX_DIMENSIONS:
        raise ValueError("a tensor of its pickle is impossible")
    return PickledTensor(storage.dtype, sizes[0], sizes[1], offset, storage)


def _tensor_of_kind(storage: Any, offset: Any, shape: Any, stride: Any, *more: Any) -> PickledTensor:
    """As ``_tensor``, of numbers that have no storage of their own: the third of ``more`` says which."""
    made, kind = _tensor(storage, offset, shape, stride), more[2]
    if not isinstance(kind, _Word):
        raise ValueError("a tensor of its pickle is impossible")
    return made._replace(dtype=kind.dtype)


MAKERS: dict[tuple[str, str], Callable[..., Any]] = {
    ("torch._utils", "_rebuild_tensor"): _tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _tensor_of_kind,
    ("torch._utils", "_rebuild_parameter"): lambda data, *_: data,
    ("torch._utils", "_rebuild_parameter_with_state"): lambda data, *_: data,
    ("torch", "Size"): lambda shape=(): tuple(shape),
    ("copyreg", "_reconstructor"): lambda *_: Nothing(),
    ("copy_reg", "_reconstructor"): lambda *_: Nothing(),
}


class Reader(pickle.Unpickler):
    """Makes stand-ins, and refuses by name whatever else a pickle asks for."""

    def __init__(self, file: Any) -> None:
        super().__init__(file)
        self.storages: dict[Any, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) in MAKERS:
            return _Maker(MAKERS[module, name])
        if (module, name) == ("collections", "OrderedDict"):
            return _Names
        if module in ("torch", "torch.storage") and name.removesuffix("Storage") in STORAGES:
            return _Word(STORAGES[name.removesuffix("Storage")])
        if module == "torch" and name in DTYPES:
            return _Word(DTYPES[name])
        if (module, name) in INERT:
            return Nothing
        raise Foreign(f"{module}.{name}"[:100])

    def persistent_load(self, pid: Any) -> Storage:
        if not isinstance(pid, tuple) or len(pid) < 5 or pid[0] != "storage" or type(pid[4]) is not int:
            raise ValueError("a tensor of its pickle has no values")
        if not isinstance(pid[1], _Word) or not 0 <= pid[4] < 1 << 48:
            raise ValueError("a tensor of its pickle is impossible")
        return self.storages.setdefault(pid[2], Storage(str(pid[2]), pid[1].dtype, pid[4]))
