"""Draws at once, where something can be drawn."""

from __future__ import annotations

import sys
from collections.abc import Mapping

__all__ = ["show"]


def show(bundle: Mapping[str, str]) -> None:
    """Draw a MIME bundle now: in a notebook or in IPython's terminal; elsewhere, print its text."""
    if _is_in_ipython():
        from IPython.display import display

        display(dict(bundle), raw=True)  # type: ignore[no-untyped-call]
    else:
        sys.stdout.write(f"{bundle['text/plain']}\n")


def _is_in_ipython() -> bool:
    if "IPython" not in sys.modules:
        return False
    from IPython.core.getipython import get_ipython

    return get_ipython() is not None
