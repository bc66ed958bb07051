"""startup.py: the collector rests while libraries load, passes over them after, and works as before."""

import gc
import weakref

import pytest

from startup import loading_libraries


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
