"""A quick picture of latents whose channels stand for no known colours: what differs most, in grey."""

import numpy as np
import torch

SPREAD = 4.0  # standard deviations from black to white


def grey(latents: torch.Tensor) -> np.ndarray:
    """Latents (1 f c h w) by their first principal component: uint8 RGB (f, h, w, 3), a pixel per cell.

    Its sign is that in which the channels' weights add up to more than nothing, so that it stays the same
    from step to step.
    """
    cells = latents[0].detach().float().cpu().movedim(1, -1)
    centred = torch.nan_to_num(cells - cells.mean(dim=(0, 1, 2)))
    flat = centred.flatten(0, 2)
    _, directions = torch.linalg.eigh(flat.T @ flat)
    main = directions[:, -1]
    shade = centred @ (main if float(main.sum()) >= 0 else -main)
    shown = (0.5 + shade / (SPREAD * shade.std().clamp(min=1e-6))).clamp(0, 1)
    return (shown * 255).round().to(torch.uint8)[..., None].expand(*shown.shape, 3).numpy()
