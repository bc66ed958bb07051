"""picture.py: pictures of any kind and size, upright and on white; those that mean harm are refused."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from t2v.checks import InputError
from t2v.video.picture import MAX_SCANS, check_picture, fitted_picture, read_picture, write_picture

FLAT = np.full((40, 60, 3), (200, 60, 20), np.uint8)


def saved(folder, name, image=None, **options):
    path = folder / name
    (Image.fromarray(FLAT) if image is None else image).save(path, **options)
    return path


@pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.gif", "a.bmp"])
def test_every_format_is_read(tmp_path, name):
    path = saved(tmp_path, name)
    assert check_picture(path) == (60, 40)
    assert np.abs(read_picture(path).astype(int) - FLAT).max() <= 4


def test_a_picture_is_turned_upright_as_its_exif_says(tmp_path):
    lying = FLAT.copy()
    lying[:, :10] = 0  # which is above when it is turned clockwise
    exif = Image.Exif()
    exif[0x0112] = 6
    path = saved(tmp_path, "a.png", Image.fromarray(lying), exif=exif)
    assert check_picture(path) == (40, 60)
    upright = read_picture(path)
    assert upright.shape == (60, 40, 3)
    assert not upright[:10].any() and np.array_equal(upright[10:], np.broadcast_to(FLAT[0, 0], (50, 40, 3)))


def test_a_broken_exif_is_no_reason_to_refuse(tmp_path):
    path = saved(tmp_path, "a.jpg", exif=b"Exif\0\0MM\0*\xff\xff\xff\xff" + b"\xff" * 20)
    assert read_picture(path).shape == FLAT.shape


def test_what_is_transparent_becomes_white(tmp_path):
    layer = np.dstack([FLAT, np.full((40, 60), 255, np.uint8)])
    layer[:, 30:, 3] = 0
    read = read_picture(saved(tmp_path, "a.png", Image.fromarray(layer)))
    assert np.array_equal(read[:, :30], FLAT[:, :30]) and (read[:, 30:] == 255).all()
    palette = Image.fromarray(FLAT).quantize(4)
    path = saved(tmp_path, "b.gif", palette, transparency=palette.getpixel((0, 0)))
    assert (read_picture(path) == 255).all()


def test_of_what_is_animated_the_first_frame_is_taken(tmp_path):
    others = [Image.fromarray(np.full_like(FLAT, value)) for value in (0, 255)]
    for name in ("a.gif", "a.webp", "a.png"):
        path = saved(tmp_path, name, save_all=True, append_images=others, duration=100)
        assert np.abs(read_picture(path).astype(int) - FLAT).max() <= 4


def test_sixteen_bits_grey_and_cmyk_are_read_as_they_look(tmp_path):
    deep = Image.fromarray(np.full((8, 8), 32896, np.uint16))
    assert (read_picture(saved(tmp_path, "deep.png", deep)) == 128).all()
    grey = Image.fromarray(np.full((8, 8), 77, np.uint8))
    assert (read_picture(saved(tmp_path, "grey.png", grey)) == 77).all()
    cmyk = read_picture(saved(tmp_path, "ink.jpg", Image.fromarray(FLAT).convert("CMYK"), quality=95))
    assert np.abs(cmyk.astype(int) - FLAT).max() <= 8


def test_a_picture_is_scaled_to_cover_and_cut_to_its_middle(tmp_path):
    wide = np.zeros((64, 256, 3), np.uint8)
    wide[:, 96:160] = 255  # the middle
    fitted = fitted_picture(write_picture(tmp_path / "a.png", wide), 128, 128)
    assert fitted.shape == (128, 128, 3) and fitted[:, 4:-4].min() > 250
    same = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    assert np.array_equal(fitted_picture(write_picture(tmp_path / "b.png", same), 64, 64), same)


def png_of(width, height):
    """A PNG whose head promises so many pixels."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100))


def many_scans(folder):
    path = saved(folder, "scans.jpg", progressive=True)
    data = path.read_bytes()
    last = data.rindex(b"\xff\xda")
    path.write_bytes(data[:last] + data[last:-2] * (MAX_SCANS + 1) + data[-2:])
    return path


def made(folder, name, data):
    path = folder / name
    path.write_bytes(data)
    return path


BAD = {
    "no file": (lambda folder: folder / "a.png", "first_frame is '.*a.png', and there is no such file"),
    "a folder": (lambda folder: folder, "which is a folder; give the path of a picture"),
    "a long name": (lambda folder: folder / ("x" * 5000), "first_frame is '"),
    "a NUL": (lambda folder: f"{folder}/a\0.png", "first_frame is '"),
    "empty": (lambda folder: made(folder, "a.png", b""), "a.png is empty; give a picture"),
    "text": (lambda folder: made(folder, "a.png", b"ffconcat version 1.0"), "not a picture that can be read"),
    "svg": (lambda folder: made(folder, "a.png", b"<svg xmlns='http://www.w3.org/2000/svg'/>"), "not a pict"),
    "a large one": (lambda folder: made(folder, "a.png", png_of(9000, 9000)), "a.png is 9000x9000; at most"),
    "a bomb": (lambda folder: made(folder, "a.png", png_of(2**31 - 1, 2**31 - 1)), "a.png is .*too large|x"),
    "cut off": (
        lambda folder: made(folder, "b.png", saved(folder, "a.png").read_bytes()[:60]),
        "b.png is damaged or cut off; save or download it again",
    ),
    "a liar": (lambda folder: made(folder, "a.png", png_of(600, 600)), "a.png is damaged or cut off"),
    "many scans": (many_scans, "scans.jpg is made to take hours to read; save it again, as a png"),
    "a tiff": (lambda folder: saved(folder, "a.tiff"), "a.tiff is not a picture that can be read; give one"),
    "eps": (lambda folder: made(folder, "a.png", b"%!PS-Adobe-3.0 EPSF-3.0\n"), "not a picture"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_read_is_refused_in_one_sentence(tmp_path, case):
    make, told = BAD[case]
    path = make(tmp_path)
    with pytest.raises(InputError, match=told) as refusal:
        read_picture(path)
    assert "\n" not in str(refusal.value) and str(refusal.value).endswith(".")


def test_a_pipe_is_no_picture(tmp_path):
    pipe = tmp_path / "a.png"
    os.mkfifo(pipe)
    with pytest.raises(InputError, match="no such file"):
        check_picture(pipe)
