"""Rows of whatever holds some."""

from __future__ import annotations

import copy
import importlib
import pickle
import sqlite3
from collections import UserDict, namedtuple
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd
import polars as pl
import pytest
from pydantic import BaseModel

from nango_jupyter import secrets
from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.results import NangoResult
from nango_jupyter.rows import Row, iterate, json_row, values_of

pa: Any = importlib.import_module("pyarrow")  # it has no types

Pair = namedtuple("Pair", "name n")


@dataclass
class Person:
    name: str
    n: int


class Model(BaseModel):
    name: str
    n: int


_databases: list[sqlite3.Connection] = []


@pytest.fixture(autouse=True)
def closed_databases() -> Iterator[None]:
    """Python 3.13 warns of those that are forgotten."""
    yield
    while _databases:
        _databases.pop().close()


def cursor() -> sqlite3.Cursor:
    connection = sqlite3.connect(":memory:")
    _databases.append(connection)
    connection.row_factory = sqlite3.Row
    return connection.execute("select 'Ada' as name, 1 as n union select 'Bob', 2")


class Attrs:
    """As the package attrs makes them."""

    __attrs_attrs__ = (type("A", (), {"name": "name"}), type("A", (), {"name": "n"}))

    def __init__(self, name: str, n: int) -> None:
        self.name, self.n = name, n


DICTS: list[dict[str, Any]] = [{"name": "Ada", "n": 1}, {"name": "Bob", "n": 2}]
SOURCES: dict[str, Any] = {
    "dicts": lambda: DICTS,
    "tuple": lambda: tuple(DICTS),
    "generator": lambda: (row for row in DICTS),
    "values": lambda: dict(enumerate(DICTS)).values(),
    "mappings": lambda: [UserDict(row) for row in DICTS],
    "rows": lambda: [Row(row) for row in DICTS],
    "dataclasses": lambda: [Person(**row) for row in DICTS],
    "models": lambda: [Model(**row) for row in DICTS],
    "namedtuples": lambda: [Pair(**row) for row in DICTS],
    "attrs": lambda: [Attrs(**row) for row in DICTS],
    "cursor": cursor,
    "pandas": lambda: pd.DataFrame(DICTS),
    "polars": lambda: pl.DataFrame(DICTS),
    "pyarrow": lambda: pa.Table.from_pylist(DICTS),
    "record batch": lambda: pa.RecordBatch.from_pylist(DICTS),
    "series": lambda: [pd.Series(row) for row in DICTS],
    "result": lambda: NangoResult(True, None, DICTS),
}


@pytest.mark.parametrize("name", SOURCES)
def test_rows_of(name: str) -> None:
    rows = iterate(SOURCES[name]())
    found = list(rows)
    assert found == DICTS
    assert [row.name for row in found] == ["Ada", "Bob"]
    assert rows.total == (None if name in ("generator", "cursor") else 2)
    assert rows.position == 2


def test_a_frame_keeps_its_values_and_has_its_index_if_that_has_a_name() -> None:
    frame = pd.DataFrame(
        {"n": [1, 2], "x": [0.5, None], "when": pd.Timestamp("2026-01-02"), 3: ["a", "b"]}
    )
    first, second = iterate(frame)
    assert list(first) == ["n", "x", "when", "3"]
    assert type(first.n) is int
    assert isinstance(first.when, datetime)
    assert first[3] == "a"
    assert second.x != second.x
    grouped = frame.set_index("n")
    assert [row.n for row in iterate(grouped)] == [1, 2]
    levels = pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "b"), ("c", "")]))
    assert values_of(next(iterate(levels))) == {"a.b": 1, "c": 2}
    assert [len(row) for row in iterate(pd.DataFrame(index=range(3)))] == [0, 0, 0]


def test_gaps_of_pandas_are_none_but_in_floats() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None],
            "when": [pd.Timestamp("2026-01-02"), pd.NaT],
            "n": pd.array([1, None], dtype="Int64"),
            "x": [0.5, None],
        }
    )
    first, second = iterate(frame)
    assert [first.text, first.n, first.x] == ["a", 1, 0.5]
    assert [second.text, second.when, second.n] == [None] * 3
    assert second.x != second.x


def test_what_changes_later_changes_nothing() -> None:
    items = [{"n": 1}, {"n": 2}]
    frame, table = pd.DataFrame(items), pl.DataFrame(items)
    for source in (items, frame, table):
        rows = iterate(source)
        first = next(rows)
        if isinstance(source, list):
            source[0]["n"] = 9
            source.append({"n": 3})
        elif isinstance(source, pd.DataFrame):
            source.loc[:, "n"] = 9
        else:
            source.drop_in_place("n")
        assert first == {"n": 1}
        assert list(rows) == [{"n": 2}]


def test_the_rest_is_read_anew_where_that_can_be() -> None:
    for source in (DICTS, pd.DataFrame(DICTS), pl.DataFrame(DICTS), pa.Table.from_pylist(DICTS)):
        rows = iterate(source)
        next(rows)
        assert [list(rows.rest()), list(rows.rest())] == [DICTS[1:], DICTS[1:]]
        assert rows.rest().position == 1
    rows = iterate(row for row in DICTS)
    next(rows)
    assert list(rows.rest()) == DICTS[1:]
    assert list(rows.rest()) == []


def test_a_generator_is_read_row_by_row() -> None:
    pulled = []

    def source() -> Iterator[dict[str, int]]:
        for n in range(10):
            pulled.append(n)
            yield {"n": n}

    rows = iterate(source())
    assert pulled == []
    next(rows)
    assert pulled == [0]


async def _agen() -> AsyncIterator[dict[str, Any]]:
    yield {}


BAD: dict[str, tuple[Any, str]] = {
    "text": ("abc", "str holds no rows"),
    "bytes": (b"abc", "bytes holds no rows"),
    "dict": ({"a": [1]}, "A dict is one row"),
    "number": (5, "an int, which holds no rows"),
    "none": (None, "None holds no rows"),
    "function": (cursor, "a function, which holds no rows"),
    "class": (Person, "a type, which holds no rows"),
    "async": (_agen(), "an async_generator, which can't be read here"),
    "lazy": (pl.LazyFrame({"a": [1]}), "LazyFrame has no rows yet"),
    "series": (pd.Series([1]), "Series is one column"),
    "twice": (pd.DataFrame([[1, 2]], columns=["a", "a"]), "Two columns are called 'a'"),
    "late": ([{"a": 1}, {"a": 1}, {"a": 1}, 5], "Row 3 is an int"),
    "texts": (["ab"], "Row 0 is a str"),
    "nothing": ([None], "Row 0 is nothing"),
    "iterrows": (list(pd.DataFrame(DICTS).iterrows()), "Row 0 is a tuple"),
    "object result": (NangoResult(True, None, {"contacts": DICTS}), "result is an object"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_holds_no_rows_is_refused_at_once(name: str) -> None:
    source, message = BAD[name]
    with pytest.raises(NangoUsageError, match=message) as caught:
        iterate(source)
    assert caught.value.hint


def test_a_generators_bad_row_is_told_when_its_turn_comes() -> None:
    rows = iterate(iter([{"a": 1}, 5]))
    next(rows)
    with pytest.raises(NangoUsageError, match="Row 1 is an int"):
        next(rows)


def test_columns_come_before_methods() -> None:
    row: Any = Row({"items": 3, "keys": 4, "get": 5, "_values": 6, "__x": 7, "class": 8})
    assert (row.items, row.keys, row.get, row._values, getattr(row, "__x")) == (3, 4, 5, 6, 7)
    assert (row["class"], len(row), "items" in row) == (8, 6, True)
    assert row == {"items": 3, "keys": 4, "get": 5, "_values": 6, "__x": 7, "class": 8}
    assert to_json_value(row)["items"] == 3
    assert Row({"a": 1}).get("b", 2) == 2
    assert dict(Row({"a": 1}).items()) == {"a": 1}
    assert dir(Row({"a": 1})) == ["a"]


def test_a_missing_column_names_the_others() -> None:
    row: Any = Row({"name": 1, "email": 2})
    with pytest.raises(AttributeError) as by_name:
        row.nmae  # noqa: B018
    with pytest.raises(KeyError) as by_key:
        row["nmae"]
    message = "There is no column 'nmae'. Did you mean name? Columns: name, email."
    assert [str(by_name.value), str(by_key.value)] == [message, message]
    assert not hasattr(row, "other")
    with pytest.raises(AttributeError, match="the row has none"):
        Row({}).x  # noqa: B018
    with pytest.raises(AttributeError, match="can't be changed"):
        row.name = 3
    many = Row({f"c{n}": n for n in range(30)})
    with pytest.raises(KeyError, match="and 20 more"):
        many["x"]


def test_rows_are_copied_and_pickled() -> None:
    row = Row({"items": [1]})
    assert copy.copy(row) == copy.deepcopy(row) == pickle.loads(pickle.dumps(row)) == row
    assert row != Row({"items": [2]})
    assert row != 5


def test_a_row_shows_no_secrets() -> None:
    secrets.remember("s3cr3t-T0ken")
    row = Row({"token": "hunter2", "name": "x s3cr3t-T0ken", "big": "x" * 1_000_000})
    assert "hunter2" not in repr(row)
    assert "s3cr3t" not in repr(row)
    assert len(repr(row)) < 300
    with pytest.raises(AttributeError) as caught:
        Row({"a s3cr3t-T0ken": 1}).x  # noqa: B018
    assert "s3cr3t" not in str(caught.value)


def test_a_row_as_json_has_text_for_what_json_cant_hold() -> None:
    class Broken:
        def __repr__(self) -> str:
            raise ValueError

    found = json_row({"a": datetime(2026, 1, 2), "b": b"x", "c": float("inf"), "d": Broken()})
    assert found == {"a": "2026-01-02T00:00:00", "b": "b'x'", "c": "inf", "d": "<Broken>"}
