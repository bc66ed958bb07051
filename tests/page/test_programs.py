"""Programs that use the app by gradio_client: each task, submit, follow, stop, the library; each its own."""

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from test_door import API, FAST, App

from t2v.commands.generate import main
from t2v.page.door import sign_in
from t2v.page.door.belongings import own_temporary_folder
from t2v.tasks import TASKS, settings_of
from t2v.tasks.clip import ClipSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings, write_video

pytestmark = pytest.mark.slow

PEOPLE = {"anna": "secret", "bob": "hidden"}
ENDED = ("done", "failed", "stopped", "interrupted")
LONG = {"num_frames": 32, "width": 64, "height": 64, "num_inference_steps": 200}
PATIENCE_S = 60


def served(family: str, folder: Path, *more: str, people: dict[str, str] | None = None) -> Iterator[App]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(folder / "temporary"))
        patch.setattr("tempfile.tempdir", None)
        patch.setattr(sign_in, "WRONG_TAKES_S", 0.01)
        with own_temporary_folder():
            app = App(family, folder / "videos", people, *more, shelved=True)
            yield app
            app.close()


@pytest.fixture(scope="module")
def app(family, tmp_path_factory):
    yield from served(family, tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def closed(family, tmp_path_factory):
    """The same for people who sign in."""
    yield from served(family, tmp_path_factory.mktemp("shared"), people=PEOPLE)


def client_of(app: App, name: str | None = None, folder: Path | None = None) -> Client:
    auth = None if name is None else (name, PEOPLE[name])
    more = {} if folder is None else {"download_files": str(folder)}
    return Client(f"http://127.0.0.1:{app.port}/", auth=auth, verbose=False, **more)


@pytest.fixture(scope="module")
def client(app, tmp_path_factory) -> Client:
    return client_of(app, folder=tmp_path_factory.mktemp("fetched"))


def ended(client: Client, run: str) -> dict[str, Any]:
    return until(client, run, lambda told: told["state"] in ENDED)


def until(client: Client, run: str, accept) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE_S
    while not accept(told := client.predict(run, api_name="/follow")):
        assert time.monotonic() < deadline, told
        time.sleep(0.05)
    return told


def asked_for(task: str, square_clip: str) -> tuple[dict[str, Any], list[Any]]:
    """Settings of a run of a second, and the clip beside them."""
    small = {"task": task, "prompt": "a red car", **FAST}
    if task in ("pose", "depth"):  # whose detectors' weights are not here
        small["control_ready"] = True
    return small, [handle_file(square_clip)] if issubclass(TASKS[task], ClipSettings) else []


@pytest.mark.parametrize("task", TASKS)
def test_each_task_is_submitted_followed_and_fetched(client, app, square_clip, task):
    settings, files = asked_for(task, square_clip)
    told = client.predict(settings, *files, api_name="/submit")
    assert told["state"] in ("queued", "running") and told["task"] == task and told["error"] is None
    done = ended(client, told["run"])
    assert (done["state"], done["seed"], done["fraction"], done["steps"]) == ("done", 7, 1.0, 1)
    assert base64.b64decode(done["preview"].removeprefix("data:image/webp;base64,"))[8:12] == b"WEBP"
    fetched = Path(client.predict(done["video"], api_name="/fetch"))
    assert fetched.read_bytes() == Path(app.studio.jobs.follow(told["run"]).output).read_bytes()
    kept = client.predict(done["video"], api_name="/settings")
    carried = read_settings(fetched)  # of folders with weights their names alone, as files get around
    assert kept["model"] == app.studio.default_model and carried["model"] == "text-to-image"
    assert {**kept, "model": "", "controlnet": ""} == {**carried, "model": "", "controlnet": ""}
    assert client.predict(told["run"], api_name="/settings") == kept and kept["task"] == task
    assert client.predict(told["run"], api_name="/fetch").endswith(fetched.name)
    newest = client.predict(task=task, limit=1, api_name="/library")["videos"][0]
    assert (newest["id"], newest["name"], newest["frames"]) == (done["video"], fetched.name, 2)


@pytest.mark.parametrize("task", TASKS)
def test_each_tasks_own_endpoint_waits_and_its_video_is_in_the_library(client, square_clip, task):
    settings, files = asked_for(task, square_clip)
    del settings["task"], settings["prompt"]
    before = client.predict(api_name="/library")["total"]
    made = client.predict(*files, "a boat", **settings, api_name=f"/{task.replace('-', '_')}")
    assert read_settings(Path(made))["prompt"] == "a boat"
    found = client.predict(words="boat", task=task, api_name="/library")
    assert found["total"] == 1 and client.predict(api_name="/library")["total"] == before + 1


def test_what_a_video_carries_makes_it_again(client, app, square_clip):
    settings, files = asked_for("canny", square_clip)
    first = ended(client, client.predict(settings | {"low_threshold": 40}, *files, api_name="/submit")["run"])
    stored = client.predict(first["video"], api_name="/settings")
    again = ended(client, client.predict(stored, *files, api_name="/submit")["run"])
    one, two = (app.studio.jobs.follow(each["run"]).output for each in (first, again))
    assert np.array_equal(read_video(one).frames, read_video(two).frames)
    assert read_settings(one) == read_settings(two) and settings_of(stored).low_threshold == 40


def test_a_run_is_seen_on_its_way_and_stopped(client, app):
    settings = {"task": "text-to-video", "prompt": "a red car", **LONG}
    run = client.predict(settings, api_name="/submit")["run"]
    waiting = client.predict(settings | {"prompt": "a blue car"}, api_name="/submit")
    assert (waiting["state"], waiting["ahead"], waiting["others_ahead"]) == ("queued", 1, 0)
    assert waiting["seconds_expected"] > 0  # others of its kind were drawn before
    drawn = until(client, run, lambda told: told["step"] > 2)
    assert drawn["state"] == "running" and 0 < drawn["fraction"] < 1 and drawn["steps"] >= 200
    assert drawn["preview"].startswith("data:image/webp;base64,") and drawn["seconds_left"] > 0
    listed = client.predict(api_name="/runs")
    assert [one["run"] for one in listed[:2]] == [run, waiting["run"]]
    for one in (waiting["run"], run):
        client.predict(one, api_name="/stop")
        assert ended(client, one)["state"] == "stopped"
    with pytest.raises(AppError, match="This run has no video \\(it is stopped\\)"):
        client.predict(run, api_name="/fetch")
    assert {view.id for view in app.studio.jobs.runs()} >= {run, waiting["run"]}  # in the page's own list


def test_clips_and_pictures_are_named_without_a_path(client, app, square_clip):
    sent = "data:video/mp4;base64," + base64.b64encode(Path(square_clip).read_bytes()).decode()
    small = {"task": "canny", "prompt": "a car", **FAST}
    made = ended(client, client.predict(small | {"clip": sent}, api_name="/submit")["run"])
    assert made["state"] == "done"
    for settings in (
        small | {"clip": f"library:{made['video']}"},
        small | {"clip": "car.mp4"},  # an example
        small | {"task": "text-to-video", "first_frame": f"library:{made['video']}"},
    ):
        assert ended(client, client.predict(settings, api_name="/submit")["run"])["state"] == "done"
    begun = app.studio.jobs.follow(client.predict(api_name="/runs")[0]["run"])
    last = read_video(app.studio.shelf.library.path(app.studio.shelf.library.find(made["video"]))).frames[-1]
    first = read_video(begun.output).frames[0]
    assert np.abs(first.astype(float) - last).mean() < 12  # the video before ends so, this one begins so


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"prompt": "a car"}, "task is None; choose one of"),
        ({"task": "opera", "prompt": "a car"}, "task is 'opera'; choose one of"),
        ({"task": "text-to-video", "prompt": " "}, "prompt is empty"),
        (
            {"task": "text-to-video", "prompt": "a", "num_frame": 3},
            "settings name num_frame, which is unknown here, did you mean 'num_frames'?",
        ),
        ({"task": "text-to-video", "prompt": "a", "model": "./nowhere"}, "model ./nowhere is not there"),
        ({"task": "text-to-video", "prompt": "a", "first_frame": "/etc/passwd"}, "first_frame is neither"),
        ({"task": "canny", "prompt": "a"}, "no clip is chosen"),
        ({"task": "canny", "prompt": "a", "clip": "/etc/passwd"}, "clip is neither an uploaded file"),
        ({"task": "canny", "prompt": "a", "clip": "../car.mp4"}, "clip is neither an uploaded file"),
        ({"task": "canny", "prompt": "a", "clip": "http://a.example/x.mp4"}, "clip is neither an uploaded"),
        ({"task": "canny", "prompt": "a", "clip": "library:0123"}, "id is of no video and no run of yours"),
        ({"task": "canny", "prompt": "a", "clip": "data:text/html;base64,YQ=="}, "clip is 'data:text/html"),
        ({"task": "canny", "prompt": "a", "clip": "data:video/mp4;base64,!"}, "clip has no base64 behind"),
        ([1], "settings are no JSON object"),
    ],
)
def test_settings_that_cannot_be_run_get_a_sentence(client, settings, sentence):
    before = len(client.predict(api_name="/runs"))
    with pytest.raises(AppError) as refused:
        client.predict(settings, api_name="/submit")
    assert str(refused.value).startswith(sentence) and "\n" not in str(refused.value)
    assert len(client.predict(api_name="/runs")) == before


@pytest.mark.parametrize(
    ("endpoint", "values", "sentence"),
    [
        ("/follow", ["x"], "run is none of yours that is known here"),
        ("/follow", [{"a": 1}], "run is none of yours that is known here"),
        ("/stop", [5], "run is none of yours that is known here"),
        ("/fetch", ["../../x"], "id is of no video and no run of yours"),
        ("/settings", [""], "id is of no video and no run of yours"),
        ("/library", ["car", "", "", False, -1], "offset is -1; give a whole number from 0."),
        ("/library", [{"a": 1}], "words is {'a': 1}; give a text."),
    ],
)
def test_questions_that_cannot_be_answered_get_a_sentence(client, endpoint, values, sentence):
    with pytest.raises(AppError) as refused:
        client.predict(*values, api_name=endpoint)
    assert str(refused.value).startswith(sentence)


def test_a_call_by_hand_that_lacks_something_is_refused_at_once(app):
    answer = app.call("follow")
    assert (answer.status, answer.sentence) == (400, "run is missing; give it.")
    answer = app.call("library", word="car")
    assert answer.status == 400 and answer.sentence.startswith("library has no 'word'; it has words, task")


def test_other_kinds_of_files_are_fetched_too(client, app):
    told = {"task": "text-to-video", "prompt": "an old boat", "seed": 1}
    for ending in (".gif", ".webm", ".webp"):
        frames = np.zeros((2, 64, 64, 3), np.uint8)
        write_video(app.studio.jobs.output_folder / f"by-hand{ending}", frames, 4, told)
    app.studio.shelf.look(wait=True)
    videos = client.predict(words="old boat", api_name="/library")["videos"]
    assert len(videos) == 3
    for one in videos:
        assert Path(client.predict(one["id"], api_name="/fetch")).stat().st_size == one["size_bytes"]


@pytest.mark.parametrize("task", ["text-to-video", "canny"])
def test_one_json_of_settings_gives_one_video_everywhere(client, app, square_clip, tmp_path, task, capsys):
    """From a file that the app made: by the API, by --like as a file of ours and as JSON, and in a batch."""
    asked, files = asked_for(task, square_clip)
    made = app.studio.jobs.follow(
        ended(client, client.predict(asked, *files, api_name="/submit")["run"])["run"]
    )
    stored = read_settings(made.output)
    stored |= {"model": app.studio.default_model}  # of a folder a file carries the name alone
    stored.pop("controlnet", None)
    again = ended(client, client.predict(stored, *files, api_name="/submit")["run"])
    by_api = app.studio.jobs.follow(again["run"]).output
    if files:  # beside the files that name it
        (tmp_path / "square.mp4").write_bytes(Path(square_clip).read_bytes())
    (tmp_path / "car.json").write_text(json.dumps(stored))
    (tmp_path / "jobs.jsonl").write_text(json.dumps(stored | {"output": str(tmp_path / "batch.mp4")}))
    assert (
        main(["--like", str(tmp_path / "car.json"), "-o", str(tmp_path / "like.mp4"), "--device", "cpu"]) == 0
    )
    assert main(["batch", str(tmp_path / "jobs.jsonl"), "--device", "cpu"]) == 0
    first = read_video(made.output).frames
    for path in (by_api, tmp_path / "like.mp4", tmp_path / "batch.mp4"):
        assert np.array_equal(read_video(path).frames, first), path
        assert read_settings(path) == read_settings(made.output)


def test_without_signing_in_nothing_is_answered(closed):
    for name in ("submit", "follow", "stop", "runs", "library", "settings", "fetch", "text_to_video"):
        for body in ({"run": "x", "id": "x", "settings": {}}, {"data": []}):
            answer = closed.call(name, **body)
            assert (answer.status, answer.sentence) == (401, "You are not signed in; sign in first.")
    with pytest.raises(Exception, match="(?i)auth|login|sign|401"):
        client_of(closed)


def test_whoever_signs_in_is_the_same_person_everywhere_and_nobody_else(closed):
    settings = {"task": "text-to-video", "prompt": "a red car", **FAST}
    anna, bob = client_of(closed, "anna"), client_of(closed, "bob")
    made = ended(anna, anna.predict(settings, api_name="/submit")["run"])
    elsewhere = client_of(closed, "anna")
    assert [one["run"] for one in elsewhere.predict(api_name="/runs")] == [made["run"]]
    assert elsewhere.predict(api_name="/library")["total"] == 1
    assert elsewhere.predict(made["video"], api_name="/settings")["model"] == "text-to-image"  # no folders
    assert Path(elsewhere.predict(made["video"], api_name="/fetch")).stat().st_size > 1000
    assert bob.predict(api_name="/runs") == [] and bob.predict(api_name="/library")["total"] == 0
    for endpoint, what in (("/follow", "run"), ("/stop", "run"), ("/fetch", "video"), ("/settings", "run")):
        with pytest.raises(AppError, match="of yours"):
            bob.predict(made[what], api_name=endpoint)
    # a page in which she has signed in, whatever its cookie says of the browser
    body = b"username=anna&password=secret"
    signed_in = closed.ask("/login", body, content_type="application/x-www-form-urlencoded")
    cookie = "; ".join(one.partition(";")[0] for one in signed_in.headers.get_all("set-cookie"))
    told = json.loads(closed.ask(f"{API}/library/videos", cookie=f"{cookie}; t2v-visitor={'0' * 32}").body)
    assert [one["id"] for one in told["videos"]] == [made["video"]]
