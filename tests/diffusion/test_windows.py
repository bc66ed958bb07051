"""windows.py: windows on one large picture, and the cells that they share."""

import numpy as np
import pytest
import torch

from t2v.diffusion.options import Camera
from t2v.diffusion.views import views
from t2v.diffusion.windows import Windows, nearest_known

SIDE, CELL_PX = 16, 4
PIXELS = SIDE * CELL_PX


def windows_of(camera, num_frames=8):
    seen = views(num_frames, camera, PIXELS, PIXELS)
    return Windows(seen, SIDE, SIDE, CELL_PX), seen


def plane(windows, cell):
    """Latents (n 1 h w) that hold, in every window, what ``cell`` says of each place of the large picture."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    corners = [windows.cells(number) for number in range(len(windows))]
    return torch.tensor(np.stack([[cell(rows + y, columns + x)] for y, x in corners]), dtype=torch.float32)


@pytest.mark.parametrize(
    "camera",
    [
        Camera(8, 0),
        Camera(-5, 3),
        Camera(0, 0),
        Camera(300, -90),
        Camera(zoom=0.95),
        Camera(3, 0, zoom=1.1, turn=10),
        Camera(9, 0, path="arc"),
        Camera(9, -5, lead=True),
    ],
)
def test_every_frame_is_covered_by_the_windows_it_needs(camera):
    windows, seen = windows_of(camera)
    assert windows.corners[0] == (0, 0) and len(set(windows.corners)) == len(windows)
    pixels = np.mgrid[0:PIXELS, 0:PIXELS][::-1].reshape(2, -1)
    for needs, view in zip(windows.needs, seen, strict=True):
        where = np.linalg.inv(view[:, :2]) @ (pixels - view[:, 2:])  # of each pixel on the large picture
        covered = np.zeros(where.shape[1], bool)
        for number in needs:
            y, x = (part * CELL_PX for part in windows.cells(number))
            low = where - np.array([[x], [y]]) > -0.51
            high = where - np.array([[x + PIXELS], [y + PIXELS]]) < -0.49
            covered |= low.all(axis=0) & high.all(axis=0)
        assert covered.all()


def test_a_longer_video_begins_with_the_windows_of_a_shorter_one():
    short, long = windows_of(Camera(6, 5), 4)[0], windows_of(Camera(6, 5), 12)[0]
    assert long.corners[: len(short)] == short.corners and long.needs[:4] == short.needs


def test_windows_are_as_many_as_the_way_is_long_not_as_there_are_frames():
    assert len(windows_of(Camera(0, 0), 300)[0]) == 1
    assert len(windows_of(Camera(1, 0), 57)[0]) == len(windows_of(Camera(8, 0), 8)[0]) == 8


def test_shared_cells_are_those_of_the_earliest_window():
    windows, _ = windows_of(Camera(8, 4))
    same = plane(windows, lambda y, x: 100 * y + x)
    assert torch.equal(windows.share(same), same)  # windows that agree stay as they are
    noise = torch.randn(len(windows), 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    shared = windows.share(noise)
    assert torch.equal(shared[0], noise[0])
    assert torch.equal(windows.share(shared), shared)
    seen: dict[tuple[int, int], torch.Tensor] = {}
    for number in range(len(windows)):
        y, x = windows.cells(number)
        for row in range(SIDE):
            for column in range(SIDE):
                cell = shared[number, :, row, column]
                assert torch.equal(seen.setdefault((y + row, x + column), cell), cell)


def test_noise_stays_white_where_nothing_is_feathered():
    windows, _ = windows_of(Camera(8, 0))
    noise = torch.randn(len(windows), 64, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    shared = windows.share(noise, feather=False)
    assert set(shared.flatten().tolist()) <= set(noise.flatten().tolist())


def test_next_to_what_is_shared_part_of_its_change_is_taken_over():
    windows, _ = windows_of(Camera(8, 0), 2)
    told = torch.zeros(len(windows), 1, SIDE, SIDE)
    told[0] = 1.0
    shared = windows.share(told)
    number = len(windows) - 1
    columns = shared[number, 0, 3]  # the picture moves right, so what is new lies left
    new = -windows.cells(number)[1]
    assert columns[new:].tolist() == [1.0] * (SIDE - new)
    assert columns[:new].tolist() == sorted(columns[:new].tolist()) and columns[new - 1] == pytest.approx(
        6 / 7
    )


def test_frames_are_cut_where_they_stand():
    windows, _ = windows_of(Camera(8, -4))
    cells = plane(windows, lambda y, x: 100 * y + x)
    frames = windows.frames(cells)
    assert frames.shape == (8, 1, SIDE, SIDE)
    for number, frame in enumerate(frames):
        rows, columns = np.mgrid[:SIDE, :SIDE]
        assert frame[0].tolist() == (100 * (rows + number) + (columns - 2 * number)).tolist()


def test_the_nearest_known_place_and_how_near_it_is():
    known = np.zeros((3, 6), bool)
    known[:, :2] = True
    nearest, fade = nearest_known(known, 3)
    assert nearest[1].tolist() == [6, 7, 7, 7, 7, 7]
    assert fade[1].tolist() == [0, 0, 0.75, 0.5, 0.25, 0]
    assert not nearest_known(np.zeros((3, 6), bool), 3)[1].any()
