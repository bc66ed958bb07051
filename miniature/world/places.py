"""Backgrounds. Each function fills the whole picture, far beyond what an unshifted camera sees.

A place may return boxes (x0, y0, x1, y1) that shine at night.
"""

import cv2
import numpy as np

from .backdrop import FAR, clouds, crescent, gradient, ground, spots, starry, sun
from .pen import Pen, box, capsule, ellipse, poly, smooth
from .scene import Scene

INDIGO = (16, 18, 44)
SNOW = (246, 250, 255)
NIGHT = (0.3, 0.34, 0.47), (8.0, 12.0, 40.0)  # what darkness leaves of red, green and blue, and what it adds
FALLING = {  # the same for bad weather
    "rain": ((0.62, 0.66, 0.7), (24.0, 28.0, 36.0)),
    "snowfall": ((0.72, 0.76, 0.82), (30.0, 32.0, 36.0)),
}
TUFT = np.array(
    (
        (-0.034, -0.032),
        (-0.012, -0.01),
        (0.0, -0.044),
        (0.012, -0.01),
        (0.034, -0.032),
        (0.016, 0.006),
        (-0.016, 0.006),
    )
)
LAMPLIGHT = (255, 214, 116)
ALWAYS_NIGHT = ("moon", "city")


def street(pen: Pen, rng, horizon, sunny) -> list:
    gradient(pen, (110, 188, 250), (214, 238, 255), 0.0, horizon)
    clouds(pen, rng, y=0.1)
    walls = ((240, 200, 170), (226, 170, 150), (200, 206, 226), (246, 226, 180), (190, 214, 206))
    x, lit = -FAR, []
    while x < 1 + FAR:
        w, top, wall = rng.uniform(0.2, 0.3), rng.uniform(0.2, 0.36), walls[rng.integers(len(walls))]
        awake = rng.random(7) < 0.45
        if pen.sees(x, x + w):
            pen.shape(box(x, top, x + w, horizon + 0.02), colour=wall, ink=(120, 104, 112))
            windows = [
                (wx, wy, wx + 0.056, wy + 0.068)
                for wx in np.arange(x + 0.04, x + w - 0.07, 0.095)
                for wy in np.arange(top + 0.05, horizon - 0.1, 0.115)
            ]
            pen.fill_boxes(windows, (160, 190, 216))
            lit += [window for k, window in enumerate(windows) if awake[k % 7]]
        x += w
    ground(pen, horizon, (214, 208, 202), (206, 200, 196))
    ground(pen, horizon + 0.075, (150, 152, 162), (118, 120, 132))
    pen.fill(box(-FAR, horizon + 0.068, 1 + FAR, horizon + 0.082), (162, 160, 162))
    _dashes(pen, rng, (250, 244, 214))
    return lit


def _dashes(pen: Pen, rng, colour) -> None:
    for x in np.arange(-FAR, 1 + FAR, 0.3) + rng.uniform(0, 0.3):
        if pen.sees(x, x + 0.17):
            pen.fill(poly((x, 0.915), (x + 0.17, 0.915), (x + 0.16, 0.95), (x - 0.01, 0.95)), colour)


def grass(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (78, 172, 250), (206, 236, 255), 0.0, horizon)
    sun(pen, sunny, (255, 236, 110), (236, 240, 200))
    clouds(pen, rng)
    for x, u in spots(pen, rng, 0.55, 0.42):
        pen.fill(ellipse(x, horizon + 0.06, 0.3 + 0.12 * u[0], 0.12 + 0.08 * u[1]), (122, 196, 122))
    ground(pen, horizon, (150, 218, 96), (108, 190, 66))
    for x, u in spots(pen, rng, 0.2, 0.03):
        y = horizon + 0.06 + u[0] * (1.04 - horizon)
        pen.fill(poly(*TUFT + (x, y)), (84, 166, 60))


def beach(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (64, 178, 246), (196, 238, 255), 0.0, horizon - 0.1)
    sun(pen, sunny, (255, 240, 130), (222, 240, 225), x=0.16)
    clouds(pen, rng, y=0.12)
    ground(pen, horizon - 0.1, (30, 150, 214), (30, 150, 214))
    for x, u in spots(pen, rng, 0.3, 0.1):
        y = horizon - 0.08 + 0.07 * u[0]
        pen.line((x, y), (x + 0.09, y), colour=(110, 198, 236), width=0.013)
    ground(pen, horizon + 0.03, (255, 255, 255), (255, 255, 255))
    ground(pen, horizon + 0.052, (248, 222, 158), (240, 204, 126))
    for x, _ in spots(pen, rng, 0.86, 0.2):
        _palm(pen, x, horizon + 0.12)


def _palm(pen: Pen, x, y) -> None:
    pen.shape(capsule((x, y), (x + 0.035, y - 0.36), 0.021, 0.015), colour=(160, 108, 62), ink=(92, 62, 44))
    for angle in (-2.9, -2.2, -0.9, -0.2, 0.35, 2.8):
        tip = (x + 0.035 + 0.15 * np.cos(angle), y - 0.36 + 0.1 * np.sin(angle) + 0.02)
        pen.fill(capsule((x + 0.035, y - 0.365), tip, 0.026, 0.006), (44, 150, 80))


def snow(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (150, 186, 224), (222, 234, 246), 0.0, horizon)
    for x, u in spots(pen, rng, 0.5, 0.34):
        h = 0.2 + 0.1 * u[0]
        foot, top, cap = horizon + 0.02, horizon - h, horizon - h * 0.66
        pen.fill(poly((x - 0.34, foot), (x, top), (x + 0.34, foot)), (176, 196, 224))
        pen.fill(poly((x - 0.12, cap), (x, top), (x + 0.12, cap)), SNOW)
    ground(pen, horizon, (232, 240, 252), SNOW)
    for x, u in spots(pen, rng, 0.3, 0.1):
        _pine(pen, x, horizon + 0.035, 0.8 + 0.35 * u[0])


def _pine(pen: Pen, x, y, s) -> None:
    pen.fill(box(x - 0.012, y - 0.04 * s, x + 0.012, y), (116, 84, 66))
    for k, w in enumerate((0.075, 0.06, 0.043)):
        low = y - (0.03 + 0.058 * k) * s
        pen.fill(poly((x - w * s, low), (x, low - 0.1 * s), (x + w * s, low)), (54, 116, 104))
    pen.fill(poly((x - 0.026 * s, y - 0.19 * s), (x, y - 0.246 * s), (x + 0.026 * s, y - 0.19 * s)), SNOW)


def desert(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (255, 176, 96), (255, 232, 178), 0.0, horizon)
    sun(pen, sunny, (255, 246, 190), (255, 218, 140), x=0.2, y=0.16, r=0.09)
    for x, u in spots(pen, rng, 0.6, 0.45):
        pen.fill(ellipse(x, horizon + 0.05, 0.3 + 0.15 * u[0], 0.1 + 0.07 * u[1]), (226, 150, 84))
    ground(pen, horizon, (238, 180, 104), (222, 150, 72))
    for x, _ in spots(pen, rng, 0.66, 0.1, 0.25):
        _cactus(pen, x, horizon + 0.1)
    for x, u in spots(pen, rng, 0.4, 0.17):
        y = horizon + 0.12 + u[0] * (0.98 - horizon)
        pen.line((x, y), (x + 0.08, y - 0.012), (x + 0.16, y), colour=(200, 130, 64), width=0.013)


def _cactus(pen: Pen, x, y) -> None:
    parts = (
        capsule((x, y), (x, y - 0.25), 0.03),
        capsule((x, y - 0.1), (x - 0.075, y - 0.1), 0.02),
        capsule((x - 0.075, y - 0.1), (x - 0.075, y - 0.17), 0.02),
        capsule((x, y - 0.13), (x + 0.075, y - 0.13), 0.02),
        capsule((x + 0.075, y - 0.13), (x + 0.075, y - 0.21), 0.02),
    )
    pen.shape(*parts, colour=(78, 150, 84), ink=(42, 88, 56))


def moon(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (6, 6, 20), (30, 30, 62), 0.0, horizon)
    starry(pen, rng, horizon - 0.04)
    pen.fill(ellipse(0.8, 0.17, 0.105), (44, 110, 214))
    pen.fill(ellipse(0.765, 0.14, 0.045, 0.03, 0.5), (84, 180, 110))
    pen.fill(ellipse(0.845, 0.205, 0.038, 0.026, -0.4), (84, 180, 110))
    for x, u in spots(pen, rng, 0.6, 0.4):
        pen.fill(ellipse(x, horizon + 0.04, 0.2 + 0.2 * u[0], 0.05 + 0.04 * u[1]), (128, 130, 142))
    ground(pen, horizon, (172, 174, 184), (146, 148, 160))
    for x, u in spots(pen, rng, 0.3, 0.15):
        y = horizon + 0.05 + u[0] * (1.03 - horizon)
        r = 0.03 + 0.1 * (y - horizon)
        pen.fill(ellipse(x, y, r * 1.5, r * 0.6), (112, 114, 126))
        pen.fill(ellipse(x, y + r * 0.14, r * 1.3, r * 0.45), (134, 136, 148))


def city(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, INDIGO, (70, 56, 120), 0.0, horizon)
    starry(pen, rng, 0.25)
    crescent(pen, 0.17, 0.14, 0.07)
    walls = ((36, 36, 74), (46, 44, 88), (30, 32, 64))
    x = -FAR
    while x < 1 + FAR:
        w, top = rng.uniform(0.13, 0.21), rng.uniform(0.16, 0.38)
        wall, lit = walls[rng.integers(3)], rng.random((3, 6)) < 0.6
        if pen.sees(x, x + w):
            pen.fill(box(x, top, x + w + 0.003, horizon + 0.05), wall)
            windows = [
                (wx, wy, wx + 0.038, wy + 0.046)
                for column, wx in enumerate(np.arange(x + 0.028, x + w - 0.04, 0.066))
                for row, wy in enumerate(np.arange(top + 0.032, horizon - 0.03, 0.08))
                if lit[column % 3, row % 6]
            ]
            pen.fill_boxes(windows, (240, 202, 108))
        x += w
    ground(pen, horizon + 0.03, (124, 112, 160), (124, 112, 160))
    ground(pen, horizon + 0.06, (92, 86, 134), (72, 68, 112))
    _dashes(pen, rng, (236, 206, 110))


def sea(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (96, 190, 248), (222, 244, 255), 0.0, horizon - 0.04)
    sun(pen, sunny, (255, 240, 130), (226, 242, 226))
    clouds(pen, rng, y=0.17)
    for x, _ in spots(pen, rng, 1.1, 0.16, 0.3):
        pen.fill(ellipse(x, horizon - 0.04, 0.16, 0.07), (110, 170, 140))
    ground(pen, horizon - 0.04, (44, 150, 216), (16, 92, 176))
    for x, u in spots(pen, rng, 0.14, 0.08):
        y = horizon + u[0] * (1.1 - horizon)
        w = 0.03 + 0.09 * (y - horizon)
        pen.line(
            (x - w, y),
            (x - w / 2, y - w / 4),
            (x, y),
            (x + w / 2, y - w / 4),
            (x + w, y),
            colour=(104, 186, 232),
            width=0.013,
        )


def forest(pen: Pen, rng, horizon, sunny) -> None:
    gradient(pen, (178, 220, 214), (232, 244, 206), 0.0, horizon)
    for x, u in spots(pen, rng, 0.2, 0.16):  # far trees, pale in the haze
        y = horizon - 0.16 - 0.05 * u[0]
        pen.fill(box(x - 0.018, y, x + 0.018, horizon + 0.02), (146, 160, 128))
        pen.fill(ellipse(x, y, 0.105 + 0.03 * u[1], 0.13), (150, 198, 148))
    ground(pen, horizon, (112, 150, 78), (70, 112, 58))
    path = (
        (0.57, horizon),
        (0.6, horizon),
        (0.66, horizon + 0.1),
        (1.0, 1.0),
        (1.4, 2.0),
        (-0.6, 2.0),
        (0.06, 1.0),
        (0.46, horizon + 0.1),
    )
    pen.fill(smooth(*path), (198, 172, 122))
    for x, u in spots(pen, rng, 0.3, 0.2, 0.28):
        if abs(x - 0.58) > 0.07:  # none on the path
            _tree(pen, x, horizon + 0.05 + 0.03 * u[0], u)
    for x, u in spots(pen, rng, 0.26, 0.1):
        _fern(pen, x, horizon + 0.16 + u[0] * (0.86 - horizon))


def _tree(pen: Pen, x, y, u) -> None:
    top, r = y - 0.3 - 0.06 * u[1], 0.125 + 0.02 * u[2]
    bark, ink, leaf = (132, 90, 58), (70, 58, 46), (52, 124, 66)
    pen.shape(poly((x - 0.036, y), (x - 0.024, top), (x + 0.024, top), (x + 0.036, y)), colour=bark, ink=ink)
    pen.shape(
        ellipse(x - 0.06, top + 0.02, r * 0.72),
        ellipse(x + 0.065, top + 0.02, r * 0.7),
        ellipse(x, top - 0.06, r * 0.85),
        colour=leaf,
        ink=(32, 78, 52),
    )
    pen.fill(ellipse(x - 0.02, top - 0.07, r * 0.5, r * 0.42), (78, 154, 82))


def _fern(pen: Pen, x, y) -> None:
    if abs(x - 0.55) > 0.16 + 0.9 * (y - 0.66):
        for tip in (-0.05, 0.0, 0.05):
            pen.fill(capsule((x, y), (x + tip, y - 0.055 + abs(tip) * 0.4), 0.013, 0.006), (58, 126, 66))


PLACES = {
    "street": street,
    "grass": grass,
    "beach": beach,
    "snow": snow,
    "desert": desert,
    "moon": moon,
    "city": city,
    "sea": sea,
    "forest": forest,
}


def paint(pen: Pen, scene: Scene) -> None:
    """The scene's place, paler or darker in bad weather and by night; ALWAYS_NIGHT has its night anyway."""
    night = scene.time == "night" and scene.place not in ALWAYS_NIGHT
    sunny = not night and scene.weather == "clear"
    lights = PLACES[scene.place](pen, np.random.default_rng(scene.seed), scene.horizon, sunny)
    if scene.weather in FALLING and not night and scene.place not in ALWAYS_NIGHT:
        _dim(pen, *FALLING[scene.weather])
    if night:
        _dim(pen, *NIGHT)
        starry(pen, np.random.default_rng(scene.seed + 1), 0.17)
        crescent(pen, 0.85, 0.11, 0.06)
        pen.fill_boxes(lights or [], LAMPLIGHT)


def _dim(pen: Pen, light, haze) -> None:
    """Multiplies every pixel by `light` and adds `haze`, by table."""
    steps = np.arange(256)[:, None] * np.array(light) + haze
    table = np.clip(np.round(steps), 0, 255).astype(np.uint8)[None]
    cv2.LUT(pen.image, table, dst=pen.image)
