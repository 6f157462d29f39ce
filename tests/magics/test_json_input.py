"""What a person is told about JSON that is none."""

import pytest

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.json_input import load_json
from nango_jupyter.magics.marks import Document


def read(text: str) -> object:
    return load_json(Document(text, "input", []))


def explain(text: str) -> NangoUsageError:
    with pytest.raises(NangoUsageError) as caught:
        read(text)
    return caught.value


@pytest.mark.parametrize(
    ("text", "value"),
    [("null", None), ('{"a": [1]}\n', {"a": [1]}), ('"é🎉"', "é🎉")],
)
def test_json_is_read(text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("text", "line", "column", "pointed_at"),
    [
        ("{'a': 1}", 1, 2, "'"),
        ('{\n  "a": 1\n  "b": 2\n}', 3, 3, '"'),
        ('{"a": True}', 1, 7, "T"),
        ("[1, 2", 1, 6, ""),
        ('\t{"tab": x}', 1, 10, "x"),
        ('{"a": 1} trailing', 1, 10, "t"),
        ('{"a": "NaN",\n "b": NaN}', 2, 7, "N"),
        ("[1, -Infinity]", 1, 5, "-"),
        ('{"a": {"b": 1}, "c": {"b": 1, "}": 2, "\\u0062": 3}}', 1, 39, '"'),
        ('[{"a": "{"},\n{"a": 1, "a" : 2}]', 2, 10, '"'),
        ('{"日本🎉": x}', 1, 9, "x"),
        (f'{{"long": "{"x" * 500}", y}}', 1, 514, "y"),
    ],
)
def test_the_place_is_shown(text: str, line: int, column: int, pointed_at: str) -> None:
    message = explain(text).message
    assert f"line {line}, column {column}" in message
    _, source, caret = message.split("\n")
    assert caret.strip() == "^"
    assert source[caret.index("^") :][:1] == pointed_at
    assert len(source) < 100


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("{'a': 1}", "double quotes"),
        ('{"a": None}', "true, false and null"),
        ('{"a": 1,}', "comma"),
        ("[1,]", "comma"),
        ("[NaN]", "null"),
        ('{"a": $n}', "not inside a cell"),
    ],
)
def test_what_python_writes_differently_is_hinted_at(text: str, hint: str) -> None:
    assert hint in explain(text).hint


@pytest.mark.parametrize("text", ["NaN", "[" * 100_000, "1" * 5000])
def test_what_json_can_not_hold(text: str) -> None:
    assert "not JSON" in explain(text).message


def test_the_second_of_two_keys_is_named() -> None:
    assert 'The key "a" stands twice' in explain('{"a": 1, "a": 2}').message
