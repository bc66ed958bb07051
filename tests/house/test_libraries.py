"""libraries.py and late_compiler.py: the collector rests while libraries load; what drawing does without
is not imported, and all works that comes later, each in a process of its own, as libraries are imported once.
"""

import gc
import importlib.metadata
import subprocess
import sys
import textwrap
import weakref

import pytest
from conftest import ROOT

from t2v.libraries import loading_libraries, only_for_drawing
from t2v.weights.source import MINIATURE


class Ring:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_rests_in_the_block_and_passes_over_what_was_made_there(thawed):
    with loading_libraries():
        assert not gc.isenabled()
        kept = Ring()
    assert gc.isenabled()
    made_in_it, made_after = weakref.ref(kept), weakref.ref(Ring())
    del kept
    gc.collect()
    assert made_after() is None, "garbage made later is still collected"
    assert made_in_it() is not None, "what was there is not looked through again"


@pytest.mark.parametrize("was_on", [True, False])
def test_leaves_the_collector_as_it_was_also_after_an_error(thawed, was_on):
    if not was_on:
        gc.disable()
    try:
        with pytest.raises(ImportError), loading_libraries():
            raise ImportError("no such library")
        assert gc.isenabled() is was_on
    finally:
        gc.enable()


def test_which_packages_there_are_is_looked_for_once_and_only_if_somebody_uses_it(monkeypatch, thawed):
    looked = []

    def look() -> dict[str, list[str]]:
        looked.append(1)
        return {"PIL": ["pillow"]}

    monkeypatch.setattr(importlib.metadata, "packages_distributions", look)
    with loading_libraries():
        found = [importlib.metadata.packages_distributions() for _ in range(2)]
        assert not looked
        assert [(dict(one), len(one), one.get("cv2", []), "PIL" in one) for one in found] == [
            ({"PIL": ["pillow"]}, 1, [], True)
        ] * 2
        assert looked == [1]
    assert importlib.metadata.packages_distributions is look


SPARED = ("torch._dynamo", "torch._inductor", "torch.distributed.tensor", "sympy", "peft", "gradio", "pandas")
LOADED = """
    import sys
    from t2v.libraries import loading_libraries, only_for_drawing
    with loading_libraries(), only_for_drawing():
        from t2v.engine.engine import Engine
        import diffusers, torch, transformers
"""
SMALL = "num_frames=2, width=64, height=64, num_inference_steps=2, seed=3, dtype='float32'"


def run(code: str) -> list[str]:
    """The lines that a program prints which ends well."""
    code = textwrap.dedent(LOADED) + textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.fixture
def miniature():
    if not (MINIATURE / "model_index.json").is_file():
        pytest.skip("the miniature's weights are not in this copy")


@pytest.mark.slow
def test_a_video_is_drawn_without_what_is_spared_and_compiled_the_same_afterwards(miniature):
    lines = run(f"""
        import numpy as np
        from t2v import TextToVideoSettings
        from t2v.memory.compiled import FAILED, NOTE, Compiled
        spared = {SPARED}
        engine, settings = Engine("cpu"), TextToVideoSettings("a red car", {SMALL})
        drawn = engine.generate(settings).frames
        print(*(name for name in spared if name in sys.modules))
        memory = engine.load("miniature").memory
        memory.compiled = Compiled(print, "eager")
        engine._compiled = True
        compiled = engine.generate(settings).frames
        graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
        print(np.abs(drawn.astype(int) - compiled).max() <= 1, graphs > 0)
        print(NOTE, FAILED)
    """)
    spared, told, same, notes = lines
    assert spared == "" and same == "True True" and notes.startswith(told)


@pytest.mark.slow
def test_marks_are_put_on_the_compiler_when_it_comes_and_it_is_as_ever():
    lines = run("""
        from diffusers.models.attention import BasicTransformerBlock
        from t2v.late_compiler import Later
        print("torch._dynamo" in sys.modules, any(isinstance(one, Later) for one in sys.meta_path))
        import torch._dynamo
        marked = BasicTransformerBlock, transformers.PreTrainedModel.can_record_outputs.fget
        print(*(id(one) in torch._dynamo.trace_rules._allowed_callable_ids for one in marked))
        print(type(torch._dynamo.__loader__).__name__, type(torch._dynamo.__spec__.loader).__name__)
        is_waiting = any(isinstance(one, Later) for one in sys.meta_path)
        print(is_waiting, torch._dynamo is sys.modules["torch._dynamo"])
        print(torch._dynamo._trace_wrapped_higher_order_op.TransformGetItemToIndex
              is transformers.masking_utils.TransformGetItemToIndex)
        print(torch.distributed.is_available())
    """)
    assert lines == [
        "False True", "True True", "SourceFileLoader SourceFileLoader", "False True", "True", "True",
    ]  # fmt: skip


@pytest.mark.slow
def test_weights_that_come_group_by_group_draw_the_same_and_compile():
    """diffusers keeps the compiler off the functions that move them."""
    lines = run("""
        from diffusers import UNet2DConditionModel
        from t2v.memory.placing import place
        from t2v.memory.profiles import LOW
        torch.manual_seed(0)
        unet = UNet2DConditionModel(
            sample_size=8, block_out_channels=(16, 32), layers_per_block=1, cross_attention_dim=16,
            down_block_types=("CrossAttnDownBlock2D", "DownBlock2D"), norm_num_groups=4,
            up_block_types=("UpBlock2D", "CrossAttnUpBlock2D"), attention_head_dim=2,
        ).eval()
        given = torch.randn(2, 4, 8, 8), torch.tensor(3), torch.randn(2, 5, 16)
        with torch.no_grad():
            right = unet(*given).sample
            place(unet, LOW, torch.device("cpu"))
            print(torch.allclose(unet(*given).sample, right, atol=1e-5))
            compiled = torch.compile(unet, backend="eager")
            print(torch.allclose(compiled(*given).sample, right, atol=1e-5))
    """)
    assert lines == ["True", "True"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [
        "import torch._dynamo.config as asked",
        "from torch._dynamo import eval_frame as asked",
        "asked = torch._dynamo.config",
        "asked = sys.modules['torch._dynamo'].config",
        "import torch._dynamo.variables.builder as asked",
    ],
)
def test_the_compiler_comes_at_once_where_more_is_asked_of_it(asked):
    code = f"""
        import sys, torch
        from t2v.late_compiler import StandIn, compiler_later
        with compiler_later():
            import torch._dynamo
            assert isinstance(torch._dynamo, StandIn)
            def mine(x): return x + 1
            assert torch.compiler.allow_in_graph(mine) is mine
            {asked}
            import torch._dynamo
            print(isinstance(torch._dynamo, StandIn), sys.modules[asked.__name__] is asked)
            assert id(mine) in torch._dynamo.trace_rules._allowed_callable_ids
        print(torch.compile(mine, backend="eager")(torch.ones(1)).item())
        print(asked.__spec__.origin is not None)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["False True", "2.0", "True"]


@pytest.mark.slow
def test_what_is_marked_as_not_to_be_compiled_is_not():
    lines = run("""
        from t2v.late_compiler import compiler_later
        with compiler_later():
            @torch.compiler.disable
            def seen(x):
                called.append(torch.compiler.is_compiling())
                return x * 2
            called = []
        print(seen(torch.ones(1)).item())
        print(torch.compile(lambda x: seen(x + 1) + 1, backend="eager")(torch.ones(1)).item(), called)
    """)
    assert lines == ["2.0", "5.0 [False, False]"]


def test_where_the_libraries_have_come_nothing_changes():
    import diffusers  # noqa: F401
    import torch

    there = torch.distributed.is_available
    before = dict(sys.modules), list(sys.meta_path)
    with only_for_drawing():
        assert (dict(sys.modules), list(sys.meta_path)) == before
        assert torch.distributed.is_available is there
