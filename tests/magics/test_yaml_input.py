"""Which YAML is read, as what, and what a person is told about the rest."""

from typing import Any

import pytest
import yaml

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics import yaml_input
from nango_jupyter.magics.template import read_input


def read(body: str) -> Any:
    return read_input(body).fill({})


@pytest.fixture(params=["Python", "C"], autouse=True)
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Read with the parser for short texts, and with the one for long ones."""
    if request.param == "C":
        assert hasattr(yaml, "CSafeLoader")
        monkeypatch.setattr(yaml_input, "_SLOW_FROM", 0)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("a: true\nb: True\nc: FALSE", {"a": True, "b": True, "c": False}),
        ("a: null\nb: ~\nc:\nd: Null", {"a": None, "b": None, "c": None, "d": None}),
        (
            "a: 1\nb: -2\nc: +3\nd: 0x1F\ne: 0o17\nf: 012",
            {"a": 1, "b": -2, "c": 3, "d": 31, "e": 15, "f": 12},
        ),
        (
            "a: 1.5\nb: 1e3\nc: .5\nd: -1.\ne: 1E-2",
            {"a": 1.5, "b": 1000.0, "c": 0.5, "d": -1.0, "e": 0.01},
        ),
        ("- yes\n- no\n- on\n- off\n- y\n- n", ["yes", "no", "on", "off", "y", "n"]),
        (
            "- 2020-01-02\n- 12:30\n- 1_000\n- 0b1\n- 2020-01-02T03:04:05Z",
            ["2020-01-02", "12:30", "1_000", "0b1", "2020-01-02T03:04:05Z"],
        ),
        ("- '1'\n- \"true\"\n- !!str 2\n- ! 3\n- 'null'", ["1", "true", "2", "3", "null"]),
        ("- !!int '3'\n- !!float 1.5\n- !!bool true\n- !!null ''", [3, 1.5, True, None]),
        ("- !!map {a: 1}\n- !!seq [1]", [{"a": 1}, [1]]),
        (
            "1: a\ntrue: b\n1.0: c\n2020-01-02: d\n~: e",
            {"1": "a", "true": "b", "1.0": "c", "2020-01-02": "d", "~": "e"},
        ),
        ("a: &x {q: 1}\nb: *x\nc: [*x, *x]", {"a": {"q": 1}, "b": {"q": 1}, "c": [{"q": 1}] * 2}),
        ("&k a: 1\nb: *k", {"a": 1, "b": "a"}),
        (
            "a: &x {q: 1, r: 2}\nb:\n  r: 3\n  <<: *x",
            {"a": {"q": 1, "r": 2}, "b": {"q": 1, "r": 3}},
        ),
        (
            "a: &x {q: 1}\nb: &y {q: 2, s: 3}\nc: {<<: [*x, *y]}",
            {"a": {"q": 1}, "b": {"q": 2, "s": 3}, "c": {"q": 1, "s": 3}},
        ),
        ('"<<": 1', {"<<": 1}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("%YAML 1.2\n---\na: 1", {"a": 1}),
        ("# nothing\n", None),
        ("{a: 1, 'b': \"c\", d: [e, {f: g}],}", {"a": 1, "b": "c", "d": ["e", {"f": "g"}]}),
        ("{msg: hello}", {"msg": "hello"}),
        ('[{"a": 1, b-c: 2}]', [{"a": 1, "b-c": 2}]),
        ("a: None\nb: NaN\nc: undefined", {"a": "None", "b": "NaN", "c": "undefined"}),
        ("a: b\u2028c\u0085d\u2029e\ufefff", {"a": "b\u2028c\u0085d\u2029e\ufefff"}),
        ("a: |\n  b\u2028\n  c", {"a": "b\u2028\nc"}),
        ('a: "\\ud83d\\ude00 \\u00e9 \\/"', {"a": "😀 é /"}),
        ("日本: 🎉\nmore: é", {"日本": "🎉", "more": "é"}),
        ("a: b\r\nc: |\r\n  d\r\n  e\r\n", {"a": "b", "c": "d\ne\n"}),
        ("http://example.com", "http://example.com"),
        ("just some text", "just some text"),
    ],
)
def test_values(body: str, expected: Any) -> None:
    assert repr(read(body)) == repr(expected)


@pytest.mark.parametrize(
    ("body", "message", "line", "column"),
    [
        ("a: 1\nb: 2\na: 3", "the key 'a' stands twice", 3, 1),
        ("{a: 1, a: 2}", "the key 'a' stands twice", 1, 8),
        ("? [a]\n: 1", "a key is a list or an object", 1, 3),
        ("a:\n  ?\n  : 1", "there is no key before the colon", 2, 4),
        ("a: .nan", "JSON has no number .nan", 1, 4),
        ("a: 1e999", "JSON has no number 1e999", 1, 4),
        (f"a: {'1' * 5000}", "more digits than Python reads", 1, 4),
        ("a: b: c", "mapping values are not allowed", 1, 5),
        ("a:\n\tb: 1", "cannot start any token", 2, 1),
        ("a: @x", "cannot start any token", 1, 4),
        (
            "a: !!python/object:os.system b",
            "the tag !!python/object:os.system is not read here",
            1,
            4,
        ),
        ("a: !!binary aGk=", "the tag !!binary is not read here", 1, 4),
        ("!mine [1]", "the tag !mine is not read here", 1, 1),
        ("a: *nowhere", "there is no &nowhere", 1, 4),
        ("a: &x [*x]", "&x contains itself", 1, 8),
        ("a: 1\n---\nb: 2", "there is more than one document", 2, 1),
        ("{msg: None}", "there is no None", 1, 7),
        ("{a: [NaN]}", "there is no NaN", 1, 6),
        ("{a: undefined}", "there is no undefined", 1, 5),
        ("NaN", "there is no NaN", 1, 1),
        ("{a:1}", "there is no value for 'a:1'", 1, 2),
        ("{b: 1, a}", "there is no value for 'a'", 1, 8),
        ("msg:hello", "an object was meant, or a text", 1, 1),
        ("a:\n  <<: 1", "<< takes in an object", 2, 7),
        ("🎉: 日本: c", "mapping values are not allowed", 1, 6),
        ('a: "\x01"', "the character U+0001", 1, 5),
        ('a: "\ud800"', "the character U+D800", 1, 5),
    ],
)
def test_the_place_is_shown(body: str, message: str, line: int, column: int) -> None:
    with pytest.raises(NangoUsageError) as caught:
        read(body)
    assert message in caught.value.message
    assert f"line {line}, column {column}\n" in caught.value.message


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("a: b: c", 'Put text that holds ": " in quotes'),
        ("a:\n\tb: 1", "not with tabs"),
        ("a: @x", "in quotes"),
        ("{a:1}", "A blank stands behind the colon"),
        ("{msg: None}", "Use null"),
        ('a: "\\{ x"', "backslash"),
        ("a: 'b' c", "nothing follows a closing quote"),
    ],
)
def test_what_to_do_is_said(body: str, hint: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        read(body)
    assert hint in caught.value.hint


def test_problems_do_not_show_marks() -> None:
    for body in (
        "a: !{{ x }} b",
        "a: &{{ x }} b",
        "a: *{{ x }}",
        "{{ x }}: 1\n{{ y }}",
        "{a: {{ x }}: 1}",
    ):
        with pytest.raises(NangoUsageError) as caught:
            read_input(body).fill({"x": 1, "y": 2})
        assert not any(0xFDD0 <= ord(char) <= 0xFDEF for char in caught.value.message)
        assert "\\ufd" not in caught.value.message


def test_aliases_do_not_explode() -> None:
    bomb = "a0: &a0 [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "\n".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)
    )
    with pytest.raises(NangoUsageError, match="more than 1,000,000 values"):
        read(bomb)


@pytest.mark.parametrize("body", ["- " * 5_000 + "a", "{a: " + "[" * 5_000], ids=["block", "flow"])
def test_too_deep(body: str) -> None:
    with pytest.raises(NangoUsageError):
        read(body)


def test_a_long_text_has_its_place_too() -> None:
    body = "".join(f"- é🎉 {n}\n" for n in range(10_000))
    assert len(read(body)) == 10_000
    with pytest.raises(NangoUsageError, match="line 10001, column 7"):
        read(f"{body}- é: b: c")
