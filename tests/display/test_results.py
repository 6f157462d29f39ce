"""What a result looks like, in both faces."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from nango_jupyter.display import nodes, render_result, text_table
from nango_jupyter.display.values import duration_text
from nango_jupyter.messages import NangoConnection, NangoMessageHandlerResult
from nango_jupyter.results import NangoResult
from tests.display.markup import Page


def draw(value: Any, **more: Any) -> dict[str, str]:
    more = {
        "request": "crm.list-contacts",
        "user_id": "ada",
        "duration": 0.42,
        "is_action": True,
        **more,
    }
    return render_result(NangoResult(True, None, value, **more))


def page(value: Any, **more: Any) -> Page:
    return Page(draw(value, **more)["text/html"])


def fail(message: str | None) -> dict[str, str]:
    return render_result(NangoResult(False, message, request="crm.x", user_id=7, duration=0.038))


def test_header_tells_state_request_user_and_time() -> None:
    found = draw({"a": 1})
    assert set(found) == {"text/html", "text/plain"}
    assert "✓ success · crm.list-contacts · user ada · 0.42 s" in Page(found["text/html"]).text
    assert found["text/plain"].startswith("✓ crm.list-contacts · user ada · 0.42 s\n")


def test_bare_answer_has_a_header_too() -> None:
    found = render_result(NangoMessageHandlerResult(True, None, 1))
    assert found["text/plain"] == "✓ success\n1"
    assert "✓ success" in Page(found["text/html"]).text


def test_user_1_and_user_quoted_1_are_two() -> None:
    assert "user 1 ·" in draw(1, user_id=1)["text/plain"]
    assert 'user "1" ·' in draw(1, user_id="1")["text/plain"]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0004, "<1 ms"), (0.038, "38 ms"), (0.0996, "0.10 s"), (0.42, "0.42 s"),
        (9.996, "10.0 s"), (59.96, "1 min 0 s"), (125, "2 min 5 s"), (3780, "1 h 3 min"),
        (0, ""), (-1, ""), (float("nan"), ""), (None, ""),
    ],
)  # fmt: skip
def test_durations(seconds: float | None, text: str) -> None:
    assert duration_text(seconds) == text


def test_nothing_returned() -> None:
    found = draw(None)
    assert "nothing returned" in Page(found["text/html"]).text
    assert found["text/plain"].endswith("\nnothing returned")


def test_list_of_objects_is_a_table_of_all_keys() -> None:
    rows = [{"id": 1, "name": "Ada"}, {"name": "Bob", "note": None, "id": 20}]
    assert page(rows).cells == [
        ["", "id", "name", "note"], ["0", "1", "Ada", ""], ["1", "20", "Bob", "null"],
    ]  # fmt: skip
    assert draw(rows)["text/plain"].split("\n")[1:] == [
        "id  name  note", "──  ────  ────", " 1  Ada", "20  Bob   null",
    ]  # fmt: skip


def test_list_of_objects_inside_an_object_is_a_table() -> None:
    found = draw({"contacts": [{"id": 1}, {"id": 2}], "pages": 3})
    read = Page(found["text/html"])
    assert read.cells == [["", "id"], ["0", "1"], ["1", "2"]]
    assert "contacts: 2 rows" in read.text
    assert "pages: 3" in read.text
    assert json.loads(found["text/plain"].partition("\n")[2])["pages"] == 3


def test_long_list_inside_an_object_is_an_aligned_table_of_plain_text() -> None:
    rows = [{"id": n, "name": "Ada", "x": {"y": n}} for n in range(60)]
    lines = draw({"contacts": rows, "pages": 3})["text/plain"].split("\n")
    assert lines[1:4] == ["id  name  x", "──  ────  ───────", " 0  Ada   {y: 0}"]
    note = 'contacts: showing 20 of 60 rows; beside it {"pages": 3}; .show(all=True) shows all'
    assert lines[-1] == f"({note})"
    more = {str(n): [[n]] for n in range(12)}
    assert "; beside it 12 other keys; " in draw({"contacts": rows, **more})["text/plain"]
    assert "(contacts: showing 20 of 60 rows; .show" in draw({"contacts": rows})["text/plain"]


def test_several_long_lists_inside_an_object_have_a_row_on_each_line() -> None:
    rows = [{"id": n, "name": "Ada"} for n in range(60)]
    lines = draw({"a": [{"b": 1}], "contacts": rows})["text/plain"].split("\n")
    assert '    {"id": 0, "name": "Ada"},' in lines
    assert lines[-4:] == [
        '    "… 10 more items"', "  ]", "}",
        "(not shown: 10 items; .show(all=True) shows all)",
    ]  # fmt: skip


def test_top_levels_stand_open() -> None:
    html = draw({"a": {"b": {"c": {"d": 1}}}})["text/html"]
    assert html.count("<details open>") == 1
    assert html.count("<details>") == 2


def test_nested_cell_folds_out() -> None:
    read = page([{"address": {"city": "Berlin", "geo": {"lat": 1}}}])
    assert "{city: Berlin, geo: {…}}" in read.text
    assert "city: Berlin" in read.cells[1][1]
    assert "details" in read.tags


def test_plain_values_are_json_words() -> None:
    read = page([1, 2.5, True, False, None, "x", 1e400, [], {}])
    for shown in ("0: 1", "1: 2.5", "2: true", "3: false", "4: null", "5: x", "6: Infinity"):
        assert shown in read.text
    assert "7: []8: {}" in read.text


@pytest.mark.parametrize("text", ["42", "true", "null", "", " x", "1e5"])
def test_text_that_looks_like_something_else_is_quoted(text: str) -> None:
    assert f'a: "{text}"' in page({"a": text}).text


def test_words_are_quoted_in_tables_and_digits_are_not() -> None:
    assert page([{"a": "null", "b": "10115", "c": ""}]).cells[1] == ["0", '"null"', "10115", '""']


@pytest.mark.parametrize(
    "rows",
    [
        [{"n": n, "x": n / 7, "s": f"<{n}>", "long": "word " * n, "é": "東京"} for n in range(20)],
        [{"n": 1, "mixed": 1}, {"n": 2.5, "mixed": "x"}, {"n": -3, "mixed": None}],
        [{"": "a", "b": "x"}, {"": "b", "c": [1]}],
    ],
    ids=["plain", "mixed", "gaps"],
)
def test_the_quick_way_draws_the_same(
    rows: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = draw(rows)
    for module in (nodes, text_table):
        monkeypatch.setattr(module, "plain_texts", lambda *_: None)
    assert draw(rows) == quick


def test_numbers_stand_to_the_right() -> None:
    html = draw([{"n": 1, "s": "1"}, {"n": None, "s": 2}])["text/html"]
    assert '<th scope="col" class="ng-n">n</th><th scope="col">s</th>' in html
    assert html.count('<td class="ng-n">') == 2


def test_plain_text_is_valid_json() -> None:
    value: Any = {
        "a": [1, {"b": '\u202e\x00\n"\\'}],
        "c": {},
        "d": [],
        "e": None,
        "long": ["x" * 90, 2],
    }
    assert json.loads(draw(value)["text/plain"].partition("\n")[2]) == value


def test_small_json_stands_on_one_line() -> None:
    assert draw({"a": 1, "b": [2, 3]})["text/plain"].split("\n")[1:] == [
        "{", '  "a": 1,', '  "b": [2, 3]', "}",
    ]  # fmt: skip


def test_short_items_fill_lines() -> None:
    value = {"a": list(range(40)), "b": ["x" * 50, "y"]}
    text = draw(value)["text/plain"].partition("\n")[2]
    assert json.loads(text) == value
    assert len(text.split("\n")) == 7
    assert max(map(len, text.split("\n"))) <= 100


def test_plain_text_lines_up_wide_characters() -> None:
    lines = draw([{"a": "東京", "b": "x"}, {"a": "abc", "b": "y"}])["text/plain"].split("\n")
    assert lines[1:] == ["a     b", "────  ─", "東京  x", "abc   y"]


def test_plain_table_leaves_out_columns_that_do_not_fit() -> None:
    lines = draw([{f"column {n}": "x" * 40 for n in range(30)}])["text/plain"].split("\n")
    assert max(map(len, lines)) <= 100
    assert lines[-1] == (
        "(showing 5 of 30 columns; values in cells cut short; .show(all=True) shows all)"
    )


def test_failure_shows_its_message() -> None:
    found = fail("No connection for user 'bob'\n  second line")
    assert "No connection for user 'bob'\n  second line" in Page(found["text/html"]).text
    assert found["text/plain"] == (
        "✗ failed · crm.x · user 7 · 38 ms\nNo connection for user 'bob'\n  second line"
    )
    assert "nothing returned" not in found["text/html"]


@pytest.mark.parametrize("message", [None, "", "\n "])
def test_failure_without_a_reason(message: str | None) -> None:
    assert "gave no reason" in fail(message)["text/html"]


def test_long_errors_are_folded() -> None:
    html = fail("\n\n  \nError: 401\n" + "    at x\n" * 30)["text/html"]
    assert "<details><summary>Error: 401</summary><pre>" in html
    trace = "Traceback (most recent call last):\n" + "  File x\n" * 30 + "KeyError: 'a'"
    assert "<summary>KeyError: &#39;a&#39;</summary>" in fail(trace)["text/html"]


def test_failure_with_a_value_shows_both() -> None:
    found = render_result(NangoMessageHandlerResult(False, "half done", {"done": 3}))
    assert "half done" in found["text/html"]
    assert "done: 3" in Page(found["text/html"]).text
    assert found["text/plain"].endswith('half done\n{"done": 3}')


def test_connections_are_a_table() -> None:
    day = datetime(2023, 1, 2, 3, 4, 5, tzinfo=UTC)
    one = NangoConnection(
        uuid="u", user_id=1, integration="crm", date_created=day, last_modified=day,
        additional_config={"api_key": "hidden!"},
    )  # fmt: skip
    found = draw([one])
    assert Page(found["text/html"]).cells[0][1:4] == ["uuid", "user_id", "integration"]
    assert "2023-01-02 03:04:05+00:00" in found["text/html"]
    assert "hidden!" not in str(found)


class Broken:
    def __repr__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Broken(), "<Broken>"), ({1, 2}, "{1, 2}"), (b"x", "b'x'"), (Decimal("1.50"), "1.50"),
        (object, "<class 'object'>"), (datetime(2024, 1, 2), "2024-01-02 00:00:00"),
    ],
)  # fmt: skip
def test_other_objects(value: Any, text: str) -> None:
    for around in ([value], {"a": value}, [{"a": value}], {"a": [[value]]}):
        assert text in page(around).text
        assert "…" not in draw(around)["text/plain"]
    assert text in page(value).text
    assert text in draw(value)["text/plain"]


@pytest.mark.parametrize("key", [None, 1, 1.5, True, (1, 2), (Broken(),), b"x", object()])
def test_other_keys(key: Any) -> None:
    for value in ({key: 1}, [{key: 1}], {"a": {key: {key: 1}}}):
        assert "1" in page(value).text
        assert "1" in draw(value)["text/plain"]


def test_importing_the_package_does_not_import_jinja() -> None:
    code = "import sys, nango_jupyter, nango_jupyter.results; sys.exit('jinja2' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
