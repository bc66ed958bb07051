"""The family as an examinee: how much is asked of it, what it draws, and what the judges see in that."""

import logging
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from diffusers import DiffusionPipeline
from torch import nn

from miniature.autoencoder import decode, encode
from miniature.data import HELD_OUT_SEED, held_out_scenes, to_tensor
from miniature.judges.clip import ClipJudge, load_clip
from miniature.judges.reader import load_reader, read
from miniature.judges.scenes import can_tell, telling, value_of
from miniature.package import load_pipeline
from miniature.shapes import DEFAULTS
from miniature.world import Scene

if TYPE_CHECKING:
    from t2v.engine.engine import Engine

log = logging.getLogger(__name__)

DRAWN_AT_ONCE = 10


@dataclass(frozen=True)
class Plan:
    """How much is measured.

    ``guided``: clips that each task follows; ``edits``: pictures of each kind; ``styled``: with the keyword,
    and as many without; ``frames``: of every video.
    """

    prompts: int = 60
    videos: int = 60
    frames: int = 8
    guided: int = 12
    controls: int = 60
    edits: int = 20
    styled: int = 40
    steps: int = DEFAULTS["num_inference_steps"]
    pictures: int = 128
    groups: int = 8
    read: int = 512

    def at_most(self, samples: int) -> "Plan":
        """The plan with no more than so many (at least 1) of anything that a model has to draw."""
        drawn = ("prompts", "videos", "guided", "controls", "edits", "styled")
        return replace(self, **{name: min(getattr(self, name), samples) for name in drawn})


QUICK = Plan(
    prompts=8, videos=1, frames=4, guided=1, controls=4, edits=1, styled=4, steps=8, pictures=16, groups=1,
    read=64,
)  # fmt: skip


@dataclass(frozen=True, eq=False)
class Judges:
    """Those of the two judges that are there."""

    clip: ClipJudge | None
    reader: nn.ModuleDict | None

    def share(self, pictures: np.ndarray, scenes: list[Scene], name: str) -> dict[str, float | None]:
        """How often each judge sees in pictures (b, h, w, 3) what their scenes have of CLASSES[name].

        ``both``: how often both do; ``agree``: how often they name the same, right or wrong; null where a
        judge is missing. Scenes in which nobody can tell are left out.
        """
        kept = [i for i, scene in enumerate(scenes) if can_tell(scene, name)]
        pictures, scenes = pictures[kept], [scenes[i] for i in kept]
        told = {}
        if self.clip is not None:
            told["clip"] = np.array(self.clip.choose(pictures, scenes, name))
        if self.reader is not None:
            told["reader"] = np.array(read(self.reader, pictures).values[name])
        wanted = np.array([value_of(scene, name) for scene in scenes])
        figures: dict[str, float | None] = dict.fromkeys(("clip", "reader", "both", "agree"))
        for judge, values in told.items():
            figures[judge] = float((values == wanted).mean())
        if len(told) == 2:
            agreed = told["clip"] == told["reader"]
            figures["agree"] = float(agreed.mean())
            figures["both"] = float((agreed & (told["clip"] == wanted)).mean())
        return figures

    @staticmethod
    def overall(by_kind: dict[str, dict[str, float | None]]) -> dict[str, float | None]:
        """The mean over kinds of what ``share`` gives for each; null where nothing is known."""
        names = dict.fromkeys(name for shares in by_kind.values() for name in shares)
        known = {name: [s[name] for s in by_kind.values() if s[name] is not None] for name in names}
        return {name: float(np.mean(values)) if values else None for name, values in known.items()}


@dataclass(eq=False)
class Exam:
    """The family under ``weights``, what is to be measured of it, and what has been drawn so far."""

    weights: Path
    device: torch.device
    plan: Plan
    judges: Judges = field(init=False)
    prompted: np.ndarray | None = None  # the pictures of the prompts, once they are drawn
    compared: dict[str, np.ndarray] = field(default_factory=dict)  # those that few steps made of them, by way

    def __post_init__(self) -> None:
        clip, reader = self.weights / "judge-clip", self.weights / "judge-reader"
        self.judges = Judges(
            load_clip(clip, self.device) if clip.exists() else None,
            load_reader(reader, self.device) if reader.exists() else None,
        )

    @cached_property
    def model(self) -> "Engine":
        """This project's own program, which draws the videos; what trains the miniature runs without it."""
        from t2v.engine.engine import Engine

        return Engine(str(self.device))

    def rng(self, *key: int) -> np.random.Generator:
        """Randomness of held-out scenes, the same every time."""
        return np.random.default_rng([HELD_OUT_SEED, 2000, *key])

    def draw(self, pipe: DiffusionPipeline, prompts: list[str], **settings) -> np.ndarray:
        """A picture a prompt, uint8 (b, 256, 256, 3), each from its own seed.

        Settings that are lists have one entry for each prompt.
        """
        pipe.to(self.device)
        common = {"guidance_scale": DEFAULTS["guidance_scale"], "num_inference_steps": self.plan.steps}
        made = []
        for first in range(0, len(prompts), DRAWN_AT_ONCE):
            part = slice(first, first + DRAWN_AT_ONCE)
            own = {
                name: value[part] if isinstance(value, list) else value for name, value in settings.items()
            }
            seeds = range(len(prompts))[part]
            generators = [torch.Generator().manual_seed(seed) for seed in seeds]
            texts = prompts[part]
            drawn = pipe(texts, **{**common, **own}, generator=generators, output_type="np").images
            made.append((drawn * 255).round().astype(np.uint8))
            log.info("%d of %d drawn", min(first + DRAWN_AT_ONCE, len(prompts)), len(prompts))
        return np.concatenate(made)

    def prompt_pictures(self) -> tuple[list[Scene], np.ndarray]:
        """The scenes of the held-out prompts and what text-to-image makes of the prompts."""
        scenes = held_out_scenes(self.plan.prompts)
        if self.prompted is None:
            pipe = load_pipeline(self.weights / "text-to-image")
            self.prompted = self.draw(pipe, [telling(scene) for scene in scenes])
        return scenes, self.prompted

    def through_autoencoder(self, pictures: np.ndarray) -> np.ndarray:
        """What is left of pictures (b, h, w, 3) after encoding and decoding: no generator can do better."""
        vae = load_pipeline(self.weights / "text-to-image", self.device).vae
        made = []
        with torch.no_grad():
            for picture in pictures:
                latents = encode(vae, to_tensor(picture[None]).to(self.device))
                made.append((decode(vae, latents)[0].clamp(-1, 1) + 1) * 127.5)
        return torch.stack(made).permute(0, 2, 3, 1).round().byte().cpu().numpy()
