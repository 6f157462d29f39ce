"""What a person is told about Python that is none."""

import pytest

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.python_input import explain_python
from nango_jupyter.secrets import remember


def explain(cell: str) -> NangoUsageError:
    with pytest.raises(SyntaxError) as caught:
        compile(cell, "<cell>", "exec", dont_inherit=True)
    return explain_python(caught.value, cell)


def test_the_place_is_shown() -> None:
    message = explain("def f(ctx):\n    x = 1 +* 2\n").message
    head, line, caret = message.split("\n")
    assert head == "The cell is not Python: invalid syntax, line 2, column 12"
    assert line == "        x = 1 +* 2"
    assert line[caret.index("^")] == "*"


def test_secrets_are_masked() -> None:
    remember("token-in-a-cell")
    message = explain("token = 'token-in-a-cell' !").message
    assert "token-in-a-cell" not in message
    assert "^" in message


@pytest.mark.parametrize(
    ("cell", "hint"),
    [
        ("x = 1\n!ls", "plain Python"),
        ("%time x", "plain Python"),
        ("print?", "plain Python"),
        ("await f()", "async def"),
        ("def f(:\n", ""),
    ],
)
def test_what_a_notebook_has_is_hinted_at(cell: str, hint: str) -> None:
    found = explain(cell)
    assert hint in found.hint
    assert bool(found.hint) == bool(hint)


def test_a_place_outside_of_the_cell() -> None:
    error = SyntaxError("odd")
    assert explain_python(error, "x").message == "The cell is not Python: odd"
    error.lineno, error.offset = 1, 99
    assert "line 1, column 2" in explain_python(error, "x").message
