"""Prompts that change along the clip, in the loop: blended texts, and what they do not change is held.

All frames start from the same noise (as in Free-Bloom, arXiv 2309.14494), and are told the first text until
the layout stands. From then on each is told its own blend of texts, and where the network, told another
text, sees the picture as it did before, the picture of frame 0 stays (which parts a text changes is measured
as in DiffEdit, arXiv 2210.11427: where the predictions for both differ). The subject that all texts name
stays too, where a text changes more of what is around it (told apart by region as in EIDT-V, 2504.06861).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import torch
import torch.nn.functional as F

from t2v.diffusion.guidance import Guidance
from t2v.diffusion.sampling import Track, alpha_bar

LATE = 0.12  # share of the steps in which all frames are told the first text, and the layout is decided
# Shares of the strongest change (its 95th percentile): below the first a cell is held, from the second free
HELD, FREE = 0.35, 0.5
STRONGEST = 0.95
LEAST = 1e-3  # of latents, whose values are about 1: a text that changes less changes nothing


def blended(each: Sequence[Guidance], weights: torch.Tensor) -> Guidance:
    """One guidance that tells every frame its blend of what these tell. weights: (f m), as ``shares_of``."""
    mixed = _mixed([one.embeds for one in each], weights)
    pooled = [one.beside.pooled for one in each if one.beside is not None]
    first = each[0].beside
    beside = None if first is None else replace(first, pooled=_mixed(pooled, weights))
    return replace(each[0], embeds=mixed, late=LATE, beside=beside)


def _mixed(each: Sequence[torch.Tensor], weights: torch.Tensor) -> torch.Tensor:
    """(b f ...) of what each text is embedded as, (b ...)."""
    embeds = torch.stack(list(each))
    mixed = torch.einsum("fm,mb...->bf...", weights.to(embeds), embeds)
    for frame, row in enumerate(weights):  # a text alone is told as it is, to the last bit
        if bool((row == 1).any()):
            mixed[:, frame] = embeds[int(row.argmax())]
    return mixed


@dataclass(eq=False)
class Hold:
    """Keeps frame 0's picture where no text changes it.

    weights: (f m), how much of each text frames are told. words: of the first text, for what is a subject in
    all of them; "": nothing is. subject: (h w), how much of each cell it covers,
    0..1; None: not found yet. change: (m h w), what each text has changed of frame 0's clean
    latents so far, the mean over the steps.
    """

    weights: torch.Tensor
    first_text: str = ""
    words: str = ""
    subject: torch.Tensor | None = None
    change: torch.Tensor | None = field(default=None)
    steps: int = 0

    def __call__(self, track: Track, prediction: torch.Tensor) -> torch.Tensor:
        """The prediction (f c h w) of a step by which the held parts come to be frame 0's."""
        if track.index / len(track.scheduler.timesteps) < LATE:
            return prediction  # all frames are the same
        clean = track.clean(prediction)
        told = self.weights.argmax(dim=0)  # the frame that is told most of each text
        seen = (clean[told] - clean[:1]).abs().mean(dim=1)
        self.steps += 1
        self.change = seen if self.change is None else self.change + (seen - self.change) / self.steps
        free = self._free()[:, None]
        return _prediction_of(track, free * clean + (1 - free) * clean[:1])

    def _free(self) -> torch.Tensor:
        """How free each frame's cells are to leave frame 0's: (f h w), 0..1."""
        assert self.change is not None
        smooth = F.avg_pool2d(F.pad(self.change[None], (1, 1, 1, 1), mode="replicate"), 3, 1)[0]
        strongest = torch.quantile(smooth.flatten(1), STRONGEST, dim=1)[:, None, None].clamp(min=LEAST)
        free = ((smooth / strongest - HELD) / (FREE - HELD)).clamp(0, 1)
        if self.subject is not None:
            free = free * self._around(smooth, self.subject)
        told = (self.weights > 0).to(free)[..., None, None]
        told[:, 0] = 0  # the first text is frame 0's own
        return (told * free).amax(dim=1)

    @staticmethod
    def _around(change: torch.Tensor, subject: torch.Tensor) -> torch.Tensor:
        """What is not the subject, (m h w) 0..1, of texts that change less of it than of the rest; else 1."""
        within, rest = (
            (change * part).sum(dim=(1, 2)) / part.sum().clamp(min=LEAST) for part in (subject, 1 - subject)
        )
        return torch.where((within < rest)[:, None, None], 1 - subject, torch.ones_like(change))


def _prediction_of(track: Track, clean: torch.Tensor) -> torch.Tensor:
    """What a network would have predicted for these clean latents: ``Track.clean`` the other way round."""
    a = alpha_bar(track.scheduler, track.index)
    x, kind = track.preserving(), track.scheduler.config.prediction_type
    if kind == "sample":
        return clean
    noisier = max(1 - a, 1e-8) ** 0.5
    return (a**0.5 * x - clean) / noisier if kind == "v_prediction" else (x - a**0.5 * clean) / noisier
