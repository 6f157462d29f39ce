"""Every cap holds, and is said on the output."""

from __future__ import annotations

import json
from typing import Any

import pytest

from nango_jupyter.display import LIMITS, Limits, render_card, render_result
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.results import NangoResult
from tests.display.markup import Page


def draw(value: Any, limits: Limits = LIMITS) -> tuple[Page, str]:
    found = render_result(NangoResult(True, None, value), limits)
    return Page(found["text/html"]), found["text/plain"]


def sizes(value: Any) -> tuple[int, int]:
    """Return the bytes of both faces, without what every card costs."""
    found = render_result(NangoResult(True, None, value))
    empty = render_result(NangoResult(True, None, ""))
    return (
        len(found["text/html"].encode()) - len(empty["text/html"].encode()),
        len(found["text/plain"].encode()),
    )


def nest(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value}
    return value


def bush(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = {"a": value, "b": [value, value]}
    return value


def test_long_string_costs_a_few_hundred_bytes() -> None:
    for value in ("x" * 1_000_000, {"a": "x" * 1_000_000}, [{"a": "x" * 1_000_000}]):
        assert max(sizes(value)) < 800
        read, text = draw(value)
        assert "… (1,000,000 characters)" in read.text
        assert "1,000,000 characters" in text or isinstance(value, list)


def test_rows_and_columns() -> None:
    read, text = draw([{f"c{n}": n for n in range(40)} for _ in range(10_000)])
    assert "showing 100 of 10,000 rows, 20 of 40 columns" in read.text
    assert len(read.cells) == 101
    assert len(read.cells[0]) == 21
    assert text.endswith(" of 40 columns; .show(all=True) shows all)")
    assert "(showing 20 of 10,000 rows, " in text
    assert len(text) < 3_000


def test_columns_are_counted_up_to_a_point() -> None:
    read, _ = draw([{str(n): n for n in range(5_000)}])
    assert "showing 20 of 1,000+ columns" in read.text


def test_children() -> None:
    read, text = draw({f"k{n}": n for n in range(100_000)})
    assert "showing 100 of 100,000 keys" in read.text
    assert '"…": "99,950 more keys"' in text
    assert text.endswith("\n(not shown: 99,950 keys; .show(all=True) shows all)")
    read, text = draw(list(range(100_000)))
    assert "showing 100 of 100,000 items" in read.text
    assert '"… 99,950 more items"' in text


def test_depth() -> None:
    read, text = draw(nest(100))
    assert "nested deeper than 10 levels: not shown" in read.text
    assert '"{… 1 key}"' in text
    assert "(not shown: what is nested deeper than 10 levels; " in text


@pytest.mark.parametrize(
    "value",
    [
        list(range(100_000)),
        {f"k{n}": n for n in range(100_000)},
        nest(100),
        bush(20),
        "x" * 1_000_000,
        ["x" * 1_000_000, {"y" * 500: [float("nan"), float("inf"), 10**5_000]}],
        {"rows": [{"id": n} for n in range(1_000)], "more": [{"id": 1}], "pages": 3},
        [{"a": n} for n in range(5)] + [[1] * 1_000] * 500,
    ],
    ids=["items", "keys", "nest", "bush", "text", "numbers", "table", "mixed"],
)
def test_plain_text_stays_json_when_it_is_cut(value: Any) -> None:
    _, json_text = draw(value)[1].split("\n", 1)
    json_text, _, note = json_text.rpartition("\n")
    assert note.startswith("(not shown: ")
    assert note.endswith("; .show(all=True) shows all)")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(json_text, parse_constant=refuse)


def test_each_output_says_once_how_to_see_more() -> None:
    many = [{"a": n} for n in range(500)]
    for value in (many, {"a": many, "b": many, "c": "x" * 1_000}, list(range(500)), nest(50)):
        found = render_result(NangoResult(True, None, value))
        assert found["text/html"].count(".show(all=True)") == 1
        assert found["text/plain"].count(".show(all=True)") == 1
    for value in ({"a": 1}, [{"a": 1}], "x", [1], None):
        assert ".show(" not in str(render_result(NangoResult(True, None, value)))


def test_all_is_all() -> None:
    rows = [{f"c{at}": f"{n}-{at}" for at in range(40)} for n in range(300)]
    value = {"rows": rows, "text": "x" * 10_000, "items": list(range(3_000)), "deep": nest(60)}
    read, text = draw(value, LIMITS.wider(all=True))
    assert all(cell in read.text for cell in ("299-39", "x" * 10_000, "2999: 2999"))
    assert "not shown" not in read.text
    assert ".show" not in read.text
    assert json.loads(text.partition("\n")[2]) == value


@pytest.mark.parametrize(
    ("value", "is_cut"),
    [
        ("x" * 100, True),
        ({"city": {"name": "Berlin"}}, True),
        ({"tags": ["a"]}, True),
        ([{"a": 1}], True),
        ({"city": "Berlin"}, False),
        ([1, 2], False),
        ("x" * 32, False),
        ({"x" * 100: 1}, True),
    ],
    ids=["text", "object", "list", "table", "short object", "short list", "short text", "key"],
)
def test_a_plain_table_says_that_cells_are_cut(value: Any, is_cut: bool) -> None:
    rows = [{"id": 1, "cell": value}]
    text = draw(rows)[1]
    note = "(values in cells cut short; .show(all=True) shows all)"
    assert (text.split("\n")[-1] == note) == is_cut
    everything = draw(rows, LIMITS.wider(all=True))[1].partition("\n")[2]
    if everything.startswith("id  "):
        assert not is_cut or str(value) in everything
    else:
        assert json.loads(everything) == rows


def test_a_key_that_is_cut_is_told() -> None:
    for value in ({"k" * 61: 1}, [{"k" * 61: 1}]):
        assert ".show(all=True) shows all" in draw(value)[0].text
        assert "k" * 61 in draw(value, LIMITS.wider(all=True))[0].text
    assert ".show" not in draw({"k" * 60: 1})[0].text


def test_nesting_has_an_end_even_so() -> None:
    read, text = draw(nest(900), LIMITS.wider(all=True))
    assert "nested deeper than 100 levels: not shown" in read.text
    assert "(not shown: what is nested deeper than 100 levels)" in text


def test_more_rows_and_columns() -> None:
    rows = [{f"c{at}": "some text" for at in range(40)} for n in range(700)]
    read, text = draw(rows, LIMITS.wider(rows=600, columns=30))
    assert "showing 600 of 700 rows, 30 of 40 columns" in read.text
    assert "(showing 600 of 700 rows, 30 of 40 columns; " in text
    read, text = draw(rows, LIMITS.wider(rows=5))
    assert "showing 5 of 700 rows" in read.text
    assert "(showing 5 of 700 rows" in text
    assert "showing 500 of 700 items" in draw(list(range(700)), LIMITS.wider(rows=500))[0].text


@pytest.mark.parametrize("number", [0, -1, True, 1.5, "5"])
def test_wider_by_what(number: Any) -> None:
    with pytest.raises(NangoUsageError, match="whole number above 0"):
        LIMITS.wider(rows=number)
    with pytest.raises(NangoUsageError, match="whole number above 0"):
        LIMITS.wider(columns=number)


def test_total() -> None:
    worst = "\"<&'" * 100
    for value in (
        [{f"k{n}": worst for n in range(40)} for _ in range(200)],
        [[worst] * 200] * 200,
        [{"a": {"b": [{"c": worst}] * 50}}] * 200,
        bush(9),
    ):
        assert sizes(value)[0] < 110_000
        assert sizes(value)[1] < 50_000
    read, _ = draw([{f"k{n}": worst for n in range(40)} for _ in range(200)])
    assert f"showing {len(read.cells) - 1} of 200 rows, 20 of 40 columns" in read.text
    assert "not shown: this output is full" in draw([[worst] * 200] * 200)[0].text


def test_breadth_comes_before_depth() -> None:
    read, _ = draw({"first": bush(12), "last": "still here"})
    assert "last: still here" in read.text


def test_errors() -> None:
    found = render_result(NangoResult(False, "x" * 1_000_000))
    assert "showing 4,000 of 1,000,000 characters" in found["text/html"]
    assert "(showing 4,000 of 1,000,000 characters)" in found["text/plain"]
    assert len(found["text/html"]) < 8_000


def test_facts() -> None:
    many = [f"name-{n}" for n in range(1_000)]
    found = render_card(
        "x", "ok", [("a", many), ("b", {"c": many}), ("d", dict.fromkeys(many, many))]
    )
    assert found["text/plain"].count("(showing 100 of 1,000)") == 2
    assert "showing 100 of 1,000 keys" in found["text/html"]
    assert len(found["text/html"]) < 110_000


def test_huge_integers() -> None:
    read, text = draw([10**5_000, -(10**3_000), 2**64])
    assert "(integer of about 5,001 digits)" in read.text
    assert "… (3,001 digits)" in read.text
    assert "18446744073709551616" in text


def test_a_value_that_contains_itself() -> None:
    value: dict[str, Any] = {}
    value["me"] = [value, {"again": value}]
    read, _ = draw(value)
    assert "nested deeper" in read.text


@pytest.mark.parametrize(
    "value",
    [
        [{"a": n, "b": str(n)} for n in range(100_000)],
        {str(n): n for n in range(100_000)},
        bush(100),
        nest(900),
        "x" * 10_000_000,
        [{str(n): "x" * 1_000_000 for n in range(10)}] * 1_000,
    ],
    ids=["rows", "keys", "bush", "nest", "text", "texts"],
)
def test_what_is_huge_is_drawn_small(value: Any) -> None:
    found = render_result(NangoResult(True, None, value))
    assert len(found["text/html"]) < 150_000
    assert len(found["text/plain"]) < 50_000


def test_wider_limits_show_more() -> None:
    limits = Limits(rows=500, text_rows=500, total=1_000_000)
    read, text = draw([{"a": n} for n in range(300)], limits)
    assert "300 rows, 1 column" in read.text
    assert len(text.split("\n")) == 303
