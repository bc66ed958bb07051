"""replay.py: recorded calls give what the calls themselves give, in every task; and are let go of in time.

Without a GPU nothing records CUDA graphs. Here a call's operators are recorded in their place, on the same
tensors: a replay runs no Python of the networks either, so what a recording must not depend on shows.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline, small_unet
from small_t2i import small_t2i
from small_xl import small_xl_pipeline
from torch.utils._python_dispatch import TorchDispatchMode

from t2v.diffusion.attention import CrossFrameAttention
from t2v.diffusion.controls import Control
from t2v.diffusion.options import Camera, Motion, Subject
from t2v.memory import replay
from t2v.memory.compiled import NOTE, Compiled
from t2v.memory.memory import Memory
from t2v.memory.profiles import HIGH, MEDIUM
from t2v.memory.replay import Kind, Replays, kind_of, tensors_of, with_tensors


class Tape(TorchDispatchMode):
    """Keeps every operator that runs, and on which tensors."""

    def __init__(self) -> None:
        super().__init__()
        self.ran: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        made = operator(*args, **(kwargs or {}))
        self.ran.append((operator, args, kwargs or {}, made))
        return made

    def again(self, wanted: list[torch.Tensor]) -> list[torch.Tensor]:
        """What became of these tensors when all of it is run once more."""
        now: dict[int, torch.Tensor] = {}

        def of_now(value: Any) -> Any:
            return with_tensors(value, iter([now.get(id(one), one) for one in tensors_of(value)]))

        for operator, args, kwargs, made in self.ran:
            new = operator(*of_now(args), **of_now(kwargs))
            for old, one in zip(tensors_of(made), tensors_of(new), strict=True):
                now[id(old)] = one
        return [now[id(one)] for one in wanted]


class Operators:
    """Records the operators of a call, on the tensors that it was given and on those it holds."""

    def __init__(self, device: torch.device) -> None:
        self.device = device

    def __call__(self, call: Callable[[], Any]) -> tuple[Any, Callable[[], None]]:
        with Tape() as tape:
            made = call()
        first = list(tensors_of(made))
        places = [one.clone() for one in first]

        def replay() -> None:
            for place, one in zip(places, tape.again(first), strict=True):
                place.copy_(one)

        return with_tensors(made, iter(places)), replay


@pytest.fixture
def recording(monkeypatch):
    """Pipelines record although they are on a CPU; gives how often networks themselves were called."""
    monkeypatch.setattr(Memory, "records", property(lambda self: self.graphs and self.profile == HIGH))
    called: list[bool] = []
    own = CrossFrameAttention.__call__

    def counted(self, *args, **told):
        called.append(self.bank.first_chunk)
        return own(self, *args, **told)

    monkeypatch.setattr(CrossFrameAttention, "__call__", counted)
    return called


def recorded(pipeline):
    pipeline.memory.place(HIGH, "cpu")
    pipeline.memory.replays = Replays(Operators)
    return pipeline


def as_it_is(pipeline):
    pipeline.memory.place(HIGH, "cpu")
    pipeline.memory.graphs = False
    return pipeline


def video(pipeline, chunk_size=3, **changes) -> torch.Tensor:
    call = {"num_frames": 7, "num_inference_steps": 6, "height": 32, "width": 32, **changes}
    return pipeline("a cat", motion=Motion(8, 4), chunk_size=chunk_size, generator=seeded(), **call)


def scene(pipeline, subject=None) -> np.ndarray:
    drawn = pipeline.scene(
        "a red car",
        num_frames=4,
        num_inference_steps=6,
        height=64,
        width=64,
        camera=Camera(8, 0),
        subject=subject,
        chunk_size=2,
        generator=seeded(),
    )
    return np.stack(list(pipeline.decode(drawn)))


@pytest.mark.parametrize(
    ("make", "chunk_size"), [(small_pipeline, 0), (small_pipeline, 3), (small_xl_pipeline, 3)]
)
def test_a_video_is_the_same_to_the_last_bit(recording, make, chunk_size):
    right = video(as_it_is(make()), chunk_size)
    plain = len(recording)
    pipeline = recorded(make())
    for _ in range(2):
        assert torch.equal(video(pipeline, chunk_size), right)
    between = len(recording)
    assert torch.equal(video(pipeline, chunk_size), right)  # all of it from recordings now
    assert len(recording) == between < 3 * plain
    other = video(as_it_is(make()), chunk_size, guidance_scale=3.0)  # which is no part of a call
    assert torch.equal(video(pipeline, chunk_size, guidance_scale=3.0), other)
    assert len(recording) == between + plain and not torch.equal(other, right)


def test_prompts_that_change_are_told_to_recordings_too(recording):
    def draw(pipeline):
        told = {"num_frames": 5, "num_inference_steps": 6, "height": 32, "width": 32, "chunk_size": 2}
        return pipeline("0: a day | 4: a night", motion=Motion(0, 0), generator=seeded(), **told)

    right, pipeline = draw(as_it_is(small_pipeline())), recorded(small_pipeline())
    assert torch.equal(draw(pipeline), right) and torch.equal(draw(pipeline), right)


def test_a_scene_is_the_same_and_its_subject_is_listened_to(recording):
    for subject in (None, Subject("car", 8.0)):
        right, pipeline = scene(as_it_is(small_pipeline()), subject), recorded(small_pipeline())
        assert np.array_equal(scene(pipeline, subject), right)
        assert np.array_equal(scene(pipeline, subject), right)


@pytest.mark.parametrize("make", [small_controlnet, small_t2i])
def test_a_guided_video_is_the_same_its_controlnet_recorded_as_well(recording, make):
    pictures = np.random.default_rng(0).integers(0, 256, (5, 32, 32, 3), np.uint8)

    def draw(pipeline, network):
        pipeline.memory.place_beside((network,))
        control = Control(network, pictures, 0.7, 0.0, 0.8)
        call = {"num_inference_steps": 6, "chunk_size": 2, "generator": seeded()}
        return pipeline.guided("a cat", controls=[control], **call)

    right, network = draw(as_it_is(small_pipeline()), make()), make()
    pipeline = recorded(small_pipeline())
    assert torch.equal(draw(pipeline, network), right)
    between = len(recording)
    assert torch.equal(draw(pipeline, network), right) and len(recording) == between


@pytest.mark.slow
def test_what_is_compiled_is_recorded_and_recording_compiles_nothing_anew(recording):
    right, pipeline = video(as_it_is(small_pipeline())), recorded(small_pipeline())
    pipeline.memory.compiled, pipeline.memory.asks_compiled = Compiled(pipeline.tell, "eager"), True
    stats = torch._dynamo.utils.counters["stats"]
    before = stats["unique_graphs"]
    for _ in range(3):
        assert torch.allclose(video(pipeline), right, atol=1e-4)
    assert stats["unique_graphs"] == before + 2  # the first chunk and a later one; a frame alone is not
    (known,) = pipeline.memory.replays._known.values()
    assert len(known.recordings) == 3 and not known.never
    assert pipeline.notes == [NOTE]


def test_an_edited_clip_is_the_same(recording):
    source = torch.randn(5, 4, 16, 16, generator=seeded())

    def draw(pipeline):
        call = {"num_inference_steps": 4, "chunk_size": 2, "generator": seeded()}
        return pipeline.guided("make it blue", source=source, **call)

    right = draw(as_it_is(small_pipeline(in_channels=8)))
    pipeline = recorded(small_pipeline(in_channels=8))
    assert torch.equal(draw(pipeline), right) and torch.equal(draw(pipeline), right)


def test_other_weights_are_never_drawn_with_old_recordings(recording):
    pipeline = recorded(small_pipeline())
    before = video(pipeline)
    with torch.no_grad():
        pipeline.unet.conv_in.weight.mul_(1.5)  # where they are, as a LoRA's strength changes them
    right = as_it_is(small_pipeline())
    with torch.no_grad():
        right.unet.conv_in.weight.mul_(1.5)
    changed = video(right)
    assert torch.equal(video(pipeline), changed) and not torch.equal(changed, before)
    pipeline.unet.conv_in.weight = torch.nn.Parameter(
        pipeline.unet.conv_in.weight.detach() / 1.5
    )  # elsewhere
    assert torch.allclose(video(pipeline), before, atol=1e-4)


def test_recordings_go_where_weights_move_and_hooks_keep_them_away(recording):
    pipeline = recorded(small_pipeline())
    right, replays = video(pipeline), pipeline.memory.replays
    assert replays.forget() and not replays.forget()
    video(pipeline)
    pipeline.memory.place(MEDIUM, "cpu")
    assert not replays.forget()  # they are gone already
    assert torch.equal(video(pipeline), right) and not replays.forget()
    pipeline = recorded(small_pipeline())
    replays = pipeline.memory.replays
    handle = pipeline.unet.mid_block.register_forward_hook(lambda *_: None)
    assert torch.equal(video(pipeline), right) and not replays.forget()
    handle.remove()
    assert torch.equal(video(pipeline), right) and replays.forget()


def test_what_cannot_be_recorded_is_drawn_as_it_is(recording):
    tried = []

    def refuse(device):
        def record(call):
            tried.append(device)
            raise RuntimeError("operation not permitted when stream is capturing")

        return record

    right, pipeline = video(as_it_is(small_pipeline())), recorded(small_pipeline())
    pipeline.memory.replays = Replays(refuse)
    assert torch.equal(video(pipeline), right)
    assert len(tried) == 1  # of the first frame, which alone comes twice in so few steps
    for _ in range(2):
        assert torch.equal(video(pipeline), right)
    assert len(tried) == 4  # and of the first, a later and the last chunk; each is tried once


def test_where_memory_runs_out_recordings_go_first(recording):
    right, pipeline, rows = video(as_it_is(small_pipeline()), 3), recorded(small_pipeline()), []

    class Short(Operators):
        def __call__(self, call):
            made, replay = super().__call__(call)

            def short() -> None:
                rows.append(len(made.sample))
                if len(rows) == 2:
                    raise torch.OutOfMemoryError("CUDA out of memory.")
                replay()

            return made, short

    pipeline.memory.replays = Replays(Short)
    for _ in range(3):
        assert torch.equal(video(pipeline, 3), right)
    assert max(rows[2:]) == 6 and pipeline.memory.profile == HIGH  # three frames at once, as before


def test_numbers_that_run_out_at_a_step_are_found_and_nothing_recorded_stays(recording):
    pipeline = small_pipeline().to(torch.float16)
    pipeline.memory.place(HIGH, "cpu")
    pipeline.memory.replays = Replays(Operators)
    calls = []

    def broken(step):
        calls.append(step.done)
        if step.done == 4:  # from here on half precision gives no numbers
            with torch.no_grad():
                pipeline.unet.conv_out.weight.mul_(1e30)

    drawn = video(pipeline, num_inference_steps=4)
    assert bool(drawn.isfinite().all())
    with pytest.raises(Exception, match="no numbers"):
        video(pipeline, on_step=broken)


def test_only_so_many_are_kept(recording, monkeypatch):
    monkeypatch.setattr(replay, "MOST", 2)
    right, pipeline = [], recorded(small_pipeline())
    for side in (32, 64):
        right.append(video(as_it_is(small_pipeline()), height=side))
        for _ in range(2):
            assert torch.equal(video(pipeline, height=side), right[-1])
    assert torch.equal(video(pipeline, height=32), right[0])
    (known,) = pipeline.memory.replays._known.values()
    assert len(known.recordings) == 2


def test_a_network_that_is_gone_leaves_nothing():
    network, replays, kind = small_unet().eval(), Replays(Operators), Kind()
    with torch.inference_mode():
        places = replays.begin(network)
        assert places == {}
        given = torch.randn(2, 4, 16, 16), torch.tensor(5), torch.randn(2, 5, 16)
        made = [replays.call(network, network, kind, *given).sample for _ in range(3)]
    assert torch.equal(made[0], made[2]) and made[1].data_ptr() != made[2].data_ptr()
    del network
    assert not replays.forget()


def test_kinds_of_calls_are_told_apart_by_shapes_and_values():
    one, other = torch.zeros(2, 3), torch.ones(2, 3)
    assert kind_of(([one], {"scale": 0.5})) == kind_of(([other], {"scale": 0.5}))
    assert kind_of(([one], {"scale": 0.5})) != kind_of(([one], {"scale": 0.6}))
    assert kind_of(one) != kind_of(one[:1]) and kind_of(one) != kind_of(one.double())


def test_the_environment_leaves_graphs_out(monkeypatch):
    assert replay.are_wanted()
    for off in ("0", "off", "False"):
        monkeypatch.setenv(replay.NAME, off)
        assert not replay.are_wanted() and not small_pipeline().memory.graphs
