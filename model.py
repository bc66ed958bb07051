"""Model: one device, one set of weights in memory, one job at a time."""

import logging
import math
import secrets
import threading
from collections.abc import Callable, Iterator
from functools import partial

import numpy as np
import torch
from diffusers import ControlNetModel

from cards import Card, read_card
from controlnets import check_fits, load_controlnet
from devices import pick_device, pick_dtype
from motion import PAPER, KnownTimes, default_times
from original_calls import OriginalCalls
from places import MINIATURE, ModelError, choose_controlnet
from preview import preview
from prompt_notes import Note, known_words, prompt_notes, unknown_words
from tasks import Settings
from tasks.clip import ClipSettings
from tasks.fields import See
from tasks.text_to_video import TextToVideoSettings
from text_to_video_pipeline import Step, TextToVideoPipeline
from utils import Video
from weights import STABLE_DIFFUSION, load_pipeline, read_tokenizer

__all__ = ["MINIATURE", "Model", "ModelError"]

logger = logging.getLogger(__name__)

FILLED = ("width", "height", "num_inference_steps", "guidance_scale", "motion_x", "motion_y", "seed")


class Model(OriginalCalls):
    """Draws videos from settings, and keeps the last used weights on the device.

    device: "cpu", "cuda", "cuda:1", "mps" or None for the best there is. dtype: "float32", "float16",
    "bfloat16", a torch.dtype, or None: float16 on CUDA, where it is safe and fast, float32 elsewhere, where
    it keeps a video the same to the last bit. Raises InputError for a device that is not there.
    """

    def __init__(self, device: str | None = None, dtype: str | torch.dtype | None = None) -> None:
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)
        self._lock = threading.RLock()
        self._loaded: tuple[tuple[str, bool], TextToVideoPipeline] | None = None
        self._networks: dict[tuple[str, str], ControlNetModel] = {}  # by task and source: those used last
        self._card = Card()  # of the weights in memory, so that no step has to read it from disk

    def load(self, source: str, editor: bool = False) -> TextToVideoPipeline:
        """A model's pipeline, from memory where it was used last; ModelError where it cannot be had.

        editor: its InstructPix2Pix side.
        """
        with self._lock:
            wanted = (source, editor)
            if self._loaded is None or self._loaded[0] != wanted:
                self._loaded = None  # free the old weights before the new ones come
                self._loaded = (wanted, load_pipeline(source, self.device, self.dtype, editor))
                self._card = read_card(source)
            return self._loaded[1]

    def load_networks(self, settings: Settings) -> list[ControlNetModel]:
        """The ControlNets that resolved settings want, from memory where they were used last."""
        with self._lock:
            pipeline, wanted = self.load(settings.model, settings.editor), settings.networks()
            self._networks = {key: network for key, network in self._networks.items() if key in wanted}
            for task, source in wanted:
                if (task, source) not in self._networks:
                    self._networks[task, source] = load_controlnet(source, task, self.device, self.dtype)
                check_fits(source, self._networks[task, source], settings.model, pipeline.unet)
            return [self._networks[key] for key in wanted]

    def resolve(self, settings: Settings) -> Settings:
        """The settings with every None filled in, the seed too; InputError where they cannot be run."""
        settings.check()
        if isinstance(settings, ClipSettings):
            return self._resolve_clip(settings)
        with self._lock:
            pipeline = self.load(settings.model)
            own_side = pipeline.unet.config.sample_size * pipeline.cell_px
            size = {"width": own_side, "height": own_side}
            defaults = {**STABLE_DIFFUSION, **size, **self._card.defaults, "seed": secrets.randbelow(2**32)}
            settings = settings.filled({name: defaults[name] for name in FILLED})
            t0, t1 = _motion_times(pipeline, self._card, settings)
        settings = settings.filled({"t0": t0, "t1": t1})
        settings.check()
        return settings

    def _resolve_clip(self, settings: ClipSettings) -> ClipSettings:
        with self._lock:
            pipeline = self.load(settings.model, settings.editor)
            settings = settings.with_networks(partial(choose_controlnet, settings.model))
            self.load_networks(settings)
            suits = self._card.suits(settings.task)
            own_px = pipeline.unet.config.sample_size * pipeline.cell_px
        own_px = math.sqrt(suits.get("width", own_px) * suits.get("height", own_px))
        defaults = {**settings.suits, **suits, "seed": secrets.randbelow(2**32)}
        settings = settings.suited(own_px, defaults)
        settings.check()
        return settings

    def generate(
        self,
        settings: Settings,
        on_step: Callable[[Step], None] | None = None,
        on_seen: See | None = None,
    ) -> Video:
        """Draw the video. on_step and on_seen as in ``frames``."""
        settings = self.resolve(settings)
        return Video(np.stack(list(self.frames(settings, on_step, on_seen))), settings.fps)

    def frames(
        self,
        settings: Settings,
        on_step: Callable[[Step], None] | None = None,
        on_seen: See | None = None,
    ) -> Iterator[np.ndarray]:
        """The video's frames one at a time, uint8 RGB (h, w, 3): a long one can go straight to a file.

        settings: as ``resolve`` returns them. on_step hears of every step; on_seen, before the first, of each
        thing that the model sees of a clip: "clip" (its fitted frames, where it is not ready) and the task's
        name of each ControlNet, with uint8 RGB (f, h, w, 3). Both may raise Cancelled, which passes through.
        Holds the device until the last frame is taken.
        """
        with self._lock:
            pipeline = self.load(settings.model, settings.editor)
            networks = self.load_networks(settings)
            generator = torch.Generator().manual_seed(settings.seed)
            yield from pipeline.decode(settings.draw(pipeline, networks, generator, on_step, on_seen))

    def preview(self, latents: torch.Tensor) -> np.ndarray:
        """A quick picture of a Step's latents (1 f c h w): uint8 RGB (f, h, w, 3), a pixel per cell."""
        return preview(latents, self._card.preview)

    def known_words(self, model: str, editor: bool = False) -> dict[str, tuple[str, ...]] | None:
        """The words a model lists as known to it, by group; None where it lists none."""
        return known_words(read_card(model), editor)

    def unknown_words(self, model: str, prompt: str, editor: bool = False) -> tuple[str, ...]:
        """Words of the prompt that the model does not know; () for models that do not list theirs."""
        return unknown_words(read_card(model), prompt, editor)

    def prompt_notes(self, settings: Settings) -> tuple[Note, ...]:
        """What to tell about the prompts: unknown words, what is not read, a keyword that is missing.

        Nothing is loaded or fetched for it: of a model that is not on this machine yet, less can be told.
        """
        return prompt_notes(settings, read_card(settings.model), read_tokenizer(settings.model))

    def examples(self, model: str) -> tuple[str, ...]:
        """Prompts that show what the model can do."""
        return read_card(model).examples


def _motion_times(
    pipeline: TextToVideoPipeline, card: Card, settings: TextToVideoSettings
) -> tuple[int, int]:
    """T' and T for the settings' size, from the model's own times where its card has some."""
    known = PAPER
    if "t0" in card.defaults and "t1" in card.defaults:
        side = math.sqrt(card.defaults["width"] * card.defaults["height"]) / pipeline.cell_px
        known = KnownTimes(card.defaults["t0"], card.defaults["t1"], side)
    rows, columns = settings.height // pipeline.cell_px, settings.width // pipeline.cell_px
    t0, t1 = default_times(pipeline.scheduler.alphas_cumprod, rows, columns, known)
    # one of the two given by the user bounds the other
    if settings.t1 is not None:
        t0 = min(t0, settings.t1)
    return t0, t1 if settings.t0 is None else max(t1, settings.t0)
