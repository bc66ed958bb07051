"""The figures of the card: each measure on cases whose answer is known, and the whole command in small."""

import json
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import torch

from miniature import cases, evaluate, exam, likeness, measures, videos
from miniature.controls import CONTROLS, build_controlnet
from miniature.editor import build_editor
from miniature.judges.clip import build_clip, save_clip
from miniature.judges.reader import build_reader, save_reader
from miniature.judges.scenes import CLASSES, KEPT_STYLE, value_of
from miniature.package import load_pipeline, save_model
from miniature.shapes import TEXT_TO_IMAGE, WEIGHTS
from miniature.style import build_style, save_style
from miniature.world import (
    EDITS,
    TRAINING,
    Scene,
    Subject,
    belongs,
    depth,
    draw,
    joints,
    mask,
    possible,
    sample_scene,
)

pytestmark = pytest.mark.slow

CAR = Scene("street", (Subject("car", "red"),), seed=3)
PAIR = Scene("grass", (Subject("panda", "blue", 0.27, scale=0.6), Subject("ball", "red", 0.73, scale=0.6)))
SMALL = exam.Plan(
    prompts=2,
    videos=1,
    frames=2,
    guided=1,
    controls=1,
    edits=1,
    styled=1,
    steps=1,
    pictures=1,
    groups=1,
    read=4,
)


def shifted(edges, right):
    return np.roll(edges, right, axis=1)


def test_edges_agree_with_themselves_also_two_pixels_off_but_not_five():
    wanted = np.zeros((64, 64), bool)
    wanted[:, 8::16] = True
    assert measures.f_score(wanted, wanted) == 1.0
    assert measures.f_score(wanted, shifted(wanted, 2)) == 1.0
    assert measures.f_score(wanted, shifted(wanted, 5)) == 0.0
    half = wanted & (np.arange(64) < 32)  # all of it right, half of it missing
    assert measures.f_score(wanted, half) == pytest.approx(2 / 3)
    nothing = np.zeros_like(wanted)
    assert measures.f_score(nothing, nothing) == 1.0
    assert measures.f_score(wanted, nothing) == 0.0


def test_edges_of_a_scene_are_its_own_and_no_other_ones():
    picture = draw(CAR)
    own = measures.edges_of(picture)
    assert measures.f_score(own, measures.edges_of(cv2.GaussianBlur(picture, (0, 0), 0.6))) > 0.85
    other = replace(CAR, place="moon", time="night", subjects=(Subject("star", "blue"),))
    assert measures.f_score(own, measures.edges_of(draw(other))) < 0.6


def test_joints_count_when_within_six_percent_of_the_height():
    figure = Scene("grass", (Subject("robot", "red"),))
    wanted, height = joints(figure)[0], measures.figure_height(figure)
    assert 100 < height < 220
    assert measures.joints_near(wanted, wanted + (0, 0.05 * height), height) == 1.0
    moved = wanted.copy()
    moved[:9] += 0.05 * height  # to the right and down: farther than 6 % along the diagonal
    assert measures.joints_near(wanted, moved, height) == 0.5


@pytest.mark.parametrize("scene", [CAR, PAIR, replace(CAR, place="moon", time="night")])
def test_depth_order_is_right_in_the_true_depth_and_wrong_upside_down(scene):
    true = cv2.resize(depth(scene), (32, 32), interpolation=cv2.INTER_AREA).astype(float)
    answers = measures.order_right(scene, true)
    assert len(answers) >= len(scene.subjects)
    assert all(answers)
    assert not any(measures.order_right(scene, 255 - true))


def test_depth_order_notices_a_missing_subject():
    empty = cv2.resize(depth(replace(CAR, subjects=())), (32, 32), interpolation=cv2.INTER_AREA).astype(float)
    assert not measures.order_right(CAR, empty)[0]  # as far as what should lie behind it


def test_change_is_measured_away_from_both_subjects():
    after = replace(CAR, subjects=(Subject("ball", "red", x=0.3),))
    source = draw(CAR)
    made = source.copy()
    made[mask(CAR) | mask(after)] = 0
    assert measures.change_elsewhere(CAR, after, source, made) == 0
    lighter = np.clip(source.astype(int) + 3, 0, 255).astype(np.uint8)
    assert 2 < measures.change_elsewhere(CAR, after, source, lighter) <= 3


def take_of(scene, frames=3, cycles=0.0, sources=None, kind=""):
    scenes = videos._pan(scene, frames, cycles)
    return videos.Take("", scenes, videos._footage(scenes), sources, kind)


def test_clips_to_follow_pan_about_the_scene_as_it_was():
    take = take_of(CAR)
    assert [scene.camera[0] * 256 for scene in take.scenes] == pytest.approx([-4, 0, 4])
    assert (take.given[1] == draw(CAR)).all()
    assert (take.given[2][:, 4:] == take.given[1][:, :-4]).mean() > 0.99
    dancer = replace(CAR, subjects=(Subject("robot", "red", pose="dancing"),))
    first, _, last = take_of(dancer, cycles=0.5).scenes
    assert first.subjects[0].phase != last.subjects[0].phase


def test_consistency_knows_the_pan_and_tells_flicker_from_drift():
    run = type("Run", (), {"judges": exam.Judges(None, None)})
    still = take_of(CAR, 4).given[None]
    calm = videos.consistency(run, still, videos.PAN_PX)
    assert calm["flicker"] < 0.5 and calm["drift"] < 0.5 and calm["alike"] is None
    frozen = np.repeat(still[:, :1], 4, axis=1)
    assert videos.consistency(run, frozen, videos.PAN_PX)["flicker"] > 2  # it did not move as the clip did
    dark = np.uint8(0.5 * still)
    flickering = np.stack([still[:, 0], dark[:, 1], still[:, 2], dark[:, 3]], axis=1)
    fading = np.stack([still[:, 0], dark[:, 1], dark[:, 2], dark[:, 3]], axis=1)
    told = videos.consistency(run, flickering, videos.PAN_PX), videos.consistency(run, fading, videos.PAN_PX)
    assert told[0]["flicker"] > 2 * told[1]["flicker"]
    assert told[0]["drift"] < told[1]["drift"]


def test_scores_are_means_over_frames_and_the_worst_frame_number_is_told():
    takes = [take_of(CAR), take_of(PAIR)]
    wanted = {(0, 0): 1.0, (0, 1): 0.5, (0, 2): 0.0, (1, 0): 1.0, (1, 1): 0.3, (1, 2): np.nan}
    numbered = np.array(list(wanted)).reshape(2, 3, 2)
    told = videos._over_frames("right", takes, numbered, lambda scene, frame: wanted[tuple(frame)])
    assert told == pytest.approx({"right": 2.8 / 5, "worst_frame": 0.0})


def test_change_elsewhere_of_a_video_is_that_of_its_frames_after_edits_that_keep_the_rest():
    after = replace(CAR, subjects=(Subject("car", "blue"),))
    edited = take_of(after, sources=videos._pan(CAR, 3), kind="colour")
    edited = replace(edited, given=videos._footage(edited.sources))
    target = videos._footage(edited.scenes)
    assert videos._changed([edited], target[None]) == 0
    assert videos._changed([edited], np.minimum(target, 252)[None] + np.uint8(3)) == pytest.approx(3, abs=0.3)
    assert videos._changed([replace(edited, kind="style")], target[None]) is None


def test_shares_count_each_judge_both_and_agreement(monkeypatch):
    class Clip:
        def choose(self, pictures, scenes, name):
            return ["red", "blue", "blue", "red"][: len(scenes)]

    reading = type("Reading", (), {"values": {"colour": ["red", "red", "blue", "green"]}})
    monkeypatch.setattr(exam, "read", lambda parts, pictures: reading)
    judges = exam.Judges(Clip(), torch.nn.ModuleDict())
    sketch = replace(CAR, style="pencil sketch")
    scenes, pictures = [CAR, CAR, sketch, CAR, CAR], np.zeros((5, 4, 4, 3), np.uint8)
    told = judges.share(pictures, scenes, "colour")  # the sketch is left out
    assert told == {"clip": 0.5, "reader": 0.5, "both": 0.25, "agree": 0.5}
    alone = exam.Judges(Clip(), None).share(pictures, scenes, "colour")
    assert alone == {"clip": 0.5, "reader": None, "both": None, "agree": None}


def test_a_plan_can_be_cut_down_but_not_to_nothing():
    few = exam.Plan().at_most(24)
    assert (few.prompts, few.videos, few.edits, few.frames, few.steps) == (24, 24, 20, 8, exam.Plan().steps)
    assert (few.guided, few.at_most(2).guided) == (12, 2)


def test_command_writes_a_sheet_and_refuses_no_samples(tmp_path, capsys):
    (tmp_path / "text-to-image").symlink_to(TEXT_TO_IMAGE)
    sheet = tmp_path / "sheet.jpg"
    arguments = ["--quick", "--weights", str(tmp_path), "--only", "text-to-image", "--device", "cpu"]
    evaluate.main([*arguments, "--samples", "1", "--sheet", str(sheet)])
    assert json.loads(capsys.readouterr().out)["plan"]["prompts"] == 1
    assert cv2.imread(str(sheet)).std() > 20
    with pytest.raises(SystemExit):
        evaluate.main([*arguments, "--samples", "0"])
    assert "at least 1" in capsys.readouterr().err


@pytest.mark.parametrize("kind", EDITS)
def test_edit_pairs_are_held_out_and_change_what_is_asked(kind):
    pairs = cases.edit_pairs(np.random.default_rng(0), kind, 3)
    assert len(pairs) == 3
    for before, text, after in pairs:
        assert kind in possible(before)
        assert belongs(after, "held-out")
        assert value_of(before, kind) != value_of(after, kind)
        assert text


def test_the_kept_style_is_one_that_training_never_shows():
    assert KEPT_STYLE not in TRAINING.styles
    assert KEPT_STYLE in CLASSES["style"]


def test_the_reader_tells_places_alone_from_places_with_a_subject():
    run = exam.Exam(WEIGHTS, torch.device("cpu"), SMALL)
    rng = np.random.default_rng(2)
    scenes = [sample_scene(rng, None, cases.SINGLE) for _ in range(40)]
    assert likeness._crowded(run, likeness._true(scenes)) > 0.9
    assert likeness._crowded(run, likeness._true([replace(s, subjects=()) for s in scenes])) < 0.1
    assert all(not sample_scene(rng, "train", likeness.EMPTY).subjects for _ in range(10))


def test_missing_models_are_null_and_the_answer_is_one_line(tmp_path, capsys):
    evaluate.main(["--json", "--quick", "--weights", str(tmp_path), "--device", "cpu"])
    line = capsys.readouterr().out
    assert line.count("\n") == 1
    figures = json.loads(line)
    assert all(figures[name] is None for name in evaluate.MEASURES)
    assert figures["plan"]["steps"] == exam.QUICK.steps


@pytest.fixture(scope="module")
def family(tmp_path_factory):
    """The bundled models, and untrained ones in place of any that are not there."""
    root = tmp_path_factory.mktemp("family")
    for folder in WEIGHTS.iterdir():  # copies, as a model's companions are sought beside its real folder
        shutil.copytree(folder, root / folder.name)
    torch.manual_seed(0)
    base = load_pipeline(TEXT_TO_IMAGE)

    def acting(network):
        """Not trained, but it sees what it is shown, and its last layers are not zero."""
        for name, weight in network.named_parameters():
            if name.startswith(("conv_in.weight", "controlnet_down_blocks", "controlnet_mid_block")):
                torch.nn.init.normal_(weight, std=0.05)
        return network

    untrained = {
        "judge-clip": lambda folder: save_clip(folder, build_clip(base.tokenizer), base.tokenizer),
        "judge-reader": lambda folder: save_reader(folder, build_reader()),
        "editor": lambda folder: save_model(acting(build_editor(base.unet)), folder),
        "style": lambda folder: save_style(folder, build_style(base.unet)["unet"]),
    }
    for control in CONTROLS:
        untrained[f"controlnet-{control}"] = lambda folder: save_model(
            acting(build_controlnet(base.unet)), folder
        )
    for name, save in untrained.items():
        if not (root / name).exists():
            save(root / name)
    return root


def check_video(figures, name, most=1):
    """Figures of guided videos are there for each way of drawing, the true frames' as they must be."""
    assert list(figures) == ["method", "without_cross_frame", "true_frames"]
    for told in figures.values():
        assert 0 <= told[name] <= most
        assert told["flicker"] >= 0 and told["drift"] >= 0 and -1 <= told["alike"] <= 1.0001
    assert figures["true_frames"]["flicker"] < 2 < figures["method"]["flicker"] + 2
    assert figures["method"] != figures["without_cross_frame"]


def test_every_measure_runs_on_what_stock_pipelines_draw(family):
    run = exam.Exam(family, torch.device("cpu"), SMALL)
    figures = evaluate.evaluate(run, tuple(name for name in evaluate.MEASURES if name != "clip"))
    for name, wanted in {"agreement": set(CLASSES), "text-to-image": {"place", "subject", "colour"},
                         "text-to-video": {"place", "subject", "colour"}, "editor.by_kind": set(EDITS),
                         "style": {"with_keyword", "without_keyword"}}.items():  # fmt: skip
        told = figures["editor"]["by_kind"] if name == "editor.by_kind" else figures[name]
        assert set(told) == wanted
        for shares in told.values():
            assert all(0 <= share <= 1 for share in shares.values())
    assert run.prompted.shape == (2, 256, 256, 3)
    for name, figure in {"canny": "f_score", "pose": "joints_right", "depth": "order_right"}.items():
        assert 0 <= figures[name][figure] <= 1
        assert 0 <= figures[name]["reachable"] <= 1
    for name, figure in {"canny": "f_score", "pose": "joints_right", "depth": "order_right"}.items():
        check_video(figures[f"{name}-video"], figure)
    check_video(figures["editor-video"], "change_elsewhere", most=255)
    for told in (figures["first-frame"][name] for name in ("method", "without_cross_frame")):
        assert 0 <= told["place"]["reader"] <= 1 and told["flicker"] >= 0
    assert figures["first-frame"]["method"] != figures["first-frame"]["without_cross_frame"]
    assert {figures["plates"][name] for name in ("subject_seen", "reachable")} <= {0.0, 1.0}
    assert figures["canny"]["reachable"] > 0.4
    assert figures["editor"]["change_of_autoencoder"] < 8
    assert figures["autoencoder"]["psnr_db"] > 26
    assert figures["reader"]["joint_error_percent"] > 0


def test_a_model_that_is_not_there_is_null(tmp_path):
    (tmp_path / "text-to-image").symlink_to(TEXT_TO_IMAGE)
    run = exam.Exam(tmp_path, torch.device("cpu"), SMALL)
    figures = evaluate.evaluate(run, ("agreement", "text-to-image", "style"))
    assert (figures["agreement"], figures["style"]) == (None, None)
    assert figures["text-to-image"]["colour"] == dict.fromkeys(("clip", "reader", "both", "agree"))
