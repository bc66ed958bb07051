"""Memory of one pipeline: where its weights are, and how a run goes on where room or numbers run out.

What is computed twice is computed from the same latents: a step that failed is repeated in smaller chunks,
then in the next profile, and nothing that was finished before it is lost.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Generic, NamedTuple, TypeVar

import torch

from t2v.failures import OutOfMemory, is_out_of_memory
from t2v.memory.compiled import Compiled
from t2v.memory.free import free_bytes, let_go_of_unused
from t2v.memory.needs import SPARE, row_bytes
from t2v.memory.placing import is_in_fp8, place, store_in_fp8, weight_bytes, widen
from t2v.memory.profiles import CPU, FP8_NOTE, HIGH, MOST_AT_ONCE, after, is_offloaded
from t2v.memory.replay import Replays, are_wanted
from t2v.memory.strips import compute_in_strips

logger = logging.getLogger(__name__)

T = TypeVar("T")
WIDE = torch.float32
ALL = 100_000  # frames, more than any video has
USED = 0.8  # of what is free, for frames at once
TOO_LITTLE = (
    "This run needs more memory than there is, also a frame at a time and in the profile {profile}; lower "
    "the size or the number of frames."
)
WENT_ON = "Memory ran out in the profile {before}, so this goes on in the profile {profile}, which is slower."
OVERFLOWS = (
    "The model's networks overflow in {name}, so they are used in float32 from there on, which takes longer."
)


class Tried(NamedTuple, Generic[T]):
    """What a way came to; or that memory ran out in it, of which nothing is kept that takes room."""

    value: T | None
    failed: bool


class Memory:
    """How a pipeline's weights are kept.

    parts: its networks by name, as they are now ("unet", "vae", "text_encoder" ...). tell: hears sentences
    for people. Until ``place`` is called all is taken as it is found, as in the high profile.
    """

    def __init__(
        self, parts: Callable[[], Mapping[str, torch.nn.Module]], tell: Callable[[str], object]
    ) -> None:
        self._parts, self._tell = parts, tell
        self._profile: str | None = None
        self._onload: torch.device | None = None
        self._home: torch.device | None = None
        self._most: dict[tuple[int, ...], int] = {}  # shape of latents and branches -> frames at once
        self._wide: dict[torch.nn.Module, torch.dtype] = {}  # what was widened -> its own precision
        self.beside: tuple[torch.nn.Module, ...] = ()  # ControlNets of the run
        self.has_fallen = False  # whether it stands on the processor because memory ran out elsewhere
        self.replays = Replays()
        self.graphs = are_wanted()  # whether calls are recorded as CUDA graphs, where they can be
        self.compiled = Compiled(tell)
        self.asks_compiled = False  # whether networks are to be compiled, where they can be

    def networks(self) -> dict[str, torch.nn.Module]:
        """The pipeline's networks by name, as they are now."""
        return dict(self._parts())

    @property
    def device(self) -> torch.device:
        """The device that computes."""
        if self._onload is not None:
            return self._onload
        return next(self._parts()["unet"].parameters()).device

    @property
    def home(self) -> torch.device:
        """The device of latents and embeddings: it stays the same where computing moves to the processor."""
        return self.device if self._home is None else self._home

    @property
    def profile(self) -> str:
        """The profile that its weights are kept by now."""
        if self._profile is not None:
            return self._profile
        return CPU if self.device.type == "cpu" else HIGH

    @property
    def records(self) -> bool:
        """Whether networks' calls are recorded as CUDA graphs: where all weights stay on a GPU."""
        return self.graphs and self.profile == HIGH and self.device.type == "cuda"

    @property
    def may_compile(self) -> bool:
        """Whether networks can be compiled: where weights stay where they are."""
        return self.profile in (HIGH, CPU)

    @property
    def compiles(self) -> bool:
        """Whether networks are compiled: where that is asked for, and can be."""
        return self.asks_compiled and self.may_compile

    def lay_out(self, network: torch.nn.Module) -> None:
        """Lay a network's weights out as suits how a run calls it."""
        self.compiled.lay_out(network, str(self.device), self.compiles and not is_in_fp8(network))

    def call(self, network: torch.nn.Module, *args: Any, **told: Any) -> Any:
        """What a network gives, compiled where that is asked for and its weights are not in eight bits."""
        if self.compiles and not is_in_fp8(network):
            return self.compiled.call(network, *args, **told)
        return network(*args, **told)

    def place(self, profile: str, device: torch.device | str, fp8: bool = False) -> None:
        """Keep all networks so. profile: but auto. device: that computes.

        InputError where weights do not fit in fp8.
        """
        parts, to = self._parts(), torch.device("cpu") if profile == CPU else torch.device(device)
        if fp8:
            for network in (parts["unet"], *self.beside):
                if not is_in_fp8(network):
                    store_in_fp8(network)
            self._tell(FP8_NOTE)
        self._place(profile, to)
        self._home, self.has_fallen = to, False

    def _place(self, profile: str, device: torch.device) -> None:
        parts = self._parts()
        self.replays.forget()
        for network in (*parts.values(), *self.beside):
            place(network, profile, device)
        compute_in_strips(parts["vae"], is_offloaded(profile))
        self._profile, self._onload = profile, device
        self._most.clear()

    def place_beside(self, networks: tuple[torch.nn.Module, ...]) -> None:
        """Keep the ControlNets of a run as the rest is kept."""
        new = [one for one in networks if one not in self.beside]
        self.beside = networks
        self.compiled.keep_only((*self._parts().values(), *networks))
        for network in new:
            if is_in_fp8(self._parts()["unet"]) and not is_in_fp8(network):
                store_in_fp8(network)
            if self._profile is not None:
                place(network, self._profile, self.device)

    def at_once(self, wanted: int, latents: torch.Tensor, branches: int) -> int:
        """How many frames of latents (f c h w) the UNet gets at once: as many as wanted, if there is room."""
        key = (branches, *latents.shape[1:])
        if key not in self._most:
            self._most[key] = min(MOST_AT_ONCE.get(self.profile, ALL), self._fitting(key))
        return max(1, min(wanted, self._most[key], len(latents)))

    def _fitting(self, key: tuple[int, ...]) -> int:
        """How many frames free memory has room for, by what such a UNet takes."""
        free, unet = free_bytes(str(self.device)), self._parts()["unet"]
        if free is None:
            return ALL
        config: Any = getattr(unet, "config", {})
        dtype: Any = unet.dtype
        row = row_bytes(config, key[-1] * key[-2], dtype.itemsize)
        return max(1, int((USED * free - SPARE) / (key[0] * row * (1 + len(self.beside)))))

    def predict(
        self, way: Callable[[int], torch.Tensor], wanted: int, latents: torch.Tensor, branches: int
    ) -> tuple[torch.Tensor, bool]:
        """What a way gives for latents (f c h w), told how many frames it may compute at once.

        And whether that is numbers. It is called again from the same latents with fewer, then in the next
        profile, where memory runs out; and in float32 where half precision gives no numbers. OutOfMemory
        where nothing helps.
        """
        while True:
            count = self.at_once(wanted, latents, branches)
            found = attempt(lambda count=count: way(count))  # type: ignore[misc]
            if found.failed:
                recorded = self.replays.forget()
                let_go_of_unused(str(self.device))
                if recorded:  # then there is more room than there was
                    continue
                if count > 1:
                    self._most[(branches, *latents.shape[1:])] = count // 2
                    logger.info("memory ran out with %d frames at once; %d are next", count, count // 2)
                else:
                    self.lower()
                continue
            assert found.value is not None
            are_numbers = bool(found.value.isfinite().all())  # the one time in a step that Python waits
            if are_numbers or not self._widen(self._drawing()):
                return found.value, are_numbers

    def keep_going(self, way: Callable[[], T]) -> T:
        """What a way gives, called again in the next profile where memory runs out; else OutOfMemory."""
        while True:
            found = attempt(way)
            if not found.failed:
                return found.value  # type: ignore[return-value]
            self.lower()

    def tell_apart(self, way: Callable[[], Any], is_sound: Callable[[Any], bool], name: str) -> Any:
        """The same of a way through one network, which is widened where half precision gives no numbers."""
        with self.narrowed_after():
            given = self.keep_going(way)
            if is_sound(given) or not self._widen([self._parts()[name]]):
                return given
            return self.keep_going(way)

    def lower(self) -> None:
        """Go on in the next profile, the weights being moved; OutOfMemory where there is none or no room."""
        before, to = self.profile, after(self.profile, self.device.type == "cpu")
        let_go_of_unused(str(self.device))
        if to is None or (to == CPU and not self._has_room_on_cpu()):
            raise OutOfMemory(TOO_LITTLE.format(profile=before))
        home = self.home
        self._place(to, torch.device("cpu") if to == CPU else self.device)
        self._home = home
        if to == CPU and home.type != "cpu":
            self.has_fallen = True
            for network in (*self._parts().values(), *self.beside):
                if network.dtype == torch.float16 and not is_in_fp8(network):  # which processors are slow in
                    widen(network, WIDE)
        let_go_of_unused(str(self.device))
        self._tell(WENT_ON.format(before=before, profile=to))

    def _has_room_on_cpu(self) -> bool:
        """Whether the machine's own memory has room to compute in, in float32."""
        free = free_bytes("cpu")
        kept = sum(weight_bytes(one) for one in (*self._parts().values(), *self.beside))
        return free is None or free > kept + SPARE  # half precision widened: as much again

    def _drawing(self) -> list[torch.nn.Module]:
        return [self._parts()["unet"], *self.beside]

    def _widen(self, networks: list[Any]) -> bool:
        """Use these in float32 from now on; whether that is anything else than before."""
        narrow = [one for one in networks if one.dtype != WIDE and not is_in_fp8(one)]
        if not narrow:
            return False
        name = str(narrow[0].dtype).removeprefix("torch.")
        self.replays.forget()
        for network in narrow:
            self._wide.setdefault(network, network.dtype)
            widen(network, WIDE)
        self._tell(OVERFLOWS.format(name=name))
        return True

    @contextmanager
    def narrowed_after(self) -> Iterator[None]:
        """At the end of the block what it widened is as it was: going there and back changes no weight."""
        before = dict(self._wide)
        try:
            yield
        finally:
            for network in [one for one in self._wide if one not in before]:
                own = self._wide.pop(network)
                if not self.has_fallen:
                    self.replays.forget()
                    widen(network, own)


def attempt(way: Callable[[], T]) -> Tried[T]:
    """What a way gives, or that memory ran out in it; other errors pass, and our own that nothing helps."""
    try:
        return Tried(way(), False)
    except OutOfMemory:
        raise
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        logger.info("memory ran out: %s", error)
    return Tried(None, True)  # out of the block above the error is gone, and all tensors on its way
