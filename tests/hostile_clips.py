"""Tables of clips made to harm, or broken, for tests: those that are refused, and those that can be read."""

import os
import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from boxes import address, alias, box, edited, put
from clip_makers import (
    Make,
    archive,
    avi_with_playlist,
    boxed,
    cut,
    data,
    gif,
    link,
    made,
    named,
    png,
    special,
    text,
)

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


def beside_the_secret(at: SimpleNamespace) -> Path:
    """A clip whose frames are in the secret one."""
    (at.root / "elsewhere.mov").write_bytes(edited(at.late, b"dref", lambda _: alias(at.secret)))
    return at.root / "elsewhere.mov"


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
    "frames in another file, by an alias": (beside_the_secret, None),
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
