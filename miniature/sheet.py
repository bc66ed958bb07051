"""A contact sheet of prompts whose combinations training never saw: ``python -m miniature.sheet``."""

import argparse
import logging
from pathlib import Path

import torch
from diffusers import StableDiffusionPipeline
from PIL import Image, ImageDraw, ImageFont

from miniature.autoencoder import measure_autoencoder
from miniature.data import held_out_pictures, held_out_prompts
from miniature.fit import pick_device
from miniature.package import load_pipeline
from miniature.shapes import DEFAULTS, TEXT_TO_IMAGE

log = logging.getLogger(__name__)

LINE_PX = 20  # height of the line of text under a picture
GAP_PX = 6


def draw_prompts(
    pipe: StableDiffusionPipeline, prompts: list[str], steps: int, seed: int
) -> list[Image.Image]:
    """One picture a prompt, each from a seed of its own, at the guidance that suits the miniature."""
    pictures = []
    for index, prompt in enumerate(prompts):
        picture = pipe(
            prompt,
            width=DEFAULTS["width"],
            height=DEFAULTS["height"],
            guidance_scale=DEFAULTS["guidance_scale"],
            num_inference_steps=steps,
            generator=torch.Generator().manual_seed(seed + index),
        ).images[0]
        log.info("%d of %d: %s", index + 1, len(prompts), prompt)
        pictures.append(picture)
    return pictures


def contact_sheet(pictures: list[Image.Image], prompts: list[str], columns: int = 4) -> Image.Image:
    """The pictures in rows, each with its prompt under it."""
    width, height = pictures[0].size
    cell_w, cell_h = width + GAP_PX, height + LINE_PX + GAP_PX
    rows = -(-len(pictures) // columns)
    sheet = Image.new("RGB", (columns * cell_w + GAP_PX, rows * cell_h + GAP_PX), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(13)
    for index, (picture, prompt) in enumerate(zip(pictures, prompts, strict=True)):
        left, top = GAP_PX + index % columns * cell_w, GAP_PX + index // columns * cell_h
        sheet.paste(picture, (left, top))
        pen.text((left + width // 2, top + height + 2), prompt, fill="black", font=font, anchor="ma")
    return sheet


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, draw the sheet and measure the autoencoder."""
    parser = argparse.ArgumentParser(prog="python -m miniature.sheet", description=__doc__)
    parser.add_argument("--weights", type=Path, default=TEXT_TO_IMAGE, help="a packaged model")
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "sheet.jpg")
    parser.add_argument("--count", type=int, default=16, help="how many prompts")
    parser.add_argument("--steps", type=int, default=DEFAULTS["num_inference_steps"])
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    pipe = load_pipeline(options.weights, pick_device(options.device))
    figures = measure_autoencoder(pipe.vae, held_out_pictures(64).to(pipe.device))
    log.info("autoencoder on 64 held-out scenes: %s", figures)
    prompts = held_out_prompts(options.count)
    sheet = contact_sheet(draw_prompts(pipe, prompts, options.steps, options.seed), prompts)
    sheet.save(options.out, quality=88)
    log.info("wrote %s", options.out)


if __name__ == "__main__":
    main()
