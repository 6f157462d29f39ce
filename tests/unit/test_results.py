"""What a call answers with, and what becomes of it in pandas."""

import dataclasses
import pickle
from typing import Any

import pandas as pd
import pytest

from nango_jupyter.exceptions import NangoUsageError
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


def test_without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    import builtins

    real = builtins.__import__

    def without(name: str, *rest: Any) -> Any:
        if name == "pandas":
            raise ModuleNotFoundError("No module named 'pandas'", name="pandas")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(NangoUsageError, match="pandas is not installed"):
        NangoResult(True, None, []).to_pandas()
