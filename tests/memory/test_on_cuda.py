"""What only a GPU can show: CUDA graphs draw what is drawn without them, and chunks never matter.

On a machine without this project's own packages: ``python -m pytest tests/memory/test_on_cuda.py``.
"""

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline
from small_t2i import small_t2i
from small_xl import small_xl_pipeline

from t2v.devices import settle
from t2v.diffusion.controls import Control
from t2v.diffusion.options import Camera, Motion, Subject
from t2v.memory.compiled import NOTE, Compiled
from t2v.memory.profiles import HIGH, LOW, MEDIUM

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
HALF = torch.float16


def placed(make=small_pipeline, graphs=True, dtype=HALF, profile=HIGH, **changes):
    pipeline = make(**changes).to(dtype)
    pipeline.memory.place(profile, "cuda")
    pipeline.memory.graphs = graphs
    return pipeline


def video(pipeline, chunk_size=3, **changes) -> torch.Tensor:
    call = {"num_frames": 7, "num_inference_steps": 8, "height": 64, "width": 64, **changes}
    return pipeline("a cat", motion=Motion(8, 4), chunk_size=chunk_size, generator=seeded(), **call)


def levels(pipeline, latents) -> np.ndarray:
    return np.stack(list(pipeline.decode(latents))).astype(int)


def recordings(pipeline) -> int:
    known = list(pipeline.memory.replays._known.values())
    assert not any(one.never for one in known)  # nothing was found that cannot be recorded
    return sum(len(one.recordings) for one in known)


@pytest.mark.parametrize("make", [small_pipeline, small_xl_pipeline])
@pytest.mark.parametrize("dtype", [HALF, torch.float32])
def test_graphs_draw_the_same_video(make, dtype):
    right, pipeline = video(placed(make, graphs=False, dtype=dtype)), placed(make, dtype=dtype)
    for _ in range(3):
        assert torch.equal(video(pipeline), right)
    assert recordings(pipeline) == 4  # one frame; the first chunk, a later one and the last
    assert pipeline.memory.profile == HIGH and pipeline.notes == []


def test_chunk_sizes_are_equal_in_half_precision():
    pipeline = placed()
    frames = {size: levels(pipeline, video(pipeline, size)) for size in (0, 1, 3, 7)}
    for size in (1, 3, 7):
        assert np.abs(frames[0] - frames[size]).max() <= 1


@pytest.mark.parametrize("subject", [None, Subject("car", 8.0)])
def test_graphs_draw_the_same_scene(subject):
    def scene(pipeline):
        call = {"num_frames": 4, "num_inference_steps": 6, "height": 64, "width": 64, "chunk_size": 2}
        camera = Camera(8, 0)
        drawn = pipeline.scene("a red car", camera=camera, subject=subject, generator=seeded(), **call)
        return levels(pipeline, drawn)

    right, pipeline = scene(placed(graphs=False)), placed()
    for _ in range(3):
        assert np.array_equal(scene(pipeline), right)
    assert recordings(pipeline) > 0


@pytest.mark.parametrize("make", [small_controlnet, small_t2i])
def test_graphs_follow_a_clip_with_its_network(make):
    pictures = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), np.uint8)

    def guided(pipeline):
        network = settle(make().to(HALF), "cuda")
        pipeline.memory.place_beside((network,))
        control = Control(network, pictures, 0.7, 0.0, 0.8)
        call = {"controls": [control], "num_inference_steps": 6, "chunk_size": 2}
        drawn = [pipeline.guided("a cat", generator=seeded(), **call) for _ in range(3)]
        assert all(torch.equal(one, drawn[0]) for one in drawn)
        return drawn[0]

    pipeline = placed()
    assert torch.equal(guided(pipeline), guided(placed(graphs=False)))
    assert recordings(pipeline) >= 3


@pytest.mark.parametrize("make", [small_pipeline, small_xl_pipeline])
def test_what_is_compiled_is_recorded_and_draws_the_same(make):
    right, pipeline = placed(make, graphs=False), placed(make)
    right = levels(right, video(right))
    pipeline.memory.compiled = Compiled(pipeline.tell, "aot_eager")
    pipeline.memory.asks_compiled = True
    drawn = [levels(pipeline, video(pipeline)) for _ in range(3)]
    assert all(np.array_equal(one, drawn[0]) for one in drawn[1:])
    assert np.abs(drawn[0] - right).max() <= 1
    assert recordings(pipeline) == 3  # one frame, the first chunk, and later ones, which are all of one size
    assert pipeline.notes == [NOTE]


def test_graphs_edit_a_clip():
    source = torch.randn(5, 4, 16, 16, generator=seeded()).cuda()

    def edited(pipeline):
        call = {"num_inference_steps": 6, "chunk_size": 2, "generator": seeded()}
        return pipeline.guided("make it blue", source=source, **call)

    right, pipeline = edited(placed(graphs=False, in_channels=8)), placed(in_channels=8)
    for _ in range(3):
        assert torch.equal(edited(pipeline), right)


def test_graphs_and_offloading_do_not_meet_and_draw_alike():
    right = video(placed())
    for profile in (MEDIUM, LOW):
        pipeline = placed(profile=profile)
        assert not pipeline.memory.records
        found, wanted = levels(pipeline, video(pipeline)), levels(placed(), right)
        assert np.abs(found - wanted).max() <= 1 and recordings(pipeline) == 0


def test_memory_of_graphs_is_given_back():
    pipeline = placed()
    video(pipeline), video(pipeline)
    torch.cuda.synchronize()
    before = torch.cuda.memory_allocated()
    assert recordings(pipeline) and pipeline.memory.replays.forget()
    torch.cuda.empty_cache()
    assert torch.cuda.memory_allocated() < before


def test_where_memory_runs_out_in_a_recording_the_video_is_the_same(monkeypatch):
    right, pipeline, failed = video(placed(graphs=False)), placed(), []
    begin = torch.cuda.CUDAGraph.capture_begin

    def short(self, *args, **told):
        if not failed:
            failed.append(self)
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return begin(self, *args, **told)

    monkeypatch.setattr(torch.cuda.CUDAGraph, "capture_begin", short)
    for _ in range(3):
        assert torch.equal(video(pipeline), right)
    assert failed and pipeline.memory.profile == HIGH
