"""Subjects without joints: vehicles, simple things and animals. Each function draws one, in its own units."""

import numpy as np

from .pen import INK, Pen, box, capsule, ellipse, poly, smooth

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
    pen.shape(smooth((0, 0.62), (0.15, 0.575), (0.215, 0.44), (0.165, 0.29), (0.06, 0.19), (-0.06, 0.19),
                     (-0.165, 0.29), (-0.215, 0.44), (-0.15, 0.575)), colour=colour)
    light = tuple(int(c + (255 - c) * 0.42) for c in colour)
    if min(colour) > 230:
        light = (214, 220, 232)
    pen.fill(smooth((0, 0.615), (0.06, 0.57), (0.075, 0.42), (0.035, 0.195), (-0.035, 0.195), (-0.075, 0.42),
                    (-0.06, 0.57)), light)


def rocket(pen: Pen, colour) -> None:
    flame = smooth((-0.06, 0.1), (0.06, 0.1), (0.045, 0.03), (0.0, -0.05), (-0.045, 0.03))
    pen.shape(flame, colour=(255, 160, 30))
    pen.fill(smooth((-0.03, 0.1), (0.03, 0.1), (0.0, 0.0)), (255, 236, 100))
    for side in (-1, 1):
        pen.shape(poly((side * 0.08, 0.26), (side * 0.2, 0.12), (side * 0.19, 0.06), (side * 0.07, 0.12)),
                  colour=(120, 128, 146))
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
    pen.shape(box(0.1, 0.32, 0.165, 0.5), colour=(168, 120, 96))
    pen.shape(box(-0.21, 0.0, 0.21, 0.3), colour=colour)
    pen.shape(poly((-0.27, 0.285), (0, 0.5), (0.27, 0.285)), colour=(136, 78, 60))
    pen.shape(box(-0.055, 0.0, 0.055, 0.17), colour=(112, 70, 46))
    for side in (-1, 1):
        pen.shape(box(side * 0.135 - 0.043, 0.14, side * 0.135 + 0.043, 0.23), colour=(255, 240, 160))


def _patch(colour):
    """Chest and muzzle: lighter than the coat, still of its colour."""
    return (226, 230, 238) if min(colour) > 230 else tuple(int(c + (255 - c) * 0.6) for c in colour)


def cat(pen: Pen, colour) -> None:
    """Sits and looks at us: round head, pointed ears, whiskers, a tail curled to the right."""
    pen.shape(capsule((0.09, 0.045), (0.19, 0.06), 0.032), capsule((0.19, 0.06), (0.225, 0.17), 0.032, 0.028),
              colour=colour)
    pen.shape(smooth((0.0, 0.34), (0.1, 0.26), (0.145, 0.09), (0.11, 0.0), (-0.11, 0.0), (-0.145, 0.09),
                     (-0.1, 0.26)), colour=colour)
    pen.fill(ellipse(0, 0.15, 0.062, 0.1), _patch(colour))
    ears = [poly((s * 0.155, 0.40), (s * 0.145, 0.575), (s * 0.035, 0.49)) for s in (-1, 1)]
    pen.shape(*ears, ellipse(0, 0.40, 0.165, 0.125), colour=colour)
    for s in (-1, 1):
        pen.fill(poly((s * 0.135, 0.455), (s * 0.13, 0.535), (s * 0.075, 0.495)), (255, 170, 180))
        pen.shape(ellipse(s * 0.07, 0.415, 0.03, 0.036), colour=(190, 240, 120), ink=INK)
        pen.fill(ellipse(s * 0.07, 0.415, 0.011, 0.032), INK)
        for dy in (0.0, -0.03):
            pen.line((s * 0.09, 0.352 + dy), (s * 0.21, 0.362 + 2 * dy), width=0.009)
    pen.fill(poly((-0.022, 0.37), (0.022, 0.37), (0, 0.345)), (240, 110, 130))


def dog(pen: Pen, colour) -> None:
    """Stands in profile and looks to the right: long muzzle, hanging ear, tail up."""
    tail = capsule((-0.21, 0.25), (-0.29, 0.37), 0.026, 0.02)
    legs = [capsule((x, 0.14), (x, 0.03), 0.038) for x in (-0.19, -0.1, 0.08, 0.165)]
    body = capsule((-0.16, 0.205), (0.11, 0.21), 0.085, 0.092)
    neck = capsule((0.12, 0.24), (0.175, 0.38), 0.07, 0.07)
    muzzle = capsule((0.2, 0.385), (0.31, 0.365), 0.06, 0.048)
    pen.shape(tail, *legs, body, neck, ellipse(0.18, 0.42, 0.1), muzzle, colour=colour)
    collar = (250, 210, 60) if colour[2] > 1.5 * max(colour[:2]) else (70, 200, 240)
    pen.line((0.085, 0.305), (0.215, 0.262), colour=collar, width=0.034)
    pen.shape(ellipse(0.345, 0.395, 0.028, 0.023), colour=INK, ink=INK)
    pen.shape(ellipse(0.115, 0.385, 0.048, 0.095, -0.2), colour=tuple(int(c * 0.72) for c in colour))
    pen.fill(ellipse(0.225, 0.445, 0.028), (255, 255, 255))
    pen.fill(ellipse(0.232, 0.445, 0.016), INK)

