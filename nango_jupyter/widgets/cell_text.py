"""Writes the cell that does what a form holds."""

from __future__ import annotations

import json
from typing import Any

from nango_jupyter.calls import TriggerCall
from nango_jupyter.messages import UserId
from nango_jupyter.wire_json import check_json

__all__ = ["write_cell"]

_SHORT_LINE = 80


def write_cell(call: TriggerCall, connection: str = "") -> str:
    """Return the ``%%nango_trigger`` cell that sends exactly this call.

    Parameters
    ----------
    call : TriggerCall
    connection : str, optional
        The connection to name on the line.

    Raises
    ------
    NangoInputError
        If JSON can't hold the input.
    """
    check_json(call.input, "input")
    words = [_word(name) for name in (call.integration, call.action, call.user_id)]
    if call.timeout is not None:
        words += ["--timeout", repr(call.timeout).removesuffix(".0")]
    if connection:
        words += ["--connection", _word(connection)]
    # null, too: IPython runs no cell magic without a body.
    return f"%%nango_trigger {' '.join(words)}\n{_body(call.input)}"


def _word(name: UserId) -> str:
    """Return a name as the line of a magic takes it for this text, or this number."""
    from nango_jupyter.magics.candidates import written

    if isinstance(name, int):
        return written(name)
    plain = "" if "{{" in name or "}}" in name else written(name)
    return plain or _expression(name)


def _expression(text: str) -> str:
    """Return a text as Python in double braces, in which it has no braces of its own."""
    literal = repr(text).replace("{", "\\x7b").replace("}", "\\x7d")
    return f"{{{{ {literal} }}}}"


def _body(value: Any) -> str:
    """Return JSON that holds no ``{{``, where a cell has an expression, and nothing invisible."""
    text = json.dumps(value, ensure_ascii=False)
    if len(text) > _SHORT_LINE:
        text = json.dumps(value, ensure_ascii=False, indent=2)
    if not text.replace("\n", "").isprintable():
        text = "".join(map(_visible, text))
    # Two braces in a row stand in strings only: JSON itself has none.
    return text.replace("{{", "{\\u007b")


def _visible(char: str) -> str:
    return char if char.isprintable() or char == "\n" else json.dumps(char)[1:-1]
