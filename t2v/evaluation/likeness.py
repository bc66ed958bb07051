"""What vectors of frames and of a prompt say: how alike frames are, and how well they show the prompt.

The vectors are of length 1 and come from ``eyes.py`` or from any other model that looks at pictures.
"""

import numpy as np


def text_score(pictures: np.ndarray, text: np.ndarray) -> float:
    """Mean cosine (-1..1) of frames' CLIP vectors (f, d) and their prompt's (d,).

    CLIPScore (Hessel et al., arXiv 2104.08718, eq. 1) without its factor 2.5; a hundred times this is what
    the paper's section 4.3 calls CLIP score.
    """
    return float((pictures @ text).mean())


def frame_consistency(pictures: np.ndarray) -> float:
    """Mean cosine of neighbouring frames' CLIP vectors (f, d), as in Gen-1 (arXiv 2302.03011, section 4).

    A frozen clip has 1.
    """
    return float((pictures[:-1] * pictures[1:]).sum(axis=1).mean())
