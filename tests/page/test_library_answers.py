"""What the server answers about the library: to whom, which files go out, and what wrong questions get."""

import json
import time
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from conftest import free_port
from shelves import put, put_raw
from test_door import API, App

from t2v.engine.engine import Engine
from t2v.jobs.queue import Jobs
from t2v.library.index import Library, Made
from t2v.library.results import settings_dict
from t2v.page import serve
from t2v.page.door.belongings import own_temporary_folder
from t2v.page.flags import arguments
from t2v.page.glances import Glances
from t2v.page.layout import build_page
from t2v.page.library.shelf import Shelf
from t2v.page.studio import Studio
from t2v.page.visitors import visitor_of
from t2v.tasks.text_to_video import TextToVideoSettings

pytestmark = pytest.mark.slow
LIBRARY = f"{API}/library"


class WithLibrary(App):
    """The same page with a library."""

    def __init__(self, family: str, folder) -> None:
        self.port = free_port()
        options = arguments(["--port", str(self.port), "--output", str(folder)])
        engine, self.shelf = Engine("cpu"), Shelf(Library(folder))
        jobs = Jobs(engine, folder, library=self.shelf.library)
        self.studio = Studio(engine, jobs, family, Glances("cpu"), False, self.shelf)
        self.page = build_page(self.studio)
        serve._launch(self.page, self.studio, options, None)

    def close(self) -> None:
        super().close()
        self.shelf.close()

    def told(self, question: str, **values: str):
        named = "&".join(f"{name}={value}" for name, value in values.items())
        answer = self.ask(f"{LIBRARY}/{question}?{named}")
        assert answer.status == 200, answer.body
        return json.loads(answer.body)

    def order(self, name: str, **values: object):
        return self.ask(f"{LIBRARY}/{name}", values)

    def done(self, name: str, **values: object):
        answer = self.order(name, **values)
        assert answer.status == 200, answer.body
        return json.loads(answer.body)


@pytest.fixture(scope="module")
def app(family, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("GRADIO_TEMP_DIR", str(tmp_path_factory.mktemp("temporary")))
        patch.setenv("TMPDIR", "")
        patch.setattr("tempfile.tempdir", None)
        with own_temporary_folder():
            app = WithLibrary(family, tmp_path_factory.mktemp("videos"))
            yield app
            app.close()


@pytest.fixture
def video(app):
    """A video that lies there, as its browser is told of it."""
    path = put(app.shelf.library.folder / "car.mp4", "<b>a car</b>", num_inference_steps=7)
    app.shelf.look(wait=True)
    yield app.told("videos", words="<b>a")["videos"][0]
    path.unlink(missing_ok=True)
    app.shelf.look(wait=True)


@pytest.fixture
def opened(app, monkeypatch):
    """The app as others than its owner meet it."""
    monkeypatch.setattr(app.shelf, "is_open", True)
    monkeypatch.setitem(app.studio.__dict__, "is_open", True)


def test_a_run_is_there_when_it_has_ended_with_who_made_it_and_its_settings(app):
    result = app.result(prompt="a boat")
    (found,) = app.told("videos")["videos"]
    assert (found["prompt"], found["task"], found["seed"], found["frames"]) == (
        "a boat",
        "text-to-video",
        7,
        2,
    )
    assert app.ask("/" + found["url"]).body == result.read_bytes()
    assert app.told("video", id=found["id"])["settings"]["num_inference_steps"] == 1
    assert app.told("overview")["tasks"] == ["text-to-video"]
    app.done("delete", ids=[found["id"]])


def test_a_video_that_lies_there_is_given_out_and_what_is_not_ours_is_not(app, video):
    folder = app.shelf.library.folder
    assert app.ask("/" + video["url"]).status == 200
    put_raw(folder / "holiday.mp4", None)
    for name in (".library.sqlite3", ".library.sqlite3-wal", "holiday.mp4", "keys.txt"):
        assert app.ask(f"{API}/file={folder / name}").status == 404
        assert app.ask(f"{LIBRARY}/thumbnail/../{name}").status == 404


def test_thumbnails_are_made_when_they_are_asked_for(app, video):
    address, still = (f"{LIBRARY}/thumbnail/{video['fingerprint']}{kind}.webp" for kind in ("", "-still"))
    assert app.ask(address).status == 404 and not video["has_thumbnail"]
    until = time.monotonic() + 60
    while app.done("thumbnails", ids=[video["id"], "x", 7])["ready"] != [video["fingerprint"]]:
        assert time.monotonic() < until
        time.sleep(0.05)
    for name in (address, still):
        answer = app.ask(name)
        assert (answer.status, answer.headers["content-type"]) == (200, "image/webp")
        assert answer.body[8:12] == b"WEBP"
    assert app.told("videos", words="car")["videos"][0]["has_thumbnail"]


def test_a_star_a_deletion_and_its_undo(app, video):
    app.done("star", id=video["id"], on=True)
    assert [one["id"] for one in app.told("videos", starred="yes")["videos"]] == [video["id"]]
    assert app.done("delete", ids=[video["id"]]) == {"done": [video["id"]]}
    assert app.told("videos", words="car")["total"] == 0 and app.ask("/" + video["url"]).status == 404
    assert app.told("videos", deleted="yes", words="car")["videos"][0]["deleted"]
    assert app.done("restore", ids=[video["id"]]) == {"done": [video["id"]]}
    assert app.ask("/" + video["url"]).status == 200
    app.done("star", id=video["id"], on=False)  # or the file would have it again in the next test


def test_a_repeat_says_of_which_video_it_is_one(app, video):
    assert app.told("video", id=video["id"])["same_as"] == []
    source = app.shelf.library.folder / video["name"]
    (source.parent / "again.mp4").write_bytes(source.read_bytes())
    app.shelf.look(wait=True)
    assert [one["name"] for one in app.told("video", id=video["id"])["same_as"]] == ["again.mp4"]
    (source.parent / "again.mp4").unlink()
    app.shelf.look(wait=True)


def test_a_day_and_a_wrong_letter_find_it_too(app, video):
    told = app.told("videos", words="carr")
    assert (told["videos"], told["meant"]) == ([], "car")
    night = app.told("videos", day="2023-11-15", zone="Asia/Tokyo")  # 22:13 in Greenwich, the day before
    assert [one["id"] for one in night["videos"]] == [video["id"]]
    assert app.told("videos", words="2023-11-14", zone="Asia/Tokyo")["total"] == 0


def test_neighbours_are_those_that_fit(app, video):
    folder = app.shelf.library.folder
    for name, made_s in (("older", 1e9), ("newer", 1.8e9)):
        put(folder / f"{name}.mp4", f"{name} car", made_s)
    app.shelf.look(wait=True)
    found = app.told("neighbours", id=video["id"], words="car")
    assert [found[name]["prompt"] for name in ("newer", "older")] == ["newer car", "older car"]
    assert app.told("neighbours", id=video["id"], words="older")["newer"] is None


def test_the_form_is_filled_by_what_the_settings_say(app, video):
    names = list(text_tab_form(app))
    for seed, shown in (("yes", "5"), ("", "")):
        told = app.told("form", id=video["id"], seed=seed)
        values = dict(zip(names, told["values"], strict=True))
        assert told["task"] == "text-to-video" and told["notes"] == []
        assert (values["prompt"], values["num_inference_steps"]) == ("<b>a car</b>", "7")
        assert values["seed"] == shown and values["fps"] == 8 and values["method"] == ""


def text_tab_form(app):
    """The fields of the tab, in the order of its form."""
    return app.shelf.forms["text-to-video"].args[0].form


def test_again_runs_it_with_a_new_seed_and_the_page_can_follow_it(app, family):
    folder = app.shelf.library.folder
    asked = {"num_frames": 2, "width": 64, "height": 64, "num_inference_steps": 1, "model": family}
    settings = {**settings_dict(TextToVideoSettings("again", seed=3, **asked)), "model": family}
    put_raw(folder / "again.mp4", settings)
    app.shelf.look(wait=True)
    video = app.told("videos", words="again")["videos"][0]
    run = app.done("again", id=video["id"])["run"]
    until = time.monotonic() + 60
    while not (view := app.studio.jobs.follow(run)).finished:
        assert time.monotonic() < until
        time.sleep(0.05)
    assert view.state == "done" and view.settings.seed is None and view.settings.num_frames == 2
    assert app.told("videos", words="again")["total"] == 2


def test_again_is_refused_where_a_model_is_another_by_now(app):
    folder = app.shelf.library.folder
    told = {"weights": {"model": ["miniature+own.safetensors<0123456789ab>"]}}
    settings = settings_dict(TextToVideoSettings("unlike", model="miniature+own.safetensors"))
    put_raw(folder / "unlike.mp4", settings | told)
    app.shelf.look(wait=True)
    video = app.told("videos", words="unlike")["videos"][0]
    (note,) = app.told("form", id=video["id"], seed="yes")["notes"]
    assert note.startswith(
        "miniature+own.safetensors, with which this video was made, is not here, or is another"
    )
    assert note in app.order("again", id=video["id"]).sentence


def test_a_clean_up_shows_what_would_go_and_keeps_its_limit(app, video):
    told = app.told("would_go", limit_bytes="0")
    assert video["id"] in [one["id"] for one in told["videos"]] and told["size_bytes"] > 0
    assert app.done("clean_up", ids=[video["id"]], limit_bytes=12)["freed_bytes"] >= video["size_bytes"]
    assert app.told("overview")["limit_bytes"] == 12 and app.told("videos", words="<b>")["total"] == 0
    for bad in ("-1", "many", str(2**60)):
        assert "limit is no size" in app.ask(f"{LIBRARY}/would_go?limit_bytes={bad}").sentence


def test_where_others_are_served_everybody_sees_ones_own_alone(app, opened, family):
    library = app.shelf.library
    for name, maker in (("mine", "127.0.0.1"), ("theirs", "10.0.0.9"), ("nobodys", None)):
        library.add(put(library.folder / f"{name}.mp4", name), Made(maker))
    mine, theirs, _ = (
        library.holding(library.folder / f"{name}.mp4") for name in ("mine", "theirs", "nobodys")
    )
    assert [one["prompt"] for one in app.told("videos")["videos"]] == ["mine"]
    assert app.told("overview")["total"] == 1 and not app.told("overview")["may_clean_up"]
    for name, status in (("mine", 200), ("theirs", 404), ("nobodys", 404)):
        assert app.ask(f"{API}/file={library.folder / name}.mp4").status == status
    app.shelf.thumbs.make(mine)
    app.shelf.thumbs.make(theirs)
    for entry, status in ((mine, 200), (theirs, 404)):
        assert app.ask(f"{LIBRARY}/thumbnail/{entry.fingerprint}.webp").status == status
    for question in ("video", "form", "neighbours"):
        assert "not in the library" in app.ask(f"{LIBRARY}/{question}?id={theirs.id}").sentence
    assert app.done("delete", ids=[theirs.id]) == {"done": []} and library.path(theirs).is_file()
    assert app.done("thumbnails", ids=[theirs.id]) == {"ready": []}
    for name in ("star", "again"):
        assert app.order(name, id=theirs.id).status == 400
    assert app.order("clean_up", ids=[mine.id], limit_bytes=0).status == 400 and library.path(mine).is_file()
    assert app.ask(f"{LIBRARY}/would_go?limit_bytes=0").status == 400
    assert visitor_of(replace(app.studio, is_open=True), None) is None
    anonymous = SimpleNamespace(client=None, cookies={})
    assert app.shelf.maker(visitor_of(app.studio, anonymous)) == "" and not app.shelf.may_see(mine, None)


def test_who_is_at_the_machine_keeps_what_was_made_before_others_were_served(app, opened, monkeypatch):
    monkeypatch.setitem(app.studio.__dict__, "knows_owner", True)
    library = app.shelf.library
    for name, maker in (("own", "127.0.0.1"), ("another's", "10.0.0.9"), ("from before", None)):
        library.add(put(library.folder / f"{name}.mp4", f"{name} boat"), Made(maker))

    def seen(**headers: str) -> set[str]:
        body = app.ask(f"{LIBRARY}/videos?words=boat", **headers).body
        return {one["prompt"].removesuffix(" boat") for one in json.loads(body)["videos"]}

    address = f"{API}/file={quote(str(library.folder / 'from before.mp4'))}"
    assert seen() == {"own", "from before"} and app.ask(address).status == 200
    for name in ("forwarded", "via", "x_real_ip"):  # by a proxy on this machine
        headers = {name: "for=192.0.2.7"}
        assert seen(**headers) == {"own"} and app.ask(address, **headers).status == 404, headers
    assert seen(x_forwarded_for="192.0.2.7") == set()  # whom uvicorn takes the visitor to be
    assert seen(x_forwarded_for="127.0.0.1") == {"own"}
    monkeypatch.setitem(app.studio.__dict__, "knows_owner", False)
    assert seen() == {"own"} and app.ask(address).status == 404


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("star", {"id": "nothing"}, "not in the library any more"),
        ("star", {"id": {"a": 1}}, "not in the library any more"),
        ("delete", {"ids": "all"}, "ids is no list"),
        ("delete", {"ids": ["x"] * 6000}, "ids is no list of at most 5000"),
        ("delete", b"{", "no JSON object"),
        ("delete", b"[1]", "no JSON object"),
        ("delete", b"[" * 100_000, "no JSON object"),
        ("delete", b" " * (2**20 + 1), "at most 1,048,576 bytes"),
    ],
)
def test_wrong_orders_get_a_sentence(app, name, body, words):
    answer = app.ask(f"{LIBRARY}/{name}", body)
    assert answer.status == 400 and words in answer.sentence


def test_other_addresses_and_other_pages_get_nothing(app):
    for path in ("", "nothing", "delete", "star?id=1"):
        assert app.ask(f"{LIBRARY}/{path}").status == 404
    assert app.ask(f"{LIBRARY}/videos", {}).status == 404
    body = json.dumps({"ids": []}).encode()
    answer = app.ask(f"{LIBRARY}/delete", body, content_type="text/plain")  # what any form can send
    assert answer.status == 400 and "application/json" in answer.sentence
    assert app.ask(f"{LIBRARY}/videos", origin="https://evil.example").status == 403


def test_odd_questions_are_answered_all_the_same(app, video):
    for odd in (
        "offset=-1&limit=x",
        "offset=99999999999999999999",
        "words=%00%ff",
        "limit=100000",
        "day=x&zone=../x",
        "day=0001-01-01&zone=Asia",
    ):
        assert app.ask(f"{LIBRARY}/videos?{odd}").status == 200
