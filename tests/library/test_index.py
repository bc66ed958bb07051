"""The library's index: the files are the truth, and what only the index knows is found again."""

import os
import shutil
from dataclasses import replace

import pytest
from shelves import NOON_S, put, put_raw

from t2v.library import look_inside
from t2v.library.index import INDEX, Library, Made
from t2v.library.search import Query, search
from t2v.video.write import read_settings


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path / "videos")
    yield library
    library.close()


def files(library: Library, **asked) -> list[str]:
    return [entry.file for entry in search(library, Query(**asked)).videos]


def only(library: Library):
    (entry,) = search(library, Query()).videos
    return entry


def test_files_that_lie_there_are_found_with_all_that_they_say(library):
    put(library.folder / "car.mp4", "a Red car", seed=7)
    assert library.scan()
    entry = only(library)
    assert (entry.task, entry.prompt, entry.model, entry.seed) == (
        "text-to-video",
        "a Red car",
        "miniature",
        7,
    )
    assert (entry.frames, entry.fps, entry.width, entry.height) == (4, 8.0, 64, 64)
    assert entry.settings == read_settings(library.folder / "car.mp4")
    assert (entry.maker, entry.star, entry.made_s) == (None, False, NOON_S)
    assert entry.size_bytes == (library.folder / "car.mp4").stat().st_size
    assert not library.scan()


@pytest.mark.parametrize("name", ["dancing.gif", "deep/er/car.MP4"])
def test_other_formats_and_folders_within_are_found_too(library, name):
    (library.folder / name).parent.mkdir(parents=True, exist_ok=True)
    put(library.folder / name)
    library.scan()
    entry = only(library)
    assert (entry.file, entry.prompt, entry.frames, entry.width) == (name, "a red car", 4, 64)


def test_what_is_not_ours_stays_nobodys_business(library, tmp_path):
    put_raw(library.folder / "holiday.mp4", None)
    put_raw(library.folder / "strange.mp4", {"task": "holiday", "prompt": "the beach"})
    put_raw(library.folder / "holiday.gif", None)
    (library.folder / "broken.mp4").write_bytes(b"\0\0\0\1moov" + bytes(100))
    put(library.folder / ".hidden.mp4")
    (library.folder / "seen").mkdir()
    put(library.folder / "seen" / "clip.mp4")
    put(tmp_path / "elsewhere.mp4")
    (library.folder / "link.mp4").symlink_to(tmp_path / "elsewhere.mp4")
    library.scan()
    assert files(library) == []
    assert library.holding(library.folder / "holiday.mp4") is None


def test_only_what_has_changed_is_opened(library, monkeypatch):
    for name in ("a", "b"):
        put(library.folder / f"{name}.mp4", name)
    library.scan()
    opened = []
    real = look_inside.look_inside
    monkeypatch.setattr(
        "t2v.library.index.look_inside", lambda path: (opened.append(path.name), real(path))[1]
    )
    put(library.folder / "b.mp4", "other words", NOON_S + 1)
    put(library.folder / "c.mp4", "c", NOON_S + 2)
    library.scan()
    assert opened == ["c.mp4", "b.mp4"]
    assert [entry.prompt for entry in search(library, Query()).videos] == ["c", "other words", "a"]


def test_files_that_vanish_disappear(library):
    put(library.folder / "car.mp4")
    library.scan()
    before, entry = library.revision, only(library)
    (library.folder / "car.mp4").unlink()
    library.scan()
    assert files(library) == [] and library.find(entry.id) is None and library.revision > before


def test_star_and_maker_stay_with_a_file_that_was_renamed(library):
    for name in ("car", "boat"):
        library.add(put(library.folder / f"{name}.mp4", name), Made(f"of {name}", {"clip": f"/{name}"}))
    library.star(library.holding(library.folder / "car.mp4").id, True)
    # the boat takes the car's name, and the car goes into a folder
    (library.folder / "old").mkdir()
    (library.folder / "car.mp4").rename(library.folder / "old" / "first.mp4")
    (library.folder / "boat.mp4").rename(library.folder / "car.mp4")
    library.scan()
    car, boat = (library.holding(library.folder / name) for name in ("old/first.mp4", "car.mp4"))
    assert (car.prompt, car.star, car.maker, car.private) == ("car", True, "of car", {"clip": "/car"})
    assert (boat.prompt, boat.star, boat.maker, boat.private) == ("boat", False, "of boat", {"clip": "/boat"})


def test_a_file_that_comes_back_has_its_star_again(library, tmp_path):
    path = put(library.folder / "car.mp4")
    library.scan()
    library.star(only(library).id, True)
    path.rename(tmp_path / "away.mp4")
    library.scan()
    shutil.copy(tmp_path / "away.mp4", library.folder / "again.mp4")
    library.scan()
    assert only(library).star and only(library).file == "again.mp4"


def test_the_whole_folder_may_move(library, tmp_path):
    library.add(put(library.folder / "car.mp4"), Made(maker="anna"))
    library.close()
    library.folder.rename(tmp_path / "moved")
    moved = Library(tmp_path / "moved")
    assert not moved.scan()
    assert only(moved).maker == "anna" and moved.path(only(moved)) == tmp_path / "moved" / "car.mp4"


def test_an_index_that_is_lost_is_made_anew_from_the_files(library):
    for number in range(3):
        put(library.folder / f"{number}.mp4", f"number {number}", NOON_S + number)
    library.scan()
    library.close()
    (library.folder / INDEX).write_bytes(b"scribbled over " * 500)
    for ending in ("-wal", "-shm"):
        (library.folder / (INDEX + ending)).unlink(missing_ok=True)
    anew = Library(library.folder)
    anew.scan()
    assert [entry.prompt for entry in search(anew, Query()).videos] == ["number 2", "number 1", "number 0"]


def test_a_run_that_leaves_settings_out_of_its_file_is_kept_with_them(library):
    path = put_raw(library.folder / "car.mp4", None)
    told = {"task": "canny", "prompt": "a secret", "seed": 3}
    library.add(path, Made("anna", {"clip": "/clips/car.mp4"}, told))
    os.utime(path)
    library.scan()
    entry = only(library)
    assert (entry.prompt, entry.task, entry.seed, entry.maker) == ("a secret", "canny", 3, "anna")
    assert entry.private == {"clip": "/clips/car.mp4"}


def test_repeats_are_told(library):
    for number, prompt in enumerate(("a car", "a car", "a boat")):
        put(library.folder / f"{number}.mp4", prompt, NOON_S + number)
    library.scan()
    assert [entry.twins for entry in search(library, Query()).videos] == [0, 1, 1]


def test_words_are_found_anywhere_whatever_their_capitals_and_script(library):
    for number, prompt in enumerate(
        ("A red CAR, Straße", "a blue boat", "红色的汽车在街上", "a car_pet 100%")
    ):
        put(library.folder / f"{number}.mp4", prompt, NOON_S - number)
    library.scan()
    asked = {
        "car": [0, 3],
        "RED str": [0],
        "strasse": [0],
        "汽车": [2],
        "%": [3],
        "_": [3],
        "  ": [0, 1, 2, 3],
    }
    for words, numbers in asked.items():
        assert files(library, words=words) == [f"{number}.mp4" for number in numbers], words
    assert files(library, words="red boat") == []


def test_filters_narrow_the_newest_come_first_and_pages_follow(library):
    for number in range(7):
        task = "canny" if number % 2 else "pose"
        put_raw(
            library.folder / f"{number}.mp4",
            {"task": task, "prompt": "a", "model": f"m{number % 3}"},
            NOON_S + number,
        )
    library.scan()
    assert files(library, task="canny") == ["5.mp4", "3.mp4", "1.mp4"]
    assert files(library, model="m0", task="pose") == ["6.mp4", "0.mp4"]
    library.star(library.holding(library.folder / "2.mp4").id, True)
    assert files(library, starred=True) == ["2.mp4"]
    pages = [search(library, Query(), offset, 3) for offset in (0, 3, 6)]
    assert [[int(entry.file[0]) for entry in page.videos] for page in pages] == [[6, 5, 4], [3, 2, 1], [0]]
    assert {page.total for page in pages} == {7}


def test_one_maker_sees_ones_own_alone(library):
    for name in ("anna", "ben"):
        library.add(put(library.folder / f"{name}.mp4", name), Made(name))
    put(library.folder / "nobody.mp4", "of the command line")
    library.scan()
    assert files(library, maker="anna") == ["anna.mp4"] and files(library, maker="") == []
    assert replace(Query(), maker=None) == Query() and len(files(library)) == 3
