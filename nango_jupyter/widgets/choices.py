"""Changes what there is to choose from, without choosing something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ipywidgets import Dropdown, Select

__all__ = ["choose"]


def choose(field: Dropdown | Select, options: Sequence[tuple[str, Any]], value: Any) -> None:
    """Offer options in a field, and choose one of them, or none.

    ipywidgets chooses the first one when options change, and a front end would show it.
    """
    with field.hold_sync():
        if tuple(options) != tuple(field.options):
            field.value = None
            field.options = tuple(options)
        field.value = value
