"""The ruler's own truth: what is asked, the rows that need no method, the judge's masks, and the page."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.guided import save_tiny_family
from benchmarks.quality import guided
from benchmarks.quality.__main__ import main
from benchmarks.quality.asks import LAYERS, MOST, PLAIN, asks, true_clip
from benchmarks.quality.draw import Results
from benchmarks.quality.judges import largest_piece, watchers
from benchmarks.quality.measures import LAYER_COLUMNS, Column, measure
from benchmarks.quality.page import missed, write_section
from benchmarks.quality.tables import MAX_BYTES, cell, sheet, table
from benchmarks.quality.variants import (
    APART,
    FROZEN,
    PANNED,
    PAPER,
    SHUFFLED,
    VARIANTS,
    chosen,
    panned,
    settings_of,
    stills,
)
from miniature.cases import SINGLE
from miniature.world import belongs, draw, mask, sample_scene
from t2v.evaluation.layers import layers
from t2v.evaluation.movement import movement
from t2v.video.write import write_video
from t2v.weights.source import MINIATURE

needs_judges = pytest.mark.skipif(
    not (MINIATURE.parent / "judge-reader").is_dir(), reason="the judges' weights are not in this copy"
)


@pytest.fixture(scope="module")
def eyes():
    return watchers()


def test_prompts_are_held_out_and_ten_subjects_take_turns():
    asked = asks(MOST)
    assert len({ask.prompt for ask in asked}) == MOST == 40
    assert all(belongs(ask.scene, "held-out") for ask in asked)
    kinds = [ask.scene.subjects[0].kind for ask in asked]
    assert kinds == kinds[:10] * 4
    assert len(set(kinds)) == 10
    assert [ask.seed for ask in asked] == list(range(MOST))
    assert asked[:3] == asks(3)
    assert all(ask.thing in ask.prompt for ask in asked)


@pytest.mark.slow
@pytest.mark.parametrize("ask", asks(10), ids=lambda ask: ask.thing)
def test_the_worlds_own_clip_does_what_is_asked_and_stills_do_not(ask):
    frames, masks = true_clip(ask, LAYERS, 5)
    assert layers(frames, masks, LAYERS.subject, LAYERS.background).error < 0.05
    moved = stills(frames, LAYERS)[PANNED]
    own = panned(np.repeat(masks[0][..., None], 3, axis=-1), LAYERS.subject, 5)[..., 0]
    assert layers(moved, own, LAYERS.subject, LAYERS.background).error > 0.97
    assert movement(true_clip(ask, PLAIN, 3)[0]).error(PLAIN.subject) < 0.01


def test_clips_that_need_no_method():
    frames = true_clip(asks(1)[0], PLAIN, 6)[0]
    rows = stills(frames, PLAIN)
    assert list(rows) == [FROZEN, PANNED, SHUFFLED]
    assert (rows[FROZEN] == frames[0]).all()
    assert movement(rows[PANNED]).error(PLAIN.subject) < 0.01
    assert sorted(map(np.sum, rows[SHUFFLED])) == sorted(map(np.sum, frames))
    assert not (rows[SHUFFLED] == frames).all()
    row = np.arange(4, dtype=np.uint8)[None, :, None].repeat(3, axis=-1)
    assert panned(row, (1.5, 0), 3)[..., 0, :, 0].tolist() == [[0, 1, 2, 3], [1, 0, 0, 1], [2, 1, 0, 0]]
    assert panned(row, (-1, 0), 2)[1, 0, :, 0].tolist() == [1, 2, 3, 3]


def test_a_variant_is_a_line_and_words_of_the_subject_are_filled_in():
    ask = replace(asks(1)[0], seed=7)
    settings = settings_of(ask, LAYERS, {"negative_prompt": "no {thing}", "warp": "whole-cell"}, {"fps": 8.0})
    assert (settings.prompt, settings.seed, settings.fps) == (ask.prompt, 7, 8.0)
    assert (settings.motion_x, settings.motion_y) == LAYERS.subject
    assert (settings.negative_prompt, settings.warp) == ("no purple car", "whole-cell")
    for known in VARIANTS.values():
        assert next(iter(known)) == PAPER
        for changes in known.values():
            settings_of(ask, PLAIN, changes, {}).check()


def test_independent_frames_stand_in_every_table():
    known = {PAPER: {}, "another": {"warp": "reference"}, APART: {"motion_field": False}}
    assert list(chosen(known, ["another"])) == ["another", APART]
    assert chosen(known, list(known)) == known
    assert chosen(known, ["of another table"]) == {}


@needs_judges
@pytest.mark.slow
def test_the_judges_masks_are_the_true_ones(eyes):
    """Held-out scenes of every sort; the median is what is reported, the least what a clip may meet."""
    rng = np.random.default_rng(5)
    scenes = [sample_scene(rng, "held-out", SINGLE) for _ in range(60)]
    seen = eyes.masks(np.stack([draw(scene) for scene in scenes]))
    true = np.stack([mask(scene) for scene in scenes])
    agreed = (seen & true).sum(axis=(1, 2)) / (seen | true).sum(axis=(1, 2))
    assert np.median(agreed) > 0.85
    assert agreed.min() > 0.6


@needs_judges
@pytest.mark.slow
def test_a_clip_is_measured_by_every_column(eyes):
    ask = asks(1)[0]
    frames, masks = true_clip(ask, LAYERS, 4)
    single = frames[0]
    by_judge = measure(frames, LAYERS, ask, eyes, single)
    known = measure(frames, LAYERS, ask, eyes, single, masks)
    assert by_judge["error"] < 0.05
    assert by_judge["overlap"] > 0.9
    assert known["overlap"] > by_judge["overlap"]
    assert (by_judge["subject"], by_judge["colour"], by_judge["place"]) == (1, 1, 1)
    assert by_judge["sharp"] == pytest.approx(1, abs=0.03)
    assert by_judge["text"] > measure(frames, LAYERS, asks(2)[1], eyes, single)["text"]
    frozen = measure(stills(frames, LAYERS)[FROZEN], LAYERS, ask, eyes, single)
    assert frozen["error"] == pytest.approx(1, abs=0.01)
    assert [frozen[name] for name in ("frames", "vb_subject", "vb_background", "vb_smooth")] == [
        pytest.approx(1, abs=1e-4)
    ] * 4
    assert frozen["vb_dynamic"] == 0
    assert by_judge["vb_dynamic"] == 1
    as_one = measure(frames, PLAIN, ask, eyes, single)
    assert as_one["flicker_asked"] > 1
    assert as_one["off"] > 0.3


def test_the_largest_piece_is_kept():
    pieces = np.zeros((20, 20), bool)
    pieces[2:4, 2:4] = pieces[10:15, 10:15] = True
    assert largest_piece(pieces).sum() == 25
    assert largest_piece(np.zeros((5, 5), bool)).sum() == 0


def test_tables_round_and_leave_out_what_is_not_known():
    rows = {
        "one": [{"a": 0.126, "b": -0.004}, {"a": float("nan"), "b": 0.0}],
        "two": [{"a": float("nan"), "b": 1}],
    }
    text = table(rows, [Column("a", "first"), Column("b", "least", ".1f", np.nanmin)])
    assert text.splitlines() == [
        "|  | first | least |",
        "|---|---|---|",
        "| one | 0.13 | 0.0 |",
        "| two | – | 1.0 |",
    ]
    assert cell([-0.5, -0.7], Column("a", "", ".2f")) == "-0.60"
    assert cell([0.5, 1.0], Column("a", "", ".0%")) == "75%"


def test_the_picture_is_small_whatever_it_shows():
    noise = np.random.default_rng(0).integers(0, 256, (12, 40, 60, 3), np.uint8)
    data = sheet({f"row {i}": noise for i in range(12)})
    assert data[:2] == b"\xff\xd8"
    assert len(data) <= MAX_BYTES


def test_a_section_takes_its_own_place_and_leaves_the_others(tmp_path):
    page = tmp_path / "QUALITY.md"
    write_section(page, "First", "one\n\n![a](a.jpg)")
    write_section(page, "Second", "two")
    before = page.read_text()
    write_section(page, "First", "one\n\n![a](a.jpg)")
    assert page.read_text() == before
    write_section(page, "First", "three")
    text = page.read_text()
    assert re.findall("^## (.+)$", text, re.MULTILINE) == ["First", "Second"]
    assert text.startswith("# The ruler\n")
    assert "three\n\n## Second\n\ntwo\n" in text
    assert "one" not in text.split("## First")[1]


def test_what_misses_the_target_is_named():
    good, bad, none = ({column.key: value for column in LAYER_COLUMNS} for value in (0.05, 0.2, float("nan")))
    results = Results(LAYERS, prompts=["a red car", "a blue boat", "a cat"])
    results.figures = {"some": [good, bad, none], "none": [bad] * 3, "all": [good] * 3}
    assert missed(results).splitlines()[2:] == [
        "- some: 1 of 3, not a blue boat; a cat",
        "- none: 0 of 3",
        "- all: 3 of 3",
    ]


@needs_judges
@pytest.mark.slow
def test_one_command_writes_everything(tmp_path):
    source = save_tiny_family(tmp_path / "model")
    written = tmp_path / "out"
    few = ["--frames", "3", "--steps", "2", "--model", source, "--prompts", "1", "--cases", "1"]
    assert main([*few, "--output", str(written), "--sheets", str(tmp_path / "sheets")]) == 0
    text = (written / "QUALITY.md").read_text()
    assert re.findall("^## (.+)$", text, re.MULTILINE) == [LAYERS.title, PLAIN.title, "Following a clip"]
    for rows in text.split("\n## ")[1:3]:
        for name in (PAPER, APART, FROZEN, PANNED, SHUFFLED, "the world's own clip"):
            assert rows.count(f"\n| {name} |") == 2, name
    for picture in re.findall(r"!\[.+?\]\((.+?)\)", text):
        assert 1000 < (written / picture).stat().st_size <= MAX_BYTES
    assert len(list((tmp_path / "sheets").iterdir())) == 2
    only = [*few, "--only", "plain", "--variants", "without motion field", "--output", str(written)]
    assert main(only) == 0
    again = (written / "QUALITY.md").read_text()
    assert again.split("\n## ")[1] == text.split("\n## ")[1]
    plain = again.split("\n## ")[2]
    assert "| without motion field |" in plain
    assert f"| {APART} |" in plain
    assert f"| {PAPER} |" not in plain


@pytest.mark.slow
def test_finished_videos_are_measured_along_their_clip(tmp_path, capsys):
    frames = true_clip(asks(1)[0], PLAIN, 5)[0]
    clip = write_video(tmp_path / "clip.mp4", frames, 8)
    steady = write_video(tmp_path / "steady.mp4", 255 - frames, 8)
    restless = 255 - frames // np.array([1, 2, 1, 2, 1], np.uint8)[:, None, None, None]
    flickers = write_video(tmp_path / "flickers.mp4", restless, 8)
    assert main(["--clip", str(clip), "--results", str(steady), str(flickers)]) == 0
    rows = {
        cells[1].strip(): [float(each.strip(" %")) for each in cells[2:-1]]
        for cells in (line.split("|") for line in capsys.readouterr().out.splitlines()[2:])
    }
    assert list(rows) == [guided.CLIP, "steady.mp4", "flickers.mp4", guided.FROZEN]
    assert rows["steady.mp4"][0] < 2 < 5 < rows[guided.FROZEN][0] < rows["flickers.mp4"][0]
    assert rows[guided.FROZEN][1] == 0
    assert rows["steady.mp4"][2] == 100


@pytest.mark.parametrize("given", [["--clip", "a.mp4"], ["--results", "a.mp4"], ["--prompts", "41"]])
def test_half_a_question_is_refused(given, capsys):
    with pytest.raises(SystemExit):
        main(given)
    assert "--clip and --results belong together" in (told := capsys.readouterr().err) or "1..40" in told


def test_every_case_is_an_example_of_the_app():
    folder = Path(guided.__file__).resolve().parents[2] / "examples"
    assert all((folder / case.file).is_file() for case in guided.CASES)
