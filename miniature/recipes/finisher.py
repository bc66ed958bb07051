"""The finisher's recipe: after the autoencoder, whose pictures it doubles."""

from torch import nn

from miniature.finisher import ViewPool, build_finisher, finisher_loss
from miniature.package import save_model
from miniature.recipes.autoencoder import load_autoencoder
from miniature.recipes.recipe import Losses, Recipe, Run
from miniature.shapes import FINISHER_STAGE, Stage
from t2v.finishing.network import FinisherNetwork


def _parts(run: Run) -> nn.ModuleDict:
    folder = run.earlier("finisher")
    model = build_finisher() if folder is None else FinisherNetwork.from_pretrained(folder)
    return nn.ModuleDict({"finisher": model.float()}).to(run.device)


def _losses(run: Run, stage: Stage, parts: nn.ModuleDict, step: int) -> Losses:
    model = parts["finisher"]
    pool = ViewPool(stage, step, load_autoencoder(run), model.margin)

    def loss():
        small, large = pool.crops(max(1, run.batch(stage) // 2))
        return finisher_loss(model, small.to(run.device), large.to(run.device))

    return loss


def _save(run: Run, parts: nn.ModuleDict) -> None:
    save_model(parts["finisher"], run.out / "finisher")


FINISHER = Recipe((FINISHER_STAGE,), _parts, _losses, _save)
