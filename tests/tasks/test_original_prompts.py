"""original_prompts.py: the words that the original added, where they are asked for."""

import pytest

from t2v.checks import InputError
from t2v.tasks import TASKS
from t2v.tasks.canny import CannySettings
from t2v.tasks.original_prompts import ADDED, original_words, with_original_prompts
from t2v.tasks.pix2pix_video import Pix2PixVideoSettings
from t2v.tasks.text_to_video import TextToVideoSettings


@pytest.mark.parametrize("prompt", ["a car", "a car.", "a car, ", " a car . "])
def test_text_to_video_gets_words_and_no_negative_prompt(prompt):
    settings = with_original_prompts(TextToVideoSettings(prompt, seed=7))
    assert settings.prompt.strip().startswith("a car, high quality, HD, 8K")
    assert (settings.negative_prompt, settings.seed) == ("", 7)
    assert (
        with_original_prompts(TextToVideoSettings("a car", negative_prompt="dark")).negative_prompt == "dark"
    )


def test_clips_get_a_negative_prompt_where_none_is_given(square_clip):
    settings = with_original_prompts(CannySettings(square_clip, "a car."))
    assert settings.prompt == "a car., best quality, extremely detailed"
    assert settings.negative_prompt.startswith("longbody, lowres, bad anatomy, bad hands, missing fingers")
    assert with_original_prompts(CannySettings(square_clip, "a", negative_prompt="b")).negative_prompt == "b"
    settings.check()


def test_words_alone_are_no_prompt_and_instructions_get_none(square_clip):
    with pytest.raises(InputError, match="prompt is empty"):
        with_original_prompts(TextToVideoSettings(" "))
    with pytest.raises(InputError, match="the original added none to pix2pix; leave it out"):
        with_original_prompts(Pix2PixVideoSettings(square_clip, "make it night"))
    assert set(TASKS) - set(ADDED) == {"pix2pix"}


def test_each_text_of_a_prompt_over_time_gets_the_words():
    prompt, _ = original_words("text-to-video", "0: a car. | 7: a boat", "")
    added = ADDED["text-to-video"].words
    assert prompt == f"0: a car, {added} | 7: a boat, {added}"
    assert original_words("text-to-video", prompt, "")[0] == prompt
