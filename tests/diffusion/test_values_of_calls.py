"""The pipeline's calls take numbers of any class, one prompt, one generator, PIL's pictures."""

import logging
from fractions import Fraction

import numpy as np
import pytest
import torch
from conftest import seeded, small_controlnet, small_pipeline
from PIL import Image

from t2v.checks import InputError
from t2v.diffusion.controls import Control
from t2v.diffusion.options import Motion

QUICK = {"num_frames": 2, "num_inference_steps": 2, "height": 64, "width": 64}


def test_numbers_of_any_class_draw_the_same_video(pipeline):
    motion = Motion(8, 0, 500, 600)
    plain = pipeline("a car", guidance_scale=5.0, motion=motion, generator=seeded(), **QUICK)
    odd = {name: np.int64(value) for name, value in QUICK.items()}
    motion = Motion(np.float32(8), Fraction(0), np.int16(500), np.uint16(600))
    other = pipeline("a car", guidance_scale=Fraction(5), motion=motion, generator=seeded(), **odd)
    assert torch.equal(plain, other)


def test_lists_are_refused_in_a_sentence(pipeline):
    with pytest.raises(InputError, match="generator is a list; give one torch.Generator, it serves all"):
        pipeline("a car", generator=[seeded(), seeded()], **QUICK)
    with pytest.raises(InputError, match="prompt is a list; give one text, and call again for another"):
        pipeline(["a car", "a boat"], **QUICK)
    with pytest.raises(InputError, match="negative_prompt is a NoneType; give one text"):
        pipeline("a car", negative_prompt=None, **QUICK)


def test_pictures_of_pil_are_control_pictures():
    network = small_controlnet()
    frames = np.random.default_rng(0).integers(0, 255, (2, 64, 64, 3), np.uint8)
    listed = Control(network, [Image.fromarray(frame) for frame in frames], scale=np.float32(0.5))
    assert np.array_equal(listed.packed[0:2], frames) and listed.scale == 0.5
    grey = Control(network, [Image.fromarray(frames[0, ..., 0])])
    assert np.array_equal(grey.packed[0:1][0], np.repeat(frames[0, ..., :1], 3, axis=2))
    with pytest.raises(InputError, match="pictures are of the sizes 64x64 and 64x72; give all the same"):
        Control(network, [Image.new("RGB", (64, 64)), Image.new("RGB", (64, 72))])
    for bad in ([], [frames[0], "x"], torch.zeros(2, 3, 64, 64), Image.new("RGB", (64, 64))):
        with pytest.raises(InputError, match="give a uint8 array .* or a list of PIL's pictures"):
            Control(network, bad)


def test_of_a_long_prompt_only_what_is_cut_off_is_told(caplog, monkeypatch):
    long = small_pipeline()  # its tokenizer has not spoken yet: it does so once
    for name in ("diffusers", "transformers"):
        monkeypatch.setattr(logging.getLogger(name), "propagate", True)
        caplog.set_level(logging.WARNING, logger=name)  # whatever other tests have quieted
    with caplog.at_level(logging.WARNING):
        long("abcdefg hijklmnop", **QUICK, generator=seeded())
    assert {record.name.partition(".")[0] for record in caplog.records} == {"diffusers"}
    assert "was truncated" in caplog.text
