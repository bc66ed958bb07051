"""What a scene is: all that a picture, its captions and its controls depend on."""

from dataclasses import dataclass

COLOURS = {
    "red": (226, 36, 40),
    "orange": (255, 138, 16),
    "yellow": (255, 218, 28),
    "green": (28, 158, 58),
    "blue": (32, 92, 228),
    "purple": (138, 52, 190),
    "pink": (255, 132, 188),
    "white": (250, 250, 250),
    "black": (40, 38, 46),
}


@dataclass(frozen=True)
class Subject:
    """One thing in a scene. (x, y) is where it touches the ground, in picture units, y down."""

    kind: str
    colour: str
    x: float = 0.5
    y: float = 0.84
    scale: float = 1.0
    pose: str = "standing"
    variation: float = 0.0  # -1..1, small differences within a pose
    phase: float = 0.0  # 0..1, how far through the pose's cycle of movement


@dataclass(frozen=True)
class Scene:
    """Everything a picture depends on. `seed` places the distant detail; `camera` shifts all by widths."""

    place: str
    subjects: tuple[Subject, ...] = ()
    time: str = "day"
    weather: str = "clear"
    style: str = "plain"
    seed: int = 0
    horizon: float = 0.58
    camera: tuple[float, float] = (0.0, 0.0)
