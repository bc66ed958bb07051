"""``batch``: all lines checked first, done ones skipped, failing ones told, Ctrl-C ends it cleanly."""

import json
import shutil
from pathlib import Path

import pytest
import torch

from t2v.commands import generate
from t2v.commands.batch import read_jobs
from t2v.commands.generate import main
from t2v.library.results import settings_dict
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.video.video import read_video
from t2v.video.write import read_settings
from t2v.weights.models_folder import use_models_folder


@pytest.fixture
def car(model_folder):
    """A line's settings for a run of a second."""
    torch.set_num_threads(1)
    asked = TextToVideoSettings("a red car", num_frames=2, width=64, height=64, num_inference_steps=1)
    return {**settings_dict(asked), "model": str(model_folder)}


def jobs(path: Path, *lines) -> str:
    path.write_text("\n".join(one if isinstance(one, str) else json.dumps(one) for one in lines) + "\n")
    return str(path)


@pytest.mark.slow
def test_lines_are_drawn_named_skipped_and_counted(tmp_path, car, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there.mp4").write_bytes(b"an older one")
    lines = [
        {**car, "seed": 3, "output": "three.webm"},
        "",
        {**car, "output": "there.mp4"},
        {**car, "prompt": "a \u2028 blue car", "seed": 4},
    ]
    file = jobs(tmp_path / "jobs.jsonl", *lines)
    assert main(["batch", file, "--json"]) == 0
    out, err = capsys.readouterr()
    report = json.loads(out)
    assert [(one["line"], one["seed"]) for one in report["made"]] == [(1, 3), (4, 4)]
    assert report["skipped"] == [{"line": 3, "output": "there.mp4"}] and report["failed"] == []
    assert "line 3: there.mp4 is there already; skipped." in err and "line 4 (2 of 2): a blue car" in err
    assert read_settings("three.webm")["seed"] == 3 and read_video("three.webm").num_frames == 2
    assert Path(report["made"][1]["output"]).parent.name == "outputs"
    assert (tmp_path / "there.mp4").read_bytes() == b"an older one"
    # once more: what is there already is not drawn again
    assert main(["batch", jobs(tmp_path / "two.jsonl", lines[0], lines[2])]) == 0
    out, err = capsys.readouterr()
    assert out.startswith("Done: of 2 lines 0 made, 2 skipped, 0 failed, in ")


def test_a_dry_run_tells_every_wrong_line_with_its_number_and_draws_nothing(
    tmp_path, car, capsys, monkeypatch, square_clip
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(generate, "_engine", lambda *told: pytest.fail("nothing is to be loaded"))
    edit = settings_dict(Pix2PixVideoSettings("x", "make it red")) | {
        "clip": square_clip,
        "model": car["model"],
    }
    lines = [
        {**car, "output": "a.mp4"},
        "{not json",
        [1],
        {**car, "num_frames": 0},
        {**car, "task": "text-to-opera"},
        {**car, "output": "a.mp4"},
        {**car, "output": "x.avi"},
        {**car, "output": 5},
        {**edit, "clip": "nowhere.mp4"},
        {**edit, "start_s": 9},
        {**car, "model": "./nowhere"},
        {**car, "output": "one.png"},
    ]
    told = [
        "line 2: it is no JSON (",
        'line 3: it is no JSON object; give one, as {"task"',
        "line 4: num_frames is 0; give a whole number from 1 to 1000.",
        "line 5: task is 'text-to-opera'; choose one of",
        "line 6: output is a.mp4, as of line 1; give another.",
        "line 7: output is 'x.avi'; give a file name that ends in .mp4",
        "line 8: output is 5; give the name of a file.",
        "line 9: clip is 'nowhere.mp4', and there is no such file",
        "line 10: start_s is 9, but square.mp4 has no frame then",
        "line 11: model ./nowhere is not there",
        "line 12: output is one.png, which holds one frame, and num_frames is 2; choose 1",
    ]
    for more in (["--dry-run"], []):
        assert main(["batch", jobs(tmp_path / "jobs.jsonl", *lines), *more]) == 2
        out, err = capsys.readouterr()
        rows = err.splitlines()
        assert out == "" and len(rows) == len(told) + 1
        assert all(row.startswith(part) for row, part in zip(rows, told, strict=False)), rows
        assert rows[-1].startswith("11 lines of ") and "so nothing was drawn" in rows[-1]
    good = jobs(tmp_path / "jobs.jsonl", lines[0], edit)
    assert main(["batch", good, "--dry-run"]) == 0
    assert capsys.readouterr().out == "All 2 lines can be run: 2 to make, 0 there already.\n"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs.jsonl"]


def test_a_clip_is_found_beside_the_jobs_too(tmp_path, square_clip, family):
    told = settings_dict(Pix2PixVideoSettings("square.mp4", "make it red")) | {"model": family}
    file = jobs(Path(square_clip).with_name("jobs.jsonl"), told)
    lines, wrong = read_jobs(Path(file))
    assert wrong == [] and lines[0].settings.clip == square_clip


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            None,
            "jobs.jsonl cannot be read (No such file or directory); give a file with a JSON object a line.",
        ),
        (b"\xff\xfe", "jobs.jsonl cannot be read (it is no text); give"),
        (b"\n\n", "jobs.jsonl is empty; give a JSON object of settings a line."),
    ],
)
def test_a_file_that_is_none(tmp_path, capsys, text, told):
    file = tmp_path / "jobs.jsonl"
    if text is not None:
        file.write_bytes(text)
    assert main(["batch", str(file)]) == 2
    out, err = capsys.readouterr()
    assert out == "" and told in err and err.count("\n") == 1


def test_a_line_that_fails_is_told_and_the_next_is_drawn(tmp_path, car, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seen = []

    def draw(engine, order, clock):
        seen.append(order.output.name)
        if order.output.name == "b.mp4":
            raise OSError("the disk is gone")
        if order.output.name == "d.mp4":
            raise KeyboardInterrupt
        return {"output": str(order.output)}

    monkeypatch.setattr(generate, "draw", draw)
    monkeypatch.setattr(generate, "_engine", lambda *told: None)
    lines = [{**car, "output": f"{name}.mp4"} for name in "abcde"]
    assert main(["batch", jobs(tmp_path / "jobs.jsonl", *lines[:3])]) == 1
    out, err = capsys.readouterr()
    assert seen == ["a.mp4", "b.mp4", "c.mp4"]
    assert "line 2: The video could not be made: the disk is gone." in err
    assert out.startswith("Done: of 3 lines 2 made, 0 skipped, 1 failed, in ")
    seen.clear()
    assert main(["batch", jobs(tmp_path / "jobs.jsonl", *lines), "--json"]) == 130
    report = json.loads(capsys.readouterr().out)
    assert seen == ["a.mp4", "b.mp4", "c.mp4", "d.mp4"]
    assert (len(report["made"]), len(report["failed"]), report["lines"]) == (2, 1, 5)


def test_the_commands_are_listed_in_the_help(capsys):
    for arguments in (["--help"], ["finish", "--help"], ["batch", "--help"]):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        assert ended.value.code == 0
    out = capsys.readouterr().out
    assert "make many videos, one a line of a file" in out and "finish FILE" not in out
    assert "generate.py finish" in out and "--dry-run" in out


def test_a_line_may_name_what_is_in_a_folder_of_models_and_an_option_is_told_as_its_field(
    tmp_path, car, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    shutil.copytree(car["model"], tmp_path / "mine" / "small")
    line = {**car, "model": "small", "output": "small.mp4", "seed": 1}
    file = jobs(tmp_path / "jobs.jsonl", line)
    assert main(["batch", file, "--dry-run"]) == 2  # there is no such model here
    assert main(["batch", file, "--models", "mine", "--dry-run"]) == 0
    use_models_folder(None)
    capsys.readouterr()
    assert main(["batch", jobs(tmp_path / "short.jsonl", {**car, "steps": 2}), "--dry-run"]) == 2
    told = "line 1: settings name steps, which is unknown here, did you mean 'num_inference_steps'?"
    assert told in capsys.readouterr().err
