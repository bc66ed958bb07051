"""A model in memory, of any kind that the engine draws with, and what is told of a prompt for it."""

from dataclasses import dataclass
from typing import Any

from t2v.diffusion.video_pipeline import VideoPipeline
from t2v.engine.defaults import native_side_px
from t2v.engine.keeping import load_kept, load_kept_trained
from t2v.engine.precision import Machine
from t2v.engine.prompt_notes import Note, prompt_notes
from t2v.engine.travel_notes import travel_note
from t2v.memory.profiles import Kept
from t2v.tasks import Settings
from t2v.tasks.guide_names import guide_notes
from t2v.trained.asked import trained_kind, trained_notes
from t2v.weights.card import Card, read_card
from t2v.weights.family import STABLE_DIFFUSION, Family
from t2v.weights.few_steps import Found, few_steps
from t2v.weights.few_steps import sentence as few_steps_told
from t2v.weights.load import loaded_family, read_tokenizer
from t2v.weights.made_of import MadeOf, made_of
from t2v.weights.source import Source
from t2v.weights.told import told_method
from t2v.weights.video_kinds import VideoKind, video_kind
from t2v.weights.word_notes import word_notes
from t2v.weights.words import named_words


@dataclass(frozen=True, eq=False)
class Loaded:
    """A model in memory: what was asked for, and all that is known of it, so that no step reads the disk.

    made: of which files and folders, as they were read. pipeline: a VideoPipeline; a TrainedPipeline where
    ``trained`` says of which kind, whose family and card say nothing.
    """

    name: str
    editor: bool
    pipeline: Any
    card: Card
    family: Family
    few: Found | None
    kept: Kept
    made: MadeOf
    trained: VideoKind | None = None


def load_model(
    name: str, editor: bool, task: str, kept: Kept, machine: Machine, same: VideoPipeline | None = None
) -> Loaded:
    """A model, its weights kept as asked. same: its pipeline, where that is in memory already."""
    source = Source.parse(name)
    before, kind = made_of(source, editor), video_kind(source)
    if kind is not None:
        pipeline = load_kept_trained(name, kind, task, kept, machine)
        made = before.taken(made_of(source, editor))
        return Loaded(name, editor, pipeline, Card(), STABLE_DIFFUSION, None, kept, made, kind)
    if same is None:
        same = load_kept(name, editor, task, kept, machine)
    made = before.taken(made_of(source, editor))
    card, family, few = read_card(source), loaded_family(same), few_steps(source)
    return Loaded(name, editor, same, card, family, few, kept, made)


def notes_of(settings: Settings, machine: Machine) -> tuple[Note, ...]:
    """What to tell about settings before a machine draws them; nothing is loaded or fetched for it."""
    source = Source.parse(settings.model)
    kind, learned = trained_kind(settings), named_words(settings.prompt, settings.negative_prompt)
    if kind is not None:
        told = tuple(Note(text) for text in (*trained_notes(settings, kind), *word_notes(source, learned)))
        return told + prompt_notes(settings, Card(), None) + _about_precision(settings, machine)
    about_clip, tokenizer = (
        tuple(map(Note, (*settings.notes(), *guide_notes(settings)))),
        read_tokenizer(source),
    )
    notes = about_clip + prompt_notes(settings, read_card(source), tokenizer, learned)
    leaves = travel_note(settings, native_side_px(settings.model, settings.task), told_method(settings.model))
    notes += tuple(Note(text) for text in word_notes(source, learned, tokenizer))
    few = few_steps_told(source)
    notes += () if leaves is None else (Note(leaves),)
    notes += () if few is None else (Note(few, is_about_model=True),)
    return notes + _about_precision(settings, machine)


def _about_precision(settings: Settings, machine: Machine) -> tuple[Note, ...]:
    told = machine.note(settings.dtype)
    return () if told is None else (Note(told, field="dtype"),)
