"""The cases of ``benchmarks.gpu``: what each draws or calls, and what is told of it."""

import gc
import logging
from collections.abc import Callable

import torch

from benchmarks.gpu_bench import Bench, Told
from benchmarks.gpu_models import of_xl
from benchmarks.sides import Case, draw_peer, peer_of
from t2v.memory.profiles import CPU, HIGH, LOW, MEDIUM
from t2v.memory.replay import Kind

logger = logging.getLogger("benchmarks.gpu")

TFLOP = 608  # of 8 frames of 512x512 in 50 steps with guidance, counted (see RESULTS.md)
GB = 1e9


def limit(bench: Bench) -> Told:
    """The card's own: one large matrix product."""
    side = 256 if bench.tiny else 8192
    a = torch.randn(side, side, device=bench.device).to(bench.dtype)
    best = min(bench.timed(lambda: a @ a)[0] for _ in range(12))
    bench.seconds["limit"] = TFLOP * 1e12 / (2 * side**3 / best)
    return {"TFLOP/s": 2 * side**3 / best / 1e12, "the video's limit, s": bench.seconds["limit"]}


def peer(bench: Bench) -> Told:
    """diffusers' TextToVideoZeroPipeline of the same weights, as it is found."""
    bench.use(together=False)
    other = peer_of(bench.pipeline)
    case = Case("", 8, 0, bench.steps, bench.size, bench.device, decode=False)
    with torch.inference_mode():
        runs, _ = bench.repeated(lambda: draw_peer(other, case), 2)
    bench.seconds["diffusers"] = min(runs)
    return {"runs, s": runs}


def way(name: str, graphs: bool, together: bool) -> Callable[[Bench], Told]:
    """One way of drawing 8 frames."""

    def drawn(bench: Bench) -> Told:
        bench.use(graphs, together)
        runs, bench.kept[name] = bench.repeated(bench.draw)
        bench.seconds[name] = min(runs)
        told: Told = {"runs, s": runs, "told": list(bench.pipeline.notes)}
        if "diffusers" in bench.seconds:
            told["times diffusers"] = bench.seconds["diffusers"] / min(runs)
        if "limit" in bench.seconds:
            told["of the limit"] = bench.seconds["limit"] / min(runs)
        if graphs:
            told |= _recorded(bench)
        pairs = {True: "graphs, channels last", False: "graphs"}
        if all(one in bench.seconds for one in pairs.values()):
            bench.together = bench.seconds[pairs[True]] <= bench.seconds[pairs[False]]
        return told

    return drawn


def same(bench: Bench) -> Told:
    """Whether these ways draw the same."""
    pairs = [("eager", "graphs"), ("channels last", "graphs, channels last"), ("eager", "channels last")]
    return {
        f"{one} and {other}": bench.apart(bench.kept[one], bench.kept[other])
        for one, other in pairs
        if one in bench.kept and other in bench.kept
    }


def few(bench: Bench) -> Told:
    """Four steps: of LCM without guidance, as such models are used, and of DDIM with it."""
    told: Told = {}
    for name, call in {
        "lcm, no guidance": {"scheduler": "lcm", "guidance_scale": 1.0},
        "ddim, guidance": {"scheduler": "ddim"},
    }.items():
        for graphs in (False, True):
            bench.use(graphs)
            runs, _ = bench.repeated(lambda call=call: bench.draw(steps=4, **call), 5)
            told[f"{name}{', graphs' if graphs else ''}, s"] = runs
    return told


def long(bench: Bench) -> Told:
    """64 frames in chunks of 8 beside eight times 8 frames."""
    frames = 16 if bench.tiny else 64
    bench.use(graphs=True)
    eight, _ = bench.repeated(bench.draw, 3)
    runs, _ = bench.repeated(lambda: bench.draw(frames), 2)
    return {"runs, s": runs, "beside so many times 8 frames": min(runs) / (frames / 8 * min(eight))}


def chunks(bench: Bench) -> Told:
    """What chunk sizes change: 8 frames in 10 steps."""
    bench.use(graphs=True)
    drawn = {size: bench.draw(steps=10, chunk_size=size) for size in (8, 1, 3, 0)}
    return {f"8 and {size}": bench.apart(drawn[8], drawn[size]) for size in (1, 3, 0)}


def decoding(bench: Bench) -> Told:
    """8 frames by the VAE, in two layouts."""
    latents, told = torch.randn(1, 8, 4, bench.size // 8, bench.size // 8, device=bench.device), {}
    for layout in (torch.contiguous_format, torch.channels_last):
        bench.pipeline.vae.to(memory_format=layout)
        told[str(layout)], _ = bench.repeated(lambda: list(bench.pipeline.decode(latents)))
    return told


def network(bench: Bench) -> Told:
    """The UNet alone, 8 frames with guidance, many calls in a row: what the loop adds to it is the rest."""
    bench.use(graphs=True)
    unet, cells = bench.pipeline.unet, bench.size // 8
    own = {"device": bench.device, "dtype": bench.dtype}
    given = (
        torch.randn(16, 4, cells, cells, **own),
        torch.tensor(500, device=bench.device),
        torch.randn(16, 77, unet.config.cross_attention_dim, **own),
    )
    told: Told = {}
    with torch.inference_mode():
        for name, call in {
            "as it is": lambda: unet(*given),
            "replayed": lambda: bench.pipeline.memory.replays.call(unet, unet, Kind("alone"), *given),
        }.items():
            if name == "replayed" and bench.device == "cuda":
                bench.pipeline.memory.replays.begin(unet)
            bench.repeated(call, 3)
            seconds, _ = bench.timed(lambda call=call: [call() for _ in range(3 if bench.tiny else 20)])
            told[f"{name}, ms a call"] = seconds / (3 if bench.tiny else 20) * 1000
    return told


def memory_of(profile: str, frames: int) -> Callable[[Bench], Told]:
    """The highest memory of a video, decoded, its weights kept so; in 2 steps, which change nothing of it."""

    def measured(bench: Bench) -> Told:
        memory = bench.pipeline.memory
        memory.graphs = memory.asks_compiled = False
        bench.kept.clear()
        memory.place(profile, bench.device)
        gc.collect()
        if bench.device == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        count = min(frames, 12) if bench.tiny else frames

        def whole() -> int:
            return sum(1 for _ in bench.pipeline.decode(bench.draw(count, 2)))

        seconds, drawn = bench.timed(whole)
        told: Told = {"frames": drawn, "s": seconds, "profile": bench.pipeline.memory.profile}
        if bench.device == "cuda":
            told["allocated, GB"] = torch.cuda.max_memory_allocated() / GB
            told["reserved, GB"] = torch.cuda.max_memory_reserved() / GB
        return told

    return measured


def high_again(bench: Bench) -> Told:
    """With CUDA graphs, in the high profile."""
    bench._pipeline = None  # what was offloaded once is no longer recorded
    told = memory_of(HIGH, 8)(bench)
    bench.use(graphs=True)
    told["with graphs, s"], _ = bench.repeated(lambda: bench.draw(8, 6), 2)
    if bench.device == "cuda":
        told["with graphs, reserved, GB"] = torch.cuda.max_memory_reserved() / GB
    return told


def xl(bench: Bench) -> Told:
    """Stable Diffusion XL, 8 frames of 1024x1024, a few steps: seconds of each, and what 30 would take."""
    bench._pipeline = None
    gc.collect()
    if bench.device == "cuda":
        torch.cuda.empty_cache()
    pipeline = of_xl(bench.device, bench.dtype, bench.tiny)
    pipeline.memory.place(HIGH if bench.device == "cuda" else CPU, bench.device)
    told: Told = {}
    call = {"size": 64 if bench.tiny else 1024, "scheduler": "euler", "pipeline": pipeline}
    for graphs in (False, True):
        pipeline.memory.graphs = graphs
        least, most = (bench.repeated(lambda n=n: bench.draw(steps=n, **call), 2)[0] for n in (4, 8))
        step = (min(most) - min(least)) / 4
        name = "with graphs" if graphs else "as it is"
        told[name] = {"4 steps, s": least, "8 steps, s": most, "30 steps, s": min(most) + 22 * step}
    if bench.device == "cuda":
        told["allocated, GB"] = torch.cuda.max_memory_allocated() / GB
    return told


def compiled(bench: Bench) -> Told:
    """Compiled: the first call, and later ones, recorded and not."""
    told: Told = {}
    for graphs in (True, False):
        bench.use(graphs, together=True, compiled=True)
        if not told:
            told["first two steps compiled, s"] = bench.timed(lambda: bench.draw(steps=2))[0]
        runs, made = bench.repeated(bench.draw, 4)
        name = "runs, s" if graphs else "not recorded, s"
        told[name] = runs
        for other, seconds in (("diffusers", "times diffusers"), ("limit", "of the limit")):
            if graphs and other in bench.seconds:
                told[seconds] = bench.seconds[other] / min(runs)
        if graphs:
            told |= _recorded(bench)
            if "graphs" in bench.kept:
                told["compiled and not"] = bench.apart(bench.kept["graphs"], made)
        logger.info("%s", told)
    told["told"] = list(bench.pipeline.notes)
    return told


def _recorded(bench: Bench) -> Told:
    known = list(bench.pipeline.memory.replays._known.values())
    return {
        "recorded": sum(len(one.recordings) for one in known),
        "not recordable": sum(len(one.never) for one in known),
    }


# name -> what measures it, and the seconds that have to be left for it
CASES: dict[str, tuple[Callable[[Bench], Told], float]] = {
    "limit of the card": (limit, 0),
    "diffusers": (peer, 10),
    "eager": (way("eager", False, False), 8),
    "graphs": (way("graphs", True, False), 8),
    "channels last": (way("channels last", False, True), 8),
    "graphs, channels last": (way("graphs, channels last", True, True), 8),
    "the same picture": (same, 5),
    "four steps": (few, 10),
    "the network alone": (network, 5),
    "64 frames": (long, 30),
    "chunk sizes": (chunks, 10),
    "decoding": (decoding, 5),
    "memory, low, 8 frames": (memory_of(LOW, 8), 15),
    "memory, low, 64 frames": (memory_of(LOW, 64), 45),
    "memory, medium, 8 frames": (memory_of(MEDIUM, 8), 15),
    "memory, high, 8 frames": (high_again, 15),
    "compiled": (compiled, 80),
    "SDXL": (xl, 40),
}
