"""fetching.py: which detectors' weights are here, and fetching them from a hub, told as they come."""

import pytest
from huggingface_hub import constants
from small_detectors import hub_of, save_depth, save_person, save_pose

from t2v.checks import InputError
from t2v.detectors import fetching
from t2v.detectors.depth import DEPTH
from t2v.detectors.fetching import FILES, fetch, missing, size_of
from t2v.detectors.loading import Wanted, load_network
from t2v.detectors.pose import PERSON, POSE


@pytest.fixture
def hub(tmp_path, monkeypatch):
    """One that has all but the pose network; nothing is cached."""
    repos = {DEPTH: save_depth(tmp_path / "depth"), PERSON: save_person(tmp_path / "person")}
    with hub_of(repos) as url:
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        monkeypatch.setattr(constants, "ENDPOINT", url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
        address = f"{url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", address)
        yield repos


def test_weights_are_missing_until_they_are_fetched_and_every_byte_is_told(hub):
    assert missing("depth") == (DEPTH,) and missing("pose") == (PERSON, POSE) and missing("canny") == ()
    whole = sum((hub[DEPTH] / name).stat().st_size for name in FILES)
    assert size_of([DEPTH]) == whole
    told = []
    fetch([DEPTH], lambda here, total: told.append((here, total)))
    assert told[-1] == (whole, whole) and {total for _, total in told} == {whole} and told == sorted(told)
    assert missing("depth") == () and size_of([DEPTH]) == 0
    network, _ = load_network(Wanted(DEPTH, "AutoModelForDepthEstimation", "depth", "examples"), "cpu")
    assert sum(one.numel() for one in network.parameters()) > 1000
    fetch([DEPTH], lambda here, total: told.append("again"))
    assert "again" not in told


def test_a_hub_without_them_is_told_in_a_sentence_and_what_came_stays(hub):
    with pytest.raises(InputError, match="^the hub did not give the detector's weights; try again"):
        fetch([PERSON, POSE], lambda here, total: None)
    assert size_of([POSE]) is None
    hub[POSE] = save_pose(hub[PERSON].parent / "pose")
    fetch([PERSON, POSE], lambda here, total: None)
    assert missing("pose") == ()


def test_who_listens_may_end_it(hub):
    def stop(here, total):
        raise InputError("no more")

    with pytest.raises(InputError):
        fetch([DEPTH], stop)
    assert missing("depth") == (DEPTH,)


def test_a_folder_of_this_machine_is_never_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(fetching, "WEIGHTS", {"depth": (str(tmp_path),)})
    assert missing("depth") == ()
