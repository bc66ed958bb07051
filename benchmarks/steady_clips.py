"""The clips that ``benchmarks.steady`` follows: of the miniature's world, and of a folder."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from miniature.world import Scene, Subject, clip_scenes, depth, draw, skeleton
from t2v.video.write import write_video

FPS, SIDE = 8, 256
PAN_PX = (4.0, 0.0)
CAR = Scene("street", (Subject("car", "red"),), seed=7)
ROBOT = Scene("street", (Subject("robot", "red", pose="walking"),), seed=7)
CAT = Scene("grass", (Subject("cat", "white"),), seed=3)
HOUSE = Scene("snow", (Subject("house", "pink"),), seed=5)
READY = {"control_ready": True}


@dataclass(frozen=True)
class Followed:
    """A clip that a task follows: what the table calls it, its file, what is asked for, further settings."""

    name: str
    task: str
    path: Path
    prompt: str
    options: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class World:
    """A clip of the miniature's world: how it is drawn, pixels it pans a frame, steps of its figure."""

    name: str
    task: str
    prompt: str
    scene: Scene
    paint: Callable = draw
    pan_px: tuple[float, float] = PAN_PX
    cycles: float = 0.0


STILL = (0.0, 0.0)
WORLD = (
    World("car, panned", "canny", "a yellow car on the street at night", CAR),
    World("house, panned", "canny", "a blue house in the snow", HOUSE),
    World(
        "robot walks, still camera",
        "canny",
        "a green robot is walking on the street",
        ROBOT,
        draw,
        STILL,
        1.0,
    ),
    World("cat, panned", "pix2pix", "make it night", CAT),
    World("robot walks, still camera", "pix2pix", "make it night", ROBOT, draw, STILL, 1.0),
    World("robot, panned, nearness", "depth", "a blue robot is walking on the street", ROBOT, depth),
    World(
        "robot walks, skeletons", "pose", "a blue robot is walking on the street", ROBOT, skeleton, STILL, 1.0
    ),
)
# folder of --clips -> the tasks that its clips are for, and their further settings
KINDS = {"video": (("canny", {}), ("pix2pix", {})), "depth": (("depth", READY),), "pose": (("pose", READY),)}
# a clip's name -> what is asked for, of others OTHERWISE and EDIT
PROMPTS = {
    "boat_landscape": "a red boat on the sea",
    "butterfly": "a yellow fish in the sea",
    "camel": "a horse in the desert",
    "deer": "a brown deer in a forest",
    "mini-cooper": "a blue car on the street",
    "dance1_corr": "a panda is dancing on the beach",
    "dance2_corr": "a blue robot is dancing on the street",
}
OTHERWISE = "a red car on the street"
EDITS, EDIT = {"camel": "turn it into a pencil sketch", "deer": "make it snow"}, "make it night"


def world_clips(folder: Path, frames: int) -> Iterator[Followed]:
    """The clips of the world, written to a folder."""
    for number, world in enumerate(WORLD):
        start = tuple(-px * (frames - 1) / 2 / SIDE for px in world.pan_px)
        scenes = clip_scenes(replace(world.scene, camera=start), world.pan_px, frames, SIDE, world.cycles)
        pictures = (world.paint(scene, SIDE) for scene in scenes)
        colour = (one if one.ndim == 3 else one[..., None].repeat(3, axis=2) for one in pictures)
        path = write_video(folder / f"{number}.mp4", colour, FPS)
        options = {} if world.paint is draw else READY
        yield Followed(f"world: {world.name}", world.task, path, world.prompt, options)


def folder_clips(folder: Path) -> Iterator[Followed]:
    """A folder's clips, each for the tasks of its kind."""
    for kind, tasks in KINDS.items():
        for path in sorted((folder / kind).glob("*.mp4")):
            for task, options in tasks:
                is_edit = task == "pix2pix"
                prompt = EDITS.get(path.stem, EDIT) if is_edit else PROMPTS.get(path.stem, OTHERWISE)
                yield Followed(f"{kind}/{path.name}", task, path, prompt, options)
