"""layers.py, cutouts.py, layered.py, plate.py: subjects that are sized and turned, and several of them."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import seeded

from t2v.checks import InputError
from t2v.diffusion.courses import Course, Key, Placed
from t2v.diffusion.cutouts import Layers
from t2v.diffusion.layers import Cells, Layer, lay_cells
from t2v.diffusion.options import Camera, Subject
from t2v.diffusion.plate import fill_beside
from t2v.diffusion.several import parted, without_all
from t2v.diffusion.windows import Windows

NEARER = Course((Key(0, 0, 0), Key(4, 16, 0, 2.0)))
LEFT = np.zeros((128, 128), np.uint8)
LEFT[40:72, 8:40] = 255
RIGHT = np.zeros((128, 128), np.uint8)
RIGHT[40:72, 80:112] = 255
RED, CAR = (Subject(words, t0=500, t1=700) for words in ("red", "car"))


def layer(box, places, sizes=1.0, turns=0.0, lively=False) -> Layer:
    """A subject in a box of pixels (top, bottom, left, right) of a 64 x 64 frame."""
    top, bottom, left, right = box
    matte = np.zeros((64, 64), bool)
    matte[top:bottom, left:right] = True
    count = len(places)
    sizes, turns = (np.broadcast_to(np.array(one, float), count) for one in (sizes, turns))
    return Layer(matte, Placed(np.array(places, float), sizes, turns), lively, 8)


def draw(pipeline, **changes):
    call = {"num_frames": 5, "num_inference_steps": 6, "camera": Camera(), "generator": seeded(7)}
    return pipeline.scene("a red car", **{**call, **changes})


def frames(pipeline, **changes):
    return np.stack(list(pipeline.decode(draw(pipeline, **changes))))


def test_size_goes_from_the_foot_and_turn_about_the_middle():
    box = (16, 33, 24, 41)  # its foot is at 32,32, its middle at 32,24
    still, nearer, turned = layer(box, [[0, 0]] * 3, sizes=[1, 2, 1], turns=[0, 0, np.pi / 2]).maps
    assert np.allclose(still, [[1, 0, 0], [0, 1, 0]])
    assert np.allclose(nearer @ (32, 32, 1), (32, 32)) and np.allclose(nearer @ (32, 16, 1), (32, 0))
    assert np.allclose(turned @ (32, 24, 1), (32, 24)) and np.allclose(turned @ (40, 24, 1), (32, 32))


def test_what_is_sized_and_does_not_live_is_cut_out_of_pixels():
    box, moves = (16, 32, 16, 32), [[0, 0], [9, 0]]
    plain, larger = layer(box, moves), layer(box, moves, sizes=[1, 2])
    assert not plain.is_cut and larger.is_cut and not layer(box, moves, [1, 2], lively=True).is_cut
    assert replace(plain, from_pixels=True).is_cut  # the network would draw its border anew, and eat into it
    assert plain.shifts.tolist() == [[0, 0], [1, 0]] and larger.shifts.tolist() == [[0, 0], [0, 0]]
    assert layer(box, [[0, 0]]).stands and not plain.stands


def test_outlines_go_where_the_subject_goes():
    outlines = layer((16, 33, 24, 41), [[0, 0], [16, 8]], sizes=[1, 2]).outlines
    assert outlines.shape == (2, 4, 2)
    assert outlines[0].min(axis=0).tolist() == [24.5 / 64, 16.5 / 64]
    assert np.allclose(outlines[1].max(axis=0), (64.5 / 64, 40.5 / 64))  # twice as wide, its foot 8 lower
    assert np.allclose(outlines[1].min(axis=0), (32.5 / 64, 8.5 / 64))


def test_the_nearest_subject_covers_the_others():
    near, far = layer((16, 40, 16, 40), [[0, 0], [0, 0]]), layer((16, 40, 32, 56), [[0, 0], [-16, 0]])
    cells = Cells.cut_out([near, far])
    assert cells.subjects[0][1, 2:5, 2:5].all() and not (cells.subjects[0] & cells.subjects[1]).any()
    assert cells.subjects[1].sum(dim=(1, 2)).tolist() == [6, 0]  # it has come behind the other
    free, ones, twos = torch.zeros(2, 1, 8, 8), torch.ones(1, 8, 8), torch.full((1, 8, 8), 2.0)
    mixed = cells.compose(free, [ones, twos], torch.full((2, 1, 8, 8), 3.0))
    assert mixed[0, 0, 3].tolist() == [3, 3, 1, 1, 1, 2, 2, 3] and mixed[1, 0, 3].tolist() == [
        3,
        3,
        1,
        1,
        1,
        3,
        3,
        3,
    ]


def test_latents_show_a_cut_out_in_whole_cells():
    one = layer((16, 33, 16, 33), [[0, 0], [8, 0]], sizes=[1, 1.5])
    laid = lay_cells(torch.zeros(2, 1, 8, 8), torch.ones(1, 8, 8), one)
    assert laid[0, 0].nonzero().tolist() == np.argwhere(one.mask).tolist()
    assert laid[1].sum() > laid[0].sum() and laid[1, 0, :, :2].sum() == 0


def test_a_cut_out_is_scaled_before_its_background_and_its_surroundings_stay():
    picture = np.full((64, 64, 3), 100, np.uint8)
    picture[32:48, 24:40] = 200
    still = np.zeros((3, 2, 3))
    still[:, 0, 0] = still[:, 1, 1] = 1
    one = layer((32, 48, 24, 40), [[0, 0], [0, 0], [8, 0]], sizes=[1, 1.5, 0.5])
    behind = np.full((64, 64, 3), 100, np.uint8)
    latents = torch.zeros(1, 1, 8, 8)
    drawn = Layers(Windows(still, 8, 8, 8), still, latents, [one], latents[0], picture, None, None)
    shown = list(drawn.frames(lambda _: iter([behind])))
    assert np.abs(shown[0].astype(int) - picture).max() <= 6  # softly, at its corners
    wide = [int((frame[38, :, 0] > 150).sum()) for frame in shown]
    assert wide[:2] == [16, 24] and wide[2] == 0 and (shown[2][45, :, 0] > 150).sum() == 8
    assert all((frame[:16] == 100).all() and (frame[:, :8] == 100).all() for frame in shown)


def test_two_subjects_move_apart_and_all_else_stands(pipeline):
    told = []
    pair = [replace(RED, x=8.0), replace(CAR, x=-4.0, path="to and fro")]
    drawing = draw(pipeline, subject=pair, painted=[LEFT, RIGHT], on_step=told.append)
    cells, latents = drawing.cells, drawing.latents()[0]
    assert [one.shifts[:, 0].tolist() for one in drawing.subjects] == [[0, 1, 2, 3, 4], [0, 0, -1, 0, 0]]
    for shift, inner in zip(cells.shifts, cells.subjects, strict=True):
        for k, (dx, _) in enumerate(shift.tolist()):
            assert torch.equal(latents[k][:, inner[k]], latents[0].roll(dx, dims=2)[:, inner[k]])
    shown = np.stack(list(pipeline.decode(drawing)))
    assert (shown[:, :8] == shown[0, :8]).all() and np.abs(shown[4].astype(int) - shown[0]).max() > 10
    assert [one.shape[0] for one in told[-1].outlines] == [5, 5] and told[0].outlines == ()
    assert [step.done for step in told] == list(range(1, told[0].total + 1))
    assert told[-1].fraction == pytest.approx(1)


def test_a_subject_that_comes_nearer_needs_no_step_a_frame(pipeline):
    told = []
    nearer = draw(pipeline, subject=replace(RED, course=NEARER), painted=LEFT, on_step=told.append)
    assert nearer.drawn is None and {
        len(step.latents[0]) for step in told if step.label == "what is behind"
    } == {1}
    assert told[-1].done == told[-1].total and told[-1].fraction == pytest.approx(1)
    assert nearer.latents().shape == (1, 5, 4, 16, 16)
    again = frames(pipeline, subject=replace(RED, course=NEARER), painted=LEFT)
    assert np.array_equal(again, np.stack(list(pipeline.decode(nearer))))
    short = frames(pipeline, subject=replace(RED, course=NEARER), painted=LEFT, num_frames=3)
    assert np.array_equal(short, again[:3])  # a course in frames does not ask how many follow


@pytest.mark.slow
@pytest.mark.parametrize("course", [NEARER, Course((Key(0, 0, 0), Key(4, 20, 3)))])
@pytest.mark.parametrize("lively", [False, True])
def test_chunk_size_never_changes_the_picture(pipeline, course, lively):
    pair = [replace(RED, course=course, lively=lively), replace(CAR, x=-4.0)]
    call = {"subject": pair, "painted": [None, RIGHT], "camera": Camera(8, 4)}
    whole = frames(pipeline, chunk_size=0, **call)
    for chunk_size in (1, 2, 3):
        assert np.abs(frames(pipeline, chunk_size=chunk_size, **call).astype(int) - whole).max() <= 1


def test_three_hundred_frames_keep_only_their_masks(pipeline):
    far = Course((Key(0, 0, 0), Key(299, 64, 0, 1.5)))
    drawing = draw(pipeline, subject=replace(RED, course=far), painted=LEFT, num_frames=300)
    assert drawing.drawn is None and len(drawing.plate) == 1
    assert sum(1 for _ in pipeline.decode(drawing)) == 300


def heeded(**boxes: float) -> np.ndarray:
    """What heeds words, on 12 x 12 cells: in boxes at the left, at the right, between them; elsewhere 0.1."""
    found = np.full((12, 12), 0.1, np.float32)
    for name, columns in (("left", slice(1, 5)), ("right", slice(7, 11)), ("between", slice(5, 7))):
        found[4:9, columns] = boxes.get(name, 0.1)
    return found


def test_of_two_subjects_apart_each_gets_the_piece_by_which_both_are_best_off():
    ball, cat = heeded(left=1.0, right=0.9), heeded(left=1.0, right=0.3)  # the cat is of the ball's colour
    for maps in ([ball, cat], [cat, ball]):
        masks = dict(zip(map(id, maps), parted(maps), strict=True))
        assert np.argwhere(masks[id(ball)]).min(axis=0).tolist() == [4, 7] and masks[id(ball)].sum() == 20
        assert np.argwhere(masks[id(cat)]).max(axis=0).tolist() == [8, 4] and masks[id(cat)].sum() == 20


def test_two_subjects_that_touch_are_parted_where_each_is_heeded_more():
    mine, theirs = parted(
        [heeded(left=1.0, between=0.8, right=0.4), heeded(left=0.2, between=0.5, right=0.5)]
    )
    assert mine[6, 1:5].all() and theirs[6, 7:11].all() and not (mine & theirs).any()
    assert (mine | theirs)[6, 1:11].all()
    assert parted([]) == [] and parted([heeded(left=1.0)])[0].sum() == 20


def test_a_prompt_without_any_of_its_subjects():
    prompt = "a red car and a blue ball on the street"
    assert without_all(prompt, ["red car", "blue ball"]) == "on the street"
    assert without_all(prompt, ["red car"]) == "and a blue ball on the street"


def test_a_hole_is_not_filled_from_another_hole():
    picture = np.full((2, 100, 3), 50, np.uint8)
    picture[:, 20:40], picture[:, 45:70] = 200, 250
    hole, other = np.zeros((2, 100), bool), np.zeros((2, 100), bool)
    hole[:, 20:40], other[:, 45:70] = True, True
    assert (fill_beside(picture, hole, hole | other)[:, 20:40] == 50).all()


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"subject": []}, "subject"),
        ({"subject": [RED, CAR], "painted": [LEFT]}, "painted"),
        ({"subject": [RED, replace(CAR, words="cat")]}, "subject"),
        ({"subject": replace(RED, course=Course((Key(0, 1, 1),)))}, "motion"),
        ({"camera": Camera(course=Course((Key(0, 0, 0), Key(3, 0, 0, 9.0))))}, "motion"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(pipeline, changes, field):
    with pytest.raises(InputError, match=f"^{field} "):
        draw(pipeline, **changes)
