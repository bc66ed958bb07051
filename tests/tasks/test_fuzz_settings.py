"""Settings of any values: refused in one sentence that names the field, or right, and the same read back."""

import dataclasses
import json
import re
from typing import Any

import numpy as np
import pytest
from clips import grey_steps
from fuzzing import ANYTHING, JSON, REALS, TEXTS, fuzzed, sentence
from hypothesis import given
from hypothesis import strategies as st

from t2v.checks import InputError
from t2v.library.results import settings_dict
from t2v.page.form_values import settings_from, values_of
from t2v.tasks import TASKS, Settings, settings_of
from t2v.tasks.controlled import Also, ControlledSettings, controlled_kinds
from t2v.video.formats import FORMATS
from t2v.video.write import read_settings, write_video

PLACES = {"model", "controlnet", "clip"}  # of which a result keeps the last part alone


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> str:
    return str(write_video(tmp_path_factory.mktemp("clips") / "clip.mp4", grey_steps(2, 16, 16), 4.0))


def right(kind: type[Settings], field: str) -> st.SearchStrategy[Any]:
    """Values of a field most of which are right."""
    if field in kind.limits:
        low, high = kind.limits[field]
        whole = st.integers(int(low), int(high))
        numbers = whole | whole.map(lambda one: one // 8 * 8) | st.floats(low, high, allow_subnormal=False)
        return numbers | st.none() | st.sampled_from([low, high, -1]) | numbers.map(np.float64)
    if field == "also":
        names = st.sampled_from([*controlled_kinds(), "nothing"])
        return st.lists(st.builds(Also, names) | st.builds(Also, names, TEXTS), max_size=3).map(tuple)
    choices = ["ddim", "dpm++", "subcell", "whole-cell", "miniature", "a/b", "../up", "a cat", ""]
    return st.booleans() | st.sampled_from(choices) | TEXTS


@st.composite
def values(draw: st.DrawFn, kind: type[Settings]) -> dict[str, Any]:
    """Fields of a task: most are left out, some have a right value, some anything."""
    names = [field.name for field in dataclasses.fields(kind)]
    chosen = draw(st.lists(st.sampled_from(names), max_size=5, unique=True))
    return {name: draw(right(kind, name) | ANYTHING) for name in chosen}


def complete(kind: type[Settings], given: dict[str, Any], clip: str) -> dict[str, Any]:
    needed = {"prompt": "a cat", "clip": clip} if "clip" in kind.__dataclass_fields__ else {"prompt": "a cat"}
    return {**needed, **given}


def names_a_field(said: str, given: dict[str, Any]) -> bool:
    """Whether it speaks of a field that was given, or of one of a further ControlNet."""
    also = [field.name for field in dataclasses.fields(Also)] if "also" in given else []
    return any(re.search(rf"\b{name}\b", said) for name in (*given, *also))


@pytest.mark.parametrize("task", TASKS)
@fuzzed(20)
@given(data=st.data())
def test_settings_are_refused_by_a_fields_name_or_survive(task, clip, data):
    kind = TASKS[task]
    given = data.draw(values(kind))
    try:
        settings = kind(**complete(kind, given, clip))
        settings.check()
    except InputError as error:
        assert names_a_field(sentence(error), given)
        return
    stored = settings_dict(settings)
    again = settings_of(json.loads(json.dumps(stored, allow_nan=False)))
    assert settings_dict(again) == stored
    dataclasses.replace(again, **{"clip": clip} if "clip" in stored else {}).check()
    same = {name: value for name, value in vars(settings).items() if name not in {*PLACES, "also"}}
    assert {name: getattr(again, name) for name in same} == same


@fuzzed(3)
@given(data=st.data(), ending=st.sampled_from(list(FORMATS)))
def test_what_is_stored_in_a_file_comes_back(tmp_path_factory, clip, data, ending):
    kind = TASKS[data.draw(st.sampled_from(list(TASKS)))]
    texts = {name: data.draw(TEXTS) for name in ("prompt", "negative_prompt", "model")}
    try:
        settings = kind(**complete(kind, {**data.draw(values(kind)), **texts}, clip))
        settings.check()
        path = write_video(
            tmp_path_factory.getbasetemp() / f"stored{ending}",
            grey_steps(1, 16, 16),
            4.0,
            settings_dict(settings),
        )
    except InputError as error:
        sentence(error)
    else:
        stored = read_settings(path)
        assert stored == json.loads(json.dumps(settings_dict(settings)))
        assert settings_dict(settings_of(stored)) == settings_dict(settings)


@fuzzed(60)
@given(data=st.data())
def test_any_json_is_settings_or_is_refused(data):
    stored = data.draw(
        JSON
        | st.fixed_dictionaries(
            {"task": st.sampled_from(list(TASKS))},
            optional={"clip": JSON, "prompt": JSON, "also": JSON | st.lists(st.fixed_dictionaries(
                {"task": JSON | st.sampled_from(list(TASKS))}, optional={"controlnet": JSON, "x": JSON})),
                "seed": JSON, "fps": JSON},
        )
    )  # fmt: skip
    try:
        settings_of(stored).check()
    except InputError as error:
        sentence(error)


@pytest.mark.parametrize("task", TASKS)
@fuzzed(12)
@given(data=st.data())
def test_what_a_page_sends_is_settings_or_is_refused(task, data):
    kind = TASKS[task]
    names = [field.name for field in dataclasses.fields(kind) if field.name != "also"]
    sent = [data.draw(right(kind, name) | JSON | REALS.map(str) | TEXTS) for name in names]
    if "clip" in names and sent[names.index("clip")] is None:
        sent[names.index("clip")] = ""
    try:
        settings_from(kind, values_of(kind, names, sent)).check()
    except InputError as error:
        sentence(error)


def test_every_kind_of_settings_is_tried():
    assert len(TASKS) >= 5 and any(issubclass(kind, ControlledSettings) for kind in TASKS.values())
