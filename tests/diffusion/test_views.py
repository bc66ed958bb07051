"""views.py: where the first frame's picture lies in every frame."""

import numpy as np
import pytest

from t2v.diffusion.options import Camera
from t2v.diffusion.views import between, footprint, inverse, lead_room, path, views


def place(view, x, y):
    return view[:, :2] @ (x, y) + view[:, 2]


def test_paths_begin_at_nothing_and_go_as_named():
    assert path(4, 3, -2).tolist() == [[0, 0], [3, -2], [6, -4], [9, -6]]
    assert path(5, 3, 0, "to and fro")[:, 0].tolist() == [0, 3, 6, 3, 0]
    for direction in (4, -4):
        arc = path(5, direction, 0, "arc")
        assert arc[:, 0].tolist() == [0, direction, 2 * direction, 3 * direction, 4 * direction]
        assert arc[:, 1].tolist() == [0, -3, -4, -3, 0]  # up, by a quarter of the travel
    assert path(1, 3, 3, "arc").tolist() == [[0, 0]]


def test_the_first_view_changes_nothing_and_the_others_move_turn_and_zoom():
    seen = views(4, Camera(5, -3, zoom=1.1, turn=30), 64, 96)
    assert np.allclose(seen[0], [[1, 0, 0], [0, 1, 0]])
    middle = (47.5, 31.5)
    assert np.allclose(place(seen[3], *middle), (47.5 + 15, 31.5 - 9))
    # three frames of 30 degrees clockwise: what was right of the middle is below it, 1.331 times as far
    assert np.allclose(place(seen[3], 57.5, 31.5) - place(seen[3], *middle), (0, 13.31))
    assert np.allclose(place(inverse(seen[2]), *place(seen[2], 7, 9)), (7, 9))


def test_a_footprint_is_what_a_frame_shows():
    moved, nearer = views(2, Camera(8, -16), 64, 96)[1], views(2, Camera(zoom=1.25), 64, 96)[1]
    assert footprint(moved, 64, 96) == pytest.approx((16, -8, 80, 88))
    assert footprint(nearer, 64, 96) == pytest.approx((6.4, 9.6, 57.6, 86.4))


def test_the_way_between_two_views_has_no_long_steps_and_ends_there():
    first, last = views(2, Camera(100, 0), 64, 64)
    way = between(first, last, 8, 64, 64)
    assert len(way) == 13 and np.array_equal(way[-1], last)
    assert np.diff([one[0, 2] for one in way]).max() <= 8
    assert len(between(first, first, 8, 64, 64)) == 1


@pytest.mark.parametrize(
    ("speed", "room"),
    [((4, 0), (0, 0)), ((8, 0), (32, 0)), ((-16, 7), (-64, 24)), ((100, -100), (64, -48))],
)
def test_a_quick_motion_begins_that_much_before_the_middle(speed, room):
    camera = Camera(*speed, lead=True)
    assert lead_room(camera, 192, 256).tolist() == list(room)
    seen, usual = views(9, camera, 192, 256), views(9, Camera(*speed), 192, 256)
    assert np.allclose((usual - seen)[:, :, 2], room) and np.allclose(seen[:, :, :2], np.eye(2))
    assert np.array_equal(views(3, camera, 192, 256), seen[:3])  # however many follow


def test_what_zooms_turns_or_is_told_over_time_begins_where_it_is_told():
    for camera in (Camera(16, 0, zoom=1.1, lead=True), Camera(16, 0, turn=3, lead=True), Camera(16, 0)):
        assert lead_room(camera, 256, 256).tolist() == [0, 0]
