"""Networks compiled by PyTorch: a first call of a minute or more, and quicker ones from then on."""

import logging
from collections.abc import Callable
from typing import Any

import torch

from t2v.failures import is_out_of_memory

logger = logging.getLogger(__name__)

NOTE = (
    "The networks are compiled: the first video of each size takes a minute or more longer, and those after "
    "it are quicker, for as long as the program runs."
)
OF_XL = (  # their hooks for what is told beside the text would stay those of the first run
    "Networks of Stable Diffusion XL's kind are not compiled here; they are used as they are."
)
FAILED = "The networks could not be compiled here, so they are used as they are; see the log for why."
MOST = 32  # ways of one network at once: its first and later chunks, of some sizes
BATCH = 0  # the axis of frames and guidance branches, whose length changes from call to call


class Compiled:
    """The compiled forms of some networks. backend: of ``torch.compile``. tell: hears of it, for people."""

    def __init__(self, tell: Callable[[str], object], backend: str = "inductor") -> None:
        self._tell, self._backend = tell, backend
        self._of: dict[torch.nn.Module, Callable[..., Any]] = {}
        self._fails = False

    def keep_only(self, networks: tuple[torch.nn.Module, ...]) -> None:
        """Forget the forms of others."""
        self._of = {one: form for one, form in self._of.items() if one in networks}

    def call(self, network: torch.nn.Module, *args: Any, **told: Any) -> Any:
        """What the network gives, by its compiled form; by itself where that fails, which is told."""
        if getattr(network, "add_embedding", None) is not None:
            self._tell(OF_XL)
            return network(*args, **told)
        if self._fails:
            return network(*args, **told)
        if network not in self._of:
            self._tell(NOTE)
            limits: Any = torch._dynamo.config
            limits.recompile_limit = max(limits.recompile_limit, MOST)
            laid: Any = network  # with a pixel's channels side by side, as compiled norms read them too
            self._of[network] = torch.compile(
                laid.to(memory_format=torch.channels_last), backend=self._backend
            )
        for one in args:
            if isinstance(one, torch.Tensor) and one.ndim > 1:
                torch._dynamo.maybe_mark_dynamic(one, BATCH)
        own = {name: list(one) if isinstance(one, list) else one for name, one in told.items()}
        try:
            return self._of[network](*args, **own)  # UNets empty lists, and it may be called once more
        except Exception as error:
            if is_out_of_memory(error):
                raise
            logger.warning("compiling failed", exc_info=error)
        self._fails = True
        self._of.clear()
        self._tell(FAILED)
        return network(*args, **told)
