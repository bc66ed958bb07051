"""What a UNet predicts, the noise or v, found out by one call where no file tells it."""

from typing import Any

import torch

from t2v.diffusion.guidance import Guidance

LAST = 999  # the time of almost nothing but noise: there the noise is what goes in, and v is the picture
CELLS = 32
SEED = 0
IS_NOISE = 0.5  # correlation of what goes in with what comes out; measured 1.00 and 0.07


@torch.inference_mode()
def found_prediction(unet: Any, guidance: Guidance) -> str:
    """ "epsilon" or "v_prediction". guidance: by an empty prompt, of one branch."""
    text = guidance.embeds
    generator = torch.Generator().manual_seed(SEED)
    noise = torch.randn(1, unet.config.in_channels, CELLS, CELLS, generator=generator)
    given = noise.to(device=text.device, dtype=text.dtype)
    beside = guidance.added(slice(0, 1), given, 0.0)
    told = unet(given, torch.tensor(LAST, device=text.device), encoder_hidden_states=text, **beside).sample
    pair = torch.stack([noise.flatten(), told.float().cpu().flatten()])
    return "epsilon" if float(torch.corrcoef(pair)[0, 1]) >= IS_NOISE else "v_prediction"
