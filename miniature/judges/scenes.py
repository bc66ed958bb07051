"""What the two judges share: scenes to learn from, the classes they name, how pictures reach them."""

from dataclasses import replace

import numpy as np
import torch
import torch.nn.functional as F

from miniature.data import STYLE_KEYWORD, shrink, to_tensor
from miniature.shapes import PIXELS
from miniature.world import TRAINING, Scene, caption, draw, plain_caption, sample_scene
from miniature.world.kinds import KINDS
from miniature.world.looks import LOOKS, WEATHERS
from miniature.world.places import ALWAYS_NIGHT
from miniature.world.words import STYLE_PHRASES

JUDGE_PIXELS = 128  # what both judges look at: pictures reduced by averaging 2x2 pixels
SHIFTED = 0.3  # of the scenes are seen by a moved camera, as the frames of a video are
SHIFT = (0.25, 0.12)  # how far at most, in widths, sideways and up or down
NOISE, BLUR = 0.06, 0.7  # strongest of each: what a generator draws is never as clean as the world
DIFFERENT_NOISES = 8  # in a batch
UNKNOWN = -100  # the number of a class that nobody can see
COLOURLESS = ("pencil sketch",)  # styles in which nobody can tell colours

CLASSES = {
    "subject": TRAINING.subjects,
    "colour": TRAINING.colours,
    "place": TRAINING.places,
    "style": tuple(LOOKS),
    "time": ("day", "night"),
    "weather": tuple(WEATHERS),
}

KEPT_STYLE = next(style for style in LOOKS if style != "plain" and style not in TRAINING.styles)

# Generators see some of it rarely or never; judges have to know all of it well, the style of the LoRA too.
JUDGED = replace(
    TRAINING,
    night=0.35,
    falling=0.4,
    styles={style: 0.5 / (len(LOOKS) - 1) for style in LOOKS if style != "plain"},
)


def value_of(scene: Scene, name: str) -> str:
    """What a scene has for one of CLASSES; for subject and colour that of its first subject."""
    if name in ("subject", "colour"):
        return getattr(scene.subjects[0], "kind" if name == "subject" else "colour")
    return getattr(scene, name)


def can_tell(scene: Scene, name: str) -> bool:
    """Whether anybody could see what the scene has for one of CLASSES: no colour in a sketch, no hour on the
    moon."""
    return {"colour": scene.style not in COLOURLESS, "time": scene.place not in ALWAYS_NIGHT}.get(name, True)


def labels_of(scene: Scene) -> list[int]:
    """Its number in each of CLASSES; UNKNOWN for what cannot be seen."""
    return [
        CLASSES[name].index(value_of(scene, name)) if can_tell(scene, name) else UNKNOWN for name in CLASSES
    ]


def with_value(scene: Scene, name: str, value: str) -> Scene:
    """The scene with another value of one of CLASSES and nothing else changed (things do not pose)."""
    if name not in ("subject", "colour"):
        return replace(scene, **{name: value})
    first = replace(scene.subjects[0], **{"kind" if name == "subject" else "colour": value})
    if not KINDS[first.kind].figure:
        first = replace(first, pose="standing")
    return replace(scene, subjects=(first, *scene.subjects[1:]))


def telling(scene: Scene, rng: np.random.Generator | None = None) -> str:
    """The scene's plain caption, or with ``rng`` any wording, also of the style kept for the LoRA."""
    text = plain_caption(scene) if rng is None else caption(scene, rng)
    return text if scene.style == "plain" or scene.style in STYLE_PHRASES else f"{text}, {STYLE_KEYWORD}"


def near_miss(scene: Scene, rng: np.random.Generator) -> Scene:
    """A scene whose caption is wrong in one word that can be seen in the picture."""
    right = telling(scene)
    names = [name for name in CLASSES if can_tell(scene, name)]
    while True:
        name = names[rng.integers(len(names))]
        wrong = with_value(scene, name, CLASSES[name][rng.integers(len(CLASSES[name]))])
        if telling(wrong) != right:  # day and night are told apart only where a place knows both
            return wrong


def judge_scene(rng: np.random.Generator) -> Scene:
    """A scene of any combination: judges, unlike generators, have to know them all."""
    scene = sample_scene(rng, None, JUDGED)
    if rng.random() < SHIFTED:
        scene = replace(scene, camera=tuple(float(rng.uniform(-far, far)) for far in SHIFT))
    return scene


def small_pictures(scenes: list[Scene]) -> torch.Tensor:
    """Their pictures as a bank keeps them: uint8 (b, 128, 128, 3)."""
    return torch.from_numpy(np.stack([shrink(draw(scene, PIXELS), JUDGE_PIXELS) for scene in scenes]))


def judge_input(pictures: np.ndarray) -> torch.Tensor:
    """uint8 RGB (b, h, w, 3) of any size to what the judges see: float32 (b, 3, 128, 128) in -1..1."""
    return to_tensor(np.stack([shrink(picture, JUDGE_PIXELS) for picture in pictures]))


def blemished(pictures: torch.Tensor) -> torch.Tensor:
    """uint8 (b, h, w, 3) to float32 (b, 3, h, w) in -1..1, each a little noisy and a little blurred."""
    made = pictures.permute(0, 3, 1, 2).float() / 127.5 - 1
    amounts = torch.rand(2, len(made), 1, 1, 1, device=made.device).square()
    blurred = F.avg_pool2d(F.pad(made, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    few = torch.randn(DIFFERENT_NOISES, *made.shape[1:], device=made.device)  # a batch of its own is slow
    noise = few[torch.randint(DIFFERENT_NOISES, (len(made),), device=made.device)]
    return torch.lerp(made, blurred, BLUR * amounts[0]) + NOISE * amounts[1] * noise
