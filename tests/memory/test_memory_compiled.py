"""compiled.py: what is compiled draws the same, in chunks of one size; what cannot be is drawn anyway."""

from threading import Thread

import pytest
import torch
from conftest import seeded, small_pipeline
from small_xl import small_xl_pipeline

from t2v.diffusion.options import Motion
from t2v.memory import compiled
from t2v.memory.compiled import FAILED, NOTE, Compiled, of_run, told_of_compiling
from t2v.memory.profiles import HIGH, LOW


def video(pipeline, chunk_size=3, frames=7) -> torch.Tensor:
    call = {"num_frames": frames, "num_inference_steps": 5, "height": 32, "width": 32}
    return pipeline("a cat", motion=Motion(8, 4), chunk_size=chunk_size, generator=seeded(), **call)


def rows_of_calls(pipeline) -> list[int]:
    rows: list[int] = []
    pipeline.unet.conv_in.register_forward_pre_hook(lambda _, given: rows.append(len(given[0])))
    return rows


def test_what_cannot_be_compiled_is_drawn_as_it_is_in_chunks_of_one_size(monkeypatch):
    def no_compiler(*given, **told):
        raise RuntimeError("no C++ compiler was found")

    right, pipeline = video(small_pipeline()), small_pipeline()
    rows = rows_of_calls(pipeline)
    pipeline.memory.asks_compiled = True
    monkeypatch.setattr(torch, "compile", lambda network, backend, dynamic: no_compiler)
    assert torch.allclose(video(pipeline), right, atol=1e-4)
    assert set(rows) == {2, 3}  # the first frame alone, and three at once: the seventh with two before it
    assert pipeline.notes == [NOTE, FAILED]
    pipeline.memory.asks_compiled = False
    rows.clear()
    assert torch.equal(video(pipeline), right) and set(rows) == {2, 3}


def test_weights_that_move_are_not_compiled(monkeypatch):
    pipeline = small_pipeline()
    pipeline.memory.place(LOW, "cpu")
    pipeline.memory.asks_compiled = True
    monkeypatch.setattr(torch, "compile", lambda *given, **told: pytest.fail("compiled"))
    assert not pipeline.memory.compiles and bool(video(pipeline, 2).isfinite().all())


@pytest.mark.slow
def test_weights_lie_as_suits_each_run_and_what_follows_is_drawn_to_the_same_bit():
    pipeline = small_pipeline()
    pipeline.memory.compiled = Compiled(pipeline.tell, "eager")
    pipeline.memory.place(HIGH, "cpu")
    pipeline.unet.to(memory_format=torch.contiguous_format)
    right, weight = video(pipeline), pipeline.unet.conv_in.weight
    laid = []
    lay_out = {"memory_format": torch.contiguous_format}  # as on a GPU
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compiled, "lay_out", lambda network, device: network.to(**lay_out))
        for asked in (True, True, False, False):
            pipeline.memory.asks_compiled = asked
            drawn = video(pipeline)
            laid.append(weight.is_contiguous(memory_format=torch.channels_last))
            assert torch.equal(drawn, right) if not asked else torch.allclose(drawn, right, atol=1e-4)
    assert laid == [True, True, False, False]


@pytest.mark.slow
@pytest.mark.parametrize("make", [small_pipeline, small_xl_pipeline])
def test_a_compiled_network_draws_the_same_and_later_videos_compile_nothing(make):
    right, pipeline = [video(make(), frames=frames) for frames in (7, 8)], make()
    pipeline.memory.compiled, pipeline.memory.asks_compiled = Compiled(pipeline.tell, "eager"), True
    heard: list[bool] = []
    with told_of_compiling(heard.append):
        assert torch.allclose(video(pipeline), right[0], atol=1e-4)
        assert (
            heard and heard[::2] == [True] * (len(heard) // 2) and heard[1::2] == [False] * (len(heard) // 2)
        )
        heard.clear()
        assert torch.allclose(video(pipeline), right[0], atol=1e-4)
        assert heard == []
    graphs = torch._dynamo.utils.counters["stats"]["unique_graphs"]
    assert graphs
    assert torch.allclose(video(pipeline), right[0], atol=1e-4)
    assert torch.allclose(video(pipeline, frames=8), right[1], atol=1e-4)
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == graphs
    assert pipeline.notes == [NOTE]


def test_a_run_hears_of_the_compiler_coming_and_not_of_what_another_thread_compiles():
    handler = torch._dynamo.callback.callback_handler
    trigger = torch._dynamo.callback.CallbackTrigger.DYNAMO

    class Network(torch.nn.Module):
        def forward(self, given: torch.Tensor) -> torch.Tensor:
            other = Thread(target=compile_nothing)  # as a run on another device does
            other.start()
            other.join()
            return given + 1

    def compile_nothing() -> None:
        with handler.install_callbacks(trigger, "0/0"):
            during.append(list(heard))

    heard: list[bool] = []
    during: list[list[bool]] = []
    with pytest.MonkeyPatch.context() as patch, told_of_compiling(heard.append):
        patch.setattr(torch, "compile", lambda network, **told: (during.append(list(heard)), network)[1])
        called = Compiled(lambda _: None)
        network = Network()
        assert all(int(called.call(network, torch.ones(1))) == 2 for _ in range(2))
    assert during == [[True], [True, False], [True, False]]
    assert heard == [True, False]


@pytest.mark.parametrize(
    ("asked", "told", "of_the_run"),
    [
        (False, [], []),
        (True, [], [NOTE]),
        (True, [NOTE, "a LoRA fits in part"], ["a LoRA fits in part"]),
        (False, [NOTE, FAILED, "a LoRA fits in part"], ["a LoRA fits in part"]),
        (True, [NOTE, FAILED], [FAILED]),
    ],
)
def test_a_run_is_told_of_compiling_where_it_is_compiled_and_before_it_takes_long(asked, told, of_the_run):
    assert of_run(asked, told) == of_the_run
