"""Frames doubled by the finisher beside Lanczos and the world's own: ``python -m benchmarks.finisher``.

Held-out scenes of the miniature's world, as its autoencoder makes them at 256x256 and as the world draws them
at 512x512; clips that pan; a drawn video. Writes benchmarks/FINISHER.md and finisher.jpg.
"""

import argparse
import logging
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import cv2
import numpy as np
import torch
from diffusers import AutoencoderTiny
from PIL import Image, ImageDraw, ImageFont

from benchmarks.motion import LABEL_PX, jpeg, machine, write
from miniature.finisher import through_autoencoder
from miniature.world import Scene, clip, draw, sample_scene
from t2v.engine.engine import Engine
from t2v.evaluation.movement import change
from t2v.finishing.upscale import load_finisher
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.source import MINIATURE

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent
SIDE_PX = 256
SEED = 77_000  # of the held-out scenes: others than those of the miniature's own figures
SAMPLERS_NOISE = 0.05  # of the latents, in deviations of them
OUTLINES = 0.05  # of a picture's pixels, the steepest ones: there stand its outlines
FLAT = 0.5  # the least steep ones: there is nothing to be seen
PANS_PX = ((6.0, 0.0), (8.0, 0.0), (3.0, 2.0))  # of the picture at 256x256, a frame
FRAMES = 8
PANNED = 2  # scenes
PROMPTS = ("a red car on the street", "a white cat on the grass")
CUT_PX = 192  # side of what the picture shows of each frame
SHOWN = 4
Way = Callable[[np.ndarray], np.ndarray]  # a frame (h, w, 3) to one of twice the size, both uint8


def lanczos(frame: np.ndarray) -> np.ndarray:
    """What players and viewers do at best."""
    height, width = frame.shape[:2]
    return cv2.resize(frame, (2 * width, 2 * height), interpolation=cv2.INTER_LANCZOS4)


@dataclass(frozen=True)
class Likeness:
    """How near a doubled picture is to the world's own. psnr_db: over all pixels.

    outlines, flat: mean step to the next pixel, of 255, where the world's own is steepest and where it is
    flat: what is mushy has little of the one, and what is mottled or rings has more of the other.
    """

    psnr_db: float
    outlines: float
    flat: float


def steps(picture: np.ndarray) -> np.ndarray:
    """How much each pixel (h-1, w-1) differs from the next to the right and below, of 255."""
    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    return np.hypot(np.diff(grey, axis=1)[:-1], np.diff(grey, axis=0)[:, :-1])


def likeness(made: np.ndarray, own: np.ndarray) -> Likeness:
    """A picture, uint8 (h, w, 3), beside the world's own of the same scene."""
    error = np.square(made.astype(np.float32) - own).mean()
    steep, found = steps(own), steps(made)
    outlines = steep >= np.quantile(steep, 1 - OUTLINES)
    flat = steep <= np.quantile(steep, FLAT)
    psnr = 10 * np.log10(255**2 / max(float(error), 1e-3))
    return Likeness(psnr, float(found[outlines].mean()), float(found[flat].mean()))


def mean(found: list[Likeness]) -> Likeness:
    columns = zip(*((one.psnr_db, one.outlines, one.flat) for one in found), strict=True)
    return Likeness(*(float(np.mean(column)) for column in columns))


def asked_flicker(frames: list[np.ndarray], motion_px: tuple[float, float]) -> float:
    """Mean change of neighbours, of 255, once the motion asked for is undone ("flickA")."""
    pairs = zip(frames[:-1], frames[1:], strict=True)
    return float(np.mean([change(before, after, np.array(motion_px)) for before, after in pairs]))


@dataclass(frozen=True, eq=False)
class Bench:
    """What is compared: ways to double a frame, by name, and what makes the frames."""

    ways: dict[str, Way]
    autoencoder: AutoencoderTiny

    def stills(self, scenes: list[Scene], noise: float) -> dict[str, Likeness]:
        """Means over scenes through the autoencoder; noise: of the latents, in deviations of them."""
        found: dict[str, list[Likeness]] = {}
        torch.manual_seed(SEED)
        for scene in scenes:
            own = draw(scene, 2 * SIDE_PX)
            small = through_autoencoder(self.autoencoder, draw(scene, SIDE_PX)[None], noise)[0]
            for name, way in self.ways.items():
                found.setdefault(name, []).append(likeness(way(small), own))
            found.setdefault("the world's own", []).append(likeness(own, own))
        return {name: mean(each) for name, each in found.items()}

    def flickers(self, frames: np.ndarray, motion_px: tuple[float, float]) -> dict[str, float]:
        """Of a clip, doubled in each way; motion_px: asked for, a frame before it is doubled."""
        doubled = (2 * motion_px[0], 2 * motion_px[1])
        return {
            name: asked_flicker([way(frame) for frame in frames], doubled) for name, way in self.ways.items()
        }

    def pans(self, scenes: list[Scene]) -> dict[str, dict[str, float]]:
        """A row for each motion: clips of the world through the autoencoder, a scene after the other."""
        rows = {}
        for motion in PANS_PX:
            clips = [through_autoencoder(self.autoencoder, clip(scene, motion, FRAMES)) for scene in scenes]
            each = [self.flickers(frames, motion) for frames in clips]
            rows[f"world clips, ({motion[0]:g}, {motion[1]:g}) px a frame"] = _means(each)
        return rows

    def drawn(self, prompts: tuple[str, ...]) -> dict[str, dict[str, float]]:
        """Videos by the bundled model at its defaults, doubled afterwards."""
        engine = Engine(device="cpu")
        each = []
        for seed, prompt in enumerate(prompts):
            run = engine.resolve(TextToVideoSettings(prompt, seed=seed, upscale=1))
            frames = np.stack(list(engine.frames(run)))
            each.append(self.flickers(frames, (run.motion_x, run.motion_y)))
        return {f"{len(prompts)} drawn videos at the defaults": _means(each)}


def _means(each: list[dict[str, float]]) -> dict[str, float]:
    return {name: float(np.mean([one[name] for one in each])) for name in each[0]}


def seconds_a_frame(way: Way, repeats: int = 40) -> tuple[float, float]:
    """Seconds on the clock and of the processor for the quickest of some calls.

    What others do on the machine only ever adds to the first, and little to the second.
    """
    frame = draw(sample_scene(np.random.default_rng(SEED), "held-out"), SIDE_PX)
    way(frame)
    taken = []
    for _ in range(repeats):
        started = time.perf_counter(), time.process_time()
        way(frame)
        taken.append((time.perf_counter() - started[0], time.process_time() - started[1]))
    clock, processor = zip(*taken, strict=True)
    return min(clock), min(processor)


def sheet(bench: Bench, scenes: list[Scene]) -> bytes:
    """Subjects of some scenes, a labelled column a way and the world's own at last: a JPEG."""
    names = [*bench.ways, "the world's own"]
    picture = Image.new("RGB", (len(names) * CUT_PX, len(scenes) * CUT_PX + LABEL_PX), "white")
    pen, font = ImageDraw.Draw(picture), ImageFont.load_default(13)
    for column, name in enumerate(names):
        pen.text((column * CUT_PX + 4, 1), name, fill="black", font=font)
    for row, scene in enumerate(scenes):
        small = through_autoencoder(bench.autoencoder, draw(scene, SIDE_PX)[None])[0]
        subject = scene.subjects[0]
        made = [way(small) for way in bench.ways.values()]
        for column, large in enumerate([*made, draw(scene, 2 * SIDE_PX)]):
            left = int(np.clip(subject.x * 2 * SIDE_PX - CUT_PX / 2, 0, 2 * SIDE_PX - CUT_PX))
            top = int(np.clip(subject.y * 2 * SIDE_PX - CUT_PX, 0, 2 * SIDE_PX - CUT_PX))
            cut = large[top : top + CUT_PX, left : left + CUT_PX]
            picture.paste(Image.fromarray(cut), (column * CUT_PX, row * CUT_PX + LABEL_PX))
    return jpeg(picture)


def stills_table(found: dict[str, Likeness]) -> str:
    rows = ["| | PSNR, dB | step at outlines | step where it is flat |", "|---|---|---|---|"]
    for name, one in found.items():
        psnr = "" if name == "the world's own" else f"{one.psnr_db:.2f}"
        rows.append(f"| {name} | {psnr} | {one.outlines:.1f} | {one.flat:.2f} |")
    return "\n".join(rows)


def flickers_table(rows: dict[str, dict[str, float]]) -> str:
    names = list(next(iter(rows.values())))
    lines = [f"| flickA, of 255 | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    lines += [
        f"| {row} | {' | '.join(f'{found[name]:.2f}' for name in names)} |" for row, found in rows.items()
    ]
    return "\n".join(lines)


def report(bench: Bench, scenes: list[Scene], prompts: tuple[str, ...]) -> str:
    """The page, from what is measured."""
    log.info("stills")
    clean, noisy = (stills_table(bench.stills(scenes, noise)) for noise in (0.0, SAMPLERS_NOISE))
    log.info("clips")
    rows = bench.pans(scenes[:PANNED])
    if prompts:
        rows |= bench.drawn(prompts)
    took = {name: seconds_a_frame(way) for name, way in bench.ways.items()}
    seconds = ", ".join(f"{name} {clock:.3f} s ({own:.3f} s)" for name, (clock, own) in took.items())
    parameters = sum(one.numel() for one in load_finisher().network.parameters())
    return f"""# The finisher: frames of twice the size

`python -m benchmarks.finisher`, {date.today().isoformat()}. {machine()}; {torch.get_num_threads()} threads, \
float32, {parameters:,} parameters. {len(scenes)} held-out scenes of the miniature's world at \
{SIDE_PX}x{SIDE_PX} through its autoencoder, doubled, beside the world's own at {2 * SIDE_PX}x{2 * SIDE_PX}.

- **step**: mean difference of a pixel to its neighbours, of 255: over the {OUTLINES:.0%} of pixels where
  the world's own is steepest (more is crisper), and over the {FLAT:.0%} where it is flattest (more is
  mottled).
- **flickA**: mean change of neighbouring frames once the motion asked for is undone.

{clean}

The same with noise of {SAMPLERS_NOISE:g} deviations on the latents, about as a sampler's errors:

{noisy}

{flickers_table(rows)}

A frame takes, at best (and of the processor, all cores together): {seconds}.

![Held-out scenes](finisher.jpg)
"""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.finisher", description=__doc__.split("\n")[0])
    parser.add_argument("--scenes", type=int, default=16, help="held-out scenes (default: 16)")
    parser.add_argument("--no-videos", action="store_true", help="leave the drawn videos out")
    parser.add_argument("--output", type=Path, default=FOLDER, help="folder of FINISHER.md and finisher.jpg")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    rng = np.random.default_rng(SEED)
    scenes = [sample_scene(rng, "held-out") for _ in range(max(1, options.scenes))]
    autoencoder = AutoencoderTiny.from_pretrained(MINIATURE / "vae", torch_dtype=torch.float32).eval()
    bench = Bench({"Lanczos": lanczos, "finisher": load_finisher("cpu")}, autoencoder)
    page = report(bench, scenes, () if options.no_videos else PROMPTS)
    options.output.mkdir(parents=True, exist_ok=True)
    write(options.output / "finisher.jpg", sheet(bench, scenes[:SHOWN]))
    write(options.output / "FINISHER.md", page.encode())
    log.info("wrote %s", options.output / "FINISHER.md")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
