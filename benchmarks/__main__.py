"""``python -m benchmarks [--only PART] [--tiny] [--model SOURCE] [--output FILE]``: a JSON, table, plot."""

import argparse
import json
import logging
import sys
import time
from pathlib import Path

from benchmarks.networks import TINY, quiet
from benchmarks.parts import PARTS
from benchmarks.plans import Plan, full_plan, quick_plan
from benchmarks.table import RESULTS, save_part, save_parts
from t2v.weights.refusals import ModelError

logger = logging.getLogger("benchmarks")

# parts that run on a GPU where there is one; rows of both are kept
ON_THE_DEVICE = ("sd15", "peers", "profiles", "lengths", "compiled", "gpu")


def main(arguments: list[str] | None = None) -> int:
    """Run the parts asked for; 0 if all could be run, else 1."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="run one part and keep the others' last rows")
    parser.add_argument(
        "--quick", "--tiny", action="store_true", help="tiny sizes: to see that it runs, not how fast"
    )
    parser.add_argument("--model", default="miniature", help="folder or hub id to take as the miniature")
    parser.add_argument("--output", type=Path, help="Markdown file (benchmarks/RESULTS.md)")
    parser.add_argument(
        "--take",
        type=Path,
        metavar="JSON",
        help="measure nothing, put another machine's results beside these",
    )
    asked = parser.parse_args(arguments)
    if asked.quick and asked.output is None:
        parser.error("--quick needs --output, so that real results are not overwritten")
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s", datefmt="%H:%M:%S")
    output = RESULTS if asked.output is None else asked.output
    if asked.take is not None:
        save_parts(output, json.loads(asked.take.read_text()))
        return 0
    quiet()
    plan = quick_plan(TINY) if asked.quick else full_plan(asked.model)
    names = PARTS if asked.only is None else [asked.only]
    return max(run_part(name, plan, output) for name in names)


def run_part(name: str, plan: Plan, output: Path) -> int:
    """One part, its rows saved as soon as it is done; 1 where its weights are missing."""
    of_device = name in ON_THE_DEVICE
    device = plan.device if of_device else "cpu"
    logger.info("%s begins", name)
    started = time.monotonic()
    try:
        rows = PARTS[name](plan)
    except ModelError as error:
        logger.warning("%s is left out: %s", name, error)
        return 1
    if not rows:
        logger.info("%s is left out: there is no GPU", name)
        return 0
    kept_as = f"{name}-{device}" if of_device else name
    save_part(output, kept_as, device, rows, time.monotonic() - started)
    logger.info("%s took %.0f s; %s", name, time.monotonic() - started, output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
