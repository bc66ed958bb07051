"""Where the subjects of a finished run are, for those who draw on its first frame."""

import numpy as np


def outlines_data(outlines: tuple[np.ndarray, ...]) -> str:
    """Where the subjects are in the first frame, as an attribute for the stage's picture; "" for none."""
    if not outlines:
        return ""
    shown = [[[round(float(x), 3), round(float(y), 3)] for x, y in one[0]] for one in outlines]
    text = str(shown).replace(" ", "")
    return f' data-outlines="{text}"'
