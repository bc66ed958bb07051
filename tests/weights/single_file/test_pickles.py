"""Pickles of tensors without torch: what torch wrote is read, and nothing is ever run."""

import io
import os
import pickle
import struct
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
import torch
from checkpoint_files import write_pickle

from t2v.weights.refusals import ModelError
from t2v.weights.single_file.checks import look
from t2v.weights.single_file.header import read_header
from t2v.weights.single_file.pickles import read_pickle
from t2v.weights.single_file.stand_ins import Foreign
from t2v.weights.single_file.values import Values


def tensors() -> dict[str, torch.Tensor]:
    base = torch.arange(24, dtype=torch.float32)
    return {
        "plain": base.reshape(4, 6).clone(),
        "turned": base.reshape(4, 6).T,
        "part": base.reshape(4, 6)[1:3, 2:5],
        "half": torch.randn(3, 2).half(),
        "bf16": torch.randn(3).bfloat16(),
        "fp8": torch.randn(5).to(torch.float8_e4m3fn),
        "whole": torch.arange(4),
        "flags": torch.tensor([True, False]),
        "scalar": torch.tensor(2.5),
        "none": torch.empty(0, 3),
        "parameter": torch.nn.Parameter(torch.randn(2, 2)),
    }


@pytest.mark.parametrize("old", [False, True])
def test_all_that_torch_saves_is_read_with_its_values(tmp_path, old):
    held = tensors()
    path = write_pickle(tmp_path / "own.pt", held, old)
    header, values = read_header(path).tensors, Values(path)
    assert list(header) == list(held) == list(values)
    for name, one in held.items():
        assert header[name].shape == tuple(one.shape)
        assert torch.equal(values[name].float(), one.detach().float()) and values[name].dtype == one.dtype
    assert header["bf16"].dtype == "BF16" and header["fp8"].dtype == "F8_E4M3"


def test_what_trainers_leave_beside_the_weights_is_not_read(tmp_path):
    beside = {"loss": np.float32(0.5), "best": np.float64(3), "order": np.dtype("int64"), "hyper": {"lr": 1}}
    path = write_pickle(tmp_path / "own.ckpt", tensors(), **beside)
    assert list(read_pickle(path).tensors) == list(tensors())


def test_a_networks_own_state_is_read(tmp_path):
    network = torch.nn.Linear(2, 3)
    torch.save(network.state_dict(), tmp_path / "own.pth")  # an OrderedDict with something set on it
    assert set(Values(tmp_path / "own.pth")) == {"weight", "bias"}


def test_embeddings_of_old_are_told(tmp_path):
    held = {"string_to_token": {"*": torch.tensor(265)}, "string_to_param": {"*": torch.randn(4, 768)}}
    torch.save({**held, "name": "cat-toy", "step": 500}, tmp_path / "cat.pt")
    kind = look("model x", tmp_path / "cat.pt")
    assert kind.words == "a textual inversion for Stable Diffusion 1.x"
    kept = torch.nn.ParameterDict({"*": torch.nn.Parameter(torch.randn(2, 1024))})
    torch.save({**held, "string_to_param": kept}, tmp_path / "dict.pt")
    assert look("model x", tmp_path / "dict.pt").words == "a textual inversion for Stable Diffusion 2.x"


class Calls:
    """Pickled, it calls ``function`` when it is read."""

    def __init__(self, function, *given) -> None:
        self.how = function, given

    def __reduce__(self):
        return self.how


def archive(path: Path, program: bytes, root: str = "archive", **more: bytes) -> Path:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{root}/data.pkl", program)
        for name, held in more.items():
            file.writestr(f"{root}/{name}", held)
    return path


HOSTILE = {
    "os.system": Calls(os.system, "echo > ran"),
    "builtins.eval": Calls(eval, "open('ran', 'w')"),
    "builtins.exec": Calls(exec, "open('ran', 'w')"),
    "builtins.getattr": Calls(getattr, "x", "upper"),
    "io.open": Calls(open, "ran", "w"),
    "torch.hub": Calls(torch.hub.load, "x", "y"),
    "torch.load": Calls(torch.load, "x"),
    "builtins.__import__": Calls(__import__, "this"),
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("old", [False, True])
def test_whatever_a_pickle_would_call_is_refused_by_name(tmp_path, monkeypatch, name, old):
    monkeypatch.chdir(tmp_path)
    torch.save({"a": HOSTILE[name], "b": torch.ones(2)}, "bad.ckpt", _use_new_zipfile_serialization=not old)
    with pytest.raises(Foreign) as refusal:
        read_pickle(Path("bad.ckpt"))
    assert refusal.value.name.rsplit(".")[-1] in str(HOSTILE[name].how[0])
    with pytest.raises(ModelError, match="is not read, as it holds .*, and nothing but tensors is read of"):
        look("model x", Path("bad.ckpt"))
    assert not Path("ran").exists()


def _sets_on_what_may_be_called(state: bytes) -> bytes:
    """Programs that change what the names they may use are, for those who read the next file."""
    return b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n" + state + b"b."


TRICKS = {
    "sets on a function": _sets_on_what_may_be_called(b"}X\x04\x00\x00\x00_make}s"),
    "sets on a function by slots": _sets_on_what_may_be_called(b"N}X\x05\x00\x00\x00_makeNs\x86"),
    "sets on a class": b"\x80\x02ccollections\nOrderedDict\n}X\x05\x00\x00\x00itemsNsb.",
    "sets on a class by slots": b"\x80\x02ccollections\nOrderedDict\nN}X\x05\x00\x00\x00itemsNs\x86b.",
    "sets on a word": b"\x80\x02ctorch\nFloatStorage\nN}X\x05\x00\x00\x00dtypeNs\x86b.",
    "a tensor of nothing": b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n(K\x01K\x02))tRs.",
    "a storage of nothing": b"\x80\x02X\x01\x00\x00\x00aQ.",
    "too many bytes asked for": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 62) + b"a.",
    "ends at once": b"\x80\x02",
    "no pickle": b"hello",
    "a list of itself": b"\x80\x02]q\x00h\x00a.",
    "codes that are registered": b"\x80\x02\x82\x01.",
}


@pytest.mark.parametrize("name", TRICKS)
def test_tricks_come_to_nothing(tmp_path, name):
    path = archive(tmp_path / "bad.ckpt", TRICKS[name])
    try:
        assert read_pickle(path).tensors == {}
    except ValueError as error:
        assert len(str(error)) < 100
    own = write_pickle(tmp_path / "own.pt", tensors())  # and the next file is read as ever
    assert list(Values(own)) == list(tensors())


def _many_times(depth: int) -> bytes:
    """A dictionary in which each of ten holds the next ten times over: 10 ** depth tensors to count."""
    held: dict = {"t": 1}
    for _ in range(depth):
        held = {str(number): held for number in range(10)}
    return pickle.dumps(held, 2)


def test_what_is_nested_without_end_is_left(tmp_path):
    assert read_pickle(archive(tmp_path / "many.ckpt", _many_times(40))).tensors == {}
    deep = b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b"."
    assert read_pickle(archive(tmp_path / "deep.ckpt", deep)).tensors == {}


def _program(storage: tuple, offset: int, shape: tuple, stride: tuple) -> bytes:
    class Holder:
        def __reduce__(self):
            given = (Storage(), offset, shape, stride, False, OrderedDict())
            return torch._utils._rebuild_tensor_v2, given

    class Storage: ...

    class Writer(pickle.Pickler):
        def persistent_id(self, one):
            return storage if isinstance(one, Storage) else None

    out = io.BytesIO()
    Writer(out, 2).dump({"a": Holder()})
    return out.getvalue()


@pytest.mark.parametrize(
    ("offset", "shape", "stride"),
    [
        (0, (3,), (1,)),
        (1, (2,), (1,)),
        (0, (2, 2), (9, 1)),
        (-1, (2,), (1,)),
        (0, (2,), (-1,)),
        (0, (2,), ()),
    ],
)
def test_tensors_that_reach_beyond_their_values(tmp_path, offset, shape, stride):
    storage = ("storage", torch.FloatStorage, "0", "cpu", 2)
    good = archive(tmp_path / "good.pt", _program(storage, 0, (2,), (1,)), **{"data/0": bytes(8)})
    assert Values(good)["a"].tolist() == [0, 0]
    bad = archive(tmp_path / "bad.pt", _program(storage, offset, shape, stride), **{"data/0": bytes(8)})
    with pytest.raises(ValueError, match="beyond its values|is impossible"):
        read_pickle(bad)
    lacking = archive(tmp_path / "lacking.pt", _program(storage, 0, (2,), (1,)))
    with pytest.raises(ValueError, match="the file is cut short"):
        read_pickle(lacking)


def test_files_that_are_cut_short_or_of_something_else(tmp_path):
    for old in (False, True):
        path = write_pickle(tmp_path / "own.pt", tensors(), old)
        (tmp_path / "short.pt").write_bytes(path.read_bytes()[:-200])
        with pytest.raises(ValueError, match="cut short|cannot be read"):
            read_pickle(tmp_path / "short.pt")
    with zipfile.ZipFile(tmp_path / "some.pt", "w") as file:
        file.writestr("picture.png", b"x")
    with pytest.raises(ValueError, match="an archive of something else"):
        read_pickle(tmp_path / "some.pt")
    (tmp_path / "text.ckpt").write_text("version https://example.invalid/spec/v1\noid sha256:1\n")
    with pytest.raises(
        ModelError, match="model x is a pointer of Git LFS, not the file it stands for; fetch"
    ):
        look("model x", tmp_path / "text.ckpt")
    with pytest.raises(ModelError, match="bytes in another order"):
        look("model x", archive(tmp_path / "big.pt", pickle.dumps({}, 2), byteorder=b"big"))
