"""The cartoon world: what is drawn, said, masked, moved and edited belongs to one scene."""

from dataclasses import replace
from itertools import product

import cv2
import numpy as np
import pytest

from miniature.world import (
    COLOURS,
    EDITS,
    FIGURES,
    TRAINING,
    VOCABULARY,
    Scene,
    Subject,
    another_frame,
    belongs,
    caption,
    clip,
    depth,
    draw,
    edges,
    edits,
    held_out,
    joints,
    mask,
    plain_caption,
    possible,
    sample_scene,
    skeleton,
    words_of,
)
from miniature.world.kinds import KINDS
from miniature.world.looks import STYLES, WEATHERS
from miniature.world.words import MAX_WORDS, PLACE_PHRASES

SIZE = 128
CAR = Scene(place="street", subjects=(Subject("car", "red"),), seed=7)


def scenes(count, seed=0, split="train"):
    rng = np.random.default_rng(seed)
    return [sample_scene(rng, split) for _ in range(count)]


def triple(scene):
    return scene.subjects[0].kind, scene.subjects[0].colour, scene.place


def test_same_seed_same_scene_and_picture():
    for a, b in zip(scenes(6, seed=3), scenes(6, seed=3), strict=True):
        assert a == b
        assert np.array_equal(draw(a, SIZE), draw(b, SIZE))
    assert scenes(6, seed=3) != scenes(6, seed=4)


def test_distant_detail_comes_from_the_scene_seed():
    assert not np.array_equal(draw(CAR, SIZE), draw(replace(CAR, seed=8), SIZE))


def test_held_out_combinations_never_train_and_are_about_a_tenth():
    assert not any(held_out(*triple(s)) for s in scenes(400))
    assert all(held_out(*triple(s)) for s in scenes(50, split="held-out"))
    every = product(TRAINING.subjects, TRAINING.colours, TRAINING.places)
    assert 0.07 < np.mean([held_out(*each) for each in every]) < 0.13
    with pytest.raises(ValueError, match="split"):
        scenes(1, split="test")


def test_training_knows_enough():
    assert len(TRAINING.subjects) >= 10 and len(TRAINING.colours) >= 8 and len(TRAINING.places) >= 6


@pytest.mark.parametrize("kind", TRAINING.subjects)
def test_mask_covers_what_the_subject_changes(kind):
    """Where no shadow falls, the picture with the subject and without differ in the mask and nowhere else."""
    scene = Scene("grass", (Subject(kind, "purple", y=KINDS[kind].ground),), seed=1)
    inside = mask(scene, SIZE)
    empty = draw(replace(scene, subjects=()), SIZE)
    changed = (draw(scene, SIZE) != empty).any(axis=-1)
    shadowless = np.arange(SIZE) < 0.78 * SIZE
    wide = cv2.dilate(inside.astype(np.uint8), np.ones((5, 5))) > 0
    assert not (changed & ~wide)[shadowless].any()
    assert (changed & inside).sum() > 0.99 * inside.sum()
    assert 0.04 < inside.mean() < 0.35


@pytest.mark.parametrize("kind", TRAINING.subjects)
def test_colour_fills_much_of_the_subject(kind):
    for name, colour in COLOURS.items():
        scene = Scene("sea", (Subject(kind, name, y=KINDS[kind].ground),))
        near = np.abs(draw(scene, SIZE).astype(int) - colour).max(axis=-1) < 12
        assert near[mask(scene, SIZE)].mean() > 0.15, name


@pytest.mark.parametrize("place", TRAINING.places)
@pytest.mark.parametrize("size", [SIZE, (96, 160)])
def test_clip_moves_by_the_pixels_asked(place, size):
    frames = clip(replace(CAR, place=place), (3, -2), 4, size)
    assert frames.dtype == np.uint8 and frames.shape[0] == 4
    for before, after in zip(frames[:-1], frames[1:], strict=True):
        # the outermost pixels are spared: OpenCV clips lines there, which tilts their last bit
        assert np.array_equal(before[2:, :-3][4:-4, 4:-4], after[:-2, 3:][4:-4, 4:-4])
        assert not np.array_equal(before, after)


def test_captions_say_colour_subject_and_place_in_known_words():
    rng = np.random.default_rng(5)
    known = {word for phrases in VOCABULARY.values() for phrase in phrases for word in words_of(phrase)}
    texts = [(scene, caption(scene, rng)) for scene in scenes(400, split=None)]
    for scene, text in texts:
        words = words_of(text)
        said = {name for subject in scene.subjects for name in (subject.kind, subject.colour)}
        assert said <= set(words) <= known, text
        assert any(phrase in text for phrase in PLACE_PHRASES[scene.place])
        assert ("night" in words) == (scene.time == "night" and scene.place != "moon")
        assert all(word in words for word in words_of(scene.style) if scene.style == "pixel art")
        assert len(words) <= MAX_WORDS
    assert len({text for _, text in texts}) > 200
    assert plain_caption(CAR) == "a red car on the street"
    assert "a red car on a street" in {caption(CAR, rng) for _ in range(60)}


def test_captions_speak_of_two_subjects_weather_and_style_where_they_are():
    pair = (Subject("car", "red", 0.27, scale=0.6), Subject("dog", "blue", 0.73, scale=0.6))
    both = replace(CAR, subjects=pair, weather="rain", style="watercolour", time="night")
    assert plain_caption(both) == "a red car and a blue dog on the street at night in the rain, watercolour"
    assert {len(scene.subjects) for scene in scenes(100)} == {1, 2}
    snowy = replace(CAR, weather="snowfall")
    assert all("snow" in caption(snowy, np.random.default_rng(i)) for i in range(20))


def test_training_has_some_of_everything_and_only_what_fits():
    seen = scenes(1500)
    assert {s.style for s in seen} == set(STYLES) and {s.weather for s in seen} == set(WEATHERS)
    assert all(s.weather in ("clear", *TRAINING.weathers.get(s.place, ())) for s in seen)
    assert all(s.time == "night" for s in seen if s.place in ("moon", "city"))
    figures = [one for s in seen for one in s.subjects if one.kind in FIGURES]
    assert {one.pose for one in figures} == set(TRAINING.poses)


def test_captions_speak_of_poses_only_where_there_is_one():
    rng = np.random.default_rng(6)
    still = Scene("moon", (Subject("astronaut", "orange"),), time="night")
    waving = replace(still, subjects=(replace(still.subjects[0], pose="waving"),))
    assert not any("waving" in caption(still, rng) for _ in range(40))
    assert any("waving" in caption(waving, rng) for _ in range(40))
    assert all(s.subjects[0].pose == "standing" for s in scenes(100) if not KINDS[s.subjects[0].kind].figure)


@pytest.mark.parametrize("pose", TRAINING.poses)
@pytest.mark.parametrize("kind", FIGURES)
def test_joints_and_skeleton_lie_inside_the_figure(kind, pose):
    scene = Scene("desert", (Subject(kind, "green", 0.45, 0.86, 0.9, pose, variation=1.0),))
    inside = mask(scene, SIZE)
    (points,) = joints(scene, SIZE)
    assert points.shape == (18, 2)
    columns, rows = np.floor(points).astype(int).T
    assert inside[rows, columns].all()
    drawn = skeleton(scene, SIZE).any(axis=-1)
    assert drawn[rows, columns].all()
    assert (drawn & inside).sum() > 0.95 * drawn.sum()


def test_waving_lifts_a_hand_and_things_have_no_joints():
    poses = (Scene("snow", (Subject("robot", "red", pose=pose),)) for pose in ("standing", "waving"))
    standing, waving = (joints(scene, SIZE)[0] for scene in poses)
    assert standing[7, 1] > standing[5, 1]  # y is down: the left wrist hangs below the shoulder
    assert waving[7, 1] < waving[5, 1]
    assert joints(CAR, SIZE).shape == (0, 18, 2)
    assert not skeleton(CAR, SIZE).any()


def test_depth_puts_the_subject_before_the_ground_behind_it():
    scene = replace(CAR, horizon=0.55)
    near = depth(scene, SIZE).astype(int)
    inside = mask(scene, SIZE)
    subject = int(np.median(near[inside]))
    horizon, foot = round(0.57 * SIZE), round(0.84 * SIZE)
    assert near[0, 0] == 0 < near[horizon, 0] < subject <= near[-1, 0] + 1
    assert abs(subject - near[foot, 0]) < 20


def test_edges_are_thin_lines_of_the_picture():
    lines = edges(CAR, SIZE)
    assert set(np.unique(lines)) == {0, 255}
    assert 0.03 < (lines > 0).mean() < 0.3


@pytest.mark.parametrize("what", EDITS)
def test_an_edit_changes_what_it_says_and_nothing_else(what):
    rng = np.random.default_rng(8)
    for scene in [s for s in scenes(80, seed=2) if what in possible(s)]:
        text, edited = edits(scene, rng, what)
        old, new = scene.subjects[0], edited.subjects[0]
        first = {
            "colour": replace(new, colour=old.colour),
            "subject": replace(new, kind=old.kind, y=old.y, pose=old.pose),
        }.get(what, new)
        fields = {"place": ("place", "time", "weather")}.get(what, (what,) if what in vars(scene) else ())
        back = {name: getattr(scene, name) for name in fields}
        assert edited != scene
        assert replace(edited, subjects=(first, *edited.subjects[1:]), **back) == scene
        assert belongs(edited, "train")
        if what in ("colour", "subject", "time"):
            assert {"colour": new.colour, "subject": new.kind, "time": edited.time}[what] in words_of(text)


def test_impossible_edits_are_refused():
    rng = np.random.default_rng(9)
    with pytest.raises(ValueError, match="allows only"):
        edits(replace(CAR, place="moon"), rng, "time")
    assert "colour" not in possible(replace(CAR, style="pencil sketch"))
    kept = next(s for s in scenes(50, split="held-out"))
    with pytest.raises(ValueError, match="take another scene"):
        edits(kept, rng, "time" if "time" in possible(kept) else "style", split="train")


def test_a_colour_edit_changes_only_the_subject_in_the_picture():
    rng = np.random.default_rng(8)
    outside = cv2.dilate(mask(CAR, SIZE).astype(np.uint8), np.ones((5, 5))) == 0
    _, edited = edits(CAR, rng, "colour")
    assert np.array_equal(draw(CAR, SIZE)[outside], draw(edited, SIZE)[outside])


def test_night_style_and_weather_change_the_picture():
    plain = draw(CAR, SIZE)
    assert draw(replace(CAR, time="night"), SIZE).mean() < 0.75 * plain.mean()
    looks = [replace(CAR, style=style) for style in STYLES]
    looks += [replace(CAR, weather=weather) for weather in WEATHERS if weather != "clear"]
    pictures = [draw(scene, SIZE) for scene in looks]
    assert np.array_equal(pictures[0], plain)
    for i, a in enumerate(pictures):
        assert a.dtype == np.uint8 and a.shape == plain.shape
        assert all(np.abs(a.astype(int) - b).mean() > 1 for b in pictures[:i])


def test_size_changes_only_the_resolution():
    scene = replace(CAR, place="desert")
    shrunk = cv2.resize(draw(scene, 3 * SIZE), (SIZE, SIZE), interpolation=cv2.INTER_AREA)
    # OpenCV widens smoothed shapes by half a pixel at every size, hence the room
    assert np.abs(draw(scene, SIZE).astype(int) - shrunk).mean() < 6
    moved, _ = cv2.phaseCorrelate(
        *(cv2.cvtColor(p, cv2.COLOR_RGB2GRAY).astype(np.float32) for p in (draw(scene, SIZE), shrunk))
    )
    assert np.hypot(*moved) < 0.6
    assert draw(CAR, (64, 96)).shape == (64, 96, 3)


def test_places_alone_are_captioned_in_known_words_and_name_no_subject():
    rng = np.random.default_rng(8)
    known = {word for phrases in VOCABULARY.values() for phrase in phrases for word in words_of(phrase)}
    alone = [replace(scene, subjects=()) for scene in scenes(400)]
    texts = [caption(scene, rng) for scene in alone]
    for scene, text in zip(alone, texts, strict=True):
        words = set(words_of(text))
        assert words <= known and not words & {*TRAINING.subjects, *TRAINING.poses}, text
        assert " of on " not in text and " of in " not in text and " of at " not in text
        assert any(name in text for name in (scene.place, "woods"))
    assert plain_caption(replace(CAR, subjects=(), time="night")) == "a street at night"
    assert {"a street", "the street", "on the street"} <= set(texts)


def test_empty_scenes_come_only_where_they_are_wanted():
    some = replace(TRAINING, empty=0.5)
    drawn = [sample_scene(np.random.default_rng(seed), "train", some) for seed in range(40)]
    assert 8 < sum(not scene.subjects for scene in drawn) < 32
    assert all(scene.subjects for scene in scenes(200))
    assert all(sample_scene(np.random.default_rng(s), "held-out", some).subjects for s in range(10))


def test_another_frame_shows_the_same_things_elsewhere():
    rng = np.random.default_rng(9)
    for scene in scenes(60):
        other = another_frame(rng, scene)
        assert replace(other, camera=scene.camera, subjects=()) == replace(scene, subjects=())
        for before, after in zip(scene.subjects, other.subjects, strict=True):
            assert replace(after, x=before.x, phase=before.phase) == before
            assert abs(after.x - before.x) <= 0.22
        assert max(map(abs, other.camera)) <= 0.22
    moved = [another_frame(rng, CAR) for _ in range(30)]
    assert any(scene.camera == CAR.camera for scene in moved)
    assert any(scene.camera != CAR.camera and scene.subjects[0].x != CAR.subjects[0].x for scene in moved)
    empty = replace(CAR, subjects=())
    assert all(another_frame(rng, empty).camera != empty.camera for _ in range(10))
