"""The app as a Space of Hugging Face's: what differs there, before anything large is imported."""

import importlib
import importlib.util
import os

PACKAGE = "spaces"  # theirs, by which a GPU is lent
ANYWHERE = "0.0.0.0"
NAME = "SPACE_ID"


def is_space() -> bool:
    """Whether this program is one."""
    return NAME in os.environ


def host() -> str:
    """Where an app listens unless told otherwise: a Space's visitors come from another machine."""
    return ANYWHERE if is_space() else "127.0.0.1"


def trust_its_proxy() -> None:
    """All visitors of a Space come through its proxy, which alone reaches it: it says who they are."""
    if is_space():
        os.environ.setdefault("FORWARDED_ALLOW_IPS", "*")


def lends_gpus() -> bool:
    """Whether a GPU is lent for each run, which that package being there tells; nothing is imported."""
    return importlib.util.find_spec(PACKAGE) is not None


def prepare_lending() -> None:
    """Before torch is imported, which that package makes believe that there is a GPU."""
    importlib.import_module(PACKAGE)
