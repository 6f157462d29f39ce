"""Writes the help of the magics, which ``%nango_trigger?`` shows.

IPython's own is reStructuredText, as a text that nobody renders.
"""

from __future__ import annotations

import argparse
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar

__all__ = ["write_help"]

_WIDTH = 88
_LONGEST_NAME = 22  # of an argument whose help begins on the same line
_ESCAPES = {"line": "%", "cell": "%%"}
_EXAMPLES = "Examples::"

_ClassT = TypeVar("_ClassT", bound=type)


def write_help(magics_class: _ClassT) -> _ClassT:
    """Write the docstrings of a class's magics anew: a decorator, above ``@magics_class``."""
    kinds_of: dict[str, list[tuple[str, str]]] = {}
    found: Mapping[str, Mapping[str, str]] = magics_class.magics  # type: ignore[attr-defined]
    for kind, magics in found.items():
        for name, method in magics.items():
            kinds_of.setdefault(method, []).append((kind, name))
    for method, kinds in kinds_of.items():
        function = getattr(magics_class, method)
        if (parser := getattr(function, "parser", None)) is not None:
            function.__doc__ = _help(parser, sorted(kinds, reverse=True))
    return magics_class


def _help(parser: argparse.ArgumentParser, kinds: list[tuple[str, str]]) -> str:
    about, _, examples = inspect.cleandoc(parser.description or "").partition(_EXAMPLES)
    summary, _, more = about.strip().partition("\n")
    arguments = [one for one in parser._actions if not one.option_strings]
    options = [one for one in parser._actions if one.option_strings]
    names = ", ".join(f"{_ESCAPES[kind]}{name}" for kind, name in kinds)
    usage = [_usage(kind, name, arguments, bool(options)) for kind, name in kinds]
    parts = [
        f"{names}\n{summary}",
        "\n".join([f"Usage: {usage[0]}", *(f"       {line}" for line in usage[1:])]),
        more.strip(),
        "\n".join(_list("Arguments", arguments)),
        "\n".join(_list("Options", options)),
        f"Examples:\n{textwrap.indent(textwrap.dedent(examples).strip(), '    ')}"
        if examples.strip()
        else "",
    ]
    return "\n\n".join(part for part in parts if part)


def _usage(kind: str, name: str, arguments: list[argparse.Action], has_options: bool) -> str:
    # The input of a cell magic is the cell.
    shown = [one for one in arguments if kind == "line" or one.dest != "input"]
    needed = [_name(one) for one in shown if one.nargs != "?"]
    words = [f"{_ESCAPES[kind]}{name}", *needed]
    if optional := [f"[{_name(one)}" for one in shown if one.nargs == "?"]:
        words.append(" ".join(optional) + "]" * len(optional))
    return " ".join([*words, *(["[OPTIONS]"] if has_options else [])])


def _name(action: argparse.Action) -> str:
    value = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return value
    names = ", ".join(action.option_strings)
    if action.nargs == 0:
        return names
    return f"{names} [{value}]" if action.nargs == "?" else f"{names} {value}"


def _list(title: str, actions: list[argparse.Action]) -> Iterator[str]:
    if not actions:
        return
    yield f"{title}:"
    longest = max(len(_name(one)) for one in actions)
    width = min(longest, _LONGEST_NAME)
    indent = " " * (width + 4)
    for action in actions:
        name, about = _name(action), _about(action)
        lines = textwrap.wrap(about, _WIDTH - len(indent)) or [""]
        if len(name) > width:
            yield f"  {name}"
            yield from (f"{indent}{line}" for line in lines)
        else:
            yield f"  {name:<{width}}  {lines[0]}".rstrip()
            yield from (f"{indent}{line}" for line in lines[1:])


def _about(action: argparse.Action) -> str:
    values: dict[str, Any] = {**vars(action), "prog": ""}
    return (action.help or "") % values
