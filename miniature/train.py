"""Train the miniature family, from nothing or onwards: ``python -m miniature.train``.

Model by model, as recipes.py says. A stage that was cut off goes on from its last checkpoint under ``runs/``;
a finished one is only loaded.
"""

import argparse
import functools
import logging
from pathlib import Path

import cv2
import torch

from miniature.evaluate import evaluate
from miniature.exam import QUICK, Exam
from miniature.fit import fit, join_workers, load_stage, pick_device, wait_for_workers, worker
from miniature.quick import WAYS
from miniature.recipes import RECIPES, Recipe, Run
from miniature.shapes import RUNS, WEIGHTS

log = logging.getLogger(__name__)


def budgets(run: Run, wanted: tuple[str, ...]) -> dict[str, float]:
    """Minutes for every stage of the recipes wanted, by the stage's name."""
    stages = [stage for name in wanted for stage in RECIPES[name].stages]
    whole = sum(run.cost(stage) for stage in stages)
    factor = 1.0 if run.minutes is None else run.minutes / whole
    return {stage.name: factor * run.cost(stage) for stage in stages}


def train(run: Run, wanted: tuple[str, ...]) -> None:
    """Train the recipes ``wanted`` (keys of RECIPES), in order, within the run's budget; save each stage."""
    minutes = budgets(run, wanted)
    for name in wanted:
        recipe = RECIPES[name]
        parts = recipe.parts(run)
        for stage in recipe.stages:
            start = functools.partial(recipe.losses, run, run.stage(stage), parts)
            steps = fit(run.stage(stage), parts, start, run.runs, minutes[stage.name], recipe.rate)
            log.info("%s: %d steps in all", stage.name, steps)
            if worker() == 0:
                recipe.save(run, parts)
                _judge(run, recipe)
            wait_for_workers()  # the next recipe reads what was saved


def _judge(run: Run, recipe: Recipe) -> None:
    """Log what the judges trained so far say of a model, on few samples."""
    if recipe.measure is not None and not run.tiny:
        figures = evaluate(Exam(run.out, run.device, QUICK), (recipe.measure,))
        log.info("judged quickly: %s", figures[recipe.measure])


def save_newest(run: Run, wanted: tuple[str, ...]) -> None:
    """Save models from their newest checkpoints, also while another process trains on."""
    for name in wanted:
        recipe = RECIPES[name]
        parts = recipe.parts(run)
        found = [load_stage(run.stage(stage), parts, run.runs, recipe.rate) for stage in recipe.stages]
        if not any(found):
            raise FileNotFoundError(f"there is no checkpoint of {name} under {run.runs}; train it first")
        recipe.save(run, parts)


def main(arguments: list[str] | None = None) -> None:
    """Read the command line and train."""
    parser = argparse.ArgumentParser(prog="python -m miniature.train", description=__doc__)
    parser.add_argument("--stage", choices=tuple(RECIPES), action="append", help="only this (repeatable)")
    parser.add_argument("--budget-minutes", type=float, help="running time for the models asked for")
    parser.add_argument("--device", help="cuda, mps or cpu (default: the best there is)")
    parser.add_argument("--out", type=Path, default=WEIGHTS, help="folder for the family")
    parser.add_argument("--runs", type=Path, default=RUNS, help="folder for checkpoints")
    parser.add_argument("--from-weights", action="store_true", help="begin with the bundled weights")
    parser.add_argument("--save-only", action="store_true", help="save the newest checkpoints and end")
    parser.add_argument("--tiny", action="store_true", help="smallest batches: try the recipe itself")
    parser.add_argument("--way", choices=tuple(WAYS), default=Run.way, help="how the quick model draws")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    cv2.setNumThreads(1)  # its pool would fight with torch's over the cores for these small pictures
    torch.backends.cudnn.benchmark = True  # batches of a stage are of one size
    join_workers()
    run = Run(
        runs=options.runs,
        out=options.out,
        device=pick_device(options.device),
        minutes=options.budget_minutes,
        start_from=WEIGHTS if options.from_weights else None,
        tiny=options.tiny,
        way=options.way,
    )
    wanted = tuple(RECIPES) if options.stage is None else tuple(options.stage)
    (save_newest if options.save_only else train)(run, wanted)


if __name__ == "__main__":
    main()
