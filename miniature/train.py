"""Train the miniature, from nothing or onwards: ``python -m miniature.train``.

Stage by stage: autoencoder, text-to-image on 128×128 pictures, then on 256×256, then the package. A stage
that was cut off goes on from its last checkpoint under ``runs/``; a finished one is only loaded.
"""

import argparse
import logging
from dataclasses import dataclass
from pathlib import Path

import cv2
import torch
import torch.distributed as dist
from diffusers import AutoencoderTiny
from torch import nn
from transformers import CLIPTokenizer

from miniature import data
from miniature.autoencoder import (
    autoencoder_loss,
    build_autoencoder,
    fit_scaling,
    measure_autoencoder,
    preview_matrix,
)
from miniature.fit import fit, join_workers, load_stage, pick_device, worker, workers
from miniature.package import load_pipeline, write_package
from miniature.shapes import AUTOENCODER_STAGE, RUNS, TEXT_TO_IMAGE, TEXT_TO_IMAGE_STAGES, Stage
from miniature.text_to_image import build_text_to_image, text_to_image_loss, use_quick_attention

log = logging.getLogger(__name__)

STAGES = ("autoencoder", "text-to-image", "package")


@dataclass(frozen=True)
class Run:
    """Where a training keeps its checkpoints, where its package goes, and what it may spend."""

    runs: Path
    out: Path
    device: torch.device
    minutes: float | None  # for the stages asked for; None: what shapes.py says
    start_from: Path | None  # a package to begin with instead of fresh parameters
    stages: tuple[Stage, ...] = (AUTOENCODER_STAGE, *TEXT_TO_IMAGE_STAGES)
    measured: int = 64  # held-out pictures for the autoencoder's figures, scaling and preview

    def batch(self, stage: Stage) -> int:
        """This worker's part of a batch on this device."""
        whole = stage.batch_gpu if self.device.type == "cuda" else stage.batch
        return whole // workers()

    def share(self, stage: Stage, among: tuple[Stage, ...]) -> float:
        """Minutes that ``stage`` gets when those ``among`` are trained in this run."""
        if self.minutes is None:
            return stage.minutes
        return self.minutes * stage.minutes / sum(each.minutes for each in among)


def train_autoencoder(run: Run, minutes: float) -> AutoencoderTiny:
    """Train (or load, with nothing left to spend) the autoencoder and set its scaling factor."""
    stage = run.stages[0]
    model = build_autoencoder() if run.start_from is None else load_pipeline(run.start_from).vae
    parts = nn.ModuleDict({"autoencoder": model}).to(run.device, memory_format=torch.channels_last)

    def start(step: int):
        pool = data.PicturePool(stage, step)
        return lambda: autoencoder_loss(model, pool.crops(run.batch(stage)).to(run.device))

    fit(stage, parts, start, run.runs, minutes)
    pictures = data.held_out_pictures(run.measured).to(run.device)
    factor = fit_scaling(model, pictures)
    log.info("autoencoder: scaling %.4f, held-out %s", factor, measure_autoencoder(model, pictures))
    return model


def load_tokenizer(run: Run) -> CLIPTokenizer:
    """The tokenizer of this run; made once, because a new one would number the words differently."""
    if run.start_from is not None:
        return CLIPTokenizer.from_pretrained(run.start_from / "tokenizer")
    folder = run.runs / "tokenizer"
    if not folder.exists() and worker() == 0:
        data.world_tokenizer().save_pretrained(folder)
    if workers() > 1:
        dist.barrier()  # until it is written
    return CLIPTokenizer.from_pretrained(folder)


def fresh_parts(run: Run, tokenizer: CLIPTokenizer) -> nn.ModuleDict:
    """Text encoder and UNet to begin with."""
    if run.start_from is None:
        return build_text_to_image(tokenizer).to(run.device)
    pipe = load_pipeline(run.start_from)
    use_quick_attention(pipe.unet)
    return nn.ModuleDict({"text_encoder": pipe.text_encoder, "unet": pipe.unet}).to(run.device)


def train_text_to_image(run: Run, budgets: dict[str, float]) -> None:
    """Train text encoder and UNet through all picture sizes, packaging after each."""
    autoencoder = train_autoencoder(run, 0.0)
    tokenizer = load_tokenizer(run)
    parts = fresh_parts(run, tokenizer)
    for stage in run.stages[1:]:

        def start(step: int, stage: Stage = stage):
            bank = data.LatentBank(stage, step, autoencoder, tokenizer)
            return lambda: text_to_image_loss(parts, *bank.batch(run.batch(stage)))

        fit(stage, parts, start, run.runs, budgets[stage.name])
        package(run, autoencoder, tokenizer, parts)


def package(run: Run, autoencoder: AutoencoderTiny, tokenizer: CLIPTokenizer, parts: nn.ModuleDict) -> Path:
    """Write what has been trained as a diffusers folder."""
    facts = data.world_facts()
    facts["preview"] = preview_matrix(autoencoder, data.held_out_pictures(run.measured).to(run.device))
    return run.out if worker() > 0 else write_package(run.out, autoencoder, tokenizer, parts, facts)


def package_newest(run: Run) -> Path:
    """Package the newest checkpoints, also while another process trains on."""
    autoencoder = train_autoencoder(run, 0.0)
    tokenizer = load_tokenizer(run)
    parts = fresh_parts(run, tokenizer)
    found = [load_stage(stage, parts, run.runs) for stage in run.stages[1:]]
    if not any(found) and run.start_from is None:
        raise FileNotFoundError(f"no checkpoint of the text-to-image stage under {run.runs}; train it first")
    return package(run, autoencoder, tokenizer, parts)


def train(run: Run, wanted: tuple[str, ...]) -> None:
    """Train the stages ``wanted`` (of STAGES), in order, within the run's budget."""
    autoencoder_stage, *text_to_image_stages = run.stages
    among = (autoencoder_stage,) if "autoencoder" in wanted else ()
    if "text-to-image" in wanted:
        among += tuple(text_to_image_stages)
    budgets = {stage.name: run.share(stage, among) for stage in among}
    if "autoencoder" in wanted:
        train_autoencoder(run, budgets[autoencoder_stage.name])
    if "text-to-image" in wanted:
        train_text_to_image(run, budgets)
    if wanted == ("package",):
        package_newest(run)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m miniature.train", description=__doc__)
    parser.add_argument("--stage", choices=STAGES, help="only this stage (default: everything)")
    parser.add_argument("--budget-minutes", type=float, help="running time for the stages asked for")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--out", type=Path, default=TEXT_TO_IMAGE, help="folder for the package")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder for checkpoints")
    parser.add_argument("--from-weights", action="store_true", help="begin with the bundled weights")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    cv2.setNumThreads(1)  # its pool would fight with torch's over the cores for these small pictures
    join_workers()
    run = Run(
        runs=options.runs,
        out=options.out,
        device=pick_device(options.device),
        minutes=options.budget_minutes,
        start_from=TEXT_TO_IMAGE if options.from_weights else None,
    )
    train(run, STAGES if options.stage is None else (options.stage,))


if __name__ == "__main__":
    main()
