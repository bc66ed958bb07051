"""Fields of settings that are one of a few words, and which: page, command line and tools read them here."""

from collections.abc import Iterable, Mapping

from t2v.devices import DTYPES
from t2v.diffusion.options import METHODS, MOVES, PATHS, SCHEDULERS, SPACINGS, WARPS
from t2v.memory.profiles import PROFILES
from t2v.tasks import acting

CHOICES: Mapping[str, Iterable[str]] = {
    "scheduler": SCHEDULERS,
    "spacing": SPACINGS,
    "warp": WARPS,
    "move": MOVES,
    "motion_path": PATHS,
    "method": METHODS,
    "action": acting.CHOICES,
    "profile": PROFILES,
    "dtype": DTYPES,
}
