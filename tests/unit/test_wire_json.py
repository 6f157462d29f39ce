"""Only JSON goes out, and the path of what isn't is named; only JSON comes in."""

import contextlib
import dataclasses
import datetime as dt
import decimal
import enum
import fractions
import math
import sys
import types
import uuid
from collections import Counter, OrderedDict, UserDict, defaultdict, deque, namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_jupyter.exceptions import NangoInputError
from nango_jupyter.messages import NangoMessageHandlerResult
from nango_jupyter.secrets import Secret
from nango_jupyter.wire_json import check_json, decode, encode

Point = namedtuple("Point", "x y")


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Mode(enum.StrEnum):
    FAST = "fast"


@dataclasses.dataclass
class Row:
    a: int = 1


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda children: (
        st.lists(children)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), children)
    ),
)


@given(VALUES)
def test_json_goes_out_and_comes_back(value: Any) -> None:
    assert decode(encode(value, "input")) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"a": (1, 2.5, None, True), "é": "🎉"}, '{"a":[1,2.5,null,true],"é":"🎉"}'),
        (Point(1, 2), "[1,2]"),
        ([Level.HIGH, Mode.FAST], '[3,"fast"]'),
        (OrderedDict(b=1, a=2), '{"b":1,"a":2}'),
        (defaultdict(list, a=[1]), '{"a":[1]}'),
        (Counter("aa"), '{"a":2}'),
        (np.str_("text"), '"text"'),
        (2**80, str(2**80)),
        (-0.0, "-0.0"),
        ({"": 1}, '{"":1}'),
        ("\x00\x7f\u2028", '"\\u0000\x7f\u2028"'),
    ],
)
def test_what_json_holds(value: Any, text: str) -> None:
    assert encode(value, "input") == text.encode()


def wrong() -> list[tuple[Any, str]]:
    now = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    return [
        (now, "datetime.datetime"),
        (now.date(), "datetime.date"),
        (now.time(), "datetime.time"),
        (dt.timedelta(1), "datetime.timedelta"),
        (b"bytes", "bytes"),
        (bytearray(b"x"), "bytearray"),
        (memoryview(b"x"), "memoryview"),
        ({1, 2}, "set"),
        (frozenset(), "frozenset"),
        (range(3), "range"),
        ((x for x in "ab"), "generator"),
        ({}.keys(), "dict_keys"),
        (types.MappingProxyType({}), "mappingproxy"),
        (UserDict(), "collections.UserDict"),
        (deque(), "collections.deque"),
        (1j, "complex"),
        (decimal.Decimal(1), "decimal.Decimal"),
        (fractions.Fraction(1), "fractions.Fraction"),
        (uuid.UUID(int=1), "uuid.UUID"),
        (Path("x"), "Path"),
        (Color.RED, "Color"),
        (Row(), "Row"),
        (Row, "type"),
        (object(), "object"),
        (len, "builtin_function_or_method"),
        (Ellipsis, "ellipsis"),
        (Secret("abcdef"), "nango_jupyter.secrets.Secret"),
        (np.int64(1), "numpy.int64"),
        (np.float64(1.5), "numpy.float64"),
        (np.float32(1.5), "numpy.float32"),
        (np.bool_(True), "numpy.bool"),
        (np.datetime64("2026-01-01"), "numpy.datetime64"),
        (np.array([1]), "numpy.ndarray"),
        (pd.Timestamp(now), "Timestamp"),
        (pd.NaT, "NaTType"),
        (pd.NA, "NAType"),
        (pd.Series([1]), "Series"),
        (pd.DataFrame(), "DataFrame"),
    ]


@pytest.mark.parametrize(("value", "name"), wrong(), ids=[name for _, name in wrong()])
def test_what_json_does_not_hold(value: Any, name: str) -> None:
    for holder, path in (
        (value, "input"),
        ({"rows": [0, 1, 2, {"when": value}]}, "input.rows[3].when"),
        (({"two words": (value,)},), 'input[0]["two words"][0]'),
        ({"": {"1a": {"é": value}}}, 'input[""]["1a"].é'),
    ):
        with pytest.raises(TypeError) as caught:
            encode(holder, "input")
        assert isinstance(caught.value, NangoInputError)
        article = "an" if name in ("ellipsis", "object") else "a"
        assert str(caught.value).startswith(f"{path} is {article} ")
        assert name in str(caught.value)
        assert caught.value.hint
        assert "abcdef" not in str(caught.value)


class Model(pydantic.BaseModel):
    a: int = 1


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        (Model(), "Turn it into a dict: value.model_dump(mode='json')."),
        (Row(), "Turn it into a dict: dataclasses.asdict(value)."),
        (NangoMessageHandlerResult(True), "Use dict, list, str, int, float, bool or None."),
    ],
)
def test_objects_with_fields_become_dicts(value: Any, hint: str) -> None:
    with pytest.raises(NangoInputError) as caught:
        encode(value, "input")
    assert caught.value.hint == hint


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_numbers_without_a_word(number: float) -> None:
    with pytest.raises(NangoInputError, match=r"^input\.a\[1\] is (nan|inf|-inf), which JSON"):
        encode({"a": [1.0, number]}, "input")


@pytest.mark.parametrize("key", [1, None, True, 1.5, (1, 2), b"x", Color.RED, np.int64(3)])
def test_keys_are_text(key: Any) -> None:
    with pytest.raises(TypeError, match=r"^input\.a has the key .* of type"):
        encode({"a": {"ok": 1, key: 2}}, "input")


@pytest.mark.parametrize("half", ["\ud800", "a\udfff", "a\ud83dz"])
def test_lone_surrogates(half: str) -> None:
    with pytest.raises(TypeError, match=r"^input\.a\[0\] holds a lone surrogate, U\+D"):
        encode({"a": [half]}, "input")
    with pytest.raises(TypeError, match=r'^input\.a\["[^"]+"\] holds a lone surrogate') as caught:
        encode({"a": {half: 1}}, "input")
    str(caught.value).encode()  # can be printed
    assert encode("🎉", "input") == '"🎉"'.encode()


def test_cycles() -> None:
    value: dict[str, Any] = {"a": [1, {}]}
    value["a"][1]["b"] = value
    with pytest.raises(TypeError, match=r"^input\.a\[1\]\.b contains itself"):
        encode(value, "input")
    row = {"a": 1}
    assert encode([row, row, [row]], "input") == b'[{"a":1},{"a":1},[{"a":1}]]'


@pytest.mark.parametrize("depth", [5_000, 200_000])
def test_too_deep(depth: int) -> None:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    with pytest.raises(TypeError, match="input is nested too deeply"):
        check_json(value, "input")
    while isinstance(value, list):  # or freeing it would recurse as deeply
        value = value.pop()


def test_deep_enough() -> None:
    value: Any = 1
    for _ in range(200):
        value = {"a": [value]}
    assert decode(encode(value, "input")) == value


def test_more_digits_than_python_writes() -> None:
    limit = sys.get_int_max_str_digits()
    assert decode(encode([10 ** (limit - 1)], "input")) == [10 ** (limit - 1)]
    for number in (10**limit, -(10 ** (limit + 10_000))):
        with pytest.raises(TypeError, match=r"^input\.n\[1\] has more digits"):
            encode({"n": [1, number]}, "input")


def test_a_large_value_is_quick() -> None:
    rows = [{"id": number, "name": f"name {number}", "ok": True} for number in range(100_000)]
    assert len(encode(rows, "input")) > 3_000_000


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"{",
        b'{"a":}',
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"NaN",
        b"[Infinity]",
        b"[-Infinity]",
        b"[1e999]",
        b"1" * 10_000,
        b"[" * 100_000,
        b'{"a":' * 100_000,
        rb'"\ud800"',
        rb'{"\udc00": 1}',
        b'"\xed\xa0\x80"',
        b"{} {}",
        b"'a'",
    ],
)
def test_what_is_not_json(body: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are Python's, or ours
        decode(body)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (b"null", None),
        (rb'"\ud83c\udf89"', "🎉"),
        (rb'"\\ud800"', "\\ud800"),
        (b' {"a": 1.5e300} ', {"a": 1.5e300}),
        (b'{"a": 1, "a": 2}', {"a": 2}),
    ],
)
def test_what_is_json(body: bytes, value: Any) -> None:
    assert decode(body) == value


@given(st.binary())
def test_junk_raises_nothing_but_value_errors(body: bytes) -> None:
    with contextlib.suppress(ValueError):
        decode(body)
