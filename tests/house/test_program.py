"""program.py: the collector rests while libraries load, passes over them after, and works as before; and how
threads wait.
"""

import gc
import os
import weakref

import pytest

from t2v.program import loading_libraries, spin_briefly


class Ring:
    """Refers to itself, so that only the collector can free it."""

    def __init__(self) -> None:
        self.own = self


@pytest.fixture
def thawed():
    yield
    gc.unfreeze()


def test_rests_in_the_block_and_passes_over_what_was_made_there(thawed):
    with loading_libraries():
        assert not gc.isenabled()
        kept = Ring()
    assert gc.isenabled()
    made_in_it, made_after = weakref.ref(kept), weakref.ref(Ring())
    del kept
    gc.collect()
    assert made_after() is None, "garbage made later is still collected"
    assert made_in_it() is not None, "what was there is not looked through again"


@pytest.mark.parametrize("was_on", [True, False])
def test_leaves_the_collector_as_it_was_also_after_an_error(thawed, was_on):
    if not was_on:
        gc.disable()
    try:
        with pytest.raises(ImportError), loading_libraries():
            raise ImportError("no such library")
        assert gc.isenabled() is was_on
    finally:
        gc.enable()


@pytest.mark.parametrize(
    ("told", "spins", "policy"),
    [
        ({}, "1000", "PASSIVE"),
        ({"GOMP_SPINCOUNT": "7"}, "7", "PASSIVE"),
        ({"OMP_WAIT_POLICY": "ACTIVE"}, None, "ACTIVE"),
    ],
)
def test_threads_wait_as_their_owner_says_else_briefly(monkeypatch, told, spins, policy):
    for name in ("GOMP_SPINCOUNT", "OMP_WAIT_POLICY"):
        monkeypatch.setenv(name, "")  # so that they are put back
        monkeypatch.delenv(name)
    for name, value in told.items():
        monkeypatch.setenv(name, value)
    spin_briefly()
    assert (os.environ.get("GOMP_SPINCOUNT"), os.environ.get("OMP_WAIT_POLICY")) == (spins, policy)
