"""How a magic's line becomes arguments."""

import argparse
from collections import ChainMap
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from IPython.core import magic_arguments

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.arguments import (
    ArgumentTemplate,
    expand,
    parse,
    read_line_input,
    split,
)
from nango_jupyter.magics.tokens import Token, read_line
from nango_jupyter.secrets import remember


def a_magic() -> Any:
    """Return what IPython makes of a function with declared arguments."""
    declared: Any = magic_arguments
    parser = declared.MagicArgumentParser("a_magic")
    for name in ("integration", "user", "input"):
        parser.add_argument(name, nargs="?")
    parser.add_argument("--timeout")
    parser.add_argument("--each")
    parser.add_argument("--no-wait", action="store_true")
    parser.add_argument("--out")
    return SimpleNamespace(parser=parser)


def parsed(line: str, names: dict[str, Any] | None = None) -> argparse.Namespace:
    return parse(a_magic(), line, names or {}, json="input", templates=("user",))


def refused(line: str, names: dict[str, Any] | None = None) -> NangoUsageError:
    with pytest.raises(NangoUsageError) as caught:
        parsed(line, names)
    return caught.value


def line_input(text: str, names: dict[str, Any] | None = None, row: Any = None) -> Any:
    names = names or {}
    template = read_line_input(split(text)[0], "input", names)
    return template.fill(ChainMap({"row": row}, names))


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
        ("a {{ row.id }} b", ["a", "{{ row.id }}", "b"]),
        ("a user-{{ row.id + 1 }}-x b", ["a", "user-{{ row.id + 1 }}-x", "b"]),
        ('{{ d["a b"] }} {{ {"a": {"b": 1}} }}', ['{{ d["a b"] }}', '{{ {"a": {"b": 1}} }}']),
        ('"{{ d["a b"] }} x" y', ['{{ d["a b"] }} x', "y"]),
        ("'{{ x }} y' z", ["{{ x }} y", "z"]),
        (
            'a {"b": {{ d["}"] }}, "c": "{{ x }}"} d',
            ["a", '{"b": {{ d["}"] }}, "c": "{{ x }}"}', "d"],
        ),
        ('a {"b":{{x}}} d', ["a", '{"b":{{x}}}', "d"]),
        ("--each={{ df[df.a > 1] }} b", ["--each", "{{ df[df.a > 1] }}", "b"]),
        ("{{ '# no comment' }} # a comment", ["{{ '# no comment' }}"]),
        ("a {{ broken b", ["a", "{{ broken b"]),
        ("--timeout= a", ["--timeout", "", "a"]),
        ('a "x";', ["a", "x"]),
        ("x << a b", ["a", "b"]),
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


@pytest.mark.parametrize(
    ("line", "assign_to", "tokens", "is_silent"),
    [
        ("x << crm list ada", "x", ["crm", "list", "ada"], False),
        ("x<< crm list;", "x", ["crm", "list"], True),
        ("größe  <<  crm", "größe", ["crm"], False),
        ("x <<", "x", [], False),
        ("crm list 'a << b'", "", ["crm", "list", "a << b"], False),
        ("crm x << y", "", ["crm", "x", "<<", "y"], False),
        ('"x" << y', "", ["x", "<<", "y"], False),
        ("{{ 1 << 2 }} x", "", ["{{ 1 << 2 }}", "x"], False),
        ("crm x<<y", "", ["crm", "x<<y"], False),
        ("crm;", "", ["crm"], True),
        ("crm ada;  ", "", ["crm", "ada"], True),
        ("crm ada ;", "", ["crm", "ada"], True),
        ('crm {"a": 1};', "", ["crm", '{"a": 1}'], True),
        ("crm 'a;'", "", ["crm", "a;"], False),
        ("crm 'a b;';", "", ["crm", "a b;"], True),
        ("crm # why;", "", ["crm"], False),
        ("crm; # why", "", ["crm"], True),
        ('crm "a # b"; # why', "", ["crm", "a # b"], True),
        ("crm {{ ';' }}", "", ["crm", "{{ ';' }}"], False),
        (";", "", [], True),
        ("", "", [], False),
    ],
)
def test_lines(line: str, assign_to: str, tokens: list[str], is_silent: bool) -> None:
    read = read_line(line)
    assert (read.assign_to, read.tokens, read.is_silent) == (assign_to, tokens, is_silent)


@pytest.mark.parametrize("name", ["class", "1x", "a.b", "a-b", "$x"])
def test_what_is_no_name_for_a_variable(name: str) -> None:
    assert f"{name} is no name for a variable" in refused(f"{name} << crm list").message


def test_parse_knows_the_line() -> None:
    found = parsed("x << crm ada [1] --no-wait;")
    assert (found.assign_to, found.is_silent) == ("x", True)
    assert (found.integration, found.user, found.input, found.no_wait) == (
        "crm",
        "ada",
        "[1]",
        True,
    )
    found = parsed("crm ada")
    assert (found.assign_to, found.is_silent) == ("", False)


@pytest.mark.parametrize(
    ("line", "message", "hint"),
    [
        ("crm ada --timeot 3", "There is no option --timeot", "Did you mean --timeout?"),
        ("crm ada --no_wait", "There is no option --no_wait", "Did you mean --no-wait?"),
        ("crm ada --time 3", "There is no option --time", "Did you mean --timeout?"),
        ("crm ada --xyz", "There is no option --xyz", "Usage: "),
        ("crm ada 1 2", "There are too many arguments", "Quote what has blanks"),
        ("crm ada --timeout", "expected one argument", "Usage: "),
        ("crm $nobody", "There is no variable nobody", "Define it first."),
        ("crm {nobody.x}", "There is no variable nobody", "Single quotes keep"),
        ("crm {a +}", "{a +} is not a Python expression", "Quote it"),
        ("crm {{ a + }}", "{{ a + }} is not a Python expression", ""),
        ("crm {{ a", "{{ has no }} behind it", ""),
        ("crm $none", "$none is None", "Usage: "),
        ("crm $row.id", "There is no variable row", "--each"),
        ("crm --timeout {{ nobody }}", "There is no variable nobody, line 1, column 1", ""),
        ("crm --timeout {{ none }}", "{{ none }} is None", "Usage: "),
    ],
)
def test_what_is_wrong_with_a_line(line: str, message: str, hint: str) -> None:
    error = refused(line, {"none": None})
    assert message in error.message
    assert hint in error.hint


def test_arguments_for_each_row() -> None:
    names = {"n": 7, "rows": [1]}
    found = parsed("crm user-{{ row.id }} --each {{ rows }} --timeout {{ n }}", names)
    assert isinstance(found.user, ArgumentTemplate)
    assert found.each is names["rows"]
    assert found.timeout == 7
    assert str(found.user) == "user-{{ row.id }}"
    assert parsed("crm $n", names).user == 7
    assert parsed("crm user-$n", names).user == "user-7"
    assert parsed("crm '{{ row.id }}'", names).user == "{{ row.id }}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{{ id }}", 7),
        ("{{ np_id }}", 7),
        ("{{ str(id) }}", "7"),
        ("user-{{ id }}", "user-7"),
        ("{{ id }}{{ id }}", "77"),
        ("{{ tpl }}-$id-{id}", "{{ id }}$id-7-7"),
        ("https://x/{{ id }}/$id", "https://x/7/$id"),
        ("{{ {'a': {'b': id}}['a']['b'] }}", 7),
        ("{{ [id for _ in range(2)] }}", [7, 7]),
    ],
)
def test_filled_for_a_row(text: str, expected: Any) -> None:
    names = {"id": 7, "np_id": np.int64(7), "tpl": "{{ id }}$id"}
    found = ArgumentTemplate(text).fill(names)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize("text", ["{{ none }}", "user-{{ none }}", "{{ nan }}", "x{{ nat }}"])
def test_a_row_without_the_value(text: str) -> None:
    names = {"none": None, "nan": np.nan, "nat": pd.NaT}
    with pytest.raises(NangoUsageError, match=r"is None, line 1, column"):
        ArgumentTemplate(text).fill(names)


def test_numpy_numbers_are_pythons() -> None:
    names = {"n": np.int64(7), "f": np.float32(0.5), "a": np.array([1]), "when": pd.Timestamp(0)}
    assert type(expand("$n", names)) is int
    assert type(expand("{n}", names)) is int
    assert type(expand("{{ n }}", names)) is int
    assert type(expand("$f", names)) is float
    assert expand("$a", names) is names["a"]
    assert expand("$when", names) is names["when"]
    assert expand("user-$n", names) == "user-7"


def test_expressions_see_all_names() -> None:
    assert expand("{sum(x + n for x in [1, 2])}", {"n": 1}) == 5
    assert expand("{list(n for _ in range(2))}", {"n": 1}) == [1, 1]
    assert expand("amqp://{{ x }}@host", {}) == "amqp://{{ x }}@host"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5", 5),
        ('"$n {{ n }}"', "$n 7"),
        ("$n", 7),
        ("{n + 1}", 8),
        ("$df", [{"a": 1, "when": "2020-01-02T00:00:00"}]),
        ('{"a": $n, "$n": "$n", "r": $df.a}', {"a": 7, "$n": "$n", "r": [1]}),
        ('{"a": $text, "b": {{ text }}}', {"a": '"$n" {{ n }}', "b": '"$n" {{ n }}'}),
        ("'{\"a\": $n}'", {"a": 7}),
        (
            "{a: $n, b: 'it is $n', c: x $n, d: {{ n }}, e: '{{ n }}'}",
            {"a": 7, "b": "it is $n", "c": "x $n", "d": 7, "e": "7"},
        ),
        ('{"id": {{ row["id"] }}, "n": $n}', {"id": 1, "n": 7}),
        ('{$text: 1, "b": 2}', {'"$n" {{ n }}': 1, "b": 2}),
        ("{{ row }}", {"id": 1}),
        ("[$n,$n]", [7, 7]),
    ],
)
def test_input_on_the_line(text: str, expected: Any) -> None:
    frame = pd.DataFrame({"a": [1], "when": [pd.Timestamp("2020-01-02")]})
    names = {"n": 7, "text": '"$n" {{ n }}', "df": frame}
    assert line_input(text, names, {"id": 1}) == expected


def test_variables_on_the_line_are_read_once() -> None:
    names: dict[str, Any] = {"n": 1}
    template = read_line_input(Token("[$n, {{ n }}]"), "input", names)
    assert template.fill({"n": 2}) == [1, 2]
    assert read_line_input(None, "input", {}).fill({}) is None
    assert read_line_input(Token("$n"), "input", names).is_constant


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hello", "The input is not JSON: Expecting value, line 1, column 1\n    hello\n    ^"),
        ("{'a': $n}", "The input is not JSON: Expecting property name"),
        ('{"a": $nowhere, "b": $n}', "There is no variable nowhere, line 1, column 7"),
        ('{"a": $n, "b": $odd}', "$odd[0] is an object, which JSON can't hold, line 1, column 16"),
        ("$odd", "$odd[0] is an object"),
        ('{"a": $n, "b": x}', "Expecting value, line 1, column 16"),
        ('{"a": {{ nowhere }}}', "There is no variable nowhere, line 1, column 7"),
        ('{"a": $class}', "The input is not JSON: Expecting value, line 1, column 7"),
    ],
)
def test_broken_input_on_the_line(text: str, message: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        line_input(text, {"n": 1, "odd": [object()]})
    assert message in caught.value.message


def test_secrets_on_a_line_are_masked() -> None:
    remember("secret-on-a-line")
    for line in (
        "crm {x['secret-on-a-line']}",
        "crm {{ 'secret-on-a-line' + }}",
        "crm ada --secret-on-a-line",
        "crm --timeout {{ x['secret-on-a-line'] }}",
    ):
        error = refused(line, {"x": {}})
        assert "secret-on-a-line" not in f"{error}{error.hint}", line
