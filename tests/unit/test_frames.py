"""Rows as frames and as files."""

from __future__ import annotations

import csv
import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pytest

from nango_jupyter import frames
from nango_jupyter.exceptions import NangoKeyError, NangoUsageError

PEOPLE = [
    {"id": 1, "name": "Ada", "address": {"city": "Berlin", "geo": {"lat": 52.5}}, "tags": ["a"]},
    {"id": 2, "name": "Bob", "address": None, "tags": []},
    {"id": 3, "name": "東京, \"x\"\ny", "address": {"city": "Oslo"}, "more": True},
]  # fmt: skip
COLUMNS = ["id", "name", "address.city", "address.geo.lat", "tags", "more"]


def test_pandas() -> None:
    frame = frames.to_pandas(PEOPLE)
    assert list(frame.columns) == COLUMNS
    assert frame["id"].tolist() == [1, 2, 3]
    assert frame["address.city"].isna().tolist() == [False, True, False]
    assert frame["tags"].tolist()[:2] == [["a"], []]
    assert frame["address.geo.lat"][0] == 52.5


def test_polars() -> None:
    frame = frames.to_polars(PEOPLE)
    assert frame.columns == COLUMNS
    assert frame["address.city"].to_list() == ["Berlin", None, "Oslo"]
    assert frame["tags"].to_list() == [["a"], [], None]
    assert frame["id"].dtype == pl.Int64


@pytest.mark.parametrize(
    ("values", "found"),
    [
        ([1, 2.5, None], [1.0, 2.5, None]),
        ([1, "a", None, True], ["1", "a", None, "true"]),
        ([{"a": 1}, 5, [1]], ["5", None, "[1]"]),
        ([[1], [2.5]], [[1.0], [2.5]]),
        ([[{"a": 1}], [{"a": 2, "b": 3}]], [[{"a": 1, "b": None}], [{"a": 2, "b": 3}]]),
        ([[[1]], [1]], ["[[1]]", "[1]"]),
        ([[1], ["x"], [[2]]], ["[1]", '["x"]', "[[2]]"]),
        ([[{}], None], ["[{}]", None]),
        ([[{"a": 1}, 5]], ['[{"a": 1}, 5]']),
        ([[{"a": 1}], [{"a": True}]], ['[{"a": 1}]', '[{"a": true}]']),
        ([2**200, 1], [str(2**200), "1"]),
        ([[2**200], [1]], [f"[{2**200}]", "[1]"]),
        ([None, None], [None, None]),
        (["\ud800", "x"], ["\\ud800", "x"]),
        ([math.inf, 1.0], [math.inf, 1.0]),
    ],
    ids=str,
)
def test_polars_takes_columns_of_all_kinds(values: list[Any], found: list[Any]) -> None:
    frame = frames.to_polars([{"c": value} for value in values])
    values_found = frame["c"].to_list()
    assert sorted(map(repr, values_found)) == sorted(map(repr, found))
    assert len(frames.to_pandas([{"c": value} for value in values])) == len(values)


def test_polars_has_a_column_without_a_name() -> None:
    rows = [{"": 1, "column_0": 2}]
    assert frames.to_polars(rows).to_dicts() == rows


def test_large_integers_stay_exact_beside_gaps() -> None:
    frame = frames.to_pandas([{"id": 2**60 + 1}, {}, {"id": 5}])
    assert frame["id"].dropna().tolist() == [2**60 + 1, 5]
    assert frames.to_pandas([{"id": 1}, {}])["id"].dtype == "float64"
    assert frames.to_pandas([{"id": 2**63 + 1}, {}])["id"].tolist() == [2**63 + 1, None]


def test_two_ways_to_one_name() -> None:
    frame = frames.to_pandas([{"a.b": 1, "a": {"b": 2}}])
    assert frame.to_dict("records") == [{"a.b": 1, "a.b_2": 2}]


def test_rows_that_are_no_objects() -> None:
    assert frames.to_pandas([1, {"a": 1}])["value"].tolist() == [1, {"a": 1}]
    assert frames.to_polars([1, "x"])["value"].to_list() == ["1", "x"]
    assert len(frames.to_polars([])) == len(frames.to_pandas([])) == 0
    assert len(frames.to_pandas([{}, {}])) == 2


def test_deep_rows() -> None:
    value: Any = 1
    for _ in range(500):
        value = {"a": value}
    assert len(frames.to_pandas([value]).columns) == 1
    assert len(frames.to_polars([{"a": {"b": {"c": 1}}}]).columns) == 1


@pytest.mark.parametrize("package", ["pandas", "polars"])
def test_a_missing_package_is_told_before_it_is_needed(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    frames.check_package(package)
    monkeypatch.setitem(sys.modules, package, None)
    for ask in (lambda: frames.check_package(package), lambda: CONVERT[package]([{"a": 1}])):
        with pytest.raises(NangoUsageError, match=f"{package} is not installed") as caught:
            ask()
        assert caught.value.hint == f"Run: %pip install {package}"


CONVERT: dict[str, Any] = {"pandas": frames.to_pandas, "polars": frames.to_polars}


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys; from nango_jupyter import frames, results; from nango_jupyter.display.limits "
        "import LIMITS; frames.check_package('pandas'); frames.check_package('polars'); "
        "print(*{'pandas', 'polars', 'numpy', 'jinja2', 'pyarrow'} & {*sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "\n"


VALUE: Any = {
    "contacts": [{"name": "Ada"}],
    "orders": [{"items": [1, 2], "a.b": [3]}, {"items": []}],
    "odd.key": {"x y": [5]},
    "0": "zero",
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("contacts", [{"name": "Ada"}]),
        ("contacts[0].name", "Ada"),
        ("contacts.0.name", "Ada"),
        ("orders[0].items", [1, 2]),
        ("orders.0.items", [1, 2]),
        ("orders.0.items.1", 2),
        ("orders[-1].items", []),
        ("orders.0.a.b", [3]),
        ('orders[0]["a.b"]', [3]),
        ("odd.key.x y", [5]),
        ('["odd.key"]["x y"][0]', 5),
        ("['odd.key']", {"x y": [5]}),
        ("0", "zero"),
        ("", VALUE),
    ],
)
def test_paths(path: str, found: Any) -> None:
    assert frames.find_value(VALUE, path) == found


@pytest.mark.parametrize(
    ("path", "hint"),
    [
        ("contact", "Did you mean contacts? Lists in it: contacts, orders, "),
        ("orders[0].item", "Did you mean orders[0].items or "),
        ("orders[7].items", "Lists in it: contacts, orders, "),
        ("orders.items", "Lists in it: "),
        ("contacts.0.name.first", "Lists in it: "),
    ],
)
def test_a_path_to_nothing(path: str, hint: str) -> None:
    with pytest.raises(NangoKeyError, match="There is no") as caught:
        frames.find_value(VALUE, path)
    assert hint in caught.value.hint
    assert 'orders[0]["a.b"]' in caught.value.hint


@pytest.mark.parametrize("path", ["a[", "a]b", "a[x]", "..", 5, None])
def test_what_is_no_path(path: Any) -> None:
    with pytest.raises(NangoUsageError, match="path"):
        frames.find_value({}, path)


def test_rows_at_a_path() -> None:
    assert frames.find_rows(VALUE, "orders.0.items") == [1, 2]
    assert frames.find_rows(VALUE, "odd.key") == [5]
    with pytest.raises(NangoUsageError, match="'0' is a text, not rows"):
        frames.find_rows(VALUE, "0")
    with pytest.raises(NangoUsageError, match=r"several lists: orders\[0\].items, orders") as found:
        frames.find_rows(VALUE, "orders[0]", "table")
    assert found.value.hint == "Choose one: .table('orders[0].items')"


def test_names_in_errors_are_safe() -> None:
    value: dict[str, list[int]] = {"\x1b[31m\u202e": [], "b": []}
    with pytest.raises(NangoUsageError) as caught:
        frames.find_rows(value)
    assert caught.value.message.isprintable()
    with pytest.raises(NangoKeyError) as missing:
        frames.find_value(value, "\u202e" * 1_000)
    assert str(missing.value).isprintable()
    assert missing.value.hint.isprintable()
    assert len(str(missing.value)) < 500


def read_csv(path: Path) -> list[list[str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_files(tmp_path: Path) -> None:
    value = {"contacts": PEOPLE, "total": 3}
    found = frames.save(tmp_path / "x.json", value)
    assert json.loads(found.read_text("utf-8")) == value
    found = frames.save(tmp_path / "x.jsonl", value, lambda: PEOPLE)
    assert [json.loads(line) for line in found.read_text("utf-8").splitlines()] == PEOPLE
    found = frames.save(tmp_path / "x.CSV", value, lambda: PEOPLE)
    assert read_csv(found) == [
        COLUMNS,
        ["1", "Ada", "Berlin", "52.5", '["a"]', ""],
        ["2", "Bob", "", "", "[]", ""],
        ["3", '東京, "x"\ny', "Oslo", "", "", "true"],
    ]
    found = frames.save(tmp_path / "x.parquet", PEOPLE)
    assert pl.read_parquet(found).equals(frames.to_polars(PEOPLE))
    assert pd.read_parquet(found)["id"].tolist() == [1, 2, 3]
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "x.CSV", "x.json", "x.jsonl", "x.parquet",
    ]  # fmt: skip


def test_parquet_with_pandas_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "polars", None)
    rows = [{"id": 1, "mixed": 1, "tags": ["a"]}, {"id": 2, "mixed": "x", "tags": []}]
    found = pd.read_parquet(frames.save(tmp_path / "x.parquet", rows))
    assert found["mixed"].tolist() == ["1", "x"]
    for odd, text in (({}, "{}"), (2**70, str(2**70))):
        found = pd.read_parquet(frames.save(tmp_path / "x.parquet", [{"a": [odd]}, {"a": None}]))
        assert found["a"].dropna().tolist() == [f"[{text}]"]
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(NangoUsageError, match="Parquet files need polars"):
        frames.check_target(tmp_path / "y.parquet")


@pytest.mark.parametrize(
    ("name", "message", "hint"),
    [
        (
            "x.jason",
            "does not end in one of .json, .jsonl, .csv, .parquet",
            "mean .json or .jsonl?",
        ),
        ("x.CVS", "does not end in one of", "mean .csv?"),
        ("x", "does not end in one of", "result.json"),
        ("missing/x.json", "There is no folder", "Make it first"),
        ("folder.csv", "is a folder", "Give the name"),
    ],
)
def test_a_name_that_can_not_be_saved_to(
    tmp_path: Path, name: str, message: str, hint: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(NangoUsageError, match=message) as caught:
        frames.save(str(tmp_path / name), [])
    assert hint in caught.value.hint


def test_a_file_is_replaced_when_the_new_one_is_complete(tmp_path: Path) -> None:
    target = tmp_path / "x.json"
    target.write_text("before")
    target.chmod(0o640)
    with pytest.raises(NangoUsageError, match=r"value\.a"):
        frames.save(target, {"a": b"bytes"})
    assert target.read_text() == "before"
    frames.save(target, [1])
    assert json.loads(target.read_text()) == [1]
    assert target.stat().st_mode & 0o777 == 0o640
    assert list(tmp_path.iterdir()) == [target]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("before")
    link = tmp_path / "link.json"
    link.symlink_to(tmp_path / "real.json")
    frames.save(link, 1)
    assert link.is_symlink()
    assert (tmp_path / "real.json").read_text() == "1\n"


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", fail)
    with pytest.raises(NangoUsageError, match="can't be written: No space left on device"):
        frames.save(tmp_path / "x.json", 1)
    assert not list(tmp_path.iterdir())
