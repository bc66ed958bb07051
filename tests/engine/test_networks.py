"""networks.py: which ControlNet suits a model, and the sentence where none is known."""

from dataclasses import replace
from pathlib import Path

import pytest

from t2v.engine.networks import choose_network
from t2v.tasks.canny import CannySettings
from t2v.weights.family import STABLE_DIFFUSION
from t2v.weights.refusals import ModelError


def test_it_is_the_one_beside_the_model_or_the_familys(family):
    beside, hub = choose_network(family), choose_network("someone/model")
    assert Path(beside("canny", CannySettings.hub_ids)).name == "controlnet-canny"
    assert beside("unheard-of", {STABLE_DIFFUSION.key: "a/b"}) == "a/b"
    assert hub("canny", CannySettings.hub_ids) == "lllyasviel/control_v11p_sd15_canny"
    assert choose_network("miniature+style")("canny", {}) == "miniature"


def test_a_family_without_one_gets_a_sentence():
    other = replace(STABLE_DIFFUSION, key="another", name="Another Diffusion")
    told = "^controlnet for canny is not known for Another Diffusion; put one made for this model into"
    with pytest.raises(ModelError, match=told):
        choose_network("someone/model", other)("canny", CannySettings.hub_ids)
