"""Deleting with undo, and making room: nothing goes that was not shown, and nothing is overwritten."""

import pytest
from shelves import NOON_S, put

from t2v.library import bin as deleted
from t2v.library.index import INDEX, Library
from t2v.library.search import Query, overview, search


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    for number in range(4):
        put(tmp_path / f"{number}.mp4", f"number {number}", NOON_S + number)
    library.scan()
    yield library
    library.close()


def shown(library: Library, **asked) -> list[str]:
    return [entry.file for entry in search(library, Query(**asked)).videos]


def at(library: Library, name: str):
    return library.holding(library.folder / name)


def test_what_is_deleted_is_gone_from_sight_and_comes_back_as_it_was(library, tmp_path):
    first = at(library, "1.mp4")
    library.star(first.id, True)
    content = (tmp_path / "1.mp4").read_bytes()
    assert deleted.delete(library, [first]) == [first.id]
    assert shown(library) == ["3.mp4", "2.mp4", "0.mp4"] and shown(library, deleted=True) == ["1.mp4"]
    assert not (tmp_path / "1.mp4").exists()
    library.scan()
    assert shown(library, deleted=True) == ["1.mp4"]
    assert deleted.delete(library, [library.find(first.id)]) == []
    assert deleted.restore(library, [first]) == [first.id]
    library.scan()
    assert shown(library) == ["3.mp4", "2.mp4", "1.mp4", "0.mp4"] and at(library, "1.mp4").star
    assert (tmp_path / "1.mp4").read_bytes() == content
    assert deleted.restore(library, [first]) == []


@pytest.mark.parametrize("is_known", [True, False])
def test_what_has_its_name_by_now_is_not_overwritten(library, tmp_path, is_known):
    first = at(library, "1.mp4")
    deleted.delete(library, [first])
    other = put(tmp_path / "1.mp4", "another").read_bytes()
    if is_known:
        library.scan()
    deleted.restore(library, [first])
    library.scan()
    assert (tmp_path / "1.mp4").read_bytes() == other
    assert at(library, "1.mp4").prompt == "another" and at(library, "1-2.mp4").prompt == "number 1"


def test_after_a_day_it_is_really_gone_also_where_the_index_was_lost(library, tmp_path, monkeypatch):
    deleted.delete(library, [at(library, "1.mp4")])
    (tmp_path / deleted.BIN / "notes.txt").write_text("somebody's")
    assert deleted.sweep(library) == 0 and shown(library, deleted=True) == ["1.mp4"]
    library.close()
    (tmp_path / INDEX).unlink()
    anew, now = Library(tmp_path), deleted.time.time()
    assert deleted.sweep(anew) == 0 and len(list((tmp_path / deleted.BIN).iterdir())) == 2
    monkeypatch.setattr(deleted.time, "time", lambda: now + deleted.KEPT_S + 2)
    assert deleted.sweep(anew) > 0
    assert [path.name for path in (tmp_path / deleted.BIN).iterdir()] == ["notes.txt"]


def test_a_clean_up_takes_the_oldest_without_a_star_and_as_few_as_do(library):
    library.star(at(library, "0.mp4").id, True)
    whole = overview(library).size_bytes
    assert deleted.would_go(library, whole) == []
    one = at(library, "1.mp4").size_bytes
    assert [entry.file for entry in deleted.would_go(library, whole - 1)] == ["1.mp4"]
    assert [entry.file for entry in deleted.would_go(library, whole - one - 1)] == ["1.mp4", "2.mp4"]
    assert [entry.file for entry in deleted.would_go(library, 0)] == ["1.mp4", "2.mp4", "3.mp4"]


def test_a_clean_up_removes_for_good_what_was_shown_and_empties_the_bin(library, tmp_path):
    deleted.delete(library, [at(library, "3.mp4")])
    going = deleted.would_go(library, 0)
    assert [entry.file for entry in going] == ["0.mp4", "1.mp4", "2.mp4"]
    library.star(going[1].id, True)  # since then
    freed = sum(at(library, name).size_bytes for name in ("0.mp4", "2.mp4")) + deleted.bytes_in_bin(library)
    assert deleted.clean_up(library, going) == freed
    assert shown(library) == ["1.mp4"] and shown(library, deleted=True) == []
    assert list((tmp_path / deleted.BIN).iterdir()) == []
