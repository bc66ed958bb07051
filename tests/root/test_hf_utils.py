"""hf_utils.py: the original's list of models, without network."""

from hf_utils import get_model_list
from t2v.weights.family import FAMILIES, RETIRED
from t2v.weights.source import BUNDLED, Source


def test_the_list_names_models_that_can_be_given():
    names = get_model_list()
    assert names[0] == BUNDLED and len(names) == len(set(names)) > 8
    assert {Source.parse(name).kind for name in names} <= {"bundled", "hub"}
    assert not set(names) & set(RETIRED)
    assert {family.model for family in FAMILIES} <= set(names)
    assert "stabilityai/stable-diffusion-xl-base-1.0" in names
