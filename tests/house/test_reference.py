"""docs/reference.md, made from the docstrings: nothing public and no file is missing from it."""

from conftest import ROOT

import t2v

REFERENCE = ROOT / "docs" / "reference.md"


def test_every_public_name_and_every_file_is_in_the_reference():
    text = REFERENCE.read_text()
    assert [name for name in t2v.__all__ if name not in text] == []
    files = [path for path in (ROOT / "t2v").rglob("*.py") if path.name != "__init__.py"]
    names = (path.relative_to(ROOT).as_posix() for path in (*files, *ROOT.glob("*.py")))
    missing = [name for name in names if f"`{name}`" not in text]
    assert missing == [], "make docs writes it anew"
