"""Animals. Each function draws one, in its own units: origin where it stands, y up, half a unit tall."""

from .pen import INK, Pen, capsule, ellipse, poly, smooth

ANTLER = (150, 100, 58)
HOOF = (70, 56, 56)


def _patch(colour):
    """Chest and muzzle: lighter than the coat, still of its colour."""
    return (226, 230, 238) if min(colour) > 230 else tuple(int(c + (255 - c) * 0.6) for c in colour)


def cat(pen: Pen, colour) -> None:
    """Sits and looks at us: round head, pointed ears, whiskers, a tail curled to the right."""
    pen.shape(
        capsule((0.09, 0.045), (0.19, 0.06), 0.032),
        capsule((0.19, 0.06), (0.225, 0.17), 0.032, 0.028),
        colour=colour,
    )
    pen.shape(
        smooth(
            (0.0, 0.34), (0.1, 0.26), (0.145, 0.09), (0.11, 0.0), (-0.11, 0.0), (-0.145, 0.09), (-0.1, 0.26)
        ),
        colour=colour,
    )
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


def _mane(colour):
    """Hair that stands out from the coat: darker, or grey on black."""
    return (128, 124, 138) if max(colour) < 80 else tuple(int(c * 0.5) for c in colour)


def _eye(pen: Pen, x, y, r=0.024) -> None:
    """White with a large pupil that looks ahead: seen on every coat."""
    pen.fill(ellipse(x, y, r), (255, 255, 255))
    pen.fill(ellipse(x + 0.25 * r, y, r * 0.62), INK)


def horse(pen: Pen, colour) -> None:
    """Stands in profile and looks to the right: high legs, arched neck with a mane, a long hanging tail."""
    hair = _mane(colour)
    pen.shape(
        smooth((-0.2, 0.36), (-0.27, 0.33), (-0.305, 0.2), (-0.29, 0.08), (-0.235, 0.12), (-0.225, 0.24)),
        colour=hair,
    )
    for x in (-0.185, -0.105, 0.075, 0.15):
        pen.shape(capsule((x, 0.03), (x, 0.012), 0.03), colour=HOOF)
    legs = [capsule((x, 0.25), (x, 0.065), 0.042, 0.028) for x in (-0.185, -0.105, 0.075, 0.15)]
    body = capsule((-0.145, 0.305), (0.1, 0.3), 0.088, 0.09)
    neck = capsule((0.11, 0.34), (0.205, 0.5), 0.078, 0.056)
    head = capsule((0.215, 0.52), (0.315, 0.43), 0.056, 0.045)
    ears = [poly((0.165 + d, 0.55), (0.185 + d, 0.63), (0.225 + d, 0.565)) for d in (0.0, 0.035)]
    pen.shape(*ears, *legs, body, neck, head, colour=colour)
    pen.shape(
        smooth(
            (0.215, 0.605),
            (0.14, 0.58),
            (0.085, 0.48),
            (0.02, 0.39),
            (0.09, 0.385),
            (0.15, 0.46),
            (0.185, 0.54),
        ),
        colour=hair,
    )
    _eye(pen, 0.235, 0.52)
    pen.fill(ellipse(0.325, 0.435, 0.012), hair)


def deer(pen: Pen, colour) -> None:
    """Stands in profile, slender, with branched antlers, a spotted back and a short white tail."""
    for lean in (-0.055, 0.075):
        beam = ((0.165 + lean * 0.2, 0.49), (0.155 + lean, 0.565), (0.165 + lean * 1.9, 0.66))
        tine = ((0.155 + lean, 0.565), (0.155 + lean * 0.2 + 0.03, 0.635))
        outer = ((0.155 + lean, 0.565), (0.16 + lean * 2.2, 0.575))
        pen.shape(*[capsule(a, b, 0.015, 0.012) for a, b in (beam[:2], beam[1:], tine, outer)], colour=ANTLER)
    pen.shape(ellipse(-0.215, 0.315, 0.046, 0.032, -0.7), colour=(255, 255, 255))
    for x in (-0.16, -0.095, 0.06, 0.12):
        pen.shape(capsule((x, 0.03), (x, 0.01), 0.022), colour=HOOF)
    legs = [capsule((x, 0.23), (x, 0.055), 0.036, 0.02) for x in (-0.16, -0.095, 0.06, 0.12)]
    body = capsule((-0.125, 0.275), (0.075, 0.27), 0.078, 0.08)
    neck = capsule((0.09, 0.3), (0.15, 0.44), 0.06, 0.042)
    head = capsule((0.16, 0.455), (0.255, 0.425), 0.056, 0.036)
    ear = capsule((0.13, 0.47), (0.065, 0.5), 0.022, 0.014)
    pen.shape(ear, *legs, body, neck, head, colour=colour)
    spot = (255, 248, 232) if min(colour) < 200 else (206, 176, 140)
    for x, y in ((-0.15, 0.315), (-0.085, 0.285), (-0.03, 0.325), (0.03, 0.285)):
        pen.fill(ellipse(x, y, 0.021, 0.017), spot)
    _eye(pen, 0.185, 0.463, 0.022)
    pen.shape(ellipse(0.283, 0.43, 0.014), colour=INK, ink=INK)


def fish(pen: Pen, colour) -> None:
    """Swims to the right: round body, forked tail, fins on back and belly, one big eye."""
    fin = _mane(colour)
    pen.shape(
        smooth((-0.13, 0.28), (-0.24, 0.42), (-0.3, 0.43), (-0.27, 0.28), (-0.3, 0.13), (-0.24, 0.14)),
        colour=fin,
    )
    pen.shape(smooth((-0.1, 0.37), (-0.06, 0.5), (0.06, 0.5), (0.1, 0.4)), colour=fin)
    pen.shape(smooth((-0.06, 0.17), (-0.07, 0.08), (0.0, 0.09), (0.05, 0.16)), colour=fin)
    pen.shape(
        smooth(
            (-0.17, 0.28),
            (-0.07, 0.38),
            (0.08, 0.415),
            (0.2, 0.37),
            (0.265, 0.275),
            (0.2, 0.175),
            (0.08, 0.14),
            (-0.07, 0.185),
        ),
        colour=colour,
    )
    pen.fill(
        smooth((0.23, 0.215), (0.15, 0.162), (0.05, 0.152), (-0.07, 0.197), (0.06, 0.2), (0.16, 0.205)),
        _patch(colour),
    )
    pen.shape(smooth((0.02, 0.3), (-0.075, 0.32), (-0.095, 0.27), (-0.07, 0.22), (0.02, 0.25)), colour=fin)
    pen.shape(ellipse(0.155, 0.315, 0.044), colour=(255, 255, 255), ink=INK)
    pen.fill(ellipse(0.167, 0.315, 0.026), INK)
    pen.line((0.258, 0.25), (0.225, 0.232), (0.2, 0.238), width=0.013)
