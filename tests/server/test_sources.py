"""From a cell to an action file."""

import traceback
from textwrap import dedent
from typing import Any

import pytest

from nango_jupyter import NangoUsageError
from nango_jupyter.server.sources import action_source, check_names, load_source

NO_RUNTIME: Any = None  # the actions here don't use their context

BECOMES = [
    (
        "async def notify(ctx, msg: str):\n    return msg",
        "from nango_jupyter import action\n\n\n"
        "@action\nasync def notify(ctx, msg: str):\n    return msg\n",
    ),
    (
        '\n"""Slack."""\n\ndef other(ctx): ...\n\n@decorated\ndef notify(ctx): ...\n\n',
        '"""Slack."""\n\nfrom nango_jupyter import action\n\n'
        "def other(ctx): ...\n\n@action\n@decorated\ndef notify(ctx): ...\n",
    ),
    (
        "from __future__ import annotations\nimport json\n\ndef anything(ctx):\n    return 1\n",
        "from __future__ import annotations\nimport json\nfrom nango_jupyter import action\n\n"
        "@action\ndef anything(ctx):\n    return 1\n",
    ),
    (
        "from nango_jupyter import action\ndef notify(ctx): ...",
        "from nango_jupyter import action\n@action\ndef notify(ctx): ...\n",
    ),
]


@pytest.mark.parametrize(("cell", "text"), BECOMES)
def test_a_function_is_marked(cell: str, text: str) -> None:
    assert action_source(cell, "notify") == text
    assert action_source(text, "notify") == text


COMPLETE = [
    "from nango_jupyter import action\n\n"
    "@action(idempotent=True)\ndef f(ctx): ...\n\ndef notify(): ...\n",
    "import nango_jupyter as n\n@n.action\ndef f(ctx): ...\n\ndef g(): ...\n",
    "import nango_jupyter as n\nclass A(n.NangoAction): ...\n\ndef notify(): ...\n",
    "from nango_jupyter import action\ndef f(ctx): ...\nnotify = action(f)\n",
]


@pytest.mark.parametrize("text", COMPLETE)
def test_what_is_an_action_already_stays_as_it_is(text: str) -> None:
    assert action_source(f"\n{text}\n", "notify") == text
    with pytest.raises(NangoUsageError) as caught:
        action_source(text, "notify", idempotent=True)
    assert "idempotent" in caught.value.hint


def test_idempotent_and_names_with_hyphens() -> None:
    cell = "def other(ctx): ...\ndef list_all(ctx): ..."
    text = action_source(cell, "list-all", idempotent=True)
    assert "def other(ctx): ...\n@action(idempotent=True)\ndef list_all" in text
    assert load_source(text, "slack", "list-all").idempotent


@pytest.mark.parametrize(
    ("cell", "said"),
    [
        ("", "The cell defines no action"),
        ("x = 1", "The cell defines no action"),
        ("def a(ctx): ...\ndef b(ctx): ...", "The cell defines a, b: which one is the action?"),
    ],
)
def test_it_must_be_clear_which_function_it_is(cell: str, said: str) -> None:
    with pytest.raises(NangoUsageError) as caught:
        action_source(cell, "notify")
    assert caught.value.message == said
    assert "notify" in caught.value.hint


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        ("\n\ndef notify(ctx:\n    pass", 3),
        ("def notify(ctx):\n    pass\nreturn 1", 3),
        ("x = 1\n!ls\n", 2),
        ("  def notify(ctx): ...", 1),
    ],
)
def test_a_cell_that_is_not_python(cell: str, line: int) -> None:
    with pytest.raises(SyntaxError) as caught:
        action_source(cell, "notify")
    assert caught.value.lineno == line


NAMES = ["rows", "client", "json", "Row", "limit", "helper", "get_ipython", "display", "print"]


def missing(text: str) -> str:
    with pytest.raises(NangoUsageError) as caught:
        check_names(dedent(text), NAMES)
    return caught.value.message


def test_names_that_only_the_notebook_has() -> None:
    found = missing("""
        class Base(Row):
            helper = 1
        def notify(ctx, n=limit):
            def inner():
                return helper
            return [json.dumps(row, client) for row in rows] + display(get_ipython())
        """)
    assert found == (
        "The cell uses Row, client, display, get_ipython, helper, json, limit, rows, defined in "
        "the notebook but not in the cell"
    )


@pytest.mark.parametrize(
    "text",
    [
        "import json\ndef notify(ctx): return json",
        "import json as rows\nrows",
        "def notify(ctx, rows): return [client for client in rows]",
        "def notify(ctx):\n    global limit\n    limit = 1\n    return limit",
        "for rows in []: rows",
        "print(__name__, __file__, unknown, len)",
        "class json: ...\njson",
        "def notify(ctx):\n    from json import json\n    def f(): return json",
    ],
)
def test_names_that_the_cell_has(text: str) -> None:
    check_names(text, [*NAMES, "__name__", "__file__", "__builtins__"])


def test_stars_may_bring_anything() -> None:
    check_names("from json import *\nrows", NAMES)


def failure(text: str) -> str:
    with pytest.raises(NangoUsageError) as caught:
        load_source(text, "slack", "notify")
    return caught.value.message


def test_what_fails_names_the_line() -> None:
    assert failure("x = 1\n1 / 0") == (
        "slack/notify.action.py:2: ZeroDivisionError: division by zero"
    )
    assert failure("raise SystemExit").startswith("slack/notify.action.py:1: SystemExit")
    assert "must define one action" in failure("x = 1")


def test_tracebacks_show_the_lines() -> None:
    text = "from nango_jupyter import action\n@action\ndef notify(ctx):\n    return 1 / 0\n"
    found = load_source(text, "slack", "notify")
    assert (found.label, found.filename) == ("slack/notify.action.py", "<slack/notify.action.py>")
    with pytest.raises(ZeroDivisionError) as caught:
        found.call(NO_RUNTIME, {})
    shown = traceback.format_exception(caught.value)
    assert "return 1 / 0" in shown[-2]
