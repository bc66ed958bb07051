"""A finished video as another kind of file, with or without its settings."""

from pathlib import Path

from t2v.video.clips import has_audio
from t2v.video.encode import SOUND
from t2v.video.formats import format_of, has_sound
from t2v.video.guarded_ffmpeg import run
from t2v.video.video import clip_frames
from t2v.video.write import add_audio, check_output, read_settings, replacing, write_video


def save_as(source: Path, target: Path, with_settings: bool = True) -> Path:
    """Write the video ``source`` as the kind of file that ``target`` ends in, and return its path.

    Frame by frame, at its own rate, with its sound where the kind can have one; an MP4 as MP4 (a WebM as
    WebM) is copied, not encoded again. with_settings: False leaves out what it carries. InputError where it
    cannot be read or written so, OSError if writing fails.
    """
    target = check_output(target)
    if has_sound(target) and target.suffix.lower() == source.suffix.lower():
        return _copied(source, target, with_settings)
    clip = clip_frames(source)
    write_video(target, clip, clip.fps, read_settings(source) if with_settings else None)
    if has_sound(target) and has_audio(source):
        add_audio(target, source)
    return target


def _copied(source: Path, target: Path, with_settings: bool) -> Path:
    kept = [] if with_settings else ["-map_metadata", "-1", "-map_metadata:s", "-1", "-fflags", "+bitexact"]
    container = SOUND[target.suffix.lower()][-2:]
    assert format_of(target) is not None  # check_output says so
    with replacing(target) as part:
        run(source, "error", [], ["-map", "0", "-c", "copy", *kept, *container, f"file:{part.resolve()}"])
    return target
