"""sparing.py and late_compiler.py: what drawing does without is not imported, and all works that comes later.

Most in a process of its own, as libraries are imported once.
"""

import subprocess
import sys
import textwrap

import pytest
from conftest import ROOT

from t2v.sparing import only_for_drawing
from t2v.weights.source import MINIATURE

SPARED = ("torch._dynamo", "torch._inductor", "torch.distributed.tensor", "sympy", "peft", "gradio", "pandas")
LOADED = """
    import sys
    from t2v.program import loading_libraries
    from t2v.sparing import only_for_drawing
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
