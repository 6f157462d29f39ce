"""How variables come into the body of a cell."""

import datetime as dt
import enum
import json
import time
from collections import ChainMap
from collections.abc import Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nango_jupyter.exceptions import NangoInputError, NangoUsageError
from nango_jupyter.magics.template import InputTemplate, read_input
from nango_jupyter.secrets import Secret, remember

NAMES: dict[str, Any] = {
    "x": 5,
    "s": 'he"y\n\\',
    "tpl": "{{ x }}",
    "none": None,
    "d": {"a": {"b": 1}},
    "xs": [1, 2, 3],
    "day": dt.date(2020, 1, 2),
    "df": pd.DataFrame({"a": [1, 2], "t": pd.to_datetime(["2020-01-02", None])}),
    "dots": "\ufdd0\ufdd0\ufdd0",
}


def fill(body: str, names: Any = None) -> Any:
    return read_input(body).fill(NAMES if names is None else names)


def fail(body: str, names: Any = None) -> NangoUsageError:
    with pytest.raises(NangoUsageError) as caught:
        fill(body, names)
    return caught.value


def pointed_at(message: str) -> str:
    *_, source, caret = message.split("\n")
    assert caret.strip() == "^"
    return source[caret.index("^") :]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        # In a value's place: the JSON of the value.
        ('{"a": {{ x }}}', {"a": 5}),
        ('{"a":{{x}}}', {"a": 5}),
        ('{"a":{"b":{{x}}}}', {"a": {"b": 5}}),
        ("[{{x}},{{s}}]", [5, 'he"y\n\\']),
        ("{{ x }}", 5),
        ("{{ none }}", None),
        ("\n {{ xs }} \n", [1, 2, 3]),
        ("{{ df }}", [{"a": 1, "t": "2020-01-02T00:00:00"}, {"a": 2, "t": None}]),
        ('{"a": {{ [\n  x,\n  2] }}, "b": 1}', {"a": [5, 2], "b": 1}),
        ('{"a": {{ x # why\n }}}', {"a": 5}),
        ("{{ x\n+ 1 }}", 6),
        # Inside of text: text.
        ('{"a": "hi {{ s }}!"}', {"a": 'hi he"y\n\\!'}),
        ('{"a": "{{ x }}"}', {"a": "5"}),
        ('{"a": "{{ none }} {{ x > 1 }} {{ day }} {{ 1.5 }}"}', {"a": "null true 2020-01-02 1.5"}),
        ('{"a": "{{ xs }} {{ d }}"}', {"a": '[1, 2, 3] {"a": {"b": 1}}'}),
        ('{"a": "{{ x }}{{ x }}"}', {"a": "55"}),
        ('{"{{ s }}": 1, {{ x }}: 2}', {'he"y\n\\': 1, "5": 2}),
        # Once only.
        ('{"a": {{ tpl }}, "b": "{{ tpl }}"}', {"a": "{{ x }}", "b": "{{ x }}"}),
        ('{"a": {{ dots }}, "b": "{{ dots }}"}', {"a": "\ufdd0" * 3, "b": "\ufdd0" * 3}),
        ("{{ tpl }}: {{ x }}", {"{{ x }}": 5}),
        # Braces and quotes inside.
        ('{"a": "{{ d["a"] }}"}', {"a": '{"b": 1}'}),
        ('{{ {"a": {"b": x}} }}', {"a": {"b": 5}}),
        ('{{{"a": {"b": x}}}}', {"a": {"b": 5}}),
        ('{{ "}}" }}', "}}"),
        ('{{ "{{" }}', "{{"),
        ("{{ '''}}''' }}", "}}"),
        ('{{ f"{x}}}" }}', "5}"),
        ('{{ f"{x!r:>3}" }}', "  5"),
        ('{{ {1: "}}"} }}', {"1": "}}"}),
        ('{"a": "\\\\{{ x }}"}', {"a": "\\5"}),
        ('{"a": "\\"{{ x }}\\"", "b": {{ x }}}', {"a": '"5"', "b": 5}),
        # Scopes.
        ("{{ [y * x for y in xs if y < x] }}", [5, 10, 15]),
        ("{{ {k: x for k in xs} }}", {"1": 5, "2": 5, "3": 5}),
        ("{{ sorted({y + x for y in xs}) }}", [6, 7, 8]),
        ("{{ sum(y + x for y in xs) }}", 21),
        ("{{ (lambda q: [q + x for _ in xs])(1) }}", [6, 6, 6]),
        ("{{ (y := x) + y }}", 10),
        ("{{ y := x }}", 5),
        ("{{ x, }}", [5]),
        ("{{ ( ) }}", []),
        ("{{ x if x else nowhere }}", 5),
        ("{{ max(xs) }}", 3),
        ('{{ "\\d" }}', "\\d"),
        # What is no cell of these.
        ("", None),
        (" \n\t\n", None),
        ('\ufeff{"a": {{ x }}}', {"a": 5}),
        ('{"a":\r\n{{ x }}}\r\n', {"a": 5}),
        ('{"a": "$x", "b": "{x}"}', {"a": "$x", "b": "{x}"}),
    ],
)
def test_fill(body: str, expected: Any) -> None:
    found = fill(body)
    assert found == expected
    assert repr(found) == repr(expected)  # 1 is not True


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a: {{ x }}\nb: 'it''s {{ x }}'\nc: {{ x }} y", {"a": 5, "b": "it's 5", "c": "5 y"}),
        ('a: "{{ s }}"', {"a": 'he"y\n\\'}),
        ("a: '{{ d['a'] }}'", {"a": '{"b": 1}'}),
        ("a: |\n  {{ s }}\n  b\nc: >-\n  {{ x }}\n  d", {"a": 'he"y\n\\\nb\n', "c": "5 d"}),
        ("- {{ x }}: 1\n  b: {{ x }}\n- [{{ x }}, {{ s }}]", [{"5": 1, "b": 5}, [5, 'he"y\n\\']]),
        ("{msg: hello {{ x }}, n: {{ x }}, t: '{{ x }}',}", {"msg": "hello 5", "n": 5, "t": "5"}),
        ("a: C:\\{{ x }}", {"a": "C:\\5"}),
        ("a: http://{{ x }}/{{ d['a']['b'] }}#{{ x }}", {"a": "http://5/1#5"}),
        ("a: &q {{ x }}\nb: *q", {"a": 5, "b": 5}),
        ("? {{ x }}\n: {{ [\n1,\n2] }}\n{{ day }}: 1", {"5": [1, 2], "2020-01-02": 1}),
        ("hello {{ tpl }}", "hello {{ x }}"),
        ("{{ x }}{{ x }}", "55"),
        ("a: {{ dots }}", {"a": "\ufdd0" * 3}),
        ('"a": {{ x }}\n"b": 1', {"a": 5, "b": 1}),
        # In comments nothing is looked at.
        ("# {{ nowhere }} {{ 1 + }} {{ }} {{\na: {{ x }} # {{ nowhere }}", {"a": 5}),
        ("# {{ todo\na: {{ x }}", {"a": 5}),
        ("{{ x }} # comment", 5),
    ],
)
def test_fill_yaml(body: str, expected: Any) -> None:
    assert fill(body) == expected


# YAML has no delete character.
CHARACTERS = st.characters(exclude_categories=["Cs"], exclude_characters="\x7f")
TEXTS = st.text(CHARACTERS, max_size=20).filter(lambda text: "{{" not in text)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXTS,
    lambda children: st.lists(children) | st.dictionaries(TEXTS, children),
)


@given(value=VALUES, text=TEXTS)
@settings(max_examples=100, deadline=None)
def test_any_value_in_any_place(value: Any, text: str) -> None:
    around = json.dumps({"before": text, "after": value})[:-1]
    for written in (around, around.replace("{", "{b: 1, # a comment\n", 1)):
        found = fill(
            f'{written}, "{{{{ text }}}}-": {{{{ value }}}}, "c": "{{{{ text }}}}"}}',
            {"value": value, "text": text},
        )
        found.pop("b", None)
        expected = {"before": text, "after": value, f"{text}-": value, "c": text}
        assert found == expected


def test_a_name_is_not_kept() -> None:
    names = ChainMap[str, Any]({}, dict(NAMES))
    assert fill("{{ (y := x) }}", names) == 5
    assert "y" not in names
    assert "There is no variable y" in fail("{{ (y := x) }}{{ y }}", names).message


def test_the_nearest_name_counts() -> None:
    names = ChainMap[str, Any]({"row": {"n": 1}}, {"max": lambda _: "mine"})
    assert fill("[{{ row['n'] }}, {{ max([1, 2]) }}]", names) == [1, "mine"]


@pytest.mark.parametrize(
    ("body", "line", "column", "begins"),
    [
        ('{"a": {{ nowhere }}}', 1, 7, "{{ nowhere }}"),
        ('{"a": 1,\n "b": "c {{ nowhere }}"}', 2, 10, "{{ nowhere }}"),
        ('{"日本🎉": "🎉{{ nowhere }}"}', 1, 11, "{{ nowhere }}"),
        ('{"{{ x }}": {{ x }}, "c": {{ nowhere }}}', 1, 27, "{{ nowhere }}"),
        ('{"a":\r\n\t{{ nowhere }}}', 2, 2, "{{ nowhere }}"),
        ("# {{ x }}\n日本: 🎉 {{ nowhere }} {{ x }}", 2, 7, "{{ nowhere }}"),
        ("a: {{ x }}\nb: |\n  c\n  {{ nowhere }}", 4, 3, "{{ nowhere }}"),
        ("\ufeffa: {{ nowhere }}", 1, 4, "{{ nowhere }}"),
        ('{"a": {{ [\n  x] }}, "b": {{ nowhere }}}', 2, 15, "{{ nowhere }}"),
        ("{{ nowhere }}: 1", 1, 1, "{{ nowhere }}"),
        (f'{{"a": "{"x" * 500}", "b": {{{{ nowhere }}}}}}', 1, 516, "{{ nowhere }}"),
    ],
)
def test_an_unknown_name_has_its_place(body: str, line: int, column: int, begins: str) -> None:
    message = fail(body).message
    assert message.startswith(f"There is no variable nowhere, line {line}, column {column}\n")
    assert pointed_at(message).startswith(begins)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('{"a": {{ none.name }}}', "{{ none.name }} failed: AttributeError: 'NoneType' object"),
        ('{"a": "{{ xs[7] }}"}', "{{ xs[7] }} failed: IndexError: list index out of range"),
        ("a: {{ 1/0 }}", "{{ 1/0 }} failed: ZeroDivisionError"),
        ("{{ d['z'] }}: 1", "{{ d['z'] }} failed: KeyError: 'z'"),
        ("a: {{ 1 + }}", "{{ 1 + }} is not a Python expression: invalid syntax"),
        ('{"a": {{ }}}', "There is nothing between {{ and }}"),
        ('{"a": {{}}}', "There is nothing between {{ and }}"),
        ("a: {{ x }", "{{ has no }} behind it"),
        ('{"a": "{{ x", "b": "y"}', "{{ has no }} behind it"),
        ('{"a": "{{ x", "b": "y }}"}', "is not a Python expression"),
        ("{{ # nothing }}", "{{ # nothing }} is not a Python expression"),
        ("{{ x) + (x }}", "{{ x) + (x }} is not a Python expression"),
        ("{{ await x }}", "it can't wait for an await"),
        ("{{ [y async for y in x] }}", "is not a Python expression"),
        ("{{ (yield) }}", "'yield' outside function"),
        ("{{ x = 1 }}", "is not a Python expression"),
        ("{{ lambda: 1 }}", "{{ lambda: 1 }} is a function, which JSON can't hold"),
        ('{"a": {{ [1, {1: object()}] }}}', '{{ [1, {1: object()}] }}[1]["1"] is an object'),
        ("a: '{{ print }}'", "{{ print }} is a builtin_function_or_method"),
        ('{"a": "{{ float("inf") }}"}', '{{ float("inf") }} is inf'),
        ("a: b {{ b'x' }}", "{{ b'x' }} is a bytes"),
        ("a: {{ pd.DataFrame([[1, 2]], columns=['a', 'a']) }}", "more than one column 'a'"),
    ],
)
def test_what_fails_has_its_place(body: str, message: str) -> None:
    error = fail(body, NAMES | {"pd": pd})
    assert message in error.message
    assert pointed_at(error.message).startswith("{{")


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("{{ xss }}", "Did you mean xs"),
        ("{{ row.name }}", "--each"),
        ("{{ x | tojson }}", "no filters"),
        ("{{ true }}", "True"),
        ('{"a": "{{ d[\\"a\\"] }}"}', "no backslash"),
        ('{"a": "\\{{ x }}"}', '{{ "{{" }}'),
        ("{{ await x }}", "Await it in a cell of its own"),
        ('{"a": {{ }}}', '{{ "{{" }}'),
        ('{"a": $x}', "{{ name }}"),
    ],
)
def test_what_to_do_is_said(body: str, hint: str) -> None:
    assert hint in fail(body).hint


def test_values_that_json_can_not_hold_are_input_errors() -> None:
    assert isinstance(fail("{{ {1: object()} }}"), NangoInputError)
    assert not isinstance(fail("{{ nowhere }}"), NangoInputError)


def test_secrets_are_masked() -> None:
    remember("secret-in-a-body")
    names = {"token": Secret("secret-in-a-variable")}

    class OddKey(enum.Enum):
        NAME = "secret-in-a-body"

    def raises() -> None:
        raise RuntimeError("Bearer secret-in-a-body")

    for body in (
        '{"a": "secret-in-a-body {{ nowhere }}"}',
        '{{ "secret-in-a-body" + 1 }}',
        '{{ open("/nowhere/secret-in-a-body") }}',
        "{{ raises() }}",
        "{{ 'secret-in-a-body' + }}",
        "{{ token }}",
        '{"a": "{{ token }}"}',
        "{{ [token] }}",
        "a: 'Bearer {{ token }}'",
        "{{ token }}: 1",
        "secret-in-a-body: a: b",
        "secret-in-a-body: 1\nsecret-in-a-body: 2",
        '{"secret-in-a-body": 1, "secret-in-a-body": 2}',
        '{"{{ name }}": 1, "secret-in-a-body": 2}',
        "{{ {name: object()} }}",
        "{{ {name: 1, odd: 2} }}",
    ):
        error = fail(
            body, names | {"raises": raises, "name": "secret-in-a-body", "odd": OddKey.NAME}
        )
        assert "secret-in" not in f"{error}{error.hint}", body


def test_an_error_that_can_not_be_shown() -> None:
    class OddError(Exception):
        def __str__(self) -> str:
            raise ValueError

    def raises() -> None:
        raise OddError

    assert (
        "{{ raises() }} failed: OddError, line 1"
        in fail("{{ raises() }}", {"raises": raises}).message
    )


def test_a_name_error_of_a_function_is_its_own() -> None:
    def calls() -> None:
        undefined_there  # type: ignore[name-defined]  # noqa: B018, F821

    error = fail("{{ calls() }}", {"calls": calls})
    assert "{{ calls() }} failed: NameError" in error.message


def test_stop_gets_through() -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fill("{{ stop() }}", {"stop": stop})


def test_two_keys_that_become_one() -> None:
    assert "The key '5' stands twice" in fail('{"{{ x }}": 1, "5": 2}').message


def test_text_of_values() -> None:
    class Shown:
        def __str__(self) -> str:
            return "shown"

    names = {
        "values": [
            Shown(),
            Decimal("1.10"),
            np.int64(3),
            pd.Timestamp("2020-01-02"),
            ValueError("v"),
        ]
    }
    body = " ".join(f"{{{{ values[{n}] }}}}" for n in range(5))
    assert fill(f"a: {body}", names) == {"a": "shown 1.10 3 2020-01-02T00:00:00 v"}


@pytest.mark.parametrize(
    ("body", "value", "is_silent"),
    [
        ('{"a": 1};', {"a": 1}, True),
        ('{"a": {{ x }}} ; \n\n', {"a": 5}, True),
        ("[1]\n;\n", [1], True),
        ("{{ x }};", 5, True),
        ("{{ x }}\n;", 5, True),
        ('"te;xt";', "te;xt", True),
        ("12;", 12, True),
        ("{a: {{ x }}};", {"a": 5}, True),
        ("a: b;", {"a": "b"}, True),
        ("a: {{ x }};", {"a": 5}, True),
        ("- a\n- b;;", ["a", "b;"], True),
        ("a: 'b';", {"a": "b"}, True),
        ("a: b\n ; \n", {"a": "b"}, True),
        ("a: [1, 2];", {"a": [1, 2]}, True),
        ("a: |\n  b\n;", {"a": "b\n"}, True),
        ("a: |\n  b;\n", {"a": "b;\n"}, False),
        ("a: |\n  b\n  ;\n", {"a": "b\n;\n"}, False),
        ("a: >\n  b;", {"a": "b;"}, False),
        ('a: "b;"', {"a": "b;"}, False),
        ("a: b # c;", {"a": "b"}, False),
        ("a: b; # c", {"a": "b;"}, False),
        ('{"a": ";"}', {"a": ";"}, False),
    ],
)
def test_a_semicolon_keeps_silent(body: str, value: Any, is_silent: bool) -> None:
    template = read_input(body)
    assert template.fill(NAMES) == value
    assert template.is_silent is is_silent


def test_constants() -> None:
    assert read_input('{"a": 1}').is_constant
    assert read_input("# {{ x }}\na: 1").is_constant
    assert not read_input("{{ x }}").is_constant
    template = InputTemplate.of([1])
    assert template.is_constant
    assert template.fill({}) == [1]


def test_fills_do_not_change_each_other() -> None:
    template = read_input('{"a": [1, {{ n }}], "b": {"{{ n }}": 1}, "c": {"d": "{{ n }}"}}')
    found = [template.fill({"n": n}) for n in range(2)]
    assert found == [{"a": [1, n], "b": {str(n): 1}, "c": {"d": str(n)}} for n in range(2)]
    assert list(found[0]) == ["a", "b", "c"]


def test_thousands_of_holes() -> None:
    body = ",".join("{{ x }}" for _ in range(5_000))
    assert fill(f"[{body}]") == [5] * 5_000
    assert "more than 17,576 expressions" in fail("{{x}}" * 17_577).message


def test_a_body_with_noncharacters() -> None:
    assert (
        "U+FDD0, which is not a character, line 1, column 8"
        in fail('{"a": "\ufdd0{{ x }}"}').message
    )
    assert fill('{"a": "\ufdd0"}') == {"a": "\ufdd0"}


@pytest.mark.parametrize(
    "body",
    ["{{ ( " * 2_000 + "}} " * 50, '{"a": {{ 1 + , "b": "' + "}} x " * 20_000 + '"}'],
    ids=["many begun", "many ends"],
)
def test_broken_expressions_are_refused_soon(body: str) -> None:
    begun = time.perf_counter()
    assert "not a Python expression" in fail(body).message
    assert time.perf_counter() - begun < 10


def test_a_fill_does_not_go_through_all_names() -> None:
    """A notebook has thousands, and a batch a hundred thousand rows."""

    class Names(dict[str, Any]):
        def __iter__(self) -> Iterator[str]:
            raise AssertionError("all names are read")

    template = read_input('{"msg": "hello {{ row.name }}", "to": {{ row.id + one }}}')
    names = ChainMap({"row": SimpleNamespace(name="ada", id=1)}, {}, Names(one=1))
    assert template.fill(names) == {"msg": "hello ada", "to": 2}
