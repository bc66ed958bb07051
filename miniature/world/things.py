"""Vehicles and simple things. Each function draws one, in its own units."""

import numpy as np

from .pen import INK, Pen, box, ellipse, poly, smooth

GLASS = (186, 230, 250)
TYRE = (46, 46, 56)
CREAM = (255, 246, 224)


def car(pen: Pen, colour) -> None:
    pen.shape(smooth((-0.17, 0.17), (-0.12, 0.30), (0.07, 0.30), (0.16, 0.17)), colour=colour)
    pen.shape(box(-0.31, 0.05, 0.31, 0.185, 0.05), colour=colour)
    pen.fill(box(-0.145, 0.14, 0.14, 0.2), colour)
    pen.fill(poly((-0.13, 0.18), (-0.1, 0.272), (-0.025, 0.272), (-0.025, 0.18)), GLASS)
    pen.fill(poly((0.01, 0.18), (0.01, 0.272), (0.065, 0.272), (0.12, 0.18)), GLASS)
    pen.fill(ellipse(0.285, 0.135, 0.022, 0.026), (255, 240, 150))
    for x in (-0.18, 0.18):
        pen.shape(ellipse(x, 0.06, 0.068), colour=TYRE, ink=INK)
        pen.fill(ellipse(x, 0.06, 0.032), (214, 218, 226))


def boat(pen: Pen, colour) -> None:
    pen.line((0.0, 0.12), (0.0, 0.57), colour=(120, 76, 44), width=0.026)
    pen.shape(poly((0.025, 0.19), (0.025, 0.54), (0.25, 0.19)), colour=(252, 250, 240), ink=INK)
    pen.shape(poly((-0.025, 0.19), (-0.025, 0.48), (-0.2, 0.19)), colour=colour)
    side = np.array(((0.31, 0.165), (0.25, 0.03), (0.15, -0.015)))
    pen.shape(smooth((0.0, 0.145), *side, *side[::-1] * (-1, 1)), colour=colour)


def balloon(pen: Pen, colour) -> None:
    for x in (-0.05, 0.05):
        pen.line((x, 0.08), (x * 2.2, 0.24), width=0.012)
    pen.shape(box(-0.065, 0.0, 0.065, 0.09, 0.015), colour=(176, 118, 62))
    pen.shape(
        smooth(
            (0, 0.62),
            (0.15, 0.575),
            (0.215, 0.44),
            (0.165, 0.29),
            (0.06, 0.19),
            (-0.06, 0.19),
            (-0.165, 0.29),
            (-0.215, 0.44),
            (-0.15, 0.575),
        ),
        colour=colour,
    )
    light = tuple(int(c + (255 - c) * 0.42) for c in colour)
    if min(colour) > 230:
        light = (214, 220, 232)
    pen.fill(
        smooth(
            (0, 0.615),
            (0.06, 0.57),
            (0.075, 0.42),
            (0.035, 0.195),
            (-0.035, 0.195),
            (-0.075, 0.42),
            (-0.06, 0.57),
        ),
        light,
    )


def rocket(pen: Pen, colour) -> None:
    flame = smooth((-0.06, 0.1), (0.06, 0.1), (0.045, 0.03), (0.0, -0.05), (-0.045, 0.03))
    pen.shape(flame, colour=(255, 160, 30))
    pen.fill(smooth((-0.03, 0.1), (0.03, 0.1), (0.0, 0.0)), (255, 236, 100))
    for side in (-1, 1):
        pen.shape(
            poly((side * 0.08, 0.26), (side * 0.2, 0.12), (side * 0.19, 0.06), (side * 0.07, 0.12)),
            colour=(120, 128, 146),
        )
    side = np.array(((0.075, 0.5), (0.105, 0.34), (0.1, 0.2), (0.075, 0.1)))
    pen.shape(smooth((0, 0.62), *side, *side[::-1] * (-1, 1)), colour=colour)
    pen.shape(ellipse(0, 0.38, 0.05), colour=GLASS)


def ball(pen: Pen, colour) -> None:
    pen.shape(ellipse(0, 0.2, 0.2), colour=colour)
    stripe = (250, 250, 250) if min(colour) < 200 else (120, 190, 255)
    band = smooth((-0.2, 0.2), (0.0, 0.14), (0.2, 0.2), (0.185, 0.265), (0.0, 0.215), (-0.185, 0.265))
    pen.fill(band, stripe)
    pen.fill(ellipse(-0.08, 0.32, 0.04, 0.026, 0.6), stripe)


def star(pen: Pen, colour) -> None:
    angles = np.pi / 2 + np.arange(10) * np.pi / 5
    radii = np.where(np.arange(10) % 2 == 0, 0.25, 0.125)
    pen.shape(poly(*np.stack([radii * np.cos(angles), 0.25 + radii * np.sin(angles)], 1)), colour=colour)
    dark = INK if sum(colour) > 200 else (240, 240, 245)
    for side in (-1, 1):
        pen.fill(ellipse(side * 0.05, 0.275, 0.018, 0.026), dark)
    pen.line((-0.045, 0.205), (0, 0.18), (0.045, 0.205), colour=dark, width=0.014)


def house(pen: Pen, colour) -> None:
    pen.shape(box(0.1, 0.36, 0.165, 0.5), colour=(168, 120, 96))
    pen.shape(box(-0.23, 0.0, 0.23, 0.34), colour=colour)
    pen.shape(poly((-0.28, 0.325), (0, 0.51), (0.28, 0.325)), colour=(136, 78, 60))
    pen.shape(box(-0.05, 0.0, 0.05, 0.155), colour=(112, 70, 46))
    for side in (-1, 1):
        pen.shape(box(side * 0.145 - 0.036, 0.165, side * 0.145 + 0.036, 0.245), colour=(255, 240, 160))
