"""A figure that acts: what a text-to-video run does where its prompt or its settings name an action."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from t2v.diffusion.over_time import read_over_time, shares_of, texts_of
from t2v.tasks.actions import ACTIONS, REST, Clip, cycles, path
from t2v.tasks.pose import PoseSettings
from t2v.tasks.resolved import Means
from t2v.tasks.suits import ChooseNetwork, Network
from t2v.weights.card import read_card
from t2v.weights.figure import Figure
from t2v.weights.source import Source

if TYPE_CHECKING:
    import torch

    from t2v.tasks.text_to_video import TextToVideoSettings
    from t2v.tasks.text_to_video_run import ResolvedTextToVideo

NONE = "none"  # no figure acts, whatever the prompt says
CHOICES = (NONE, *ACTIONS)
PICTURE = "a picture that is given"
WHAT_MOVES = "the choice of what moves"
SEEN = PoseSettings.task  # what the skeletons are called where they are shown


def told_action(prompt: str, model: str) -> str | None:
    """The action that a prompt names, for a model that can show it without a download; None without.

    So for a model whose card says which figures it draws, with a pose ControlNet beside it, and a prompt
    about one of these figures and no other thing: two could not both stand where the model draws one. Of a
    prompt over time that is asked of each text, and one that names an action is enough.
    """
    cast = _cast(model)
    if cast is None:
        return None
    figures, things = cast
    found: list[str | None] = []
    for text in texts_of(prompt):
        named = [word for word in _words(text) if word in things]
        if len(named) != 1 or named[0] not in figures:
            return None
        found.append(named_action(text, named[0]))
    return next((action for action in found if action is not None), None)


def _cast(model: str) -> tuple[tuple[str, ...], frozenset[str]] | None:
    """The figures that a model makes act without a download, and all things it knows; None without any."""
    source = Source.parse(model)
    card = read_card(source)
    if card.figure is None or source.companion(f"controlnet-{SEEN}") is None:
        return None
    figures = tuple(card.figure.sizes)
    return figures, frozenset((*card.words.get("subjects", ()), *figures))


def held_by(settings: "TextToVideoSettings") -> str | None:
    """What says how the picture is to be moved, in words: then a prompt alone makes no figure act."""
    told = {
        PICTURE: settings.first_frame is not None,
        "a motion over time": settings.motion is not None,
        WHAT_MOVES: settings.move != "camera",
        "a subject that is named": settings.subject is not None,
        "a zoom or a turn": (settings.zoom, settings.turn) != (1, 0),
        "a path": settings.motion_path != "straight",
        "a method that is chosen": settings.method is not None,
        "an option of the paper's method": settings.is_papers(),
    }
    return next((words for words, is_so in told.items() if is_so), None)


def idle_note(settings: "TextToVideoSettings") -> str | None:
    """Why nothing acts though the prompt names an action; None where it names none, or a figure acts."""
    action, held = told_action(settings.prompt, settings.model), held_by(settings)
    if action is not None and held == PICTURE:
        return (
            f"The figure does not {action}: in a picture that is given nothing acts, it is moved as a whole; "
            "leave it out to have the figure drawn anew."
        )
    if action is not None and held == WHAT_MOVES:
        return (
            f"The figure does not {action}, as something else was chosen for what moves; choose the camera "
            "there, and it does."
        )
    if action is not None:
        moved = f"The figure does not {action}, as {held} says how the picture moves"
        return None if held is None else f"{moved}; leave that out, and it does."
    return None if held is not None else _nobody_acts(settings)


def _nobody_acts(settings: "TextToVideoSettings") -> str | None:
    """A sentence where what the prompt lets act is no figure, or not there alone."""
    cast = _cast(settings.model)
    if cast is None:
        return None
    figures, things = cast
    for text in texts_of(settings.prompt):
        named = [word for word in _words(text) if word in things]
        action = next(filter(None, (named_action(text, thing) for thing in named)), None)
        if action is None:
            continue
        if not set(named) & set(figures):
            only = f"only a figure acts, as {', '.join(figures[:-1])} or {figures[-1]}"
            return f"Nothing {ACTIONS[action].does} here: {only}; the picture is moved instead."
        if len(named) > 1:
            alone = "it acts where the prompt names nothing beside it but a place"
            return f"The figure does not {action}: {alone}; the picture is moved instead."
    return None


def named_action(text: str, figure: str = "") -> str | None:
    """The action that a text names: "waving" anywhere, but "waves" behind the figure, as the sea has some."""
    words = _words(text)
    behind = {after for before, after in zip(words, words[1:], strict=False) if before == figure}
    for name, action in ACTIONS.items():
        if action.doing in words or action.does in behind:
            return name
    return None


def words_for(action: str) -> tuple[str, ...]:
    """The words that name an action."""
    return ACTIONS[action].doing, ACTIONS[action].does


def note(action: str) -> str:
    """The sentence for people who did not ask for more than a prompt."""
    return (
        f"The figure is {ACTIONS[action].doing}, as the prompt says, along skeletons that are drawn for it; "
        "choose the action “none” to have the picture moved instead."
    )


def pose_network(choose: ChooseNetwork) -> Network:
    """The ControlNet that the skeletons are for."""
    return Network(SEEN, choose(SEEN, PoseSettings.hub_ids))


def sized(figure: Figure, prompt: str) -> Figure:
    """The figure as large as the kind of it that a prompt names."""
    known = [figure.sizes[word] for word in _words(prompt) if word in figure.sizes]
    return replace(figure, size=known[0]) if known else figure


def skeletons(joints: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    """Pictures for a pose ControlNet, uint8 RGB (f, h, w, 3), of joints in every frame (f, 18, 2), in pixels.

    size: (width, height) in pixels.
    """
    from t2v.detectors.skeleton import People, draw_skeletons

    width, height = size
    sure = np.ones((1, joints.shape[1]))
    return np.stack([draw_skeletons(People(each[None], sure), height, width, 0.5) for each in joints])


def joints_of(run: "ResolvedTextToVideo") -> np.ndarray:
    """Where the joints of a run's figure are in every frame: (f, 18, 2), pixels."""
    clip = Clip(run.num_frames, (run.width, run.height), (run.motion_x, run.motion_y))
    often = cycles(run.action, run.num_frames, run.fps)
    return path(run.figure, _shares(run), often, clip)


def _shares(run: "ResolvedTextToVideo") -> list[Mapping[str, float]]:
    """How much of which action each frame shows: nothing but the run's; or, of a prompt over time that names
    it, what each text does, and where one names none the figure stands."""
    over_time = read_over_time(run.asked.prompt)
    texts = () if over_time is None else over_time.texts
    told = [REST if (found := named_action(text)) is None else found for text in texts]
    if over_time is None or run.action not in told:
        return [{run.action: 1.0}] * run.num_frames
    places = over_time.frames(run.num_frames)
    return [_summed(told, row) for row in shares_of(places, range(run.num_frames))]


def _summed(names: Sequence[str], shares: Sequence[float]) -> dict[str, float]:
    """The shares of each name, which may be there more than once."""
    found = dict.fromkeys(names, 0.0)
    for name, share in zip(names, shares, strict=True):
        found[name] += share
    return found


def act(run: "ResolvedTextToVideo", means: Means, only_first: bool = False) -> "torch.Tensor":
    """Latents (1 f c h w) of a run with an action: a guided video along skeletons that are drawn for it.

    Who watches the run is shown the skeletons. only_first: of its first frame alone.
    """
    from t2v.diffusion.controls import Control

    joints, prompt = joints_of(run), run.asked.prompt
    if only_first:
        joints, prompt = joints[:1], texts_of(prompt)[0]
    pictures = skeletons(joints, (run.width, run.height))
    means.see(SEEN, pictures)
    control = Control(means.networks[0], pictures, union_kind=PoseSettings.union_kind)
    return means.pipeline.guided(prompt, controls=[control], **run.call(means))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())
