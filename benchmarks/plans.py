"""What ``python -m benchmarks`` measures: all of it, or the same paths in tiny sizes."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from benchmarks.calls import CallCase
from benchmarks.compiling import CompiledPlan, compiled_plan, quick_compiled_plan
from benchmarks.few_steps import SAMPLERS, FewPlan
from benchmarks.gpu import GpuPlan
from benchmarks.guided import GuidedPlan, guided_plan, quick_guided_plan
from benchmarks.networks import SD15
from benchmarks.peers import PeerPlan, peer_plan, quick_peer_plan
from benchmarks.profiles import ProfilePlan, profile_plan, quick_profile_plan
from benchmarks.sides import Case
from benchmarks.sources import SourcePlan
from benchmarks.speed import Pair, alone, here, in_process, own_processes, take_turns


@dataclass(frozen=True)
class Plan:
    """What to run. counted, predicted: (frames, chunk size); these videos have PAPER_STEPS steps.

    calls: single calls to time, where whole videos at that size would take too long. peak_side: of the
    matrices whose product sets the arithmetic limit. gpu: None where there is none. processes: each side in
    a process of its own, or, quicker and without its own memory peak, both here.
    """

    miniature: tuple[Case, ...]
    sd15: tuple[Case, ...]
    guided: GuidedPlan
    peers: tuple[PeerPlan, ...]
    profiles: ProfilePlan
    compiled: CompiledPlan
    sources: SourcePlan = SourcePlan()
    few_steps: FewPlan = FewPlan(prompts=2)
    gpu: GpuPlan | None = None
    counted: tuple[tuple[int, int], ...] = ((8, 0), (16, 2), (64, 2), (256, 2))
    counted_network: str = SD15
    counted_size: int = 512
    predicted: tuple[tuple[int, int], ...] = ()
    calls: CallCase | None = None
    peak_side: int = 2048
    processes: bool = True

    @property
    def device(self) -> str:
        """That of the parts that run on a GPU where there is one."""
        return self.profiles.case.device

    @property
    def run(self) -> Callable[..., Any]:
        """Runs a function, in a process of its own or here."""
        return alone if self.processes else here

    def measure(self, case: Case) -> Pair:
        if not self.processes:
            return take_turns(case, in_process)
        with own_processes() as run:
            return take_turns(case, run)


def full_plan(model: str) -> Plan:
    """What ``python -m benchmarks`` runs: for a GPU where there is one, else for two CPU cores."""
    small = tuple(
        Case(model, frames, chunk_size, steps, size=256, repeats=repeats)
        for frames, chunk_size, steps, repeats in ((8, 0, 25, 3), (16, 2, 10, 3), (64, 2, 5, 1))
    )
    if torch.cuda.is_available():
        own = {"size": 512, "device": "cuda", "dtype": "float16", "decode": False}
        videos = ((8, 0, 5), (16, 2, 3), (64, 2, 1))
        large = tuple(Case(SD15, frames, chunk, repeats=n, **own) for frames, chunk, n in videos)
        return Plan(
            small,
            large,
            guided_plan(model),
            peer_plan("cuda"),
            profile_plan("cuda"),
            compiled_plan("cuda"),
            gpu=GpuPlan(),
            peak_side=8192,
        )
    own = {"size": 256, "dtype": "bfloat16", "decode": False, "repeats": 1}
    return Plan(
        miniature=small,
        sd15=(Case(SD15, 16, 2, steps=4, **own),),
        guided=guided_plan(model),
        peers=peer_plan("cpu"),
        profiles=profile_plan("cpu"),
        compiled=compiled_plan("cpu"),
        predicted=((16, 2), (64, 2)),
        calls=CallCase(SD15, 512, dtype="bfloat16", repeats=2),
    )


def quick_plan(network: str) -> Plan:
    """The same paths in seconds: a tiny network in every place."""
    own = {"size": 64, "decode": False, "repeats": 1}
    return Plan(
        miniature=(Case(network, 4, 2, steps=2, size=64, repeats=2),),
        sd15=(Case(network, 4, 2, steps=2, **own),),
        guided=quick_guided_plan(),
        peers=quick_peer_plan(),
        profiles=quick_profile_plan(),
        compiled=quick_compiled_plan(),
        sources=SourcePlan(frames=2, size=64, steps=2),
        few_steps=FewPlan(prompts=1, samplers=SAMPLERS[:1], size=64),
        gpu=GpuPlan("cpu", is_tiny=True),
        counted=((8, 0), (16, 2)),
        counted_network=network,
        counted_size=64,
        predicted=((8, 2),),
        calls=CallCase(network, 128, repeats=1),
        peak_side=256,
        processes=False,  # each of which takes seconds to begin
    )
