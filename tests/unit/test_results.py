"""What a call answers with, and what becomes of it in pandas."""

import dataclasses
import json
import pickle
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from nango_jupyter.display import LIMITS
from nango_jupyter.exceptions import NangoKeyError, NangoUsageError
from nango_jupyter.messages import NangoConnection, NangoMessageHandlerResult
from nango_jupyter.results import NangoResult

CONNECTION = NangoConnection.from_wire(
    {
        "uuid": "x",
        "userId": "u1",
        "integration": "demo",
        "dateCreated": "2026-11-23 13:21:02",
        "lastModified": "2026-11-23 13:21:02",
    }
)


def test_it_is_the_references_object_and_knows_more() -> None:
    result = NangoResult(True, None, [1], request="demo.echo", user_id=1, duration=0.5)
    assert isinstance(result, NangoMessageHandlerResult)
    assert result == NangoMessageHandlerResult(True, None, [1])
    assert repr(result) == "NangoResult(success=True, return_value=[1])"
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(dataclasses.FrozenInstanceError):
        result.success = False  # type: ignore[misc]


@pytest.mark.parametrize(
    ("value", "columns", "rows"),
    [
        ([{"a": 1}, {"a": 2, "b": 3}], ["a", "b"], 2),
        ({"contacts": [{"a": 1}], "total": 1}, ["a"], 1),
        ({"a": 1, "b": {"c": 2}}, ["a", "b.c"], 1),
        ([1, "x", None], ["value"], 3),
        ([1, {"a": 1}], ["value"], 2),
        ([], [], 0),
        ({"contacts": []}, [], 0),
    ],
)
def test_rows(value: Any, columns: list[str], rows: int) -> None:
    frame = NangoResult(True, None, value).to_pandas()
    assert len(frame) == rows
    if rows:
        assert list(frame.columns) == columns


def test_connections_become_rows_with_real_times() -> None:
    frame = NangoResult(True, None, [CONNECTION]).to_pandas()
    assert frame["user_id"].tolist() == ["u1"]
    assert frame["date_created"][0] == pd.Timestamp("2026-11-23 13:21:02", tz="UTC")


@pytest.mark.parametrize("value", [None, 1, "text", True, 1.5])
def test_what_has_no_rows(value: Any) -> None:
    with pytest.raises(NangoUsageError, match="not rows"):
        NangoResult(True, None, value).to_pandas()


def test_which_list_is_meant() -> None:
    with pytest.raises(NangoUsageError, match="several lists: a, b"):
        NangoResult(True, None, {"a": [], "b": []}).to_pandas()


VALUE: Any = {"contacts": [{"name": "Ada", "id": 1}, {"name": "Bob", "id": 2}], "total": 2}


def test_the_value_is_at_hand() -> None:
    result = NangoResult(True, None, VALUE)
    assert result["contacts"][0]["name"] == "Ada"
    assert len(result) == 2
    assert list(result) == list(result.keys()) == ["contacts", "total"]
    assert list(result.values())[1] == 2
    assert dict(result.items()) == dict(result) == VALUE
    assert "contacts" in result
    assert "x" not in result
    assert ["contacts"] not in result
    assert 1 not in NangoResult(True, None, "text")
    assert result.get("x", 5) == 5
    rows = NangoResult(True, None, VALUE["contacts"])
    assert [row["name"] for row in rows] == ["Ada", "Bob"]
    assert rows[-1]["id"] == 2
    assert len(rows[:1]) == 1
    assert result._ipython_key_completions_() == ["contacts", "total"]
    assert rows._ipython_key_completions_() == []


def test_truth_is_success() -> None:
    assert NangoResult(True, None, [])
    assert not NangoResult(False, "no", [1])


@pytest.mark.parametrize(
    ("value", "key", "message", "hint"),
    [
        (VALUE, "contact", "The value has no contact", "Did you mean contacts?"),
        (VALUE, "zzz", "The value has no zzz", "Its keys: contacts, total."),
        ([1, 2], 5, r"The value has 2 items: there is no \[5\]", ""),
        ([1, 2], "a", "The value is a list: there is no a", "result[0]"),
        (None, "a", "The value is nothing: there is no a", "result.return_value"),
        (5, 0, r"The value is a number: there is no \[0\]", "result.return_value"),
        (VALUE, ["a"], r"The value has no \[list\]", "Its keys"),
        (VALUE, None, r"The value has no \[NoneType\]", "Its keys"),
        ({"\x1b[1m\u202e": 1}, "\x07", r"The value has no \[\"\\u0007\"\]", r"\u202e"),
    ],
)
def test_a_key_that_is_not_there(value: Any, key: Any, message: str, hint: str) -> None:
    with pytest.raises(NangoKeyError, match=message) as caught:
        NangoResult(True, None, value)[key]
    assert hint in caught.value.hint
    assert (str(caught.value) + caught.value.hint).isprintable()
    assert isinstance(caught.value, KeyError)
    assert isinstance(caught.value, IndexError)


@pytest.mark.parametrize("ask", [len, iter, lambda result: 1 in result], ids=["len", "iter", "in"])
def test_a_value_that_holds_nothing(ask: Any) -> None:
    with pytest.raises(NangoUsageError, match="The value is a number: it has no"):
        ask(NangoResult(True, None, 5))


def test_a_list_has_no_keys() -> None:
    result = NangoResult(True, None, [1])
    for ask in (result.keys, result.values, result.items, lambda: result.get("a")):
        with pytest.raises(NangoUsageError, match="a list: it has no keys"):
            ask()


def test_frames() -> None:
    result = NangoResult(True, None, {**VALUE, "orders": [{"items": [{"a": 1}]}]})
    assert result.to_pandas("contacts")["name"].tolist() == ["Ada", "Bob"]
    assert result.to_polars("orders[0].items")["a"].to_list() == [1]
    for call in (result.to_pandas, result.to_polars, result.table):
        with pytest.raises(NangoUsageError, match="several lists: contacts, orders") as caught:
            call()
        assert caught.value.hint == f"Choose one: .{call.__name__}('contacts')"
    assert NangoResult(True, None, [CONNECTION]).to_polars()["user_id"].to_list() == ["u1"]


def test_json() -> None:
    result = NangoResult(True, None, {"a": "é", "b": [float("nan")]})
    assert json.loads(result.to_json()) == {"a": "é", "b": [None]}
    assert result.to_json(indent=None) == '{"a": "é", "b": [null]}'
    assert json.loads(NangoResult(True, None, [CONNECTION]).to_json())[0]["user_id"] == "u1"


def test_files(tmp_path: Path) -> None:
    result = NangoResult(True, None, VALUE)
    assert json.loads(result.save(tmp_path / "x.json").read_text()) == VALUE
    assert result.save(str(tmp_path / "x.csv")).read_text() == "name,id\nAda,1\nBob,2\n"
    assert result.table().save(tmp_path / "t.jsonl").read_text().count("\n") == 2
    several = NangoResult(True, None, {"a": [], "b": []})
    with pytest.raises(NangoUsageError, match="several lists") as caught:
        several.save(tmp_path / "y.csv")
    assert caught.value.hint == "Choose one: .table('a')"


def test_a_table_of_one_list() -> None:
    result = NangoResult(True, None, VALUE, request="crm.list")
    table = result.table("contacts")
    assert isinstance(table, Sequence)
    assert len(table) == 2
    assert table[0]["name"] == "Ada"
    assert [row["id"] for row in table] == [1, 2]
    assert table[:1].to_pandas()["name"].tolist() == ["Ada"]
    assert table.to_polars()["id"].to_list() == [1, 2]
    assert json.loads(table.to_json()) == VALUE["contacts"]
    assert repr(table) == "NangoTable('contacts', 2 rows)"
    with pytest.raises(NangoKeyError, match="2 items"):
        table[2]
    drawn = table._repr_mimebundle_()
    assert drawn["text/plain"] == "▤ contacts · crm.list\nname  id\n────  ──\nAda    1\nBob    2"
    assert '<th scope="col">name</th>' in drawn["text/html"]


def test_a_table_of_plain_values() -> None:
    drawn = NangoResult(True, None, {"tags": ["a", "b"]}).table()._repr_mimebundle_()
    assert drawn["text/plain"].endswith("value\n─────\na\nb")


def test_show_prints_where_there_is_no_ipython(capsys: pytest.CaptureFixture[str]) -> None:
    result = NangoResult(True, None, [{"a": n} for n in range(300)])
    result.show()
    assert "showing 20 of 300 rows" in capsys.readouterr().out
    result.show(rows=30)
    assert "showing 30 of 300 rows" in capsys.readouterr().out
    result.table().show(all=True)
    shown = capsys.readouterr().out
    assert "299" in shown
    assert "showing" not in shown
    with pytest.raises(NangoUsageError, match="whole number"):
        result.show(rows=0)


def test_limits_are_kept() -> None:
    limits = LIMITS.wider(rows=3)
    result = NangoResult(True, None, {"a": [{"b": n} for n in range(9)]}, limits=limits)
    assert "showing 3 of 9 rows" in result.table()._repr_mimebundle_()["text/html"]
    assert "showing 3 of 9 rows" in result._repr_mimebundle_()["text/html"]
    assert "limits" not in repr(result)
    assert result == NangoResult(True, None, result.return_value)


def test_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(NangoUsageError, match="pandas is not installed"):
        NangoResult(True, None, []).to_pandas()
