"""here: which models have to be fetched, told by the disk alone."""

import shutil
from pathlib import Path

import huggingface_hub.constants
import pytest

from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.here import is_here, size_gb

HUB_ID = "no-one/some-model"


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def as_fetched(cache: Path, model_folder: Path, hub_id: str) -> Path:
    """The model in the hub's own cache, as a download leaves it there."""
    place = cache / f"models--{hub_id.replace('/', '--')}"
    (place / "refs").mkdir(parents=True)
    (place / "refs" / "main").write_text("0" * 40)
    return Path(shutil.copytree(model_folder, place / "snapshots" / ("0" * 40)))


def test_what_lies_on_this_machine_is_here(cache, family):
    assert is_here("miniature") and is_here("miniature+style") and is_here(family)
    assert is_here("nowhere")  # nothing is fetched for a name that can be none


def test_a_hub_id_is_here_when_its_weights_are(cache, model_folder):
    assert not is_here(HUB_ID) and not is_here(f"{HUB_ID}+no-one/lora")
    snapshot = as_fetched(cache, model_folder, HUB_ID)
    assert is_here(HUB_ID)
    for weights in (snapshot / "unet").glob("*.safetensors"):
        weights.rename(weights.with_suffix(".incomplete"))
    assert not is_here(HUB_ID)  # a download that was cut off


def test_sizes_are_told_where_they_are_known():
    assert round(size_gb(STABLE_DIFFUSION.model)) == round(size_gb(STABLE_DIFFUSION.editor)) == 4
    assert size_gb(f"{STABLE_DIFFUSION.model}+no-one/lora") == size_gb(STABLE_DIFFUSION.model)
    assert size_gb(HUB_ID) is None
