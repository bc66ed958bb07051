"""The cartoon world's animals, places, weather and looks: what each changes in the picture."""

from dataclasses import replace
from itertools import combinations

import cv2
import numpy as np
import pytest

from miniature.world import TRAINING, Scene, Subject, draw, mask, sample_scene
from miniature.world.kinds import KINDS
from miniature.world.looks import KEPT_LOOKS, LOOKS, PIXELS, STYLES, WEATHER_FITS
from miniature.world.places import ALWAYS_NIGHT, PLACES

SIZE = 128
DEER = Scene("forest", (Subject("deer", "red"),), seed=4)
LIGHT_PLACES = [place for place in PLACES if place not in ALWAYS_NIGHT]


def alone(kind, colour="red", place="grass", **scene):
    return Scene(place, (Subject(kind, colour, y=KINDS[kind].ground),), seed=1, **scene)


def saturation(picture):
    return float((picture.max(axis=-1).astype(int) - picture.min(axis=-1)).mean())


def test_styles_of_training_and_looks_kept_from_it():
    assert set(TRAINING.styles) < set(STYLES) and "plain" in STYLES
    assert not set(KEPT_LOOKS) & (set(STYLES) | set(TRAINING.styles))
    assert set(LOOKS) == set(STYLES) | set(KEPT_LOOKS)


def test_sketch_is_grey_with_dark_strokes_on_paper():
    plain, drawn = draw(DEER), draw(replace(DEER, style="pencil sketch"))
    assert saturation(drawn) < 16 < saturation(plain)
    assert np.percentile(drawn, 80) > 200 and np.percentile(drawn, 2) < 110
    dark = drawn.max(axis=-1) < 110
    assert cv2.erode(dark.astype(np.uint8), np.ones((2, 2))).sum() > 0.4 * dark.sum()  # two pixels thick


@pytest.mark.parametrize("size", [SIZE, 256])
def test_pixel_art_is_constant_in_its_blocks(size):
    drawn = draw(replace(DEER, style="pixel art"), size)
    side = size // PIXELS
    blocks = drawn.reshape(PIXELS, side, PIXELS, side, 3)
    assert (blocks == blocks[:, :1, :, :1]).all()
    many, few = (len(np.unique(picture.reshape(-1, 3), axis=0)) for picture in (draw(DEER, size), drawn))
    assert few < 0.5 * many


def test_watercolour_is_paler_and_has_lost_its_ink():
    plain, drawn = draw(DEER), draw(replace(DEER, style="watercolour"))
    assert drawn.mean() > plain.mean() + 10 and saturation(drawn) < 0.9 * saturation(plain)
    assert (drawn.max(axis=-1) < 60).mean() < 0.2 * (plain.max(axis=-1) < 60).mean()


def test_neon_is_dark_with_bright_lines_in_the_hue_of_the_subject():
    for colour, channel in (("red", 0), ("green", 1), ("blue", 2)):
        scene = alone("star", colour, "moon", style="neon")
        drawn = draw(scene)
        assert np.median(drawn.max(axis=-1)) < 70
        rim = cv2.dilate(mask(scene).astype(np.uint8), np.ones((3, 3))) > 0
        glowing = rim & (drawn.max(axis=-1) > 220)
        assert 0.03 < glowing.sum() / rim.sum() < 0.6
        assert drawn[glowing].mean(axis=0).argmax() == channel


@pytest.mark.parametrize("style", [style for style in LOOKS if style != "pencil sketch"])
def test_every_look_but_the_sketch_keeps_the_hue(style):
    for colour, order in (("red", (0, 2)), ("blue", (2, 0)), ("green", (1, 0))):
        scene = alone("ball", colour, "snow", style=style)
        seen = draw(scene, SIZE)[mask(scene, SIZE)].mean(axis=0)
        assert seen[order[0]] > 1.15 * seen[order[1]], colour


def test_weather_falls_only_where_it_fits():
    rng = np.random.default_rng(0)
    fallen = {(s.place, s.weather) for s in (sample_scene(rng) for _ in range(500)) if s.weather != "clear"}
    assert fallen and all(weather in WEATHER_FITS[place] for place, weather in fallen)
    assert set(WEATHER_FITS) < set(PLACES) and not {"desert", "moon"} & set(WEATHER_FITS)


@pytest.mark.parametrize("weather", ["rain", "snowfall"])
def test_about_forty_large_drops_fall(weather):
    scene = Scene("city", seed=3, horizon=0.58)
    changed = np.abs(draw(replace(scene, weather=weather)).astype(int) - draw(scene)).max(axis=-1) > 40
    count, _, boxes, _ = cv2.connectedComponentsWithStats(changed.astype(np.uint8))
    large = boxes[1:][boxes[1:, cv2.CC_STAT_AREA] > 20]
    assert 20 <= len(large) <= 60
    assert min(large[:, cv2.CC_STAT_WIDTH].min(), large[:, cv2.CC_STAT_HEIGHT].min()) >= 3


@pytest.mark.parametrize("place", LIGHT_PLACES)
def test_night_darkens_every_place_and_the_subject_stays_seen(place):
    empty = Scene(place, seed=2)
    night = draw(replace(empty, time="night"), SIZE)
    assert night.mean() < 0.62 * draw(empty, SIZE).mean()
    for colour in ("black", "blue", "white"):
        scene = alone("cat", colour, place, time="night")
        inside, picture = mask(scene, SIZE), draw(scene, SIZE).astype(int)
        around = cv2.dilate(inside.astype(np.uint8), np.ones((9, 9))).astype(bool) & ~inside
        behind = np.median(picture[around], axis=0)
        assert np.abs(picture[inside] - behind).sum(axis=-1).mean() > 90, colour


def test_the_forest_is_no_meadow():
    forest, grass = (draw(Scene(place, seed=5), SIZE).astype(int) for place in ("forest", "grass"))
    assert np.abs(forest - grass).mean() > 30
    middle = slice(round(0.2 * SIZE), round(0.55 * SIZE))  # crowns and trunks against an open sky
    assert forest[middle].mean() < 0.85 * grass[middle].mean()


def test_animals_have_their_own_outlines():
    """Silhouettes of any two of the animals share less than seven tenths of what both cover."""
    shapes = {kind: mask(alone(kind), 64) for kind in ("cat", "dog", "horse", "deer", "fish")}
    for (one, a), (other, b) in combinations(shapes.items(), 2):
        assert (a & b).sum() < 0.7 * (a | b).sum(), (one, other)
