"""How a magic's line becomes arguments."""

import pytest

from nango_jupyter.exceptions import NangoInputError, NangoUsageError
from nango_jupyter.magics.arguments import expand, expand_json, split


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("", []),
        ("a  b\tc", ["a", "b", "c"]),
        ('demo echo "ada lovelace"', ["demo", "echo", "ada lovelace"]),
        ("demo echo 'ada lovelace' {\"a\": 1}", ["demo", "echo", "ada lovelace", '{"a": 1}']),
        ('a {"b": "it\'s"} c', ["a", '{"b": "it\'s"}', "c"]),
        ("--config '{\"a\": 1}' x", ["--config", '{"a": 1}', "x"]),
        ('--config={"a":1} x', ["--config", '{"a":1}', "x"]),
        ("a [1, 2] --timeout 3", ["a", "[1, 2]", "--timeout", "3"]),
        ('a {"b": $n, "c": 2}', ["a", '{"b": $n, "c": 2}']),
        ("a {broken: json here", ["a", "{broken: json here"]),
        ('a {"rows": $rows} --timeout 5', ["a", '{"rows": $rows}', "--timeout", "5"]),
        ("--local   # the embedded server", ["--local"]),
        ("a '#general' b#c", ["a", "#general", "b#c"]),
        ("a {user} b", ["a", "{user}", "b"]),
        ("a -5;", ["a", "-5"]),
        ("o'brien x", ["o'brien", "x"]),
        ("\"it's\" 'x'", ["it's", "x"]),
    ],
)
def test_split(line: str, expected: list[str]) -> None:
    assert split(line) == expected


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('"text"', '"text"'),
        ("'{\"a\": 1}'", '{"a": 1}'),
        ("'[1]'", "[1]"),
        ("12", "12"),
        ('"say \\"hi\\""', '"say \\"hi\\""'),
    ],
)
def test_quotes_belong_to_json_strings(line: str, expected: str) -> None:
    assert split(line)[0].json == expected


def test_expand_gives_the_variable_itself() -> None:
    rows = [1, 2]
    names = {"rows": rows, "n": 7}
    assert expand("$rows", names) is rows
    assert expand("{n+1}", names) == 8
    assert expand("{rows[0]}", names) == 1
    assert expand("n", names) == "n"
    assert expand("7", names) == "7"
    assert expand("user-$n", names) == "user-7"
    assert expand("user{n}x{rows[1]}", names) == "user7x2"
    assert expand(split("'user-$n'")[0], names) == "user-$n"
    assert expand(split('{d["a b"]}')[0], {"d": {"a b": 5}}) == 5
    assert expand("$complex.real", {"complex": 3}) == 3
    assert expand("amqp://ada:pa$n@host", names) == "amqp://ada:pa$n@host"


def test_expand_says_what_is_missing() -> None:
    with pytest.raises(NangoUsageError, match="no variable nobody"):
        expand("$nobody", {})
    with pytest.raises(NangoUsageError, match="no variable nobody"):
        expand("user-{nobody}", {})
    with pytest.raises(NangoUsageError, match="IndexError"):
        expand("{rows[3]}", {"rows": []})


def test_expand_json_leaves_strings_alone() -> None:
    names = {"n": None, "text": 'a "quoted" $n', "rows": [{"a": 1.5}]}
    line = '{"n": $n, "t": $text, "$n": "$n \\" $n", "r": $rows}'
    assert expand_json(line, names) == (
        '{"n": null, "t": "a \\"quoted\\" $n", "$n": "$n \\" $n", "r": [{"a":1.5}]}'
    )


def test_expand_json_names_the_variable_that_json_can_not_hold() -> None:
    with pytest.raises(NangoInputError, match=r"\$rows\[0\]\.when is a set"):
        expand_json('{"r": $rows}', {"rows": [{"when": {1}}]})
