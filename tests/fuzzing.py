"""Fuzzing: values of every kind to put into fields, bytes and JSON spoiled at random, and how many of them.

Each property runs with a few fixed examples in the suite. ``make fuzz`` sets T2V_FUZZ, by which their number
is multiplied, and draws others each time; what fails is printed as a call to repeat it.
"""

import json
import os
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from t2v.checks import InputError

FACTOR = int(os.environ.get("T2V_FUZZ", "1"))
LONGEST = 700  # characters of a sentence that refuses

Json = st.SearchStrategy[Any]


def fuzzed(examples: int) -> Callable[[Any], Any]:
    """A property test of so many examples in the suite, and T2V_FUZZ times as many of ``make fuzz``."""
    is_long = FACTOR > 1
    return settings(
        max_examples=examples * FACTOR,
        derandomize=not is_long,
        database=None,
        deadline=None,
        print_blob=is_long,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
    )


def sentence(error: InputError) -> str:
    """What a refusal says, which is one sentence that can be shown and written anywhere."""
    said = str(error)
    said.encode("utf-8")
    assert said.endswith(".") and len(said) < LONGEST, said
    assert "\n" not in said and "\0" not in said and "Traceback" not in said, said
    return said


# Values

LETTERS = st.text(st.characters(exclude_categories=()), max_size=40)  # half letters and NUL too
LONG = st.sampled_from(
    ["x" * 2001, "é" * 5000, "\n" * 300, "a/" * 2000, "-y", "%d%s", "\u202e", "\ud83d", "\0"]
)
TEXTS = LETTERS | LONG
EDGES = (0, -0.0, -1, 0.1, 1, 7.5, 8, 64, 512, 999, 1000, 2**31, 2**53 + 1, 2**63, 2**64, 10**30, 10**400)
FLOATS = (float("nan"), float("inf"), float("-inf"), 1e308, 5e-324, 1e-9)
REALS = st.floats(allow_subnormal=False)  # tests let torch flush them to zero
PLAIN_NUMBERS = st.integers() | REALS | st.sampled_from([*EDGES, *FLOATS])


def odd(values: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(st.lists(values, max_size=4), st.dictionaries(st.text(max_size=8), values, max_size=4))


JSON: Json = st.recursive(
    st.none() | st.booleans() | PLAIN_NUMBERS.filter(lambda one: abs(one) < 10**4000) | st.text(max_size=30),
    odd,
)


def numpys(value: Any) -> Any:
    """A number as one of NumPy's kinds; those that cannot hold it leave it as it is."""
    for kind in (np.int8, np.uint16, np.int64, np.float16, np.float32, np.float64):
        with np.errstate(all="ignore"):
            try:
                if kind(value) == value:
                    return kind(value)
            except (OverflowError, ValueError):
                continue
    return value


NUMBERS_OF_ANY_KIND = st.one_of(
    PLAIN_NUMBERS,
    PLAIN_NUMBERS.map(numpys),
    st.fractions(),
    st.decimals(),
    st.complex_numbers(allow_subnormal=False),
    st.sampled_from(
        [
            Decimal("sNaN"),
            Decimal("1e999999"),
            Fraction(10**400, 3),
            Fraction(1, 10**400),
            np.array(8),
            np.array([1, 2]),
            np.array([]),
            np.float16("nan"),
            np.longdouble(3),
            np.bool_(True),
            np.datetime64("2020-01-01"),
            np.timedelta64(3, "s"),
            np.str_("8"),
        ]
    ),
)
OBJECTS = st.sampled_from(
    [b"bytes", bytearray(b"x"), {1, 2}, range(3), object(), Path("a/b"), Path("x\udc80"), int, len,
     Ellipsis, slice(1), memoryview(b"x"), np.zeros((2, 2)), Exception("x")]
)  # fmt: skip
ANYTHING = NUMBERS_OF_ANY_KIND | TEXTS | JSON | OBJECTS | st.binary(max_size=8)


# Files


@st.composite
def spoiled(draw: st.DrawFn, whole: bytes, head: int | None = None) -> bytes:
    """Bytes with up to five things done to them, most in their first ``head``."""
    data = bytearray(whole)
    reach = len(data) if head is None else min(head, len(data))
    for _ in range(draw(st.integers(1, 5))):
        at = draw(st.integers(0, max(0, min(reach, len(data)) - 1)))
        match draw(st.integers(0, 6)):
            case 0:
                data[at : at + 1] = draw(st.binary(min_size=1, max_size=1))
            case 1:
                size = draw(st.sampled_from([1, 2, 4, 8]))
                number = draw(st.sampled_from([0, 1, 2, 2**7, 2**15, 2**31, 2**32 - 1, 2**63, 2**64 - 1]))
                order = draw(st.sampled_from(["big", "little"]))
                data[at : at + size] = (number % 256**size).to_bytes(size, order)
            case 2:
                data[at:at] = draw(st.binary(max_size=30))
            case 3:
                del data[at : at + draw(st.integers(1, 40))]
            case 4:
                end = at + draw(st.integers(1, 200))
                data[at:at] = data[at:end]
            case 5:
                data[at : at + 1] = bytes([data[at] ^ 1 << draw(st.integers(0, 7))]) if data else b""
            case _:
                del data[draw(st.integers(0, len(data))) :]
    return bytes(data)


@st.composite
def changed_json(draw: st.DrawFn, whole: Any) -> Any:
    """JSON with up to three of its values changed, left out or added, anywhere in it."""
    copy = json.loads(json.dumps(whole))
    for _ in range(draw(st.integers(1, 3))):
        holders = [one for one in _containers(copy) if one]
        if not holders:
            return draw(JSON)
        holder = draw(st.sampled_from(holders))
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        key = draw(st.sampled_from(keys))
        match draw(st.integers(0, 5)):
            case 0:
                del holder[key]
            case 1 if isinstance(holder, dict):
                holder[draw(st.text(max_size=12))] = draw(JSON)
            case 2:
                holder[key] = draw(st.sampled_from([None, True, 0, -1, 1, 3, 2**31, 1e300, "", "os", [], {}]))
            case 3 if isinstance(holder[key], (int, float)) and not isinstance(holder[key], bool):
                holder[key] = draw(st.sampled_from([-1, 2, 0.5, 10, 1000])) * holder[key]
            case _:
                holder[key] = draw(JSON)
    return copy


def _containers(value: Any) -> list[Any]:
    found = []
    if isinstance(value, (dict, list)):
        found.append(value)
        for one in value.values() if isinstance(value, dict) else value:
            found += _containers(one)
    return found
