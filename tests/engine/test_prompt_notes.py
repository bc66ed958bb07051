"""prompt_notes.py: what is told about a prompt before it is drawn."""

import json
import shutil
import time
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import small_tokenizer

from t2v.engine.engine import Engine
from t2v.engine.prompt_notes import Note, prompt_notes, unread
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings
from t2v.weights.card import Card, read_card
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.source import MINIATURE, STYLE, Source

CARD = Card(words={"subjects": ("car", "boat"), "other": ("a", "the")})
NEON = Card(words=CARD.words, keywords=("neon style", "glow"))


def notes(prompt: str, card: Card = CARD, tokenizer=None, **options) -> tuple[Note, ...]:
    return prompt_notes(TextToVideoSettings(prompt, **options), card, tokenizer)


def test_unknown_words_are_named():
    assert notes("a car") == notes("a dragon", Card()) == ()
    (note,) = notes("a dragon, a zebra and a dragon")
    assert note == Note(
        "The miniature has never seen “dragon”, “zebra”, so expect something else there.", True
    )
    (note,) = notes(" ".join(f"word{number}" for number in range(20)), model="me/own")
    assert note.text.startswith("This model has never seen “word0”") and "“word7” and more, so" in note.text


@pytest.mark.parametrize("prompt", ["\U0001f680\U0001f525", "!?", "<b></b>", " ☂ _"])
def test_a_prompt_without_any_word_is_told(prompt):
    (note,) = notes(prompt)
    assert note.text.startswith("The miniature finds no word in this prompt") and note.is_about_words
    assert notes(prompt, Card()) == ()  # nobody knows what such a model knows
    assert prompt_notes(Pix2PixVideoSettings("clip.mp4", prompt), CARD, None) == ()


@pytest.mark.parametrize("prompt", ["a neon car, style", "a car, neon styles", "a car"])
def test_a_style_without_its_keyword_is_told(prompt):
    text = notes(prompt, NEON, model="miniature+style")[-1].text
    assert "own style comes only with “neon style” or “glow” in the prompt" in text


@pytest.mark.parametrize("prompt", ["neon style", "a Neon  STYLE car", "neon-style", "the glow"])
def test_a_style_with_its_keyword_is_not(prompt):
    assert all(note.is_about_words for note in notes(prompt, NEON))


def test_a_keyword_that_only_works_last_has_to_be_last():
    card = replace(NEON, keywords_last=True)
    for prompt, told in (("neon style, a car", 1), ("a neon style car", 1), ("a car, neon style!", 0)):
        found = [note.text for note in notes(prompt, card) if not note.is_about_words]
        assert len(found) == told and all("“glow” at the end of the prompt" in text for text in found)


def test_keywords_come_from_the_loras_card_and_the_dreambooth_models(tmp_path):
    for name, words in (("base", {"subjects": ["car"]}), ("style", {"styles": ["glow"]})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "miniature.json").write_text(json.dumps({"words": words}))
    (tmp_path / "style" / "pytorch_lora_weights.safetensors").write_bytes(b"")
    assert read_card(Source.parse(f"{tmp_path / 'base'}+style")).keywords == ("glow",)
    assert read_card(Source.parse(str(tmp_path / "base"))).keywords == ()
    for model, keyword in STABLE_DIFFUSION.dreambooth.items():
        assert read_card(Source.parse(model)).keywords == (keyword,)


def test_what_the_text_encoder_does_not_read_is_told():
    """It spells every word, and reads 14 letters."""
    tokenizer = small_tokenizer()
    assert unread("abcdefg hijklmn", tokenizer) == ""
    assert unread("abcdefg hijklmn o", tokenizer) == "o"
    assert unread("Abcdefg, hijk LMNOPQ  rs ", tokenizer) == "LMNOPQ  rs"  # a word cut in two is lost
    assert notes("abcdefg hijklmn", Card(), tokenizer) == ()
    first, second = notes("a bcdefgh ijklmn op", Card(), tokenizer, negative_prompt="x" * 100)
    assert first == Note(
        "The miniature reads the first 14 words and parts of words of a prompt, so “op” is left out; "
        "say it in fewer words."
    )
    assert "of a negative prompt, so “xxx" in second.text and "x …” is left out" in second.text
    assert len(second.text) < 250


def test_a_model_reads_its_tokenizer_from_its_folder(model_folder, tmp_path):
    model = Engine("cpu")
    folder = Path(shutil.copytree(model_folder, tmp_path / "model"))
    settings = TextToVideoSettings("a long prompt here", model=str(folder))
    told = [note.text for note in model.prompt_notes(settings)]
    assert len(told) == 1 and "This model reads the first 14 words" in told[0] and "“here”" in told[0]
    for absent in ("someone/model", "./nowhere"):  # to be fetched yet, or to be refused when it is loaded
        assert model.prompt_notes(replace(settings, model=absent)) == ()


def test_notes_of_the_bundled_models():
    if not (MINIATURE / "model_index.json").is_file():
        pytest.skip("the miniature's weights are not in this copy")
    model, style = Engine("cpu"), STYLE

    def told(prompt: str, source: str) -> str:
        return " ".join(note.text for note in model.prompt_notes(TextToVideoSettings(prompt, model=source)))

    assert told("a red car on a street", "miniature") == told("a red car, neon style", style) == ""
    assert told("a red car", style).count("comes only with “neon style” at the end of") == 1
    longest = " ".join(["a red car"] * 7 + ["boat"])
    assert told(longest, "miniature") == ""
    assert "reads the first 22 words" in told(f"{longest} rocket", "miniature")
    assert "so “rocket” is left out" in told(f"{longest} rocket", "miniature")


PLAIN = " as plain text: such signs of other programs do nothing here"


@pytest.mark.parametrize(
    ("prompt", "named"),
    [
        ("a (red:1.3) car", "“(red:1.3)”"),
        ("a (red : -.5 ) car", "“(red : -.5 )”"),
        ("a [cat:dog:0.5]", "“[cat:dog:0.5]”"),
        ("a [cat|dog], a [boat:10]", "“[cat|dog]”, “[boat:10]”"),
        ("a ((cat)) and a [[dog]]", "“((cat))”, “[[dog]]”"),
        ("a cat BREAK a dog", "“BREAK”"),
        ("a {red|blue} car", "“{red|blue}”"),
        ("a (red car)1.3", "“(red car)1.3”"),
        ("a cat++, a dog--", "“cat++”, “dog--”"),
        ("embedding:easy a __colour__ car", "“embedding:easy”, “__colour__”"),
        (f"a ({'very ' * 20}red:1.3) car", "“(very very very very very very …”"),
        ("(a:1.1) (b:1.1) (c:1.1) (d:1.1)", "“(a:1.1)”, “(b:1.1)”, “(c:1.1)” and more"),
    ],
)
def test_signs_of_other_programs_are_told_to_be_plain_text(prompt, named):
    assert notes(prompt, Card(), model="me/own") == (
        Note(f"This model reads {named}{PLAIN}, so leave them out."),
    )
    (note,) = notes("plain words", Card(), negative_prompt=prompt)
    assert note.text.startswith("The miniature reads")


@pytest.mark.parametrize(
    ("prompt", "unknown"),
    [
        ("a (car:1.3) [a:b:0.5] BREAK the boat", ""),
        ("a (car)1.3, embedding:easy, a __colour__ boat, <lora:x:0.8>", ""),
        ("a (dragon:1.3) [cat:b:10]", "“dragon”, “cat”"),
        ("3 b (car:1.1)", "“3”, “b”"),  # outside of signs
        ("a ((dragon)), a dog's boat++", "“dragon”, “dog's”"),
    ],
)
def test_of_signs_only_the_words_are_told_to_be_unknown(prompt, unknown):
    about = [note.text for note in notes(prompt) if note.is_about_words]
    told = f"The miniature has never seen {unknown}, so expect something else there."
    assert about == ([told] if unknown else [])
    assert any(PLAIN in note.text for note in notes(prompt))


def test_a_break_in_a_prompt_of_large_letters_is_a_word():
    (note,) = notes("A CAR BREAK")
    assert "never seen “break”" in note.text


def test_a_lora_in_the_prompt_is_told_where_it_goes():
    for tag in ("<lora:x:0.8>", "<lyco:some thing:1>"):
        (note,) = notes(f"a car {tag} ((big))", Card())
        expected = f"“{tag}”, “((big))”{PLAIN}, and a LoRA is given behind the model's name, as MODEL+LORA."
        assert note.text == f"The miniature reads {expected}"


@pytest.mark.parametrize(
    "prompt",
    [
        "a car (red), 10:30 in the morning",
        "a cat [black] - a well-known one",
        "A CAR, THEN A BREAK",
        "C++ is no word -- yet",
        "ratio 16:9, f/1.8",
        "a <b>car</b> :-) breaks",
    ],
)
def test_what_people_write_is_no_sign(prompt):
    assert notes(prompt, Card()) == ()


def test_the_longest_prompts_do_not_hang_it():
    for piece in ("(", "[", "[:", "(a:", "a", "+", "{|", "<lora:", "__", "(1."):
        started_s = time.perf_counter()
        notes(piece * (2000 // len(piece)), Card(), model="me/own")
        assert time.perf_counter() - started_s < 20  # backtracking would take hours


def test_an_action_that_is_shown_is_no_unknown_word():
    """The miniature's card knows no running; its figure runs all the same, and the note says how."""
    settings = TextToVideoSettings("a blue person running on the grass")
    found = Engine().prompt_notes(settings)
    assert [note.text[:25] for note in found] == ["The figure is running, as"]
    (about,) = Engine().prompt_notes(replace(settings, action="none"))
    assert "has never seen “running”" in about.text


def test_numbers_and_bars_of_a_prompt_over_time_are_no_words():
    assert notes("0: a car | 7: the boat") == ()
    (note,) = notes("0%: a car | 100%: a dragon")
    assert note.text.startswith("The miniature has never seen “dragon”, so") and note.is_about_words
    assert notes("0: a car, glow | 7: a boat, glow", NEON)[1:] == ()
    assert "own style comes only with" in notes("0: a car, glow | 7: a boat", NEON)[-1].text
    long = "0: a car | 7: " + "very " * 30 + "red"
    assert "is left out" in notes(long, Card(), small_tokenizer())[0].text
