"""The finisher's network: pictures of twice the size, and how the network is built.

A few plain convolutions over the picture as it is, then sub-pixel rearrangement (Shi et al., arXiv
1609.05158), on top of bicubic interpolation: it learns only what that lacks. There is no padding,
no normalisation and no stride inside, so a picture that moves by whole pixels is doubled to one that moves by
twice as many, exactly.
"""

import torch
import torch.nn.functional as F
from diffusers import ConfigMixin, ModelMixin
from torch import nn


class Block(nn.Module):
    """Two convolutions whose result is added to what came in; two pixels of each side are used up."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3)
        self.second = nn.Conv2d(channels, channels, 3)

    def forward(self, features: torch.Tensor) -> torch.Tensor:
        return features[..., 2:-2, 2:-2] + self.second(F.relu(self.first(features)))


class FinisherNetwork(ModelMixin, ConfigMixin):
    """Pictures with ``margin`` further pixels on each side to pictures twice as large, without the margin.

    channels: of its features. blocks: pairs of convolutions between the first and the last.
    """

    config_name = "config.json"

    def __init__(self, channels: int = 32, blocks: int = 5) -> None:
        super().__init__()
        self.register_to_config(channels=channels, blocks=blocks)
        self.head = nn.Conv2d(3, channels, 3)
        self.middle = nn.ModuleList(Block(channels) for _ in range(blocks))
        self.tail = nn.Conv2d(channels, 12, 3)

    @property
    def margin(self) -> int:
        """Pixels around a picture that its border's values depend on."""
        return 2 * len(self.middle) + 2

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Pictures (b, 3, 2h, 2w), about 0..1, of pictures (b, 3, h + 2 margin, w + 2 margin) in 0..1."""
        features = F.relu(self.head(pictures - 0.5))
        for block in self.middle:
            features = block(features)
        detail = F.pixel_shuffle(self.tail(F.relu(features)), 2)
        smooth = F.interpolate(pictures, scale_factor=2, mode="bicubic", align_corners=False)
        cut = 2 * self.margin
        return smooth[..., cut:-cut, cut:-cut] + detail
