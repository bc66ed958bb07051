"""What a model will not draw of a prompt, told beforehand: one sentence for each thing.

None of it is a refusal: a prompt of unknown words still gives a video, only not the one that was meant.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from t2v.diffusion.over_time import texts_of
from t2v.tasks import Settings
from t2v.weights.card import Card
from t2v.weights.listing import Listed
from t2v.weights.source import Source
from t2v.weights.words import pattern

INSTRUCTIONS = "instructions"  # the group of a card's words that only its editor knows
MOST_NAMED = 8  # unknown words that are named
MOST_QUOTED = 60  # characters of what is not read
MOST_SIGNS, MOST_OF_SIGN = 3, 30  # signs of other programs that are named, characters of each
# How other programs that draw with Stable Diffusion write a LoRA, weights, switches, pieces, wildcards
LORA_TAG = r"<(?:lora|lyco|hypernet):[^<>]*>"
SIGNS = re.compile(
    LORA_TAG
    + r"|\([^()\[\]]+:\s*-?\d*\.?\d+\s*\)"  # (red:1.3)
    + r"|\({2,}[^()]+\){2,}|\[{2,}[^\[\]]+\]{2,}"  # ((cat)), [[cat]]
    + r"|\[[^\[\]]*[:|][^\[\]]*\]|\{[^{}]*\|[^{}]*\}"  # [cat:dog:0.5], [cat|dog], {red|blue}
    + r"|\([^()]+\)\d*\.\d+|(?:\w\w+|\))(?:\+{2,}|-{2,})(?=[\s,)]|$)"  # (a cat)1.3, cat++
    + r"|(?<!\w)BREAK(?!\w)|(?<!\w)embedding:\S+|(?<!\w)__[\w/-]+__(?!\w)"
)

# words that say how others belong together: what is drawn hangs on those
_BETWEEN = (
    "a about above after along among an and are around as at be before behind below beneath beside between "
    "but by down for from has have he her his in inside into is it its near next of off on onto or our out "
    "outside over past she some than that the their them there they this through to toward towards under up "
    "very was were which while who whose with within without"
)
BETWEEN = frozenset(_BETWEEN.split())
NO_WORDS = re.compile(r"(?<![\w'\u2019])(?:\d[\d.]*|\.\d+|\w)(?![\w'\u2019])")  # numbers and letters in signs


@dataclass(frozen=True)
class Note:
    """One sentence for people. is_about_words: what the model knows is worth showing with it.

    is_about_model: it is of the model alone, whatever is asked of it. field: of the settings, by whose name
    the sentence begins; "" for none.
    """

    text: str
    is_about_words: bool = False
    is_about_model: bool = False
    field: str = ""


def prompt_notes(
    settings: Settings, card: Card, tokenizer: Any | None, learned: Sequence[Listed] = ()
) -> tuple[Note, ...]:
    """What to tell about the prompts of settings; () where there is nothing to tell.

    card: that of settings.model. tokenizer: its CLIPTokenizer; None where it is not on this machine yet, and
    then nobody can tell what is too long. learned: files of learned words whose names stand in the prompts,
    which have notes of their own.
    """
    name = "The miniature" if Source.parse(settings.model).is_bundled else "This model"
    notes = [_about_words(name, settings, card, learned), _about_keyword(name, settings, card)]
    notes.append(_about_signs(name, settings))
    if tokenizer is not None:
        told = [("prompt", text) for text in texts_of(settings.prompt)]
        for field, text in (*told, ("negative prompt", settings.negative_prompt)):
            notes.append(_about_length(name, field, text, tokenizer))
    return tuple(note for note in notes if note is not None)


def known_words(card: Card, editor: bool = False) -> dict[str, tuple[str, ...]] | None:
    """The words that a card lists as known, by group; None where it lists none.

    editor: to the model's InstructPix2Pix side, to which alone instructions ("make", "turn") say anything.
    """
    if editor:
        return card.words if INSTRUCTIONS in card.words else None  # the others are those of pictures
    return {group: some for group, some in card.words.items() if group != INSTRUCTIONS} or None


def unknown_words(card: Card, prompt: str, editor: bool = False) -> tuple[str, ...]:
    """The different words of the prompt that the model does not know; () where its card lists none.

    Numbers, single letters and names in signs of other programs are no words: those have their own note. Nor
    are those told that only stand BETWEEN others.
    """
    groups = known_words(card, editor)
    if groups is None:
        return ()
    known = {part for group in groups.values() for phrase in group for part in _words(phrase)}
    words = dict.fromkeys(_words(_without_signs(prompt)))
    return tuple(word for word in words if word not in known and word not in BETWEEN)


def unread(text: str, tokenizer: Any) -> str:
    """The end of a text that the text encoder does not get to read; empty where it reads it all."""
    tokens = tokenizer(text, return_offsets_mapping=True, truncation=False, verbose=False)
    longest = tokenizer.model_max_length
    if len(tokens["input_ids"]) <= longest:
        return ""
    begins = tokens["offset_mapping"][longest - 1][0]  # the last place read is the end mark's
    whole_words = re.sub(r"\w*$", "", text[:begins])  # a word that is cut is lost
    return text[len(whole_words) :].strip()


def _about_words(name: str, settings: Settings, card: Card, learned: Sequence[Listed]) -> Note | None:
    if known_words(card, settings.editor) is None:
        return None
    whole = prompt = " ".join(texts_of(settings.prompt))
    for one in learned:
        prompt = pattern(one).sub(" ", prompt)
    if not _words(whole):
        return Note(f"{name} finds no word in this prompt, so it draws what it likes.", is_about_words=True)
    shown = settings.shown_anyway()
    words = [word for word in unknown_words(card, prompt, settings.editor) if word not in shown]
    if not words:
        return None
    named = ", ".join(f"“{word}”" for word in words[:MOST_NAMED])
    more = " and more" if len(words) > MOST_NAMED else ""
    text = f"{name} has never seen {named}{more}, so expect something else there."
    return Note(text, is_about_words=True)


def _about_keyword(name: str, settings: Settings, card: Card) -> Note | None:
    asked = [f" {' '.join(_words(keyword))} " for keyword in card.keywords]
    texts = [f" {' '.join(_words(text))} " for text in texts_of(settings.prompt)]
    if not asked or all(
        any(said.endswith(each) if card.keywords_last else each in said for each in asked) for said in texts
    ):
        return None
    wanted = " or ".join(f"“{keyword}”" for keyword in card.keywords)
    place = "at the end of" if card.keywords_last else "in"
    return Note(f"{name}'s own style comes only with {wanted} {place} the prompt; say it there to get it.")


def _about_signs(name: str, settings: Settings) -> Note | None:
    texts = [text for text in (settings.prompt, settings.negative_prompt) if _may_have_signs(text)]
    found = list(dict.fromkeys(sign[0] for text in texts for sign in SIGNS.finditer(text)))
    if not found:
        return None
    shown = [sign if len(sign) <= MOST_OF_SIGN else f"{sign[:MOST_OF_SIGN]} …" for sign in found]
    named = ", ".join(f"“{sign}”" for sign in shown[:MOST_SIGNS])
    more = " and more" if len(shown) > MOST_SIGNS else ""
    text = f"{name} reads {named}{more} as plain text: such signs of other programs do nothing here"
    if any(re.match(LORA_TAG, sign) for sign in found):
        return Note(f"{text}, and a LoRA is given behind the model's name, as MODEL+LORA.")
    return Note(f"{text}, so leave them out.")


def _may_have_signs(text: str) -> bool:
    """Not where all is written large, as BREAK then is a word."""
    return text != text.upper()


def _without_signs(text: str) -> str:
    """A text of whose signs only the words are left that say what is to be seen."""
    return SIGNS.sub(_words_of_sign, text) if _may_have_signs(text) else text


def _words_of_sign(sign: re.Match[str]) -> str:
    return " " if sign[0].startswith(("BREAK", "embedding:", "__")) else NO_WORDS.sub(" ", sign[0])


def _about_length(name: str, field: str, text: str, tokenizer: Any) -> Note | None:
    lost = unread(text, tokenizer)
    if not lost:
        return None
    quoted = lost if len(lost) <= MOST_QUOTED else f"{lost[:MOST_QUOTED].rstrip()} …"
    room = tokenizer.model_max_length - 2  # beside the marks of begin and end
    return Note(
        f"{name} reads the first {room} words and parts of words of a {field}, so “{quoted}” is left out; "
        "say it in fewer words."
    )


def _words(text: str) -> list[str]:
    """The words of a text in any script, small letters; without markup, emoji and other signs."""
    found = re.findall(r"\w+(?:['\u2019]\w+)*", re.sub(r"</?[a-z][^<>]*>", " ", text.lower()))
    return [word for word in found if word.strip("_")]
