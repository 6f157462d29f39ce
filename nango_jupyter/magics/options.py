"""Options that several magics have, and what may stand behind them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from IPython.core.magic_arguments import MagicArgumentParser, argument

from nango_jupyter.exceptions import NangoUsageError

__all__ = ["connection_argument", "output_arguments", "seconds", "takes_arguments", "whole_number"]

_MagicT = TypeVar("_MagicT", bound=Callable[..., Any])


def takes_arguments(magic: _MagicT) -> _MagicT:
    """Give a magic the parser of the arguments that are declared below.

    IPython's `magic_arguments` writes a help text as well, which `write_help` would throw away:
    a third of the time that loading the extension takes.
    """
    parser = MagicArgumentParser(magic.__name__, description=magic.__doc__)
    for declared in reversed(magic.decorators):  # type: ignore[attr-defined]
        declared.add_to_parser(parser, None)
    magic.parser = parser  # type: ignore[attr-defined]
    return magic


def connection_argument(magic: _MagicT) -> _MagicT:
    """Declare ``--connection NAME``."""
    about = "An open connection, if not the current one."
    found: _MagicT = argument("--connection", metavar="NAME", help=about)(magic)
    return found


def output_arguments(magic: _MagicT) -> _MagicT:
    """Declare what `read_output` reads."""
    found: _MagicT = magic
    # IPython reads them from the bottom up.
    found = argument("--polars", action="store_true", help="Return a polars DataFrame.")(found)
    found = argument("--frame", action="store_true", help="Return a pandas DataFrame.")(found)
    return argument(  # type: ignore[no-any-return]
        "--out", metavar="NAME", help="Put the result into a variable, as NAME << in front does."
    )(found)


def seconds(given: Any, option: str = "--timeout") -> float | None:
    """Read a time limit; what it may be is checked where it is used."""
    try:
        return None if given is None else float(given)
    except (TypeError, ValueError):
        raise NangoUsageError(f"{option} is not a number", f"Give seconds: {option} 60.") from None


def whole_number(given: Any, what: str) -> int:
    """Read a number such as 3."""
    try:
        return int(str(given))
    except ValueError:
        raise NangoUsageError(f"{what} is not a whole number", "Give one, such as 3.") from None
