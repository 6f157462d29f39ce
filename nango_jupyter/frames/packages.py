"""Packages that need not be installed."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

from nango_jupyter.exceptions import NangoUsageError

__all__ = ["check_package", "is_installed", "needs"]


def check_package(name: str) -> None:
    """Say that a package is missing before it is needed; nothing is imported.

    Raises
    ------
    NangoUsageError
        If it is not installed.
    """
    if not is_installed(name):
        raise _missing(name)


def is_installed(name: str) -> bool:
    """Tell whether a package could be imported."""
    # Of a module without a spec, such as a stand-in of a test, find_spec knows nothing.
    return sys.modules.get(name) is not None or (
        name not in sys.modules and find_spec(name) is not None
    )


@contextmanager
def needs(name: str) -> Iterator[None]:
    """Import a package inside: a missing one gets a clear error, a broken one its own."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        raise _missing(name) from None


def _missing(name: str) -> NangoUsageError:
    return NangoUsageError(f"{name} is not installed", f"Run: %pip install {name}")
