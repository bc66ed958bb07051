"""Thumbnails: a loop and a still of each video, made once, in a thread, the last asked for first."""

import time

import numpy as np
import pytest
from PIL import Image
from shelves import NOON_S, put, put_raw

from t2v.library.index import Library
from t2v.library.search import Query, search
from t2v.library.thumbs import MOST_FRAMES, SIDE_PX, Thumbs
from t2v.video.write import write_video


@pytest.fixture
def library(tmp_path):
    library = Library(tmp_path)
    yield library
    library.close()


@pytest.fixture
def thumbs(library):
    thumbs = Thumbs(library)
    yield thumbs
    thumbs.close()


def all_of(library: Library):
    library.scan()
    return search(library, Query()).videos


def wait(thumbs: Thumbs, entries) -> set[str]:
    until = time.monotonic() + 60
    while len(ready := thumbs.ready(entries)) < len({entry.fingerprint for entry in entries}):
        assert time.monotonic() < until, ready
        time.sleep(0.02)
    return ready


def test_a_loop_and_a_still_show_what_the_video_shows(library, thumbs):
    put(library.folder / "car.mp4")
    (entry,) = all_of(library)
    assert thumbs.ready([entry]) == set()
    wait(thumbs, [entry])
    loop, still = (Image.open(thumbs.path(entry.fingerprint, is_still)) for is_still in (False, True))
    assert (loop.n_frames, loop.info["loop"], loop.size) == (4, 0, (64, 64))
    loop.load()
    assert loop.info["duration"] == 125 and getattr(still, "n_frames", 1) == 1
    shades = []
    for number in range(4):
        loop.seek(number)
        shades.append(loop.convert("L").getpixel((10, 10)))
    assert shades == pytest.approx([0, 50, 100, 150], abs=12)
    assert still.convert("L").getpixel((50, 40)) == pytest.approx(90, abs=6)


@pytest.mark.parametrize(("ending", "count"), [(".gif", 4), (".webm", 4), (".webp", 4), (".png", 1)])
def test_every_kind_of_file_is_found_and_has_its_thumbnail(library, thumbs, ending, count):
    path = library.folder / f"a{ending}"
    frames = np.full((count, 64, 64, 3), 90, np.uint8)
    frames[:, :20] = np.arange(0, 50 * count, 50).reshape(count, 1, 1, 1)
    write_video(path, frames, 8, {"task": "canny", "prompt": "a"})
    (entry,) = all_of(library)
    thumbs.make(entry)
    loop = Image.open(thumbs.path(entry.fingerprint))
    assert (loop.size, loop.n_frames) == ((64, 64), count)
    loop.seek(count - 1)
    assert loop.convert("L").getpixel((10, 5)) == pytest.approx(50 * (count - 1), abs=12)


def test_large_ones_become_small_and_long_ones_short(library, thumbs, tmp_path):
    frames = np.zeros((80, 300, 400, 3), np.uint8)
    write_video(tmp_path / "long.mp4", frames, 16, {"task": "canny", "prompt": "long"})
    (entry,) = all_of(library)
    thumbs.make(entry)
    loop = Image.open(thumbs.path(entry.fingerprint))
    assert loop.size == (SIDE_PX, 144)
    assert loop.n_frames <= MOST_FRAMES


def test_they_are_made_once_by_content_and_go_with_the_last_video_of_it(library, thumbs):
    first = put(library.folder / "a.mp4")
    put(library.folder / "b.mp4", "other", NOON_S + 1)
    wait(thumbs, all_of(library))
    made = {path.name: path.stat().st_mtime_ns for path in thumbs.folder.iterdir()}
    assert len(made) == 4
    first.rename(library.folder / "c.mp4")
    wait(thumbs, all_of(library))
    thumbs.tidy()
    assert {path.name: path.stat().st_mtime_ns for path in thumbs.folder.iterdir()} == made
    (library.folder / "c.mp4").unlink()
    with library.database.writing() as connection:
        library.scan()
        connection.execute("DELETE FROM videos WHERE gone_s IS NOT NULL")
    thumbs.tidy()
    assert len(list(thumbs.folder.iterdir())) == 2


def test_one_that_cannot_be_made_keeps_nobody_waiting(library, thumbs):
    path = put_raw(library.folder / "a.mp4", {"task": "canny", "prompt": "a"})
    (entry,) = all_of(library)
    data = path.read_bytes()
    start = data.index(b"mdat")
    path.write_bytes(data[: start + 4] + bytes(len(data) - start - 4))
    assert wait(thumbs, [entry]) == {entry.fingerprint}
    assert not thumbs.path(entry.fingerprint).exists()
