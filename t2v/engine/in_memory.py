"""What an engine holds in memory: the model of the last run, and the ControlNets that it was drawn with."""

from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple

from t2v.diffusion.controls import ControlNet
from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.engine.loaded import Loaded, load_model
from t2v.engine.precision import Machine
from t2v.memory.profiles import Kept, is_offloaded
from t2v.program import quiet_loading
from t2v.tasks.guide_names import advice
from t2v.tasks.suits import Network
from t2v.weights.beside import find_controlnet
from t2v.weights.card import read_card
from t2v.weights.controlnet import load_controlnet
from t2v.weights.few_steps import few_steps
from t2v.weights.fits import check_fits
from t2v.weights.load import put_loras
from t2v.weights.made_of import made_of
from t2v.weights.marks import Mark, place_mark, taken
from t2v.weights.refusals import ModelError
from t2v.weights.single_file.behind import without_loras
from t2v.weights.source import Source


class Held(NamedTuple):
    """A ControlNet in memory, and the mark of its weights as they were read."""

    network: ControlNet
    mark: Mark


class InMemory:
    """One model on one machine, and its ControlNets; its owner sees to it that one at a time asks.

    graphs: whether networks' calls are recorded, where somebody said so. loaded: the model; None before the
    first, and after one that could not be had.
    """

    def __init__(self, machine: Machine, graphs: bool | None) -> None:
        self._machine = machine
        self._graphs = graphs
        self.loaded: Loaded | None = None
        self._networks: dict[Network, Held] = {}  # those used last

    def has(self, name: str, editor: bool) -> bool:
        """Whether this model, or its InstructPix2Pix side, is the one in memory and, still, on disk."""
        loaded = self.loaded
        source = Source.parse(name)
        if loaded is None or (loaded.name, loaded.editor) != (source.name, editor):
            return False
        return loaded.made == made_of(source, editor)

    def model(self, name: str, editor: bool, kept: Kept, task: str = "") -> Loaded:
        """A model, its weights kept so: from memory where it was used last, else in the place of that one.

        What of it has changed on disk since is read anew.
        """
        source = Source.parse(name)
        name, made = source.name, made_of(source, editor)
        if self.loaded is not None and self._is_kept_otherwise(self.loaded, name, kept):
            self._let_go()
            self._networks.clear()
        if self.loaded is not None and self.loaded.made.base != made.base:
            self._let_go()
        if self.loaded is None or not self.has(name, editor):
            same = None if kept.fp8 else self._with_other_loras(name, editor)  # eight bits take no more
            if same is None:
                self._let_go()
            with quiet_loading():
                self.loaded = load_model(name, editor, task, kept, self._machine, same)
            if self._graphs is not None:
                self.loaded.pipeline.memory.graphs = self._graphs
        return self.loaded

    def _is_kept_otherwise(self, loaded: Loaded, name: str, kept: Kept) -> bool:
        settled = self._machine.settled
        same = settled(loaded.kept, loaded.name) == settled(kept, name)
        return not same or loaded.pipeline.memory.has_fallen

    def _let_go(self) -> None:
        """Free the old weights before new ones come, so nothing here may hold them in a variable."""
        if self.loaded is not None:
            self.loaded.pipeline.memory.replays.forget()
        self.loaded = None

    def _with_other_loras(self, name: str, editor: bool) -> VideoPipeline | None:
        """The model in memory with other LoRAs, where the name differs in these alone; else None."""
        loaded, source = self.loaded, Source.parse(name)
        if loaded is None or loaded.editor != editor or without_loras(loaded.name) != without_loras(name):
            return None
        if loaded.trained is not None:
            return None
        self.loaded = None  # till these are in its weights, it is of no name
        try:
            put_loras(loaded.pipeline, source)
        except ModelError:
            plain = without_loras(name)
            source = Source.parse(plain)
            made = replace(loaded.made, loras={})
            self.loaded = replace(
                loaded, name=plain, card=read_card(source), few=few_steps(source), made=made
            )
            raise
        pipeline: VideoPipeline = loaded.pipeline
        return pipeline

    def networks(self, loaded: Loaded, model: str, wanted: tuple[Network, ...]) -> list[ControlNet]:
        """The ControlNets wanted beside a model, from memory where they were used last. model: its name.

        ModelError where one cannot be had or does not fit.
        """
        pipeline = loaded.pipeline
        memory, dtype = pipeline.memory, pipeline.unet.dtype
        marks = {one: _mark(one, model) for one in wanted}
        kept = {
            key: one
            for key, one in self._networks.items()
            if key in wanted and one.network.dtype == dtype and one.mark == marks[key]
        }
        self._networks = kept
        if any(one not in kept for one in wanted):  # before those that are read, others go
            memory.place_beside(tuple(one.network for one in kept.values()))
        for one in wanted:
            if one not in kept:
                with quiet_loading():
                    network = memory.keep_going(partial(_load_network, pipeline, one, model))
                kept[one] = Held(network, taken(marks[one], _mark(one, model)))
            check_fits(one.source, kept[one].network, model, pipeline, advice(one.task, model, one.source))
        networks = [kept[one].network for one in wanted]
        memory.keep_going(lambda: memory.place_beside(tuple(networks)))
        return networks


def _mark(wanted: Network, model: str) -> Mark:
    """The mark of a network's place as it is now; ModelError where it is not there."""
    instead = advice(wanted.task, model, wanted.source)
    return place_mark(find_controlnet(wanted.source, wanted.task, instead))


def _load_network(pipeline: Any, wanted: Network, model: str) -> ControlNet:
    memory = pipeline.memory
    device = "cpu" if is_offloaded(memory.profile) else str(memory.device)
    instead = advice(wanted.task, model, wanted.source)
    return load_controlnet(wanted.source, wanted.task, device, pipeline.unet.dtype, instead)
