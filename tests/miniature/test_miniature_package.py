"""The folders of the bundled family: replaced as a whole, and small enough to be bundled."""

import pytest

from miniature import shapes
from miniature.package import replacing


def test_a_folder_is_replaced_as_a_whole_or_not_at_all(tmp_path):
    folder = tmp_path / "model"
    with replacing(folder) as part:
        part.mkdir()
        (part / "first").touch()
    with pytest.raises(OSError, match="disk full"), replacing(folder) as part:
        part.mkdir()
        (part / "second").touch()
        raise OSError("disk full")
    assert [path.name for path in folder.iterdir()] == ["first"]
    with replacing(folder) as part:
        part.mkdir()
        (part / "third").touch()
    assert [path.name for path in folder.iterdir()] == ["third"]
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_the_bundled_family_keeps_to_its_budget():
    sizes = [path.stat().st_size for path in shapes.WEIGHTS.rglob("*.safetensors")]
    assert sum(sizes) <= 50e6 and max(sizes) <= 16e6
