"""Videos measured frame by frame: from prompts, and following clips of held-out scenes.

Drawn by this project's own program as its users get them, clips going through files. A still video wins
every figure of consistency, so the camera of all clips pans, and figures in skeletons move besides.
"""

import logging
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from miniature.cases import ELSEWHERE_KEPT, WORDS, edit_pairs, scenes_for
from miniature.controls import CONTROLS, control_picture
from miniature.data import held_out_scenes
from miniature.exam import Exam
from miniature.judges.reader import read
from miniature.judges.scenes import telling
from miniature.measures import change_elsewhere, edges_of, f_score, figure_height, joints_near, order_right
from miniature.shapes import PIXELS
from miniature.world import EDITS, Scene, clip_scenes, draw, joints
from t2v.evaluation.movement import change

log = logging.getLogger(__name__)

PAN_PX = (4.0, 0.0)  # how far the picture moves from frame to frame, to the right and downwards
CYCLES = 0.5  # of its movement that a figure goes through in a clip that is followed by its pose
FPS = 8
READY = ("pose", "depth")  # clips of these are drawn as what the ControlNet sees, as no detector is bundled
Figures = dict[str, object]


@dataclass(frozen=True, eq=False)
class Take:
    """A clip that a task is given, what it is asked for, and the scene that each frame should show.

    given: uint8 RGB (f, 256, 256, 3). sources: the scenes of the given frames where they are to be edited.
    """

    prompt: str
    scenes: list[Scene]
    given: np.ndarray
    sources: list[Scene] | None = None
    kind: str = ""  # of the edit


Score = Callable[[list[Take], np.ndarray], Figures]  # of the videos (n, f, h, w, 3) of n takes


def text_to_video(exam: Exam) -> Figures:
    """Held-out prompts: how often each judge sees the place, subject and colour, in every frame."""
    from t2v.tasks.text_to_video import TextToVideoSettings  # the program itself: training runs without it

    plan = exam.plan
    scenes = held_out_scenes(plan.prompts)[: plan.videos]
    frames = []
    for seed, scene in enumerate(scenes):
        settings = TextToVideoSettings(
            telling(scene),
            model=str(exam.weights / "text-to-image"),
            seed=seed,
            num_frames=plan.frames,
            num_inference_steps=plan.steps,
        )
        frames.append(exam.model.generate(settings).frames)
        log.info("video %d of %d drawn", seed + 1, len(scenes))
    each = [scene for scene in scenes for _ in range(plan.frames)]
    return {name: exam.judges.share(np.concatenate(frames), each, name) for name in WORDS}


def canny_video(exam: Exam) -> Figures:
    """Edges wanted against edges got."""

    def agreement(scene: Scene, frame: np.ndarray) -> float:
        return f_score(edges_of(draw(scene, PIXELS)), edges_of(frame))

    return _followed(exam, "canny", lambda *seen: _over_frames("f_score", *seen, agreement))


def pose_video(exam: Exam) -> Figures:
    """Joints read where they were wanted."""

    def near(scene: Scene, frame: np.ndarray) -> float:
        found = read(exam.judges.reader, frame[None]).joints[0]
        return joints_near(joints(scene)[0], found, figure_height(scene))

    return _followed(exam, "pose", lambda *seen: _over_frames("joints_right", *seen, near))


def depth_video(exam: Exam) -> Figures:
    """Subject and ground in the right order of depth."""

    def right(scene: Scene, frame: np.ndarray) -> float:
        answers = order_right(scene, read(exam.judges.reader, frame[None]).nearness[0])
        return float(np.mean(answers)) if answers else np.nan

    return _followed(exam, "depth", lambda *seen: _over_frames("order_right", *seen, right))


def editor_video(exam: Exam) -> Figures:
    """Instructions obeyed, and what changed where nothing was asked, as in ``evaluate.editor``."""
    from t2v.tasks.pix2pix_video import Pix2PixVideoSettings

    kinds, takes = list(EDITS), []
    for number in range(exam.plan.guided):
        kind = kinds[number % len(kinds)]
        before, text, after = edit_pairs(exam.rng(5, number), kind, 1)[0]
        sources, scenes = (_pan(scene, exam.plan.frames) for scene in (before, after))
        takes.append(Take(text, scenes, _footage(sources), sources, kind))

    def score(takes: list[Take], videos: np.ndarray) -> Figures:
        return {"obeyed": _obeyed(exam, takes, videos), "change_elsewhere": _changed(takes, videos)}

    return _measured(exam, Pix2PixVideoSettings, takes, score)


def _followed(exam: Exam, control: str, score: Score) -> Figures:
    from t2v.tasks import canny, depth, pose

    takes = []
    for scene in scenes_for(control, exam.rng(4, CONTROLS.index(control)), exam.plan.guided):
        scenes = _pan(scene, exam.plan.frames, CYCLES if control == "pose" else 0.0)
        ready = [control_picture(control, each) for each in scenes] if control in READY else None
        takes.append(Take(telling(scene), scenes, _footage(scenes) if ready is None else np.stack(ready)))
    kind = {"canny": canny.CannySettings, "pose": pose.PoseSettings, "depth": depth.DepthSettings}[control]
    return _measured(exam, kind, takes, score, control_ready=control in READY)


def _pan(scene: Scene, frames: int, cycles: float = 0.0) -> list[Scene]:
    """The scene in each frame; halfway through the clip the camera is where it was."""
    start = tuple(-px * (frames - 1) / 2 / PIXELS for px in PAN_PX)
    return clip_scenes(replace(scene, camera=start), PAN_PX, frames, PIXELS, cycles)


def _footage(scenes: Sequence[Scene]) -> np.ndarray:
    return np.stack([draw(scene, PIXELS) for scene in scenes])


def _measured(exam: Exam, kind: type, takes: list[Take], score: Score, **fields) -> Figures:
    """Figures of the whole method, of each frame drawn for itself, and of the world's own true frames."""
    videos = {
        "method": _drawn(exam, kind, takes, **fields),
        "without_cross_frame": _drawn(exam, kind, takes, cross_frame_attention=False, **fields),
        "true_frames": np.stack([_footage(take.scenes) for take in takes]),
    }
    return {name: {**score(takes, seen), **consistency(exam, seen, PAN_PX)} for name, seen in videos.items()}


def _drawn(exam: Exam, kind: type, takes: list[Take], **fields) -> np.ndarray:
    """Videos (n, f, h, w, 3) of the takes by a task, ``kind`` its Settings; take i has seed i."""
    from t2v.video.write import write_video  # needs ffmpeg, which machines that only train may not have

    videos = []
    with tempfile.TemporaryDirectory() as folder:
        for seed, take in enumerate(takes):
            clip = write_video(Path(folder) / f"{seed}.mp4", take.given, FPS)
            settings = kind(
                str(clip),
                take.prompt,
                model=str(exam.weights / "text-to-image"),
                seed=seed,
                num_inference_steps=exam.plan.steps,
                **fields,
            )
            videos.append(exam.model.generate(settings).frames)
            log.info("%s %d of %d drawn", settings.task, seed + 1, len(takes))
    return np.stack(videos)


def _over_frames(name: str, takes: list[Take], videos: np.ndarray, score: Callable) -> Figures:
    """The mean over all frames, and ``worst_frame``: the mean of that frame number where it is lowest."""
    scores = [
        [score(scene, frame) for scene, frame in zip(take.scenes, video, strict=True)]
        for take, video in zip(takes, videos, strict=True)
    ]
    return {name: float(np.nanmean(scores)), "worst_frame": float(np.nanmean(scores, axis=0).min())}


def _obeyed(exam: Exam, takes: list[Take], videos: np.ndarray) -> Figures:
    """What the judges say of all frames, the mean over the kinds of edits."""
    by_kind = {}
    for kind in dict.fromkeys(take.kind for take in takes):
        mine = [index for index, take in enumerate(takes) if take.kind == kind]
        scenes = [scene for index in mine for scene in takes[index].scenes]
        by_kind[kind] = exam.judges.share(np.concatenate(videos[mine]), scenes, kind)
    return exam.judges.overall(by_kind)


def _changed(takes: list[Take], videos: np.ndarray) -> float | None:
    kept = [pair for pair in zip(takes, videos, strict=True) if pair[0].kind in ELSEWHERE_KEPT]
    changes = [
        change_elsewhere(*each)
        for take, video in kept
        for each in zip(take.sources, take.scenes, take.given, video, strict=True)
    ]
    return float(np.mean(changes)) if changes else None


def consistency(exam: Exam, videos: np.ndarray, pan_px: tuple[float, float]) -> Figures:
    """How alike the frames of videos (n, f, h, w, 3) are, the known motion of a frame undone.

    flicker: mean change between neighbours, drift: of all frames against the first, both of 255.
    alike: cosine of the CLIP judge's vectors of neighbours, null without that judge.
    """
    pan = np.array(pan_px)
    flicker = [change(*pair, pan) for video in videos for pair in zip(video[:-1], video[1:], strict=True)]
    drift = [change(video[0], video[k], k * pan) for video in videos for k in range(1, len(video))]
    told: Figures = {"flicker": float(np.mean(flicker)), "drift": float(np.mean(drift)), "alike": None}
    if exam.judges.clip is not None:
        vectors = [exam.judges.clip.pictures(video) for video in videos]
        told["alike"] = float(np.mean([(v[:-1] * v[1:]).sum(dim=1).mean().item() for v in vectors]))
    return told
