"""Recipes of the two judges, which learn from scenes of their own and of all combinations."""

from torch import nn

from miniature.judges.clip import build_clip, clip_bank, clip_loss, save_clip
from miniature.judges.reader import build_reader, reader_bank, reader_loss, save_reader
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.recipes.text_to_image import load_tokenizer
from miniature.shapes import JUDGE_STAGES, Stage


def _clip_parts(run: Run) -> nn.ModuleDict:
    return build_clip(load_tokenizer(run)).to(run.device)


def _clip_losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    bank = clip_bank(stage, step, load_tokenizer(run))
    return lambda: clip_loss(parts, *bank.rows(run.batch(stage)))


def _save_clip(run: Run, parts: nn.ModuleDict) -> None:
    save_clip(run.out / "judge-clip", parts, load_tokenizer(run))


def _reader_parts(run: Run) -> nn.ModuleDict:
    return build_reader(run.earlier("judge-reader")).to(run.device)


def _reader_losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    bank = reader_bank(stage, step)
    return lambda: reader_loss(parts, *bank.rows(run.batch(stage)))


def _save_reader(run: Run, parts: nn.ModuleDict) -> None:
    save_reader(run.out / "judge-reader", parts)


JUDGES = {
    "judge-clip": Recipe((JUDGE_STAGES[0],), _clip_parts, _clip_losses, _save_clip, "clip"),
    "judge-reader": Recipe((JUDGE_STAGES[1],), _reader_parts, _reader_losses, _save_reader, "reader"),
}
