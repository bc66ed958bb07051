"""The second judge: a plain convolutional network that reads a picture, without captions and without CLIP.

It names subject, colour, place, style, time and weather, and measures what captions cannot say: where the
subjects are, how near everything is, and where a figure's joints are. It shares nothing with the first judge
but the world: other scenes, another kind of network, another loss.
"""

import copy
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn

from miniature.banks import Bank, Columns
from miniature.data import HELD_OUT_SEED, shrink
from miniature.fit import low_precision
from miniature.judges.scenes import (
    CLASSES,
    UNKNOWN,
    blemished,
    can_tell,
    judge_input,
    judge_scene,
    labels_of,
    small_pictures,
    value_of,
)
from miniature.measures import figure_height
from miniature.package import replacing
from miniature.shapes import PIXELS, Stage
from miniature.world import Scene, depth, draw, joints, mask, sample_scene

READER = {"widths": (40, 64, 80), "blocks": (2, 3, 4), "hidden": 64}
CELLS = 32  # side of the maps; a cell is PIXELS // CELLS pixels wide
JOINTS = 18
PEAK = 0.8  # standard deviation, in cells, of a joint's place in the map it is taught with
REACH = 2  # cells around a map's highest that its centre is taken from
READ_AT_ONCE = 64
WEIGHTS = {"subject": 3.0, "colour": 2.0, "place": 1.0, "style": 1.0, "time": 1.0, "weather": 1.0}


class Block(nn.Module):
    """Two convolutions added to their input, which at the start they leave as it is."""

    def __init__(self, width: int):
        super().__init__()
        self.layers = nn.Sequential(
            nn.GroupNorm(8, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.GroupNorm(8, width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, padding=1),
        )
        nn.init.zeros_(self.layers[-1].weight)
        nn.init.zeros_(self.layers[-1].bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.layers(x)


class Reader(nn.Module):
    """Pictures (b, 3, 128, 128) in -1..1 to class scores, two maps and joint maps, all (…, 32, 32)."""

    def __init__(self, widths: tuple[int, ...], blocks: tuple[int, ...], hidden: int):
        super().__init__()
        first, second, third = widths
        counts = [len(values) for values in CLASSES.values()]
        # two more inputs say where in the picture a pixel is: of two subjects the left one is asked for
        self.stem = nn.Sequential(
            nn.Conv2d(5, 24, 3, stride=2, padding=1), nn.ReLU(), nn.Conv2d(24, first, 3, stride=2, padding=1)
        )
        self.fine = nn.Sequential(*(Block(first) for _ in range(blocks[0])))
        self.middle = nn.Sequential(
            nn.Conv2d(first, second, 3, stride=2, padding=1), *(Block(second) for _ in range(blocks[1]))
        )
        self.coarse = nn.Sequential(
            nn.Conv2d(second, third, 3, stride=2, padding=1), *(Block(third) for _ in range(blocks[2]))
        )
        self.up_middle, self.up_fine = nn.Conv2d(third, second, 1), nn.Conv2d(second, first, 1)
        self.merge = nn.Conv2d(first, first, 3, padding=1)
        self.maps = nn.Conv2d(first, 2 + JOINTS, 1)
        self.attention = nn.Conv2d(third, 1, 1)
        self.classes = nn.Sequential(nn.Linear(2 * third, hidden), nn.ReLU(), nn.Linear(hidden, sum(counts)))
        self.counts = counts

    def forward(self, pictures: torch.Tensor) -> tuple[tuple[torch.Tensor, ...], torch.Tensor, torch.Tensor]:
        """Scores (b, classes) for each of CLASSES; (b, 2, 32, 32) nearness and mask, before their sigmoid;
        (b, 18, 32, 32) joint maps, before their softmax over all cells."""
        side = torch.linspace(-1, 1, pictures.shape[-1], device=pictures.device, dtype=pictures.dtype)
        where = torch.stack(torch.meshgrid(side, side, indexing="ij")).expand(len(pictures), -1, -1, -1)
        fine = self.fine(self.stem(torch.cat([pictures, where], dim=1)))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        scores = self.classes(self._pooled(F.relu(coarse)))
        middle = F.relu(middle + F.interpolate(self.up_middle(coarse), scale_factor=2.0))
        fine = F.relu(fine + F.interpolate(self.up_fine(middle), scale_factor=2.0))
        maps = self.maps(F.relu(self.merge(fine)))
        return scores.split(self.counts, dim=1), maps[:, :2], maps[:, 2:]

    def _pooled(self, features: torch.Tensor) -> torch.Tensor:
        """The mean over the picture, and the mean over where the network chooses to look."""
        looked = self.attention(features).flatten(1).softmax(dim=1)
        flat = features.flatten(2)
        return torch.cat([flat.mean(dim=2), torch.einsum("bcn,bn->bc", flat, looked)], dim=1)


def build_reader(folder: Path | None = None) -> nn.ModuleDict:
    """A reader, ``reader``: fresh, or with the parameters kept in ``folder``, of perhaps fewer blocks."""
    reader = Reader(**READER)
    if folder is not None:
        reader.load_state_dict(_tensors(folder), strict=False)  # blocks it lacks add nothing at the start
    return nn.ModuleDict({"reader": reader})


def _tensors(folder: Path) -> dict[str, torch.Tensor]:
    return {name: tensor.float() for name, tensor in load_file(folder / "model.safetensors").items()}


def maps_of(scene: Scene) -> np.ndarray:
    """Nearness and subject mask, uint8 (2, 32, 32), each the mean over a cell."""
    covered = mask(scene, 2 * CELLS).astype(np.uint8) * 255
    return np.stack([shrink(depth(scene, 2 * CELLS), CELLS), shrink(covered, CELLS)])


def first_joints(scene: Scene) -> np.ndarray:
    """Joints (18, 2) of the only figure in cells, x and y; NaN where there is none or are two."""
    found = joints(scene, CELLS)
    return found[0].astype(np.float32) if len(found) == 1 else np.full((JOINTS, 2), np.nan, np.float32)


def reader_bank(stage: Stage, step: int) -> Bank:
    """Rows for ``reader_loss``: pictures (128, 128, 3), labels (6), maps (2, 32, 32), joints (18, 2)."""

    def make(rng: np.random.Generator, count: int) -> Columns:
        scenes = [judge_scene(rng) for _ in range(count)]
        return (
            small_pictures(scenes),
            torch.tensor([labels_of(scene) for scene in scenes]),
            torch.from_numpy(np.stack([maps_of(scene) for scene in scenes])),
            torch.from_numpy(np.stack([first_joints(scene) for scene in scenes])),
        )

    return Bank(stage, step, make)


def peaks(places: torch.Tensor) -> torch.Tensor:
    """Maps (b, 18, 32, 32), each adding up to 1 around its place (b, 18, 2) in cells; 0 where it is NaN."""
    centres = torch.arange(CELLS, device=places.device) + 0.5
    far = (places[..., None] - centres).square()  # (b, 18, 2, 32)
    along = torch.exp(-far / (2 * PEAK**2))
    maps = along[:, :, 1, :, None] * along[:, :, 0, None, :]
    return torch.nan_to_num(maps / maps.sum((2, 3), keepdim=True).clamp(min=1e-6))


def centres_of(maps: torch.Tensor) -> torch.Tensor:
    """Soft-argmax near the highest of scores (b, j, h, w): places (b, j, 2) in cells, x and y."""
    height, width = maps.shape[2:]
    chances = maps.float().flatten(2).softmax(dim=2).view_as(maps)
    highest = chances.flatten(2).argmax(dim=2)[..., None, None]
    rows = torch.arange(height, device=maps.device).view(-1, 1)
    columns = torch.arange(width, device=maps.device).view(1, -1)
    near = ((rows - highest // width).abs() <= REACH) & ((columns - highest % width).abs() <= REACH)
    weights = chances * near
    weights = weights / weights.sum((2, 3), keepdim=True)
    return torch.stack(
        [(weights * (columns + 0.5)).sum((2, 3)), (weights * (rows + 0.5)).sum((2, 3))], dim=-1
    )


def reader_loss(
    parts: nn.ModuleDict,
    pictures: torch.Tensor,
    labels: torch.Tensor,
    maps: torch.Tensor,
    places: torch.Tensor,
) -> torch.Tensor:
    """Loss of a bank's rows: uint8 (b, 128, 128, 3), int (b, 6), uint8 (b, 2, 32, 32), cells (b, 18, 2)."""
    device = next(parts.parameters()).device
    pictures, labels, maps, places = (t.to(device) for t in (pictures, labels, maps, places))
    with low_precision(device):
        scores, made, joint_maps = parts["reader"](blemished(pictures))
    known = maps.float() / 255
    named = sum(
        WEIGHTS[name] * F.cross_entropy(score.float(), label, ignore_index=UNKNOWN, reduction="sum")
        for name, score, label in zip(CLASSES, scores, labels.T, strict=True)
    )
    wanted = peaks(places)
    figures = wanted.sum((1, 2, 3)).count_nonzero().clamp(min=1)
    surprise = -(wanted.flatten(2) * joint_maps.float().flatten(2).log_softmax(dim=2)).sum() / JOINTS
    nearness = (made[:, 0].float().sigmoid() - known[:, 0]).abs().mean()
    covered = F.binary_cross_entropy_with_logits(made[:, 1].float(), known[:, 1])
    return named / len(labels) + surprise / figures + 5 * nearness + covered


@dataclass(frozen=True, eq=False)
class Reading:
    """What was read from b pictures.

    values: a value of CLASSES for each picture, by name. nearness: (b, 32, 32), 0 (sky) to 255. covered:
    (b, 32, 32), the chance 0..1 that a subject is there. joints: (b, 18, 2) in pixels of 256, x and y,
    meaningful where there is a figure.
    """

    values: dict[str, list[str]]
    nearness: np.ndarray
    covered: np.ndarray
    joints: np.ndarray


@torch.no_grad()
def read(parts: nn.ModuleDict, pictures: np.ndarray) -> Reading:
    """Read uint8 RGB pictures (b, h, w, 3), square, of any size."""
    device = next(parts.parameters()).device
    values: dict[str, list[str]] = {name: [] for name in CLASSES}
    maps, places = [], []
    for first in range(0, len(pictures), READ_AT_ONCE):
        batch = judge_input(pictures[first : first + READ_AT_ONCE]).to(device)
        with low_precision(device):
            scores, made, joint_maps = parts["reader"](batch)
        for (name, words), score in zip(CLASSES.items(), scores, strict=True):
            values[name] += [words[index] for index in score.argmax(dim=1).tolist()]
        maps.append(made.float().sigmoid().cpu())
        places.append(centres_of(joint_maps).cpu())
    seen = torch.cat(maps).numpy()
    in_pixels = torch.cat(places).numpy() * (PIXELS / CELLS)
    return Reading(values, 255 * seen[:, 0], seen[:, 1], in_pixels)


def measure_reader(parts: nn.ModuleDict, count: int = 256) -> dict[str, float]:
    """Its own figures on held-out scenes: share right of each of CLASSES, and how well it measures.

    ``joint_error_percent``: median distance of the joints of single figures, in percent of their height.
    ``nearness_error``: mean absolute error, of 255. ``mask_iou``: intersection over union of the masks.
    """
    rng = np.random.default_rng([HELD_OUT_SEED, 1000])
    scenes = [sample_scene(rng, "held-out") for _ in range(count)]
    seen = read(parts, np.stack([draw(scene, PIXELS) for scene in scenes]))
    figures: dict[str, float] = {}
    for name in CLASSES:
        judged = [i for i, scene in enumerate(scenes) if can_tell(scene, name)]
        right = [seen.values[name][i] == value_of(scenes[i], name) for i in judged]
        figures[name] = float(np.mean(right))
    true = np.stack([first_joints(scene) for scene in scenes]) * (PIXELS / CELLS)
    height = np.array([[figure_height(scene)] for scene in scenes])
    error = 100 * np.hypot(*np.moveaxis(seen.joints - true, -1, 0)) / height
    known = np.stack([maps_of(scene) for scene in scenes]).astype(float)
    covered, wanted = seen.covered > 0.5, known[:, 1] > 127
    return figures | {
        "joint_error_percent": float(np.nanmedian(error)),
        "nearness_error": float(np.abs(seen.nearness - known[:, 0]).mean()),
        "mask_iou": float((covered & wanted).sum() / (covered | wanted).sum()),
    }


def save_reader(folder: Path, parts: nn.ModuleDict) -> Path:
    """Write parameters in half precision, shape and classes."""
    tensors = copy.deepcopy(parts["reader"]).half().state_dict()
    facts = {**READER, "classes": CLASSES, "pixels": PIXELS}
    with replacing(folder) as part:
        part.mkdir()
        save_file({name: tensor.contiguous() for name, tensor in tensors.items()}, part / "model.safetensors")
        (part / "config.json").write_text(json.dumps(facts, indent=1) + "\n")
    return folder


def load_reader(folder: Path, device: str | torch.device = "cpu") -> nn.ModuleDict:
    """The reader written by ``save_reader``, in float32; ValueError where it names other classes."""
    facts = json.loads((folder / "config.json").read_text())
    if facts["classes"] != {name: list(values) for name, values in CLASSES.items()}:
        raise ValueError(f"the reader in {folder} was trained for another world; train it again.")
    parts = nn.ModuleDict({"reader": Reader(**{name: facts[name] for name in READER})})
    parts["reader"].load_state_dict(_tensors(folder))
    return parts.eval().to(device)
