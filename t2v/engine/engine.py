"""Engine: one device, one set of weights in memory, one job at a time."""

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
import torch

from t2v.checks import check_flag
from t2v.devices import pick_device, pick_dtype
from t2v.diffusion.canvas import Drawn
from t2v.diffusion.controls import ControlNet
from t2v.diffusion.freeu import freeu
from t2v.diffusion.progress import Step
from t2v.engine.at_fault import naming_the_file
from t2v.engine.defaults import suits_run
from t2v.engine.in_memory import InMemory
from t2v.engine.loaded import Loaded, notes_of
from t2v.engine.networks import choose_network
from t2v.engine.pictures import PicturePrompts, adapter_name
from t2v.engine.precision import Machine
from t2v.engine.previews import Previews
from t2v.engine.prompt_notes import Note, known_words, unknown_words
from t2v.finishing.upscale import Finisher, load_finisher
from t2v.memory.compiled import of_run
from t2v.memory.memory import Memory
from t2v.memory.profiles import AUTO, Kept
from t2v.program import quiet_loading
from t2v.tasks import Resolved, Settings
from t2v.tasks.full_names import with_full_names
from t2v.tasks.resolved import Means, See
from t2v.tasks.suits import Network
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.trained.asked import ResolvedTrained, check_asked, trained_kind
from t2v.trained.asked import resolve as resolve_trained
from t2v.video.video import Video
from t2v.weights.card import read_card
from t2v.weights.single_file.generations import freeu_of
from t2v.weights.source import Source
from t2v.weights.words import named_words, use_words


class Engine:
    """Draws videos from settings, and keeps the last used weights on the device.

    device: "cpu", "cuda", "cuda:1", "mps" or None for the best there is. dtype: "float32", "float16",
    "bfloat16", a torch.dtype, or None: what suits device and model (``precision.py``), for runs whose
    settings leave it to the engine. profile: how weights are kept for such runs, one of PROFILES. graphs:
    whether networks' calls are recorded as CUDA graphs and replayed, which only takes less time; None: where
    all weights stay on a CUDA device, unless the environment's T2V_CUDA_GRAPHS is 0. compiled: whether
    networks are compiled by PyTorch for every run, and not only for those whose settings ask for it: the
    first one of a size takes a minute or more longer, later ones less; the picture changes by no more than
    rounding. Raises InputError for a device that is not there.
    """

    heeds_profiles = True  # those of runs' settings

    def __init__(
        self,
        device: str | None = None,
        dtype: str | torch.dtype | None = None,
        profile: str = AUTO,
        *,
        graphs: bool | None = None,
        compiled: bool = False,
    ) -> None:
        self.device = pick_device(device)
        self.dtype = pick_dtype(dtype, self.device)  # where neither the model nor settings say more
        self._kept = Kept(profile)
        self._kept.check()
        graphs = graphs if graphs is None else check_flag("graphs", graphs)
        self._compiled = check_flag("compiled", compiled)
        self._lock = threading.RLock()
        self._machine = Machine(self.device, dtype)
        self._held = InMemory(self._machine, graphs)
        self._finisher: Finisher | None = None
        self._pictures = PicturePrompts()
        self._previews = Previews()

    @property
    def offers_profiles(self) -> bool:
        """Whether it matters which memory weights are in: where the device has one of its own."""
        return self.heeds_profiles and not self.device.startswith("cpu")

    def load(self, name: str, editor: bool = False) -> Any:
        """A model's VideoPipeline, or a trained video model's TrainedPipeline, from memory if used last.

        ModelError where it cannot be had. editor: its InstructPix2Pix side. Its weights are kept as they
        were, or as the engine was told.
        """
        loaded = self._held.loaded
        kept = loaded.kept if loaded is not None and self.has_loaded(name, editor) else self._kept
        return self._load(name, editor, kept).pipeline

    def _asked(self, settings: Settings) -> Loaded:
        """The model of a run, its weights kept as the settings or else the engine would have it."""
        is_free = settings.profile == AUTO or not self.heeds_profiles
        profile = self._kept.profile if is_free else settings.profile
        return self._load(
            settings.model, settings.editor, Kept(profile, settings.fp8, settings.dtype), settings.task
        )

    def _load(self, name: str, editor: bool, kept: Kept, task: str = "") -> Loaded:
        with self._lock:
            return self._held.model(name, editor, kept, task)

    def has_loaded(self, name: str, editor: bool = False) -> bool:
        """Whether this model, or its InstructPix2Pix side, is the one in memory."""
        return self._held.has(name, editor)

    def load_networks(self, settings: Settings, wanted: tuple[Network, ...]) -> list[ControlNet]:
        """The ControlNets that a run of the settings wants, from memory where they were used last."""
        with self._lock:
            return self._held.networks(self._asked(settings), settings.model, wanted)

    def resolve(self, settings: Settings) -> Resolved[Any]:
        """The run that the settings ask for, nothing left open; InputError where it cannot be run.

        A clip is read for it, after the weights have been found to fit.
        """
        settings.check()
        settings = with_full_names(settings)
        kind = trained_kind(settings)
        if kind is not None:
            check_asked(settings, kind)
        with self._lock:
            loaded = self._asked(settings)
            profile = loaded.pipeline.memory.profile
            dtype = self._machine.precision(settings.model, settings.dtype, profile)
            if loaded.trained is not None:
                assert isinstance(settings, TextToVideoSettings)  # others are refused above
                run: Resolved[Any] = resolve_trained(settings, loaded.trained, loaded.pipeline.made, dtype)
                run.filled().check()
                self._finish(run.upscale)
                return run
            wanted = settings.networks(choose_network(settings.model, loaded.family))
            self._held.networks(loaded, settings.model, wanted)
        suits = suits_run(type(settings), loaded.pipeline, loaded.card, loaded.family, loaded.few)
        suits = replace(suits, ip_adapter=adapter_name(settings, loaded.pipeline), dtype=dtype)
        resolved = settings.resolve(suits, wanted)
        resolved.filled().check()
        self._finish(resolved.upscale)
        return resolved

    def generate(
        self,
        settings: Settings,
        on_step: Callable[[Step], None] | None = None,
        on_seen: See | None = None,
    ) -> Video:
        """Draw the video. on_step and on_seen as in ``frames``."""
        resolved = self.resolve(settings)
        return Video(np.stack(list(self.frames(resolved, on_step, on_seen))), resolved.fps)

    def frames(
        self,
        resolved: Resolved[Any],
        on_step: Callable[[Step], None] | None = None,
        on_seen: See | None = None,
    ) -> Generator[np.ndarray]:
        """The video's frames one at a time, uint8 RGB (h, w, 3): a long one can go straight to a file.

        resolved: as ``resolve`` returns it. on_step hears of every step; on_seen, before the first, of each
        thing that the model sees of a clip: "clip" (its fitted frames, where it is not ready) and the task's
        name of each ControlNet, with uint8 RGB (f, h, w, 3). Both may raise Cancelled, which passes through.
        Holds the device until the last frame is taken.
        """
        with self._lock:
            yield from self._finished(resolved, self._means(resolved, on_step, on_seen), resolved.draw)

    def still(
        self,
        resolved: Resolved[Any],
        on_step: Callable[[Step], None] | None = None,
        on_seen: See | None = None,
        last: bool = False,
    ) -> np.ndarray:
        """The video's first frame alone, uint8 RGB (h, w, 3): the one with which ``frames`` begins.

        In the time of one picture where the task can. last: its last frame instead, in that of the whole
        video. The rest as in ``frames``.
        """
        with self._lock:
            draw = resolved.draw if last else resolved.still
            frames = self._finished(resolved, self._means(resolved, on_step, on_seen), draw)
            return deque(frames, maxlen=1)[0] if last else next(frames)

    def _means(
        self, resolved: Resolved[Any], on_step: Callable[[Step], None] | None, on_seen: See | None
    ) -> Means:
        asked: Settings = resolved.asked
        loaded = self._asked(asked)
        pipeline = loaded.pipeline
        self._previews.begin()
        pipeline.memory.asks_compiled = self._compiled or asked.compiled
        if isinstance(resolved, ResolvedTrained):
            return Means(pipeline, (), torch.Generator(), on_step)
        use_words(pipeline, named_words(asked.prompt, asked.negative_prompt))
        networks = self._held.networks(loaded, asked.model, resolved.networks)
        told: set[str] = set()

        def see(name: str, frames: np.ndarray) -> None:
            if on_seen is not None and name not in told:  # a run that is drawn again sees the same
                told.add(name)
                on_seen(name, frames)

        return Means(pipeline, networks, torch.Generator(), on_step, see)

    def _finished(
        self, resolved: Resolved[Any], means: Means, draw: Callable[[Means], torch.Tensor | Drawn]
    ) -> Iterator[np.ndarray]:
        """Drawn, decoded and finished frames; what ran out of memory is done again where it takes less."""
        memory, finish = means.pipeline.memory, self._finish(resolved.upscale)

        def drawn() -> torch.Tensor | Drawn:
            means.generator.manual_seed(resolved.seed)
            with self._beside(resolved, means.pipeline):
                return draw(means)

        with naming_the_file(resolved, means):
            decoded = resolved.finished(means.pipeline.decode(memory.keep_going(drawn)))
            for frame in decoded:
                yield memory.keep_going(partial(finish, frame))

    @contextmanager
    def _beside(self, resolved: Resolved[Any], pipeline: Any) -> Iterator[None]:
        """While it lasts: the picture beside the prompt, and FreeU. Trained video models know neither."""
        if isinstance(resolved, ResolvedTrained):
            yield
            return
        picture = self._pictures.of(resolved, pipeline)
        scales = freeu_of(pipeline.unet.config.cross_attention_dim) if resolved.asked.freeu else None
        with pipeline.shown(picture), freeu(pipeline.unet, scales):
            yield

    def _finish(self, upscale: int) -> Callable[[np.ndarray], np.ndarray]:
        """What is done to each decoded frame: it is left alone, or doubled by the finisher, which is kept."""
        if upscale == 1:
            return lambda frame: frame
        with self._lock:
            if self._finisher is None:
                with quiet_loading():
                    self._finisher = load_finisher(self.device)
            return self._finisher

    def preview(self, latents: torch.Tensor) -> np.ndarray:
        """A quick picture of a Step's latents (1 f c h w): uint8 RGB (f, h, w, 3).

        Of the weights in memory; RuntimeError before any have been loaded. A pixel per cell; where the model,
        or the folder of models for its family, has a small VAE (TAESD), as that decodes them, which takes a
        tenth of a step, at most 256 pixels a side. Never changes what is drawn.
        """
        loaded = self._held.loaded
        if loaded is None:
            raise RuntimeError("no model is in memory, so nobody can tell what these latents are")
        return self._previews.of(loaded, latents)

    def told_precision(self, model: str) -> str:
        """The precision of this engine's runs of a model that leave it open, as far as nothing is loaded."""
        return self._machine.precision(model)

    def known_words(self, model: str, editor: bool = False) -> dict[str, tuple[str, ...]] | None:
        """The words a model lists as known to it, by group; None where it lists none."""
        return known_words(read_card(Source.parse(model)), editor)

    def unknown_words(self, model: str, prompt: str, editor: bool = False) -> tuple[str, ...]:
        """Words of the prompt that the model does not know; () for models that do not list theirs."""
        return unknown_words(read_card(Source.parse(model)), prompt, editor)

    def prompt_notes(self, settings: Settings) -> tuple[Note, ...]:
        """What to tell about the prompts, as unknown words or a keyword that is missing, and about the clip.

        And of the model in memory what came up when it was loaded or drew: a LoRA that fits in part only, a
        VAE that overflows. Nothing is loaded or fetched: of a model that is not here yet, less can be told.
        """
        notes, loaded = notes_of(settings, self._machine), self._held.loaded
        if loaded is None or not self.has_loaded(settings.model, settings.editor):
            return notes
        memory: Memory = loaded.pipeline.memory
        compiles = (self._compiled or settings.compiled) and memory.may_compile
        return (*notes, *map(Note, of_run(compiles, loaded.pipeline.notes)))

    def examples(self, model: str) -> tuple[str, ...]:
        """Prompts that show what the model can do."""
        return read_card(Source.parse(model)).examples
