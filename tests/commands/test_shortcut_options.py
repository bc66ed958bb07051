"""Shortcuts as options, in saved settings, and in what runs take as long as each other."""

from dataclasses import asdict

import pytest

from t2v.checks import InputError
from t2v.commands.options import build_parser
from t2v.commands.order import read_order
from t2v.diffusion.options import Shortcuts
from t2v.jobs.kinds import kind_of
from t2v.tasks import TASKS, settings_of
from t2v.tasks.text_to_video import TextToVideoSettings

GIVEN = ["--guidance-interval", "0.2", "0.8", "--cache-steps", "3", "--steps", "12"]
WANTED = Shortcuts(0.2, 0.8, 3)


def test_options_fill_the_settings_and_are_off_without():
    assert read_order(["text-to-video", "a red car"]).settings.shortcuts == Shortcuts(0, 1, 1)
    assert read_order(["text-to-video", "a red car", *GIVEN]).settings.shortcuts == WANTED
    assert read_order(["text-to-video", *GIVEN, "a red car"]).settings.prompt == "a red car"


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_them(task):
    given = ["clip.mp4", "a car"] if task != "text-to-video" else ["a car"]
    told = build_parser("t2v").parse_args([task, *given, *GIVEN])
    assert (told.guided_from, told.guided_until, told.cache_steps) == (0.2, 0.8, 3)
    plain = build_parser("t2v").parse_args([task, *given])
    assert (plain.guided_from, plain.guided_until, plain.cache_steps) == (0.0, 1.0, 1)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (["--guidance-interval", "0.8", "0.2"], "--guidance-interval is 0.8, and guidance is to end at 0.2;"),
        (["--guidance-interval", "0", "1.5"], "--guidance-interval is 1.5; give a number from 0 to 1"),
        (["--cache-steps", "0"], "--cache-steps is 0;"),
        (["--cache-steps", "2.5"], "--cache-steps is 2.5;"),
        (
            ["--cache-steps", "5", "--steps", "12"],
            "--cache-steps is 5, and there are 12 steps; choose at most 4",
        ),
    ],
)
def test_refusals_name_the_option(given, sentence):
    with pytest.raises(InputError) as refused:
        read_order(["text-to-video", "a red car", *given])
    assert str(refused.value).startswith(sentence)


def test_saved_settings_bring_them_back_and_older_ones_have_none():
    asked = TextToVideoSettings("a car", guided_from=0.2, guided_until=0.8, cache_steps=3)
    stored = {"task": "text-to-video", **asdict(asked)}
    assert settings_of(stored).shortcuts == WANTED
    for name in ("guided_from", "guided_until", "cache_steps"):
        del stored[name]
    assert settings_of(stored).shortcuts == Shortcuts()


def test_what_is_sooner_done_tells_nothing_of_the_time_of_others():
    kinds = {
        kind_of(TextToVideoSettings("a car", **each))
        for each in ({}, {"cache_steps": 2}, {"cache_steps": 3}, {"guided_from": 0.5}, {"cache_steps": 1})
    }
    assert len(kinds) == 4
