"""Pictures as phones and broadcasters make them: the colours that were meant arrive, in whole frames."""

import cv2
import numpy as np
import pytest
from clips import ffmpeg

from t2v.video.look import look
from t2v.video.video import read_video

pytestmark = pytest.mark.slow

COLOURS = ("FFFFFF", "808080", "303030", "C02020", "20A020", "2040C0")
MEANT = np.array([[int(colour[at : at + 2], 16) for at in (0, 2, 4)] for colour in COLOURS])
NITS = "npl=203"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("colours")


def bars(path, width, height, matrix, *options, named="unknown"):
    """Six bars of known colours. named: what the file says of the matrix by which they were converted."""
    one = f"s={width // 6}x{height}:r=4:d=0.5,format=gbrp"
    parts = ";".join(f"color=c=0x{colour}:{one}[c{k}]" for k, colour in enumerate(COLOURS))
    joined = "".join(f"[c{k}]" for k in range(6)) + "hstack=6"
    convert = f"scale=out_color_matrix={matrix}:out_range=tv,format=yuv420p"
    unnamed = f"setparams=colorspace={named}:color_primaries=unknown:color_trc=unknown"
    ffmpeg("-filter_complex", f"{parts};{joined},{convert},{unnamed}", *options, path)


def off(path, within=slice(None)):
    """By how much, of 255, the bars are off their colours at most."""
    frame = read_video(path, max_frames=1).frames[0]
    width = frame.shape[1] // 6
    shown = frame[frame.shape[0] // 2, width // 2 :: width][:6].astype(int)
    return int(np.abs(shown - MEANT)[within].max())


@pytest.mark.parametrize("light", ["smpte2084", "arib-std-b67"])
@pytest.mark.parametrize("codec", ["libx265", "libvpx-vp9"])
def test_hdr_becomes_sdr(folder, light, codec):
    sdr, path = folder / "sdr.mp4", folder / f"{light}-{codec}.mkv"
    bars(sdr, 384, 96, "bt709", "-c:v", "libx264", "-crf", 5, named="bt709")
    assert off(sdr) <= 3
    to_hdr = (
        f"setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709,zscale=t=linear:{NITS},"
        f"format=gbrpf32le,zscale=p=bt2020:t={light}:m=bt2020nc:r=tv:{NITS},format=yuv420p10le"
    )
    options = ["-x265-params", "log-level=error"] if codec == "libx265" else ["-b:v", 0]
    ffmpeg("-i", sdr, "-vf", to_hdr, "-c:v", codec, "-crf", 8, *options, "-color_primaries", "bt2020",
           "-color_trc", light, "-colorspace", "bt2020nc", path)  # fmt: skip
    assert off(path) <= 10


def test_light_far_above_white_stays_white_and_in_order(folder):
    """A ramp up to 1,000 nits: what is brighter than SDR can show is not cut off at once."""
    ramp = "color=c=black:s=256x64:r=4:d=0.5,format=gbrpf32le,geq=r='X/256*4.9':g='X/256*4.9':b='X/256*4.9'"
    linear = "setparams=color_trc=linear:color_primaries=bt709:colorspace=gbr:range=pc"
    to_hdr = f"{linear},zscale=p=bt2020:t=smpte2084:m=bt2020nc:r=tv:{NITS}"
    ffmpeg("-f", "lavfi", "-i", ramp, "-vf", f"{to_hdr},format=yuv420p10le", "-c:v", "libx265", "-crf", 5,
           "-x265-params", "log-level=error", "-color_primaries", "bt2020", "-color_trc", "smpte2084",
           "-colorspace", "bt2020nc", folder / "ramp.mp4")  # fmt: skip
    row = read_video(folder / "ramp.mp4").frames[0, 32].astype(int)
    assert np.ptp(row, axis=1).max() <= 3  # grey stays grey
    assert (np.diff(row[8:, 1]) >= -2).all() and row[-1, 1] >= 252 and row[60, 1] >= 240


@pytest.mark.parametrize(
    ("width", "height", "matrix"),
    [(1280, 720, "bt709"), (1920, 1080, "bt709"), (720, 1280, "bt709"),
     (720, 576, "bt601"), (384, 96, "bt601"), (512, 512, "bt601")],
)  # fmt: skip
def test_untagged_footage_is_of_its_sizes_kind(folder, width, height, matrix):
    path = folder / f"{width}x{height}.mp4"
    bars(path, width, height, matrix, "-c:v", "libx264", "-crf", 5, "-preset", "ultrafast")
    assert look(path).picture.untagged_hd is (matrix == "bt709")
    assert off(path) <= 4


def test_tagged_footage_is_what_it_says(folder):
    for size, matrix, name in (((1280, 720), "bt601", "smpte170m"), ((384, 96), "bt709", "bt709")):
        path = folder / f"tagged-{name}.mp4"
        bars(path, *size, matrix, "-c:v", "libx264", "-crf", 5, "-preset", "ultrafast", named=name)
        assert off(path) <= 4


def test_untagged_hd_on_nothing_keeps_its_colours(folder):
    path = folder / "alpha.webm"
    bars(folder / "opaque.mkv", 1280, 720, "bt709", "-c:v", "ffv1")
    ffmpeg("-i", folder / "opaque.mkv", "-vf", "format=yuva420p", "-c:v", "libvpx-vp9", "-b:v", 0,
           "-crf", 5, "-cpu-used", 8, "-deadline", "realtime", "-frames:v", 1, path)  # fmt: skip
    assert look(path).picture.is_transparent and off(path) <= 6


def moving_box(folder, order):
    """50 fields a second, of a box that moves 4 px in each; and the frames it was made of."""
    frames = np.zeros((50, 240, 320, 3), np.uint8)
    for k, frame in enumerate(frames):
        frame[60:180, 10 + 4 * k : 70 + 4 * k] = 255
    (folder / "fields.rgb").write_bytes(frames.tobytes())
    first, path = {"top": "tff", "bottom": "bff"}[order], folder / f"{order}.mp4"
    ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "320x240", "-r", 50, "-i", folder / "fields.rgb",
           "-vf", f"tinterlace=interleave_{order},setfield={first}", "-c:v", "libx264",
           "-flags", "+ildct+ilme",
           "-x264opts", f"{first}=1", "-r", 25, path)  # fmt: skip
    return path, frames


@pytest.mark.parametrize("order", ["top", "bottom"])
def test_two_fields_become_one_frame(folder, order):
    path, frames = moving_box(folder, order)
    video = read_video(path)
    assert video.num_frames == 25 and video.fps == 25.0

    def edges(frame):
        return int((cv2.Canny(frame, 100, 200) > 0).sum())

    for k in (1, 10, 23):  # a comb has about twice the edges
        assert edges(video.frames[k]) == pytest.approx(edges(frames[2 * k]), rel=0.15)
    assert read_video(path, start_s=0.4, max_frames=1).num_frames == 1
    ffmpeg("-i", path, "-c", "copy", "-frames:v", 1, folder / f"one-{order}.mp4")
    assert read_video(folder / f"one-{order}.mp4").num_frames == 1


def test_whole_frames_are_not_taken_for_fields(folder):
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=160x120:r=10:d=1", "-c:v", "libx264", folder / "whole.mp4")
    assert look(folder / "whole.mp4").picture.whole_frames == ""


@pytest.mark.parametrize(
    ("name", "codec"), [("vp8.webm", "libvpx"), ("vp9.webm", "libvpx-vp9"), ("vp9.mkv", "libvpx-vp9")]
)
def test_what_shows_through_webm_is_white(folder, name, codec):
    nothing = "color=c=black@0.0:s=64x64:r=4:d=1,format=rgba"
    red = "color=c=red:s=24x24:r=4:d=1,format=rgba"
    ffmpeg("-f", "lavfi", "-i", nothing, "-f", "lavfi", "-i", red, "-filter_complex",
           "[0][1]overlay=20:20:format=auto:shortest=1,format=rgba", "-c:v", codec, "-pix_fmt", "yuva420p",
           "-auto-alt-ref", 0, folder / name)  # fmt: skip
    video = read_video(folder / name)
    assert video.num_frames == 4 and video.fps == 4.0
    assert video.frames[:, 4, 4].min() >= 250
    assert np.abs(video.frames[:, 32, 32].astype(int) - (255, 0, 0)).max() <= 6
