"""What a word on a line may be completed to: variables, files, and names as they are typed."""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.messages import UserId

__all__ = ["batches", "environment", "paths", "rows", "user_variables", "variables", "written"]

_BARE = re.compile(r"[^\s'\"{}\[\]$#;][^\s'\"{}\[\]$;]*")
_MOST_FILES = 2_000
_NO_ROW = (str, bytes, int, float, bool, type(None))


def written(name: UserId, quote: str = "") -> str:
    """Return a name as it is typed on a line; "" if it can't be.

    Parameters
    ----------
    name : str or int
        A number stays one in double braces.
    quote : str
        The quotation mark that was typed already.
    """
    if isinstance(name, int):
        return f"{{{{{name}}}}}"
    # A dash in front makes an option of a word, also in quotes.
    if not name.isprintable() or name[:1] in ("", "-"):
        return ""
    if not quote and _BARE.fullmatch(name) and "<<" not in name:
        return name
    if "'" not in name and quote != '"':
        return f"'{name}'"
    return "" if re.search(r'["\\${]', name) else f'"{name}"'


def user_variables(shell: InteractiveShell) -> Mapping[str, Any]:
    """Return the variables that the user made, as %who does."""
    hidden = shell.user_ns_hidden
    return {
        name: value
        for name, value in list(shell.user_ns.items())
        if not name.startswith("_") and not (name in hidden and hidden[name] is value)
    }


def variables(names: Mapping[str, Any]) -> list[str]:
    """Return the names of values, and not of modules, functions and classes."""
    return sorted(
        name
        for name, value in names.items()
        if not isinstance(value, ModuleType | FunctionType | type)
    )


def rows(names: Mapping[str, Any]) -> list[str]:
    """Return the names of what ``--each`` takes: DataFrames, lists of rows, generators."""
    return sorted(name for name, value in names.items() if _has_rows(value))


def _has_rows(value: Any) -> bool:
    kind = type(value)
    if kind.__name__ == "DataFrame" and kind.__module__.partition(".")[0] in ("pandas", "polars"):
        return True
    if isinstance(value, list | tuple):
        return not value or not isinstance(value[0], _NO_ROW)
    return isinstance(value, Iterator) and not isinstance(value, io.IOBase)


def batches(names: Mapping[str, Any]) -> list[str]:
    """Return the names of what ``--retry-failed`` takes."""
    batch = sys.modules.get("nango_jupyter.batch")  # if it is not imported, there is none
    kind = getattr(batch, "BatchResult", ())
    return sorted(name for name, value in names.items() if isinstance(value, kind))


def environment() -> list[str]:
    """Return the names of the environment variables; never their values."""
    return sorted(os.environ)


def paths(fragment: str, *, folders_only: bool) -> Iterator[tuple[str, str]]:
    """Find files that begin with what was typed.

    Yields
    ------
    tuple of str
        The path, and how it is typed; folders end with a slash.
    """
    quote = fragment[:1] if fragment[:1] in ("'", '"') else ""
    typed = fragment.removeprefix(quote).removesuffix(quote) if quote else fragment
    folder, slash, start = typed.rpartition("/")
    try:
        with os.scandir(Path(f"{folder}{slash}" or ".").expanduser()) as entries:
            found = sorted(islice(entries, _MOST_FILES), key=lambda entry: entry.name)
    except (OSError, RuntimeError):  # there is no such folder, or no such ~user
        return
    for entry in found:
        if entry.name.startswith(".") and not start.startswith("."):
            continue
        is_folder = entry.is_dir()
        path = f"{folder}{slash}{entry.name}{'/' if is_folder else ''}"
        if (is_folder or not folders_only) and (text := written(path, quote)):
            yield path, text
