"""Awkward clips through a guided task: each gives its frames or its one sentence, as two tables say."""

import numpy as np
import pytest
from clips import ffmpeg, grey_steps
from PIL import Image
from runs import resolved

from t2v.checks import InputError
from t2v.tasks.canny import CannySettings
from t2v.tasks.depth import DepthSettings
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.pose import PoseSettings
from t2v.video.write import write_video

pytestmark = pytest.mark.slow

OWN_PX = 128  # the side of the square pictures that a small model would draw
READABLE = "mp4, mov, webm, mkv, avi or gif"

# clip -> frames, width and height (128 x 128 pixels in the clip's shape), frames per second
WORK = {
    "portrait.mp4": (8, 96, 176, 4.0),
    "odd.mkv": (3, 152, 104, 4.0),
    "one.mp4": (1, 160, 104, 4.0),
    "varying-rate.mp4": (8, 160, 104, 4.0),
    "turned.mp4": (8, 104, 160, 4.0),
    "wide-pixels.mp4": (8, 224, 72, 4.0),
    "sound.mov": (8, 160, 104, 4.0),
    "transparent.gif": (2, 144, 112, 4.0),
    "says-24-days.mp4": (8, 160, 104, 4.0),
    "says-nothing.mp4": (8, 160, 104, 4.0),
}
REFUSED = {
    "empty.mp4": f"empty.mp4 is empty; give a video ({READABLE}).",
    "text.mp4": f"text.mp4 is not a video that can be read; give one in {READABLE}.",
    "playlist.mp4": f"playlist.mp4 is not a video that can be read; give one in {READABLE}.",
    "concat.mp4": f"concat.mp4 is not a video that can be read; give one in {READABLE}.",
    "dash.mp4": f"dash.mp4 is not a video that can be read; give one in {READABLE}.",
    "cut-off.mp4": "cut-off.mp4 is damaged or cut off; save or download it again.",
    "only-a-head.mp4": f"only-a-head.mp4 holds no moving picture; give a video ({READABLE}).",
    "only-sound.m4a": f"only-sound.m4a holds no moving picture; give a video ({READABLE}).",
    "picture.mp4": f"picture.mp4 is not a video that can be read; give one in {READABLE}.",
    "noise.gif": f"noise.gif is not a video that can be read; give one in {READABLE}.",
    "huge.gif": "huge.gif is too large; at most 35,651,584 pixels a frame are read.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """All clips of both tables."""
    folder = tmp_path_factory.mktemp("awkward")
    plain = write_video(folder / "plain.mp4", grey_steps(), 4)  # 96x64
    make_working(folder, plain)
    make_bad(folder, plain)
    return folder


def make_working(folder, plain):
    write_video(folder / "portrait.mp4", grey_steps(8, 96, 52), 4)
    raw = folder / "frames.rgb"
    raw.write_bytes(grey_steps(3, 65, 95).tobytes())
    ffmpeg("-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "95x65", "-r", 4, "-i", raw, "-c:v", "ffv1",
           "-pix_fmt", "bgr0", folder / "odd.mkv")  # fmt: skip
    write_video(folder / "one.mp4", grey_steps(1), 4)
    ffmpeg("-i", plain, "-vf", "select='lt(n,4)+eq(n,5)+eq(n,7)'", "-fps_mode", "vfr",
           folder / "varying-rate.mp4")  # fmt: skip
    ffmpeg("-display_rotation", 90, "-i", plain, "-c", "copy", folder / "turned.mp4")
    ffmpeg("-i", plain, "-vf", "setsar=2/1", folder / "wide-pixels.mp4")
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=d=3", "-c:v", "copy", "-c:a", "pcm_s16le",
           folder / "sound.mov")  # fmt: skip
    first = Image.new("P", (40, 32), 0)
    first.putpalette([0, 0, 0, 255, 0, 0])
    second = first.copy()
    second.paste(1, (4, 4, 12, 12))
    first.save(folder / "transparent.gif", save_all=True, append_images=[second], transparency=0, disposal=2,
               duration=250, loop=0)  # fmt: skip
    for name, duration in {"says-24-days.mp4": 2**31 - 1, "says-nothing.mp4": 0}.items():
        data = bytearray(plain.read_bytes())
        at = data.index(b"mvhd") + 20  # after version, flags, two dates and the time scale
        data[at : at + 4] = duration.to_bytes(4, "big")
        (folder / name).write_bytes(data)


def make_bad(folder, plain):
    (folder / "empty.mp4").write_bytes(b"")
    (folder / "text.mp4").write_text("not a video at all\n" * 50)
    (folder / "playlist.mp4").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\nplain.mp4\n"
                                         "#EXT-X-ENDLIST\n")  # fmt: skip
    (folder / "concat.mp4").write_text("ffconcat version 1.0\nfile plain.mp4\n")
    (folder / "dash.mp4").write_text(
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>'
        '<AdaptationSet><Representation id="0" mimeType="video/mp4"><BaseURL>plain.mp4</BaseURL>'
        "</Representation></AdaptationSet></Period></MPD>"
    )
    noise = np.random.default_rng(0).integers(0, 255, (8, 64, 96, 3), dtype=np.uint8)
    whole = write_video(folder / "whole.mp4", noise, 4).read_bytes()
    (folder / "cut-off.mp4").write_bytes(whole[: len(whole) * 6 // 10])
    (folder / "only-a-head.mp4").write_bytes(plain.read_bytes()[:40])
    ffmpeg("-f", "lavfi", "-i", "sine=d=0.2", folder / "only-sound.m4a")
    Image.new("RGB", (64, 48)).save(folder / "picture.png")
    (folder / "picture.png").rename(folder / "picture.mp4")
    (folder / "noise.gif").write_bytes(noise.tobytes()[:5000])
    Image.new("P", (16, 16), 0).save(folder / "small.gif")
    data = bytearray((folder / "small.gif").read_bytes())
    data[6:10] = (8192).to_bytes(2, "little") * 2
    (folder / "huge.gif").write_bytes(data)


def take(settings):
    """As a run does before its weights are used: the settings filled in from the clip, and its frames."""
    settings.check()
    run = resolved(settings, OWN_PX)
    run.filled().check()
    return run, settings.read(run.taken)


@pytest.mark.parametrize("name", WORK)
def test_it_works(folder, name):
    frames, width, height, fps = WORK[name]
    run, video = take(CannySettings(str(folder / name), "a car"))
    assert video.frames.shape == (frames, height, width, 3)
    assert video.fps == pytest.approx(fps, abs=0.01) == run.fps
    assert next(run.asked.all_pictures(video.frames))[1].shape == video.frames.shape


@pytest.mark.parametrize("name", REFUSED)
def test_it_gets_its_one_sentence(folder, name):
    with pytest.raises(InputError) as refused:
        take(CannySettings(str(folder / name), "a car"))
    assert str(refused.value) == REFUSED[name]


@pytest.mark.parametrize("kind", [CannySettings, PoseSettings, DepthSettings, Pix2PixVideoSettings])
def test_every_guided_task_says_the_same(folder, kind):
    with pytest.raises(InputError) as refused:
        take(kind(str(folder / "cut-off.mp4"), "a car"))
    assert str(refused.value) == REFUSED["cut-off.mp4"]
    assert take(kind(str(folder / "turned.mp4"), "a car"))[1].frames.shape == (8, 160, 104, 3)
