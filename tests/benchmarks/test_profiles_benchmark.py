"""profiles.py: the table by one command, here at tiny sizes."""

import json
import re

from benchmarks.profiles import main


def test_the_page_has_a_row_a_profile_and_only_fp8_changes_the_picture(tmp_path):
    assert main(["--quick", "--output", str(tmp_path / "PROFILES.md")]) == 0
    told = (tmp_path / "PROFILES.md").read_text()
    rows = {
        cells[0].strip(): cells[1:]
        for line in told.splitlines()
        if len(cells := line.strip("|").split("|")) > 2
    }
    assert [name for name in rows if name.split(",")[0] in ("high", "medium", "low")] == [
        "high", "medium", "low", "high, fp8", "low, fp8",
    ]  # fmt: skip
    assert int(rows["high"][2]) == 0 and int(rows["medium"][2]) <= 1 and int(rows["low"][2]) <= 1
    assert int(rows["high, fp8"][2]) > 1
    assert int(rows["in strips"][2]) <= 1 < int(rows["diffusers' tiles"][2])
    parts = json.loads((tmp_path / "RESULTS.json").read_text())
    for row in parts["profiles-cpu"]["rows"]:
        same = [row[name] for name in ("s", "peak MB", "largest difference", "mean difference")]
        assert [cell.strip() for cell in rows[row["profile"]] if cell] == same
    assert [row["how"] for row in parts["decoders"]["rows"]] == ["whole", "in strips", "diffusers' tiles"]
    assert re.search(r"\| 12 \| \d+ \| [-\d.]+% \|", told)
