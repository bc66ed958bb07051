"""PyTorch's compiler, ``torch._dynamo``, comes when something is compiled, and not with diffusers already.

It takes half a second to import, and most runs do not use it. diffusers and transformers have it imported to
mark functions of theirs: meanwhile something else stands in its place, which notes these marks. They are put
on when the compiler itself comes, whoever imports it. For whatever else is asked of it, it comes at once:
then all is as it would be without this file.
"""

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

COMPILER = "torch._dynamo"
ALONE = "_trace_wrapped_higher_order_op"  # a file of it that transformers needs, and that needs none of it


@contextmanager
def compiler_later() -> Iterator[None]:
    """Import diffusers and transformers in this block: the compiler is imported when it is first used."""
    import torch

    if COMPILER in sys.modules:
        yield
        return
    later = Later(torch)
    try:
        if later.is_possible():
            _ask_without_importing()
        yield
    finally:
        later.stand_in.leave()


class StandIn(ModuleType):
    """In the compiler's place in ``sys.modules``; the methods are those it has for marking functions."""

    def __init__(self, torch: Any) -> None:
        super().__init__(COMPILER)
        self._torch, self.marks, self.may_go = torch, list[tuple[str, Any]](), False
        self.__path__ = [f"{place}/_dynamo" for place in torch.__path__]
        sys.modules[COMPILER] = torch._dynamo = self

    def is_here(self) -> bool:
        return sys.modules.get(COMPILER) is self

    def leave(self) -> None:
        """Who asks for the compiler from now on gets it."""
        if self.is_here():
            del sys.modules[COMPILER]
        if vars(self._torch).get("_dynamo") is self:
            del self._torch._dynamo

    def itself(self) -> ModuleType:
        """The compiler, which has come then."""
        if not self.may_go:
            raise ImportError(f"{ALONE} needs more of {COMPILER}")
        self.leave()
        return importlib.import_module(COMPILER)

    def allow_in_graph(self, marked: Any) -> Any:
        self.marks.append(("allow_in_graph", marked))
        return marked

    def assume_constant_result(self, marked: Any) -> Any:
        self.marks.append(("assume_constant_result", marked))
        return marked

    def disable(self, marked: Any = None, recursive: bool = True, *, reason: str | None = None) -> Any:
        """PyTorch itself puts this mark on its own functions in this way: when they are first called."""
        return self._torch._disable_dynamo(marked, recursive)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):  # what is asked of any module
            raise AttributeError(name)
        return getattr(self.itself(), name)


class Later:
    """What the import system asks for the compiler, until the compiler has come."""

    def __init__(self, torch: ModuleType) -> None:
        self.stand_in = StandIn(torch)
        sys.meta_path.insert(0, self)

    def is_possible(self) -> bool:
        """Whether it will do with this version of PyTorch; the one file that is needed is here then."""
        try:
            importlib.import_module(f"{COMPILER}.{ALONE}")
        except ImportError:  # it is slower then
            self.stand_in.leave()
            sys.meta_path.remove(self)
            return False
        self.stand_in.may_go = True
        return True

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == COMPILER:
            spec = PathFinder.find_spec(name, path)
            if spec is not None and spec.loader is not None:
                spec.loader = _WithMarks(spec.loader, self.put_marks)
            return spec
        if not name.startswith(f"{COMPILER}.") or not self.stand_in.is_here() or name.endswith(f".{ALONE}"):
            return None
        self.stand_in.itself()
        there = sys.modules.get(name)
        return None if there is None else importlib.util.spec_from_loader(name, _There(there))

    def put_marks(self, compiler: ModuleType) -> None:
        """All that were noted, on the compiler that has just come; nothing is left to do then."""
        for kind, marked in self.stand_in.marks:
            getattr(compiler, kind)(marked)
        self.stand_in.marks.clear()
        with suppress(ValueError):
            sys.meta_path.remove(self)


class _WithMarks(importlib.abc.Loader):
    """Loads the compiler as its own loader does, and has the marks put on."""

    def __init__(self, own: Any, put_marks: Callable[[ModuleType], None]) -> None:
        self._own, self._put_marks = own, put_marks

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._own.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        module.__loader__ = self._own
        if module.__spec__ is not None:
            module.__spec__.loader = self._own
        alone = sys.modules.get(f"{COMPILER}.{ALONE}")
        if alone is not None:
            setattr(module, ALONE, alone)
        self._own.exec_module(module)
        self._put_marks(module)


class _There(importlib.abc.Loader):
    """Of a part of the compiler that has come with the compiler while it was asked for."""

    def __init__(self, module: ModuleType) -> None:
        self._module, self._spec = module, module.__spec__

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return self._module

    def exec_module(self, module: ModuleType) -> None:
        module.__spec__ = self._spec


def _ask_without_importing() -> None:
    """diffusers asks of each part of a pipeline whether it is compiled, for which it imports the compiler."""
    utils: Any = importlib.import_module("diffusers.utils.torch_utils")
    ask = getattr(utils, "is_compiled_module", None)
    if ask is not None:
        utils.is_compiled_module = lambda module: COMPILER in sys.modules and ask(module)
