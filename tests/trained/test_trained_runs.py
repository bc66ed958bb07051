"""Trained video models in the queue and on the command line, from the folder of models, by their names."""

import json

import numpy as np
import pytest
from puppet import wait
from small_videos import SMALL, saved

from t2v.commands.generate import main
from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.tasks import settings_of
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.tasks.tries import variations
from t2v.video.video import read_video
from t2v.video.write import read_settings
from t2v.weights.models_folder import use_models_folder

SIZE = {"width": 96, "height": 64}


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    for name in ("cogvideox", "wan"):
        saved(SMALL[name](), root / f"{name}-small")
    yield root
    use_models_folder(None)


@pytest.fixture
def jobs(models, tmp_path):
    use_models_folder(models)
    made = Jobs(Engine("cpu"), tmp_path / "videos")
    yield made
    made.close()


def test_a_run_goes_through_the_queue_is_stopped_and_asked_for_again(jobs):
    long = TextToVideoSettings(
        "a red car", model="wan-small", seed=1, num_frames=33, num_inference_steps=200, **SIZE
    )
    running = jobs.submit(long)
    seen = wait(jobs, running, lambda view: view.step_done >= 2 or view.finished)
    assert (seen.state, seen.step_total, seen.label) == ("running", 200, "Drawing all frames")
    assert seen.preview.shape == (9, 8, 12, 3) and 0 < seen.fraction < 0.9
    jobs.stop(running)
    assert wait(jobs, running, lambda view: view.finished).state == "stopped"
    short = TextToVideoSettings("a red car", model="wan-small", seed=1, num_inference_steps=2, **SIZE)
    done = wait(jobs, jobs.submit(short), lambda view: view.finished)
    assert (done.state, done.error, done.step_done) == ("done", None, 2)
    kept = settings_of(read_settings(done.output))
    assert (kept.model, kept.seed, kept.num_frames, kept.scheduler) == ("wan-small", 1, 8, None)
    again = wait(jobs, jobs.submit(kept), lambda view: view.finished)
    frames = read_video(done.output).frames
    assert frames.shape == (8, 64, 96, 3) and np.array_equal(read_video(again.output).frames, frames)


def test_first_frames_are_tried(jobs):
    base = TextToVideoSettings(
        "a red car", model="cogvideox-small", seed=1, num_frames=1, num_inference_steps=2, **SIZE
    )
    done = wait(jobs, jobs.submit(base, tries=variations(base, 2)), lambda view: view.finished)
    assert (done.state, [one.resolved.seed for one in done.stills]) == ("done", [1, 2])
    assert done.stills[0].picture != done.stills[1].picture


@pytest.mark.slow
@pytest.mark.parametrize("model", ["cogvideox-small", "wan-small"])
def test_the_command_line_draws_and_draws_again(models, tmp_path, capsys, model):
    video, again = tmp_path / "car.mp4", tmp_path / "again.mp4"
    place = ["--models", str(models)]
    run = ["text-to-video", "a red car", "--model", model, "--width", "96", "--height", "64", "--steps", "2"]
    assert main([*run, *place, "--num-frames", "4", "--upscale", "2", "-o", str(video), "--json"]) == 0
    told = capsys.readouterr()
    report = json.loads(told.out)
    assert (report["frames"], report["width"], report["model"]) == (4, 192, model)
    assert "Note: " in told.err and "its motion is its own" in told.err
    assert main(["--like", str(video), *place, "-o", str(again)]) == 0
    assert np.array_equal(read_video(video).frames, read_video(again).frames)
    assert main([*run, *place, "--motion-x", "4"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told.startswith(f"--motion-x is 4, and model {model} is a trained video model")
    assert main(["models", *place]) == 0
    assert "wan-small                 a trained video model, Wan" in capsys.readouterr().out
