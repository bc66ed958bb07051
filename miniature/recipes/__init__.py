"""How each model of the family is trained; in this order, since later ones build on earlier ones."""

from miniature.recipes.autoencoder import AUTOENCODER
from miniature.recipes.finisher import FINISHER
from miniature.recipes.grown import CONTROLNETS, EDITOR, STYLE
from miniature.recipes.judges import JUDGES
from miniature.recipes.pairs import PAIRS
from miniature.recipes.quick import QUICK
from miniature.recipes.recipe import Recipe, Run
from miniature.recipes.text_to_image import TEXT_TO_IMAGE

__all__ = ["RECIPES", "Recipe", "Run"]

RECIPES: dict[str, Recipe] = {
    "autoencoder": AUTOENCODER,
    "finisher": FINISHER,
    **JUDGES,
    "text-to-image": TEXT_TO_IMAGE,
    "pairs": PAIRS,
    **CONTROLNETS,
    "editor": EDITOR,
    "style": STYLE,
    "quick": QUICK,
}
