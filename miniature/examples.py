"""The app's example clips, drawn by the world: ``python -m miniature.examples`` writes examples/."""

import argparse
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from miniature.controls import control_picture
from miniature.world import Scene, Subject, draw
from t2v.video.write import write_video

log = logging.getLogger(__name__)

FOLDER = Path(__file__).resolve().parent.parent / "examples"
INDEX = "index.json"
FRAMES, FPS = 16, 8
READY = {"control_ready": True}  # the clip already is what the ControlNet sees


@dataclass(frozen=True)
class Action:
    """What the first subject and the camera do over a clip. Lengths in picture widths.

    across, up: how far the subject goes. followed: share of that way for which the camera goes with it.
    hops: how often it goes up by ``hop`` and down again; a hop may be a wave's swell. cycles: of a figure's
    movement, whole so that a clip that is played in a loop does not jump.
    """

    across: float = 0.0
    up: float = 0.0
    followed: float = 1.0
    hops: int = 0
    hop: float = 0.0
    cycles: int = 0


@dataclass(frozen=True)
class Example:
    """One clip, and what to ask for with it. settings: further fields of the task's Settings."""

    task: str
    name: str
    title: str
    prompt: str
    scene: Scene
    action: Action
    settings: dict = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Its path inside the folder of examples."""
        return f"{self.task}/{self.name}.mp4"


def scenes_of(scene: Scene, action: Action, frames: int = FRAMES) -> list[Scene]:
    """The scene of each frame: the subject is where ``scene`` has it halfway through what it does."""
    first, *others = scene.subjects
    made = []
    for done in np.arange(frames) / frames:
        across, up = action.across * (done - 0.5), action.up * (done - 0.5)
        lift = up + action.hop * abs(np.sin(np.pi * action.hops * done))
        moved = replace(
            first,
            x=first.x + across,
            y=first.y - lift,
            phase=float(first.phase + action.cycles * done) % 1.0,
        )
        camera = scene.camera[0] - action.followed * across, scene.camera[1]
        made.append(replace(scene, subjects=(moved, *others), camera=camera))
    return made


def _footage(scene: Scene) -> np.ndarray:
    return draw(scene)


def _ready(task: str) -> Callable[[Scene], np.ndarray]:
    return lambda scene: control_picture(task, scene)


PAINTERS = {"canny": _footage, "pix2pix": _footage, "pose": _ready("pose"), "depth": _ready("depth")}


def frames_of(example: Example, frames: int = FRAMES) -> np.ndarray:
    """The clip: uint8 RGB (f, 256, 256, 3): footage, or for pose and depth what their ControlNets see."""
    paint = PAINTERS[example.task]
    return np.stack([paint(scene) for scene in scenes_of(example.scene, example.action, frames)])


def _scene(place: str, kind: str, colour: str, seed: int, y: float, **own) -> Scene:
    return Scene(place, (Subject(kind, colour, y=y, **own),), seed=seed)


DRIVING = Action(across=0.9, hops=6, hop=0.006)
SAILING = Action(across=0.28, followed=0.0, hops=2, hop=0.03)
TROTTING = Action(across=0.28, followed=0.0, hops=5, hop=0.03)
RISING = Action(up=0.16)
ON_THE_SPOT = Action(cycles=2)

EXAMPLES = (
    Example("canny", "car", "A car drives down a street", "a yellow car on the street at night",
            _scene("street", "car", "red", 5, 0.86), DRIVING),
    Example("canny", "boat", "A boat on the sea", "a pink boat on the sea",
            _scene("sea", "boat", "white", 3, 0.85), SAILING),
    Example("canny", "dog", "A dog trots over the grass", "a black dog on the grass, watercolour",
            _scene("grass", "dog", "orange", 11, 0.87), TROTTING),
    Example("canny", "rocket", "A rocket lifts off", "a blue rocket in the desert",
            _scene("desert", "rocket", "red", 4, 0.75), RISING),
    Example("pose", "dancing", "Dancing", "a white panda is dancing on the beach",
            _scene("beach", "panda", "white", 0, 0.86, pose="dancing"), ON_THE_SPOT, READY),
    Example("pose", "waving", "Waving", "a white astronaut is waving on the moon",
            _scene("moon", "astronaut", "white", 0, 0.86, pose="waving"), ON_THE_SPOT, READY),
    Example("pose", "walking", "Walking", "a blue robot is walking in the snow",
            _scene("snow", "robot", "blue", 0, 0.86, pose="walking"), ON_THE_SPOT, READY),
    Example("pose", "jumping", "Jumping", "an orange bear is jumping in the forest",
            _scene("forest", "bear", "orange", 0, 0.86, pose="jumping"), ON_THE_SPOT, READY),
    Example("depth", "car", "A car passes", "a green car in the desert",
            _scene("street", "car", "red", 5, 0.86), Action(across=0.28, followed=0.0), READY),
    Example("depth", "horse", "A horse gallops", "a black horse in the snow",
            _scene("grass", "horse", "orange", 1, 0.87), Action(across=0.22, followed=0.0, hops=4, hop=0.02),
            READY),
    Example("depth", "balloon", "A balloon rises", "a red balloon on the beach",
            _scene("grass", "balloon", "red", 1, 0.76), Action(across=0.12, up=0.2, followed=0.0), READY),
    Example("depth", "dancing", "Somebody dances", "a purple alien is dancing on the moon",
            _scene("moon", "alien", "purple", 0, 0.86, pose="dancing"), ON_THE_SPOT, READY),
    Example("pix2pix", "car", "Day to night", "make it night",
            _scene("street", "car", "red", 8, 0.86), DRIVING),
    Example("pix2pix", "cat", "Another colour", "make the cat blue",
            _scene("grass", "cat", "orange", 2, 0.87), Action(across=0.2, followed=0.0, hops=4, hop=0.03)),
    Example("pix2pix", "panda", "Snow falls", "make it snow",
            _scene("forest", "panda", "white", 6, 0.86, pose="waving"), ON_THE_SPOT),
    Example("pix2pix", "boat", "A painting", "turn it into a watercolour",
            _scene("sea", "boat", "red", 9, 0.85), SAILING),
)  # fmt: skip


def write_examples(folder: Path = FOLDER, examples: tuple[Example, ...] = EXAMPLES) -> None:
    """Every example's clip, and the index that the app's tabs read."""
    index: dict[str, list[dict]] = {}
    for example in examples:
        target = folder / example.file
        target.parent.mkdir(parents=True, exist_ok=True)
        write_video(target, frames_of(example), FPS)
        entry = {"file": example.file, "title": example.title, "prompt": example.prompt}
        index.setdefault(example.task, []).append(
            {**entry, **({"settings": example.settings} if example.settings else {})}
        )
        log.info("%s: %d bytes", example.file, target.stat().st_size)
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n", encoding="utf-8")


def main(arguments: list[str] | None = None) -> None:
    """Read the command line, draw, write."""
    parser = argparse.ArgumentParser(prog="python -m miniature.examples", description=__doc__)
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where to (examples/)")
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    write_examples(options.folder)


if __name__ == "__main__":
    main()
