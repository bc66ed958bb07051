"""Clips made to harm, or broken: each is read, or refused in one sentence; nothing else is opened or run."""

import json
import os
import socket
import struct
import threading
import zipfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import hostile
import numpy as np
import pytest
from boxes import address, alias, box, edited, put
from clips import ffmpeg, grey_steps
from PIL import Image

from t2v.checks import InputError
from t2v.tasks.canny import CannySettings
from t2v.video import guarded_ffmpeg
from t2v.video.clips import has_audio
from t2v.video.video import clip_frames
from t2v.video.write import add_audio, read_settings, write_video

pytestmark = pytest.mark.slow

SECRET = 251  # the grey of the clip that nobody may see; those that are given are darker
WORDS = "the-secret-words"
Make = Callable[[SimpleNamespace], Path | None]


@pytest.fixture(scope="module")
def ground(tmp_path_factory) -> Iterator[SimpleNamespace]:
    """Right clips to spoil, a folder of secrets beside them, and a server that nobody should ask."""
    root = tmp_path_factory.mktemp("ground")
    (root / "secret").mkdir()
    plain = write_video(root / "plain.mp4", grey_steps(), 4.0)
    secret = np.full((8, 64, 96, 3), SECRET, np.uint8)
    write_video(root / "secret" / "secret.mp4", secret, 4.0)
    (root / "secret" / "words.txt").write_text(WORDS)
    Image.fromarray(secret[0]).save(root / "secret" / "secret.png")
    ffmpeg("-i", plain, "-c", "copy", root / "late.mp4")  # its index is at its end
    ffmpeg("-i", plain, "-f", "lavfi", "-i", "sine=d=2", root / "sound.mp4")
    asked: list[bytes] = []
    server = socket.create_server(("127.0.0.1", 0))
    threading.Thread(target=listen, args=(server, asked), daemon=True).start()
    yield SimpleNamespace(
        root=root,
        secret=root / "secret" / "secret.mp4",
        plain=plain,
        late=(root / "late.mp4").read_bytes(),
        front=plain.read_bytes(),
        sound=root / "sound.mp4",
        url=f"http://127.0.0.1:{server.getsockname()[1]}/secret.mp4",
        asked=asked,
    )
    server.close()


def listen(server: socket.socket, asked: list[bytes]) -> None:
    while True:
        try:
            connection, _ = server.accept()
        except OSError:
            return
        asked.append(connection.recv(1000))
        connection.close()


# What makes a clip, in its own empty folder ``at.folder``: most as "clip.mp4"


def text(content: str, name: str = "clip.mp4") -> Make:
    """{secret}, {url}: of the secret clip and of the server that nobody should ask."""

    def make(at: SimpleNamespace) -> Path:
        filled = content.replace("{secret}", str(at.secret)).replace("{url}", at.url)
        (at.folder / name).write_text(filled.replace("{near}", os.path.relpath(at.secret, at.folder)))
        return at.folder / name

    return make


def data(content: bytes, name: str = "clip.mp4") -> Make:
    def make(at: SimpleNamespace) -> Path:
        (at.folder / name).write_bytes(content)
        return at.folder / name

    return make


def cut(share: float, kind: str = "mp4", front: bool = True) -> Make:
    """A clip of which only so much arrived."""

    def make(at: SimpleNamespace) -> Path:
        ffmpeg("-i", at.plain, *(["-movflags", "+faststart"] if front else []), at.root / f"whole.{kind}")
        whole = (at.root / f"whole.{kind}").read_bytes()
        return data(whole[: int(share * len(whole))], f"clip.{kind}")(at)

    return make


def boxed(kind: bytes, change: Callable[[bytes], bytes]) -> Make:
    """A right MP4 with boxes of a kind changed."""
    return lambda at: data(edited(at.late, kind, change))(at)


def made(*options: object, name: str = "clip.mp4", source: str = "plain") -> Make:
    """What ffmpeg makes of a right clip with these options."""

    def make(at: SimpleNamespace) -> Path:
        texts = [str(one).replace("{folder}", str(at.root)) for one in options]
        ffmpeg("-i", getattr(at, source), *texts, at.folder / name)
        return at.folder / name

    return make


def link(target: str) -> Make:
    def make(at: SimpleNamespace) -> Path:
        (at.folder / "clip.mp4").symlink_to(target)
        return at.folder / "clip.mp4"

    return make


def special(make: Callable[[Path], object]) -> Make:
    def made(at: SimpleNamespace) -> Path:
        make(at.folder / "clip.mp4")
        return at.folder / "clip.mp4"

    return made


def named(name: str) -> Make:
    """A right clip of an odd name."""
    return lambda at: data(at.front, name)(at)


def archive(at: SimpleNamespace) -> Path:
    with zipfile.ZipFile(at.folder / "clip.mp4", "w") as file:
        file.writestr("../../../tmp/evil", "x")
        file.writestr("bomb", bytes(10**7), zipfile.ZIP_DEFLATED)
    return at.folder / "clip.mp4"


def png(width: int, height: int) -> bytes:
    def part(kind: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(10**6))
    return b"\x89PNG\r\n\x1a\n" + part(b"IHDR", header) + part(b"IDAT", pixels) + part(b"IEND", b"")


def gif(width: int, height: int, frames: int = 2, tells_time: bool = True) -> bytes:
    """A canvas of that size, and frames of one pixel on it."""
    one = b"\x21\xf9\4\0\x0a\0\0\0" if tells_time else b""
    one += b"\x2c" + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x4c\x01\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\x40\x40\x40"
    return head + one * frames + b"\x3b"


def avi_with_playlist(at: SimpleNamespace) -> Path:
    """An AVI whose subtitles are a playlist in disguise (GAB2)."""
    ffmpeg("-i", at.plain, "-c:v", "mjpeg", at.folder / "whole.avi")
    whole = (at.folder / "whole.avi").read_bytes()
    (at.folder / "whole.avi").unlink()
    playlist = f"#EXTM3U\n#EXT-X-MEDIA-SEQUENCE:0\n#EXTINF:9,\nfile://{at.secret}\n#EXT-X-ENDLIST\n".encode()
    gab2 = b"GAB2\0" + struct.pack("<HIHH", 2, 2, 0, 4) + struct.pack("<I", len(playlist)) + playlist
    chunk = b"01tx" + struct.pack("<I", len(gab2)) + gab2 + b"\0" * (len(gab2) % 2)
    place = whole.index(b"movi") + 4
    return data(whole[:place] + chunk + whole[place:], "clip.avi")(at)


MEDIA = "#EXTM3U\n#EXT-X-TARGETDURATION:2\n#EXTINF:2,\n{}\n#EXT-X-ENDLIST\n"
DASH = """<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static"><Period>
<AdaptationSet><Representation id="0" mimeType="video/mp4"><BaseURL>{}</BaseURL></Representation>
</AdaptationSet></Period></MPD>"""
SVG = """<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="96">
<image xlink:href="file://{secret}" width="96" height="64"/><script>x</script></svg>"""
XXE = '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file://{secret}">]><a>&b;</a>'
SDP = """v=0
o=- 0 0 IN IP4 127.0.0.1
s=x
c=IN IP4 127.0.0.1
t=0 0
m=video 5004 RTP/AVP 96
a=rtpmap:96 H264/90000
"""
SUBTITLES = "1\n00:00:00,000 --> 00:00:09,000\nwords\n"
HUGE = 2**32 - 1

REFUSED: dict[str, Make] = {
    "empty": data(b""),
    "one byte": data(b"\0"),
    "zeros": data(bytes(5000)),
    "noise": data(np.random.default_rng(0).bytes(5000)),
    "words": text("no video at all\n" * 20),
    "words in UTF-16": data("no video at all".encode("utf-16")),
    "subtitles": text(SUBTITLES, "clip.mkv"),
    "a web page": text("<!doctype html><html><video src='{url}'></video><script>x</script></html>"),
    "a drawing that shows a file": text(SVG),
    "a drawing's name": text(SVG, "clip.svg"),
    "an entity of a file": text(XXE),
    "a shell script": text("#!/bin/sh\ntouch run-by-somebody\n"),
    "an archive": archive,
    "a program": data(b"\x7fELF" + bytes(900)),
    "a PDF": data(b"%PDF-1.7\n1 0 obj <</URI (file:///etc/passwd)>> endobj\n"),
    "a list for ffmpeg": text("ffconcat version 1.0\nfile {near}\n"),
    "a list with a whole path": text("ffconcat version 1.0\nfile '{secret}'\n"),
    "a list with options": text(
        "ffconcat version 1.0\nfile '{secret}'\noption protocol_whitelist file,http\n"
    ),
    "a list by its ending": text("ffconcat version 1.0\nfile {near}\n", "clip.ffconcat"),
    "a playlist": text(MEDIA.replace("{}", "{near}")),
    "a playlist by its ending": text(MEDIA.replace("{}", "{near}"), "clip.m3u8"),
    "a playlist of a file's address": text(MEDIA.replace("{}", "file://{secret}")),
    "a playlist of a server's address": text(MEDIA.replace("{}", "{url}"), "clip.mov"),
    "a playlist of joined files": text(MEDIA.replace("{}", "concat:{secret}|{secret}")),
    "a playlist of a part": text(MEDIA.replace("{}", "subfile,,start,0,end,0,,:{secret}")),
    "a playlist of playlists": text("#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nclip.mp4\n"),
    "a playlist with a key": text(
        "#EXTM3U\n#EXT-X-KEY:METHOD=AES-128,URI=\"{url}\"\n#EXTINF:2,\n{near}\n#EXT-X-ENDLIST\n"
    ),
    "a playlist behind a mark": text("\ufeff" + MEDIA.replace("{}", "{near}")),
    "a playlist of Winamp's": text("[playlist]\nFile1={secret}\nNumberOfEntries=1\n", "clip.pls"),
    "a manifest": text(DASH.replace("{}", "{near}")),
    "a manifest of a server": text(DASH.replace("{}", "{url}"), "clip.webm"),
    "a stream's description": text(SDP),
    "settings of ffmpeg": text(";FFMETADATA1\ntitle=x\n"),
    "a picture": lambda at: data((at.root / "secret" / "secret.png").read_bytes())(at),
    "a picture that fills the memory": data(png(60_000, 60_000)),
    "a GIF of the largest canvas": data(gif(65_535, 65_535), "clip.gif"),
    "a GIF of nothing": data(gif(0, 0), "clip.gif"),
    "a GIF without frames": data(gif(16, 16, 0), "clip.gif"),
    "a GIF cut in its header": data(gif(16, 16)[:9], "clip.gif"),
    "the beginning of an MP4": data(box(b"ftyp", b"isom\0\0\2\0isom")),
    "boxes within boxes": data(
        box(b"ftyp", b"isom\0\0\2\0isom") + struct.pack(">I4s", HUGE, b"moov") * 20_000
    ),
    "a box without end": data(box(b"ftyp", b"isom\0\0\2\0") + struct.pack(">I4sQ", 1, b"moov", 2**63 - 1)),
    "an MP4 of no tracks": data(box(b"ftyp", b"isom\0\0\2\0isom") + box(b"moov", box(b"mvhd", bytes(100)))),
    "a film that is elsewhere": data(
        box(b"ftyp", b"qt  \0\0\2\0qt  ")
        + box(b"moov", box(b"rmra", box(b"rmda", box(b"rdrf", bytes(4) + b"url \0\0\0\x10file:///secret\0"))))
    ),
    "more frames than a file can hold": boxed(b"stsz", put(8, ">I", HUGE)),
    "frames of 4 GB each": boxed(b"stsz", put(4, ">II", HUGE, 8)),
    "frames that lie behind the end": boxed(b"stco", put(8, ">I", HUGE - 10)),
    "tables of nothing": boxed(b"stsd", put(4, ">I", 0)),
    "of a codec that nobody knows": boxed(b"stsd", put(12, ">4s", b"evil")),  # type: ignore[arg-type]
    "sound alone": made("-map", "0:a", source="sound"),
    "sound with a cover": made(
        "-i", "{folder}/secret/secret.png", "-map", "0:a", "-map", "1", "-c:v", "copy", "-c:a", "aac",
        "-disposition:v:0", "attached_pic", source="sound",
    ),
    "a folder": special(Path.mkdir),
    "a pipe": special(os.mkfifo),
    "a link to nothing": link("nowhere.mp4"),
    "a link to itself": link("clip.mp4"),
    "zeros without end": link("/dev/zero"),
    "the program's own input": link("/dev/stdin"),
    "the machine's memory": link("/proc/self/mem"),
    "a name that no file can have": lambda at: at.folder / ("x" * 300 + ".mp4"),
    "a name with a NUL": lambda at: at.folder / "a\0b.mp4",
    "a name of half letters": lambda at: at.folder / "\ud800.mp4",
    "a server's address": lambda at: Path(at.url),
    "many addresses": lambda at: Path(f"concat:{at.secret}|{at.secret}"),
    **{f"an MP4 of which {share:.0%} arrived": cut(share) for share in (0.01, 0.1, 0.2)},
    **{f"an MP4 with its index last, {share:.0%}": cut(share, front=False) for share in (0.02, 0.5)},
    "a WebM of which 3% arrived": cut(0.03, "webm"),
    "an AVI of which 3% arrived": cut(0.03, "avi"),
}  # fmt: skip

# How many frames there are to read; None: some, or a refusal
READ: dict[str, tuple[Make, int | None]] = {
    "an hour of a billion": (boxed(b"mvhd", put(16, ">I", 10**9)), 8),
    "no unit of time": (boxed(b"mvhd", put(12, ">I", 0)), 8),
    "no unit of the track's time": (boxed(b"mdhd", put(12, ">I", 0)), None),
    "a unit of time too fine": (boxed(b"mdhd", put(12, ">I", HUGE)), None),
    "frames of endless time": (boxed(b"stts", put(12, ">I", HUGE)), None),
    "as many times as can be": (boxed(b"stts", put(8, ">I", HUGE)), None),
    "a track of 0x0": (boxed(b"tkhd", put(76, ">II", 0, 0)), 8),
    "pictures of 0x0": (boxed(b"stsd", put(40, ">HH", 0, 0)), 8),
    "pictures of 65535x65535": (boxed(b"stsd", put(40, ">HH", 65535, 65535)), 8),
    "turned by nothing": (boxed(b"tkhd", put(40, ">9I", *[0] * 9)), 8),
    "turned by numbers without end": (boxed(b"tkhd", put(40, ">9I", *[2**31 - 1] * 9)), None),
    "an edit list that never ends": (boxed(b"elst", put(8, ">Ii", HUGE, -1)), None),
    "frames in another file, by an alias": (
        lambda at: data(edited(at.late, b"dref", lambda _: alias(at.secret)), "clip.mov")(at), None,
    ),
    "frames in another file, by its address": (
        lambda at: data(edited(at.late, b"dref", lambda _: address(at.secret)))(at), None,
    ),
    "an AVI whose subtitles are a playlist": (avi_with_playlist, 8),
    "two pictures at once": (
        made("-map", "0:v", "-map", "0:v", "-c", "copy", "-disposition:v:1", "default", name="clip.mkv"), 8,
    ),
    "with a file attached": (
        made("-c", "copy", "-attach", "{folder}/plain.mp4", "-metadata:s:t", "mimetype=a/b",
             name="clip.mkv"), 8,
    ),
    "with a cover": (
        made("-i", "{folder}/plain.mp4", "-map", "0", "-map", "1", "-c:v:0", "copy", "-c:v:1", "mjpeg",
             "-disposition:v:1", "attached_pic"), 8,
    ),
    "pixels as wide as a house": (made("-vf", "setsar=10000/1", "-c:v", "ffv1", name="clip.mkv"), None),
    "pixels as high as a house": (made("-vf", "setsar=1/10000", "-c:v", "ffv1", name="clip.mkv"), 8),
    "a million frames a second": (
        made("-c", "copy", "-bsf:v", "setts=ts=N:time_base=1/1000000", "-video_track_timescale", 10**6), None,
    ),
    "before its own beginning": (
        made("-c", "copy", "-bsf:v", "setts=ts=TS-100/TB", "-avoid_negative_ts", "disabled"), None,
    ),
    "years apart": (made("-c", "copy", "-bsf:v", "setts=ts=TS*1000000", name="clip.mkv"), None),
    "words that are another program's": (made("-c", "copy", "-metadata", "comment=x;y=[z]\n#"), 8),
    "words nested without end": (made("-c", "copy", "-metadata", "comment=" + "[" * 60_000), 8),
    "a large canvas": (data(gif(3000, 2000), "clip.gif"), 2),
    "a GIF that tells no time": (data(gif(16, 16, 1, tells_time=False), "clip.gif"), 1),
    "one pixel": (data(gif(1, 1), "clip.gif"), 2),
    "an MP4 whose index lacks its end": (cut(0.95, front=False), None),
    "half of an MP4": (cut(0.6), None),
    "half of a WebM": (cut(0.6, "webm"), None),
    "half of a GIF": (cut(0.6, "gif"), None),
    "half of an AVI": (cut(0.6, "avi"), None),
    "with words behind it": (
        lambda at: data(at.front + f"\n#EXTM3U\nfile://{at.secret}\n".encode())(at), 8,
    ),
    "a name that is an option": (named("-i.mp4"), 8),
    "a name that is a protocol": (named("concat:a|b.mp4"), 8),
    "a name that is an address": (named("http:x.mp4"), 8),
    "a name of a series": (named("%03d.mp4"), 8),
    "a name of all": (named("*?[a].mp4"), 8),
    "a name for a shell": (named("$(touch a);`touch b`|'\".mp4"), 8),
    "a name of two lines": (named("a\nb.mp4"), 8),
    "a name that turns round": (named("\u202egpm.mp4"), 8),
    "a name of many scripts": (named("\u732b \U0001f408 \u05d7\u05ea\u05d5\u05dc.mp4"), 8),
    "a name of no letters": (lambda at: data(at.front, os.fsdecode(b"\xff\xfe.mp4"))(at), None),
    "another ending": (named("clip.txt"), 8),
    "a link to a clip": (lambda at: link(str(at.plain))(at), 8),
}  # fmt: skip


@pytest.fixture
def watched(ground, tmp_path, monkeypatch) -> Iterator[SimpleNamespace]:
    """The ground with a folder for the clip; afterwards no secret was opened, nothing asked, nothing made."""
    monkeypatch.setattr(guarded_ffmpeg, "TIMEOUT_S", 60.0)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clip").mkdir()
    movie = write_video(tmp_path / "movie.mp4", grey_steps(2), 4.0)
    yield SimpleNamespace(**vars(ground), folder=tmp_path / "clip", movie=movie)
    assert ground.asked == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["clip", "movie.mp4"]
    assert len(list((tmp_path / "clip").iterdir())) <= 1


def sentence(error: InputError) -> str:
    said = str(error)
    assert said.endswith(".") and said.isprintable() and len(said) < 500, said
    assert WORDS not in said and "took more than" not in said and "Traceback" not in said, said
    return said


def frames_of(path: Path) -> list[np.ndarray]:
    """Frames as a run takes them: looked at, counted, fitted; none of them shows the secret."""
    settings = CannySettings(str(path), "a cat", num_frames=12)
    settings.check()
    frames = list(settings.read(settings.taken(64)).frames)
    assert all(abs(int(frame.mean()) - SECRET) > 10 for frame in frames)
    assert isinstance(settings.notes(), tuple)
    return frames


def others(path: Path, movie: Path) -> None:
    """The other calls that read what somebody gave."""
    for call in (
        has_audio,
        read_settings,
        lambda path: add_audio(movie, path),
        lambda path: clip_frames(path).check(),
    ):
        try:
            assert WORDS not in str(call(path))
        except InputError as error:
            sentence(error)


@pytest.mark.parametrize("what", REFUSED)
def test_a_clip_is_refused_in_one_sentence(watched, what):
    path = REFUSED[what](watched)
    with hostile.opened_in(watched.secret.parent) as opened:
        with pytest.raises(InputError) as refusal:
            frames_of(path)
        sentence(refusal.value)
        with pytest.raises(InputError) as refusal:
            clip_frames(path).count()
        sentence(refusal.value)
        others(path, watched.movie)
    assert opened == []


@pytest.mark.parametrize("what", READ)
def test_a_clip_is_read_all_the_same(watched, what):
    make, count = READ[what]
    try:
        path = make(watched)
    except OSError as error:  # a system that has no such names
        pytest.skip(str(error))
    with hostile.opened_in(watched.secret.parent) as opened:
        try:
            frames = frames_of(path)
            assert frames and (count is None or len(frames) == count)
        except InputError as error:
            assert sentence(error) and count is None, error
        others(path, watched.movie)
    assert opened == []


def test_the_watches_see_what_is_opened_and_asked(ground):
    """Without the guards ffmpeg does open what playlists name."""
    with hostile.opened_in(ground.secret.parent) as opened:
        listed = ground.root / "unguarded.ffconcat"
        listed.write_text(f"ffconcat version 1.0\nfile {ground.secret}\n")
        ffmpeg("-safe", 0, "-i", listed, "-f", "null", "-")
    assert "secret.mp4" in opened or not hasattr(os, "mkfifo")


def test_settings_in_a_file_are_read_without_their_depth(tmp_path, ground):
    nested = tmp_path / "nested.mp4"
    ffmpeg("-i", ground.plain, "-c", "copy", "-metadata", "comment=" + "[" * 60_000, nested)
    assert read_settings(nested) is None
    told = tmp_path / "told.mp4"
    ffmpeg("-i", ground.plain, "-c", "copy", "-metadata", f"comment={json.dumps({'a': 1})}", told)
    assert read_settings(told) == {"a": 1}
