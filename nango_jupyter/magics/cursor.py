"""Finds out which argument of a magic the cursor is on, while a person types."""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nango_jupyter.magics.tokens import split_typed

__all__ = ["Position", "Typed", "find_magic", "find_position"]

_REST = r"(?P<name>nango_\w+)(?P<rest>\s.*)"
_OTHER_MAGIC = r"(?:%(?!nango_)\w+\s(?:[^'\"#%]*\s)?)?"  # such as %time or %timeit -n 1
_LINE_MAGIC = re.compile(rf"\s*{_OTHER_MAGIC}(?:[^'\"#%=]+=\s*)?%{_REST}", re.DOTALL)
_CELL_MAGIC = re.compile(rf"\s*%%{_REST}", re.DOTALL)
_AUTOMAGIC = re.compile(rf"\s*{_REST}", re.DOTALL)
_NO_ARGUMENT = tuple("=.,(:+-*/|&<>")  # behind a name, these are Python's

Magic = Callable[..., Any]
Magics = Mapping[str, Mapping[str, Magic]]


@dataclass(frozen=True, slots=True)
class Typed:
    """A magic that is being typed.

    Attributes
    ----------
    parser : ArgumentParser
    text : str
        What stands between the magic's name and the cursor.
    """

    parser: argparse.ArgumentParser
    text: str


@dataclass(frozen=True, slots=True)
class Position:
    """Where the cursor is.

    Attributes
    ----------
    fragment : str
        What is typed of the word that the cursor is on.
    argument : argparse.Action or None
        What the word is for; None if there is no room for one more.
    may_be_option : bool
        Whether the name of an option may stand here.
    given : dict of str to str
        The words for other arguments, by dest, as they were typed.
    options : list of str
        The names of the options that can still be given.
    """

    fragment: str
    argument: argparse.Action | None
    may_be_option: bool
    given: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)


def find_magic(
    lines: list[str], row: int, column: int, magics: Magics, auto: Magics
) -> Typed | None:
    """Find the magic in whose line the cursor is.

    Parameters
    ----------
    lines : list of str
        Of the cell.
    row, column : int
        The cursor's.
    magics : mapping
        The magics, by kind ("line" and "cell") and name.
    auto : mapping
        Those that work without ``%``, in the same way.

    Returns
    -------
    Typed or None
        None behind anything but a magic of ours.
    """
    before = lines[row][:column]
    is_first = not any(line.strip() for line in lines[:row])
    if is_first and (found := _CELL_MAGIC.fullmatch(before)):
        return _typed(magics.get("cell", {}), found)
    if found := _LINE_MAGIC.fullmatch(before):
        return _typed(magics.get("line", {}), found)
    found = _AUTOMAGIC.fullmatch(before)
    if found and not found["rest"].lstrip().startswith(_NO_ARGUMENT):
        return _typed(auto.get("line", {}), found)
    return None


def _typed(magics: Mapping[str, Magic], found: re.Match[str]) -> Typed | None:
    parser = getattr(magics.get(found["name"]), "parser", None)
    return Typed(parser, found["rest"]) if isinstance(parser, argparse.ArgumentParser) else None


def find_position(typed: Typed) -> Position | None:
    """Find the argument that the cursor is on; None inside a comment."""
    if (words := split_typed(typed.text)) is None:
        return None
    whole, fragment = words
    by_name = {name: one for one in typed.parser._actions for name in one.option_strings}
    places = [one for one in typed.parser._actions if not one.option_strings]
    given: dict[str, str] = {}
    waiting: argparse.Action | None = None  # the option whose value comes next
    for word in whole:
        if word in by_name and not (waiting and waiting.nargs is None):
            waiting = by_name[word]
            given[waiting.dest] = ""
            if waiting.nargs == 0:
                waiting = None
        elif waiting:
            given[waiting.dest], waiting = word, None
        elif places:
            given[places.pop(0).dest] = word
    free = [name for name, one in by_name.items() if one.dest not in given]
    must_be_value = waiting is not None and waiting.nargs is None
    argument = waiting or (places[0] if places else None)
    return Position(fragment, argument, not must_be_value, given, free)
