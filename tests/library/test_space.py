"""Whether a disk has room for a video, asked before it is drawn."""

import shutil
from collections import namedtuple

import pytest

from t2v.checks import InputError
from t2v.library.space import check_space, lack_of_space


@pytest.fixture
def disk(monkeypatch):
    """Says how large the disk is and how much of it is free, in MB."""

    def set_to(free_mb: float, total_mb: float = 10**6) -> None:
        usage = namedtuple("usage", "total used free")
        found = usage(int(total_mb * 2**20), 0, int(free_mb * 2**20))
        monkeypatch.setattr(shutil, "disk_usage", lambda _: found)

    return set_to


def test_longer_and_larger_videos_need_more(disk, tmp_path):
    disk(50)
    check_space(tmp_path, 100, 512, 512, "the folder")
    told = r"^The disk of the folder is too full for this video \(782 MB are needed, 50 MB are free\)\.$"
    with pytest.raises(InputError, match=told):
        check_space(tmp_path, 100_000, 512, 512, "the folder")


def test_before_there_is_a_video_a_reserve_is_needed_and_a_disk_that_tells_nothing_is_believed(
    disk, tmp_path
):
    disk(31)
    assert lack_of_space(tmp_path) == "32 MB are needed, 31 MB are free"
    disk(32)
    assert lack_of_space(tmp_path) is None
    disk(0, total_mb=0)
    assert lack_of_space(tmp_path) is None
