"""sources.py: kinds of sources are what they are called, and a LoRA is in the weights."""

import pytest
import torch

from benchmarks.sources import RANK, SOURCE_TASKS, SourcePlan, made_sources, run_once
from t2v.weights.few_steps import few_steps
from t2v.weights.load import load_pipeline, loaded_family
from t2v.weights.source import Source

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    return {one.kind: one for one in made_sources(tmp_path_factory.mktemp("sources"))}


def test_every_kind_is_there_for_every_task(sources):
    assert list(sources) == [
        "diffusers folder", "single file", "single file + LoRA", "SDXL, single file", "LCM, single file",
    ]  # fmt: skip
    assert SOURCE_TASKS == ("text-to-video", "canny", "pose", "depth", "pix2pix")
    plan = SourcePlan(steps=6)
    assert [plan.steps_of(one) for one in sources.values()] == [6, 6, 6, 6, 4]


def test_the_lora_is_in_the_weights(sources):
    plain, with_lora = (
        load_pipeline(sources[kind].model, "cpu", torch.float32).unet.state_dict()
        for kind in ("single file", "single file + LoRA")
    )
    changed = {name for name in plain if not torch.equal(plain[name], with_lora[name])}
    assert changed == {name for name in plain if name.endswith(("to_q.weight", "to_k.weight", "to_v.weight"))}
    name = next(iter(changed))
    assert torch.linalg.matrix_rank(with_lora[name] - plain[name], rtol=1e-3) == RANK


def test_kinds_are_found_out(sources):
    assert (
        loaded_family(load_pipeline(sources["SDXL, single file"].model, "cpu", torch.float32)).key
        == "stable-diffusion-xl"
    )
    found = few_steps(Source.parse(sources["LCM, single file"].model))
    assert found is not None and found.kind.key == "lcm"
    assert few_steps(Source.parse(sources["single file"].model)) is None


def test_a_refusal_is_told_without_where_the_file_lies(sources):
    ran = run_once(sources["LCM, single file"], "pix2pix", SourcePlan(2, 64, 2))
    assert ran.refused == (
        "model own lcm.safetensors cannot edit, as its UNet sees no picture; choose an InstructPix2Pix "
        "checkpoint."
    )
