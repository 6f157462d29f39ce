"""Where the cursor is on a magic's line, and what words are completed to."""

import argparse
import sys
from collections import deque
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.core.magic_arguments import MagicArgumentParser

from nango_jupyter.magics.arguments import parse, split
from nango_jupyter.magics.candidates import batches, paths, rows, variables, written
from nango_jupyter.magics.cursor import Typed, find_magic, find_position
from nango_jupyter.magics.tokens import split_typed


def magic() -> Any:
    parser = MagicArgumentParser("nango_test")  # type: ignore[no-untyped-call]
    parser.add_argument("integration")
    parser.add_argument("user", nargs="?")
    parser.add_argument("input", nargs="?")
    parser.add_argument("--timeout")
    parser.add_argument("--local", nargs="?", const="")
    parser.add_argument("--no-wait", action="store_true")

    def nango_test() -> None: ...

    nango_test.parser = parser  # type: ignore[attr-defined]
    return nango_test


PARSER: argparse.ArgumentParser = magic().parser
LINES = [
    "crm list-contacts ada",
    'crm list-contacts "Ada Lovelace" {"city": "Ber lin", "n": [1, 2]}',
    "crm 'list contacts' 'Ada  Lovelace' --timeout 3",
    'crm x ada --config={"a b": 1} --token-env=NAME',
    "crm x $user {user.name} {{ row.name }}",
    'crm x user-{{ row.id + 1 }} [1, $n, {"a": $m}]',
    "it's ada's --x",
    "",
    "   crm   x\t",
    'crm x {{ "}}" }} {"a": {{ "}" }}}',
    "crm x {{ f('{n}}}') }}-{{ {1: {2: 3}} }} y",
    'crm x {"a": 1}{"b": 2} [1]x',
    "crm x {{ not python }} y",
    "crm x 'a'; y",
]


@pytest.mark.parametrize("line", LINES)
def test_words_are_those_of_the_magics(line: str) -> None:
    found = split_typed(f"{line} ")
    assert found is not None
    assert found[0] == [token.raw for token in split(line)]
    assert found[1] == ""


@pytest.mark.parametrize(
    ("text", "whole", "fragment"),
    [
        (" crm", [], "crm"),
        (" crm ", ["crm"], ""),
        (" crm 'Ada Lo", ["crm"], "'Ada Lo"),
        (' crm "Ada Lovelace"', ["crm"], '"Ada Lovelace"'),
        (' crm x ada {"a": $n', ["crm", "x", "ada"], '{"a": $n'),
        (" crm x {{ row.na", ["crm", "x"], "{{ row.na"),
        (" crm --timeout=", ["crm", "--timeout"], ""),
        (" crm --timeout=3", ["crm", "--timeout"], "3"),
        (" result << crm li", ["crm"], "li"),
        (" crm < <", ["crm", "<"], "<"),
        (" result <<", ["result"], "<<"),
        (" crm {{ '}}' }} {{ row.na", ["crm", "{{ '}}' }}"], "{{ row.na"),
        (" crm user-{{ row.", ["crm"], "user-{{ row."),
        (" crm user-{{ row. ", ["crm"], "user-{{ row. "),
        (' crm {"a": "x} y', ["crm"], '{"a": "x} y'),
        (' crm {"a": {{ row.', ["crm"], '{"a": {{ row.'),
        (' crm "Ada\\', ["crm"], '"Ada\\'),
        (" crm 'a' ", ["crm", "'a'"], ""),
        (" crm --timeout= ", ["crm", "--timeout", ""], ""),
    ],
)
def test_the_word_that_is_being_typed(text: str, whole: list[str], fragment: str) -> None:
    assert split_typed(text) == (whole, fragment)


def test_inside_a_comment_nothing_is_completed() -> None:
    assert split_typed(" crm x # and a") is None
    assert find_position(Typed(PARSER, " crm # x")) is None


@given(st.text(alphabet="a'\"{}[]$#;=- <\\\n", max_size=12))
def test_any_text_has_a_last_word(text: str) -> None:
    found = split_typed(text)
    assert found is None or text.endswith(found[1])


@pytest.mark.parametrize(
    ("text", "dest", "may_be_option"),
    [
        (" ", "integration", True),
        (" crm ", "user", True),
        (" crm ada ", "input", True),
        (" crm ada {} ", None, True),
        (" --timeout ", "timeout", False),
        (" --timeout 3 ", "integration", True),
        (" --timeout --local ", "integration", True),
        (" --local ", "local", True),
        (" --local folder ", "integration", True),
        (" --no-wait crm ", "user", True),
    ],
)
def test_the_argument_that_the_cursor_is_on(
    text: str, dest: str | None, may_be_option: bool
) -> None:
    position = find_position(Typed(PARSER, text))
    assert position is not None
    assert (position.argument.dest if position.argument else None) == dest
    assert position.may_be_option == may_be_option


def test_options_that_are_given_are_not_offered_again() -> None:
    position = find_position(Typed(PARSER, " --no-wait crm --timeout=3 "))
    assert position is not None
    assert position.options == ["--local"]
    assert position.given["integration"] == "crm"


MAGICS = {"line": {"nango_test": magic()}, "cell": {"nango_test": magic()}}


@pytest.mark.parametrize(
    "text",
    [
        "%nango_test de",
        "    %nango_test de",
        "x = %nango_test de",
        "a, b = %nango_test de",
        "x.y = %nango_test de",
        "%time x = %nango_test de",
        "%timeit -n 1 %nango_test de",
        "%%nango_test de",
        "nango_test de",
        "x = 1\ny = %nango_test de",
    ],
)
def test_a_line_of_our_magics(text: str) -> None:
    lines = text.split("\n")
    found = find_magic(lines, len(lines) - 1, len(lines[-1]), MAGICS, MAGICS)
    assert found is not None
    assert found.text == " de"


@pytest.mark.parametrize(
    "text",
    [
        "%nango_te",
        "%nango_test",
        "%nango_other de",
        "%other_test de",
        "print('%nango_test de",
        "# %nango_test de",
        "x = 1\n%%nango_test de",
        "nango_test = de",
        "nango_test (de",
        "nango_test.x de",
        "y = nango_test de",
        "%%nango_test de\nbody de",
    ],
)
def test_what_is_none_of_our_lines(text: str) -> None:
    lines = text.split("\n")
    assert find_magic(lines, len(lines) - 1, len(lines[-1]), MAGICS, MAGICS) is None


NAMES = [
    "ada",
    "Ada Lovelace",
    "O'Brien",
    "it's me",
    "7",
    7,
    -1,
    "{x}",
    "$x",
    "#1",
    "a;",
    "<<",
    "a@b.example",
    "{{ 1 }}",
    "émile",
    "x://$y",
]


@pytest.mark.parametrize("quote", ["", "'", '"'])
@pytest.mark.parametrize("name", NAMES, ids=repr)
def test_a_name_as_it_is_written_is_read_back(name: str | int, quote: str) -> None:
    text = written(name, quote)
    if text:
        found = parse(magic(), f"crm {text} {{}}", {}).user
        assert (found, type(found)) == (name, type(name))
    else:
        assert quote


@given(st.text(max_size=8) | st.integers())
def test_any_name_is_read_back_or_not_offered(name: str | int) -> None:
    if text := written(name):
        found = parse(magic(), f"crm {text} {{}}", {}).user
        assert (found, type(found)) == (name, type(name))


@pytest.mark.parametrize(
    "name", ["", "-ada", "--timeout", "a\nb", "\x1b[31m", "a\u202eb", 'it\'s "both"']
)
def test_a_name_that_nobody_can_type_is_not_offered(name: str) -> None:
    assert written(name) == ""


def test_variables_with_rows() -> None:
    import pandas as pd
    import polars as pl

    with Path(__file__).open() as file:
        found = {
            "frame": pd.DataFrame({"a": [1]}),
            "polars": pl.DataFrame({"a": [1]}),
            "dicts": [{"a": 1}],
            "empty": [],
            "lazily": (row for row in [{"a": 1}]),
            "numbers": [1, 2],
            "texts": ["a"],
            "text": "abc",
            "number": 1,
            "mapping": {"a": 1},
            "file": file,
        }
        assert rows(found) == ["dicts", "empty", "frame", "lazily", "polars"]


def test_variables_are_values() -> None:
    found = {"n": 1, "pytest": pytest, "function": written, "kind": deque, "d": deque()}
    assert variables(found) == ["d", "n"]


def test_results_of_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    class BatchResult: ...

    found = {"batch": BatchResult(), "n": 1, "rows": [{"a": 1}]}
    monkeypatch.setitem(sys.modules, "nango_jupyter.batch", None)  # where nothing has imported it
    assert batches(found) == []
    module = SimpleNamespace(BatchResult=BatchResult)
    monkeypatch.setitem(sys.modules, "nango_jupyter.batch", module)
    assert batches(found) == ["batch"]


def test_files_and_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in put").mkdir()
    (tmp_path / "in put" / "a.json").touch()
    (tmp_path / "input.json").touch()
    (tmp_path / ".hidden").touch()

    def found(fragment: str, *, folders_only: bool = False) -> list[str]:
        return [text for _, text in paths(fragment, folders_only=folders_only)]

    assert found("") == ["'in put/'", "input.json"]
    assert found("", folders_only=True) == ["'in put/'"]
    assert found("'in put/'") == ["'in put/a.json'"]
    assert found(".") == [".hidden", "'in put/'", "input.json"]
    assert found("nowhere/x") == []
    assert found("~nobody-at-all/x") == []
