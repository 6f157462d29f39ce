"""What becomes of Python values that JSON has no word for."""

import array
import dataclasses
import datetime as dt
import decimal
import enum
import json
import math
import subprocess
import sys
import uuid
import zoneinfo
from collections import ChainMap, OrderedDict, UserDict, defaultdict, deque, namedtuple
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa  # type: ignore[import-untyped]
import pydantic
import pytest

from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoInputError
from nango_jupyter.messages import NangoConnection
from nango_jupyter.results import NangoResult
from nango_jupyter.secrets import Secret, remember
from nango_jupyter.wire_json import check_json

Point = namedtuple("Point", "x y")
BERLIN = zoneinfo.ZoneInfo("Europe/Berlin")


class Color(enum.Enum):
    RED = "red"


class Level(enum.IntEnum):
    HIGH = 3


class Mode(enum.StrEnum):
    FAST = "fast"


@dataclasses.dataclass
class Address:
    city: str
    since: dt.date


@dataclasses.dataclass
class Person:
    name: str
    address: Address | None = None


class Model(pydantic.BaseModel):
    when: dt.datetime
    color: Color = Color.RED
    address: Address | None = None


class Label(pydantic.BaseModel):
    text: str


class Login(pydantic.BaseModel):
    user: str
    password: pydantic.SecretStr


class ItemsRow(Mapping[str, Any]):
    """A row whose columns are called as methods are."""

    items = 5  # type: ignore[assignment]

    def __getitem__(self, key: str) -> Any:
        return {"items": [1], "keys": 2}[key]

    def __iter__(self) -> Iterator[str]:
        return iter(["items", "keys"])

    def __len__(self) -> int:
        return 2


class Text(str):
    def __str__(self) -> str:
        return "something else"


CASES: dict[str, tuple[Any, Any]] = {
    "plain": ({"a": [1, 1.5, "é🎉", True, None]}, {"a": [1, 1.5, "é🎉", True, None]}),
    "tuple": ((1, (2,)), [1, [2]]),
    "range": (range(3), [0, 1, 2]),
    "deque": (deque([1, 2]), [1, 2]),
    "set": ({3, 1, 2}, [1, 2, 3]),
    "mixed set": ({("a",)}, [["a"]]),
    "dict views": ({"a": 1}.items(), [["a", 1]]),
    "array": (array.array("d", [1.5, math.nan]), [1.5, None]),
    "nan": ([math.nan, decimal.Decimal("NaN"), np.float32("nan")], [None, None, None]),
    "enums": ([Color.RED, Level.HIGH, Mode.FAST], ["red", 3, "fast"]),
    "enum keys": ({Color.RED: 1, Mode.FAST: 2}, {"red": 1, "fast": 2}),
    "keys": (
        {2: "a", True: "b", None: "c", 1.5: "d"},
        {"2": "a", "true": "b", "null": "c", "1.5": "d"},
    ),
    "date keys": ({dt.date(2020, 1, 2): 1}, {"2020-01-02": 1}),
    "datetime": (dt.datetime(2020, 1, 2, 3, 4, 5), "2020-01-02T03:04:05"),
    "zoned": (dt.datetime(2020, 7, 2, tzinfo=BERLIN), "2020-07-02T00:00:00+02:00"),
    "date and time": ([dt.date(2020, 1, 2), dt.time(3, 4)], ["2020-01-02", "03:04:00"]),
    "timedelta": (
        [dt.timedelta(days=1, hours=2, seconds=3.5), dt.timedelta(seconds=-1)],
        ["P1DT2H0M3.5S", "-P0DT0H0M1S"],
    ),
    "decimal": (decimal.Decimal("1.10"), "1.10"),
    "uuid and path": ([uuid.UUID(int=1), PurePosixPath("/a/b")], [str(uuid.UUID(int=1)), "/a/b"]),
    "mappings": (
        [OrderedDict(a=1), UserDict(a=1), defaultdict(int, a=1), ChainMap({"a": 1})],
        [{"a": 1}] * 4,
    ),
    "columns called as methods": (ItemsRow(), {"items": [1], "keys": 2}),
    "dataclasses": (
        Person("ada", Address("Berlin", dt.date(2020, 1, 2))),
        {"name": "ada", "address": {"city": "Berlin", "since": "2020-01-02"}},
    ),
    "namedtuple": (Point(1, np.int8(2)), {"x": 1, "y": 2}),
    "asterisks that hide nothing": ([Label(text="*" * 12)], [{"text": "*" * 12}]),
    "pydantic": (
        [Model(when=dt.datetime(2020, 1, 2, tzinfo=dt.UTC))],
        [{"when": "2020-01-02T00:00:00Z", "color": "red", "address": None}],
    ),
    "numpy scalars": (
        [np.int64(1), np.bool_(True), np.float32(1.5), np.longdouble(2), np.str_("é")],
        [1, True, 1.5, 2.0, "é"],
    ),
    "numpy array": (np.array([[1, 2], [3, 4]], dtype=np.uint8), [[1, 2], [3, 4]]),
    "numpy floats": (np.array([[1.5], [np.nan]]), [[1.5], [None]]),
    "numpy long floats": (np.array([1.5], dtype=np.longdouble), [1.5]),
    "numpy text": (np.array(["a", "é"]), ["a", "é"]),
    "numpy objects": (np.array([dt.date(2020, 1, 2), {1}], dtype=object), ["2020-01-02", [1]]),
    "numpy without dimension": ([np.array(5), np.array("2020", "M8[D]")], [5, "2020-01-01"]),
    "numpy empty": (np.zeros((0, 3)), []),
    "numpy masked": (np.ma.array([1, 2], mask=[False, True]), [1, None]),
    "numpy records": (
        np.array([(1, "2020-01-02")], dtype=[("n", "i4"), ("day", "M8[D]")]),
        [{"n": 1, "day": "2020-01-02"}],
    ),
    "numpy times": (
        np.array(["2020-01-02T03:04:05", "NaT"], "M8[ns]"),
        ["2020-01-02T03:04:05", None],
    ),
    "numpy fine time": (
        np.datetime64("2020-01-02T03:04:05.123456789"),
        "2020-01-02T03:04:05.123456789",
    ),
    "numpy month": (np.datetime64("2020-03"), "2020-03-01"),
    "numpy timedelta": (
        [np.timedelta64(90, "s"), np.timedelta64("NaT", "s")],
        ["P0DT0H1M30S", None],
    ),
    "timestamps": (
        [pd.Timestamp("2020-01-02", tz="UTC"), pd.NaT, pd.NA],
        ["2020-01-02T00:00:00+00:00", None, None],
    ),
    "pandas scalars": (
        [pd.Timedelta("1s"), pd.Period("2020-01"), pd.Interval(0, 1)],
        ["P0DT0H0M1S", "2020-01", "(0, 1]"],
    ),
    "series": (pd.Series([1, None, 3], index=["a", "b", "c"]), [1.0, None, 3.0]),
    "index": (pd.DatetimeIndex(["2020-01-02"]), ["2020-01-02T00:00:00"]),
    "categorical": (pd.Categorical(["a", None]), ["a", None]),
    "polars series": (pl.Series([1, None]), [1, None]),
    "result": (
        NangoResult(success=True, error_msg=None, return_value={"a": [1]}),
        {"a": [1]},
    ),
    "a text of one's own class": (Text("text"), "text"),
}


@pytest.mark.parametrize(("value", "expected"), CASES.values(), ids=CASES.keys())
def test_values(value: Any, expected: Any) -> None:
    found = to_json_value(value)
    assert found == expected
    assert json.dumps(found) == json.dumps(expected)  # 1 is not True, nor 1.0
    check_json(found, "input")


def test_pandas_rows() -> None:
    frame = pd.DataFrame(
        {
            "name": ["ada", None],
            "count": [1, 2],
            "share": [0.5, np.nan],
            "when": pd.to_datetime(["2020-01-02", None]).tz_localize("Europe/Berlin"),
            "kind": pd.Categorical(["a", "b"]),
            "maybe": pd.array([1, None], dtype="Int64"),
            "flag": pd.array([True, None], dtype="boolean"),
            "arrow": pd.array(["x", None], dtype="string[pyarrow]"),
            "range": pd.IntervalIndex.from_breaks([0, 1, 2]),
            "things": [[1, {2}], Point(1, 2)],
            7: [dt.timedelta(1), pd.NaT],
        },
        index=["left", "out"],
    )
    rows = to_json_value(frame)
    assert rows == [
        {
            "name": "ada",
            "count": 1,
            "share": 0.5,
            "when": "2020-01-02T00:00:00+01:00",
            "kind": "a",
            "maybe": 1,
            "flag": True,
            "arrow": "x",
            "range": "(0, 1]",
            "things": [1, [2]],
            "7": "P1DT0H0M0S",
        },
        {
            "name": None,
            "count": 2,
            "share": None,
            "when": None,
            "kind": "b",
            "maybe": None,
            "flag": None,
            "arrow": None,
            "range": "(1, 2]",
            "things": {"x": 1, "y": 2},
            "7": None,
        },
    ]
    assert type(rows[0]["count"]) is int
    check_json(rows, "input")


def test_columns_of_two_levels() -> None:
    frame = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("c", "")]))
    assert to_json_value(frame) == [{"a.b": 1, "c": 2}]


def test_frames_without_rows_or_columns() -> None:
    assert to_json_value(pd.DataFrame({"a": []})) == []
    assert to_json_value(pd.DataFrame(index=[1, 2])) == [{}, {}]
    assert to_json_value(pl.DataFrame()) == []


def test_polars_and_arrow_rows() -> None:
    frame = pl.DataFrame(
        {
            "n": [1, None],
            "when": [dt.datetime(2020, 1, 2, tzinfo=dt.UTC), None],
            "nested": [{"a": [dt.date(2020, 1, 2)]}, None],
            "share": [math.nan, 1.5],
        }
    )
    expected = [
        {
            "n": 1,
            "when": "2020-01-02T00:00:00+00:00",
            "nested": {"a": ["2020-01-02"]},
            "share": None,
        },
        {"n": None, "when": None, "nested": None, "share": 1.5},
    ]
    assert to_json_value(frame) == expected
    assert to_json_value(pa.table({"n": [1], "m": ["x"]})) == [{"n": 1, "m": "x"}]


def test_connections_of_a_server() -> None:
    when = dt.datetime(2020, 1, 2, tzinfo=dt.UTC)
    connection = NangoConnection(
        uuid="u", user_id=1, integration="crm", date_created=when, last_modified=when
    )
    assert to_json_value([connection])[0]["user_id"] == 1
    assert to_json_value(connection)["date_created"] == "2020-01-02T00:00:00+00:00"


def _cycle() -> list[Any]:
    cycle: list[Any] = []
    cycle.append({"again": cycle})
    return cycle


def _deep() -> list[Any]:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    return deep


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"rows": [1, {"when": object()}]}, r"input\.rows\[1\]\.when is an object"),
        ({"a b": b"x"}, r'input\["a b"\] is a bytes'),
        ([bytearray(b"x"), 1], r"input\[0\] is a bytearray"),
        (memoryview(b"x"), "input is a memoryview"),
        ([math.inf], r"input\[0\] is inf"),
        (decimal.Decimal("-Infinity"), "input is -inf"),
        ({"x": "\ud800"}, r"input\.x holds a lone surrogate"),
        ({"\ud800": 1}, "lone surrogate"),
        (10**5000, "more digits"),
        ({1: 1, "1": 2}, "two keys that are '1' as text"),
        ({(1, 2): 3}, "has the key"),
        ((n for n in [1]), "input is a generator"),
        (print, "input is a builtin_function_or_method"),
        (Person, "input is a type"),
        (3j, "input is a complex"),
        (np.array([3j]), r"input\[0\] is a numpy.complex128"),
        (np.bytes_(b"x"), "input is a .*bytes"),
        (Secret("never-to-be-sent"), "input is a .*Secret"),
        ([Person(Secret("never-to-be-sent"))], r"input\[0\]\.name is a .*Secret"),  # type: ignore[arg-type]
        ([Login(user="ada", password="p4ss")], r"input\[0\] holds a secret"),  # type: ignore[arg-type]
        (pl.LazyFrame({"a": [1]}), "input is a LazyFrame"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "more than one column 'a'"),
        (pd.DataFrame([[1, 2]], columns=["1", 1]), "more than one column '1'"),
        (pd.DataFrame({"a": [1, 2], "b c": [1, {2: object()}]}), r'input\[1\]\["b c"\]\["2"\]'),
        (pd.DataFrame({"a": [1.0, np.inf]}), r"input\[1\]\.a is inf"),
        (_cycle(), r"input\[0\]\.again contains itself"),
        (_deep(), "nested too deeply"),
    ],
    ids=lambda value: value if isinstance(value, str) and value.isascii() else "",
)
def test_what_json_can_not_hold(value: Any, message: str) -> None:
    with pytest.raises(NangoInputError, match=message) as caught:
        to_json_value(value)
    assert "never-to-be-sent" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "hint"),
    [((n for n in [1]), "list(value)"), (print, "Call it"), (pl.LazyFrame(), "collect")],
    ids=["generator", "function", "lazy frame"],
)
def test_what_to_do_is_said(value: Any, hint: str) -> None:
    with pytest.raises(NangoInputError) as caught:
        to_json_value(value)
    assert hint in caught.value.hint


def test_a_value_that_raises() -> None:
    class Broken(UserDict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise OSError("the token is secret-of-broken")

    remember("secret-of-broken")
    with pytest.raises(NangoInputError, match="input can't be turned into JSON: OSError") as caught:
        to_json_value(Broken(a=1))
    assert "secret-of-broken" not in str(caught.value)


def test_the_same_object_twice_is_no_cycle() -> None:
    shared = [1]
    assert to_json_value({"a": shared, "b": shared}) == {"a": [1], "b": [1]}


def test_packages_are_not_imported_for_it() -> None:
    code = (
        "import sys\nfrom nango_jupyter.conversion import to_json_value\n"
        "class Odd:\n    def __len__(self): return 1\n    def __iter__(self): return iter([1])\n"
        "assert to_json_value([Odd(), {1: 2}]) == [[1], {'1': 2}]\n"
        "assert not {'pandas', 'polars', 'numpy', 'pydantic', 'pyarrow'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
