"""scenes.py, canvas.py, layers.py: one picture under a camera, and a subject before it."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from conftest import seeded, small_pipeline

from t2v.checks import InputError
from t2v.diffusion.canvas import joined
from t2v.diffusion.courses import Placed
from t2v.diffusion.cutouts import laid_over
from t2v.diffusion.layers import Cells, Layer, kept_in, move_mask
from t2v.diffusion.options import Camera, Subject
from t2v.diffusion.plate import fill_beside
from t2v.diffusion.progress import Cancelled

QUICK = {"num_frames": 5, "num_inference_steps": 6, "camera": Camera(8, 0)}
RED = Subject("red", 8.0, t0=500, t1=700)
PAINTED = np.zeros((128, 128), np.uint8)
PAINTED[40:72, 24:56] = 255


def draw(pipeline, **changes):
    return pipeline.scene("a red car", **{"generator": seeded(7), **QUICK, **changes})


def frames(pipeline, **changes):
    return np.stack(list(pipeline.decode(draw(pipeline, **changes))))


def difference(a, b):
    return int(np.abs(a.astype(int) - b).max())


@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "dpm++", "lcm"])
def test_the_picture_moves_as_a_whole_under_every_sampler(pipeline, scheduler):
    drawn = frames(pipeline, scheduler=scheduler, camera=Camera(6, -4))
    for before, after in zip(drawn, drawn[1:], strict=False):
        assert np.array_equal(after[:-4, 6:], before[4:, :-6])
    assert difference(drawn[0], drawn[1]) > 10


def test_the_first_frame_is_the_one_that_the_papers_method_begins_with(pipeline):
    paper = pipeline("a red car", num_frames=1, num_inference_steps=6, generator=seeded(7))
    assert torch.allclose(draw(pipeline).latents()[0, 0], paper[0, 0], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("subject", [None, RED, replace(RED, lively=True, x=0.0)])
@pytest.mark.parametrize("scheduler", ["ddim", "euler-ancestral", "dpm++"])
def test_chunk_size_never_changes_the_picture(pipeline, subject, scheduler):
    call = {"subject": subject, "scheduler": scheduler, "camera": Camera(8, 4)}
    whole = frames(pipeline, chunk_size=0, **call)
    for chunk_size in (1, 2, 3, 8):
        assert difference(frames(pipeline, chunk_size=chunk_size, **call), whole) <= 1


def test_with_room_ahead_the_seeds_picture_is_reached_a_little_later(pipeline):
    call = {"camera": Camera(8, 0, lead=True)}
    drawn, still = frames(pipeline, **call), frames(pipeline, camera=Camera(), num_frames=1)
    assert np.array_equal(drawn[4], still[0])  # 32 px, a quarter of the picture
    assert np.array_equal(drawn[0][:, :-32], still[0][:, 32:])
    assert np.array_equal(frames(pipeline, first=1, **call)[0], drawn[0])


@pytest.mark.parametrize("camera", [Camera(8, 0), Camera(3, 2, zoom=0.97, turn=2), Camera(8, 0, lead=True)])
def test_a_shorter_video_is_the_beginning_of_a_longer_one(pipeline, camera):
    call = {"camera": camera, "scheduler": "euler-ancestral"}
    long, short = frames(pipeline, num_frames=7, **call), frames(pipeline, num_frames=3, **call)
    assert difference(long[:3], short) <= 1


def test_the_same_seed_gives_the_same_video_and_another_one_another(pipeline):
    assert np.array_equal(frames(pipeline, subject=RED), frames(pipeline, subject=RED))
    assert difference(frames(pipeline), frames(pipeline, generator=seeded(0))) > 10


def test_a_still_camera_gives_one_picture(pipeline):
    drawn = frames(pipeline, camera=Camera())
    assert all(np.array_equal(frame, drawn[0]) for frame in drawn)


def test_zoom_and_turn_sample_the_picture_between_its_pixels(pipeline):
    still, turned = frames(pipeline, camera=Camera()), frames(pipeline, camera=Camera(turn=45), num_frames=3)
    height, width = still.shape[1:3]
    quarter = np.rot90(still[0], -1)  # the third frame is a quarter turn clockwise
    inner = np.s_[height // 4 : -height // 4, width // 4 : -width // 4]
    assert difference(turned[2][inner], quarter[inner]) <= 2


def test_the_background_stands_exactly_still_behind_a_subject_that_moves(pipeline):
    drawing = draw(pipeline, camera=Camera(), subject=RED, painted=PAINTED)
    drawn = np.stack(list(pipeline.decode(drawing)))
    far = drawing.cells.plate.all(dim=0).numpy()
    cell = pipeline.cell_px
    pixels = far.repeat(cell, axis=0).repeat(cell, axis=1)
    deep = pixels & ~_near(~pixels, 3 * cell)
    assert deep.any()
    assert all(np.array_equal(frame[deep], drawn[0][deep]) for frame in drawn)
    assert difference(drawn[0], drawn[4]) > 10


def _near(mask, reach):
    found = mask.copy()
    for y, x in zip(*np.nonzero(mask), strict=True):
        found[max(0, y - reach) : y + reach + 1, max(0, x - reach) : x + reach + 1] = True
    return found


def test_inside_its_mask_a_subject_is_the_first_frames(pipeline):
    drawing = draw(pipeline, camera=Camera(), subject=RED, painted=PAINTED)
    cells, latents = drawing.cells, drawing.latents()[0]
    for k, (dx, dy) in enumerate(cells.shifts[0].tolist()):
        assert cells.subjects[0][k].sum() == 4 and (dx, dy) == (k, 0)
        assert torch.equal(latents[k][:, 6:8, 4 + k : 6 + k], latents[0][:, 6:8, 4:6])


def test_life_changes_the_subject_and_nothing_else(pipeline):
    lively = replace(RED, x=0.0, lively=True)
    drawing = draw(pipeline, camera=Camera(), subject=lively, painted=PAINTED)
    latents, plate = drawing.latents()[0], drawing.cells.plate[0]
    assert all(torch.equal(one[:, plate], latents[0][:, plate]) for one in latents)
    changes = [(one - latents[0])[:, ~plate].abs().mean() for one in latents[1:]]
    assert min(changes) > 0.005 and changes[2] > changes[0]  # little by little


def test_steps_are_told_and_a_run_can_be_ended(pipeline):
    told = []
    draw(pipeline, subject=RED, on_step=told.append)
    assert [step.done for step in told] == list(range(1, told[0].total + 1))
    assert told[-1].fraction == pytest.approx(1) and {len(step.latents[0]) for step in told} == {1, 5}

    def stop(step):
        raise Cancelled

    with pytest.raises(Cancelled):
        draw(pipeline, on_step=stop)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"camera": Camera(zoom=2)}, "zoom"),
        ({"camera": Camera(turn=90)}, "turn"),
        ({"camera": Camera(path="round")}, "path"),
        ({"camera": Camera(x=1e4)}, "motion_x"),
        ({"subject": replace(RED, words="cat")}, "subject"),
        ({"subject": replace(RED, t0=800)}, "t0"),
        ({"subject": RED, "painted": PAINTED[:8]}, "painted"),
        ({"subject": RED, "painted": np.zeros((128, 128), bool)}, "painted"),
        ({"camera": Camera(zoom=0.8), "num_frames": 40}, "zoom"),
        ({"camera": Camera(512, 512), "num_frames": 4000}, "motion"),
    ],
)
def test_what_cannot_be_drawn_is_refused_by_name(pipeline, changes, field):
    with pytest.raises(InputError, match=f"^{field} "):
        draw(pipeline, **changes)


def test_a_hole_is_filled_from_left_and_right_of_it():
    picture = np.zeros((4, 100, 3), np.uint8)
    picture[:, :40], picture[:, 60:], picture[3] = 100, 200, 7
    hole = np.zeros((4, 100), bool)
    hole[1:3, 40:60], hole[3] = True, True
    hole[2, :60] = True  # nothing to the left of it
    filled = fill_beside(picture, hole)
    assert filled[0].tolist() == picture[0].tolist()
    row = filled[1, 40:60, 0].astype(int)
    assert row[0] == 100 and row[-1] == 200 and (np.diff(row) >= 0).all()
    assert (filled[2, :60] == 200).all()
    assert filled[3].tolist() == filled[2].tolist()  # a row that is all hole is its neighbour's


def test_masks_leave_the_frame_and_nothing_comes_in():
    mask = np.zeros((3, 4), bool)
    mask[1, 2:] = True
    moved = move_mask(mask, torch.tensor([[0, 0], [1, 1], [-3, 0], [9, 0]]))
    assert moved.sum(dim=(1, 2)).tolist() == [2, 1, 1, 0]
    assert moved[1, 2].tolist() == [False, False, False, True] and moved[2, 1, 0]


def layer_at(box, places, sizes=None, turns=None, lively=False):
    """A subject in a box of cells (top, bottom, left, right) of an 8 x 8 frame, of 8 pixels each."""
    top, bottom, left, right = (8 * side for side in box)
    matte = np.zeros((64, 64), bool)
    matte[top:bottom, left:right] = True
    count = len(places)
    sizes = np.ones(count) if sizes is None else np.array(sizes, float)
    turns = np.zeros(count) if turns is None else np.array(turns, float)
    return Layer(matte, Placed(np.array(places, float), sizes, turns), lively, 8)


def test_cells_are_the_subjects_the_plates_or_drawn_anew():
    layer = layer_at((2, 6, 1, 5), [[0, 0], [17.0, 0]])
    cells = Cells.moved([layer])
    assert cells.shifts[0].tolist() == [[0, 0], [2, 0]]
    free, first, plate = torch.zeros(2, 1, 8, 8), torch.full((1, 8, 8), 1.0), torch.full((2, 1, 8, 8), 2.0)
    mixed = cells.compose(free, [first], plate)
    assert mixed[0, 0, 4].tolist() == [0, 0, 1, 1, 0, 0, 2, 2]
    assert mixed[1, 0, 4].tolist() == [2, 2, 0, 0, 1, 1, 0, 0]
    assert not Cells.moved([replace(layer, lively=True)]).subjects[0].any()


@pytest.mark.parametrize(
    ("travel", "begins", "ends"),
    [(16, 0, 16), (40, -16, 24), (-16, 0, -16), (-24, 8, -16), (80, -36, 44)],
)
def test_a_path_begins_where_it_keeps_the_subject_whole(travel, begins, ends):
    mask = np.zeros((8, 8), bool)
    mask[3:5, 2:5] = True  # 16 pixels to its left, 24 to its right
    straight = np.array([[0.0, 0.0], [travel, 0.0]])
    moved = kept_in(straight, mask, 8)
    assert moved[:, 0] == pytest.approx([begins, ends], abs=4) and moved[:, 1].tolist() == [0, 0]
    if abs(travel) <= 40:
        assert 16 + moved[:, 0].min() >= 0 and 40 + moved[:, 0].max() <= 64


def test_pictures_are_joined_without_a_seam():
    known = np.zeros((8, 60), bool)
    known[:, :20] = True
    own, theirs = np.full((8, 60, 3), 100, np.uint8), np.full((8, 60, 3), 120, np.uint8)
    row = joined(own, theirs, known)[4, :, 0].astype(int)
    assert (row[:20] == 120).all() and row[20] >= 117 and row[59] == 100
    assert (np.diff(row) <= 0).all() and np.diff(row).min() >= -3


def test_what_differs_faintly_from_what_is_behind_is_not_drawn_over_it():
    behind, picture = np.full((40, 40, 3), 100, np.uint8), np.full((40, 40, 3), 104, np.uint8)
    picture[10:30, 10:30] = 160
    soft = np.ones((40, 40), np.float32)
    soft[:, 20:] = 0.5
    mixed = laid_over(picture, behind, soft)
    assert (
        (mixed[:6] == 100).all() and (mixed[14:26, 14:20] == 160).all() and (mixed[14:26, 24:28] == 130).all()
    )


@pytest.mark.parametrize("subject", [None, RED])
def test_networks_that_give_no_numbers_are_blamed_and_not_the_vae(subject):
    broken = small_pipeline()
    with torch.no_grad():
        broken.unet.conv_out.bias.fill_(float("nan"))
    with pytest.raises(InputError, match="^the model's networks give no numbers"):
        draw(broken, subject=subject)
