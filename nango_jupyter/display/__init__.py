"""Results, errors and facts as HTML and as plain text.

Everything drawn is escaped, masked and capped; a cap says so on the output. The HTML is one card
that carries its own small style and neither script nor external file, and reads well where the
style is taken away.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nango_jupyter.display.errors import render_error
    from nango_jupyter.display.facts import render_card
    from nango_jupyter.display.limits import LIMITS, Limits
    from nango_jupyter.display.results import render_result
    from nango_jupyter.display.row_table import render_rows
    from nango_jupyter.display.showing import show

__all__ = [
    "LIMITS",
    "Limits",
    "render_card",
    "render_error",
    "render_result",
    "render_rows",
    "show",
]

# Imported when first used: to choose limits, nothing needs Jinja2.
_PLACES = {
    "LIMITS": "limits",
    "Limits": "limits",
    "render_card": "facts",
    "render_error": "errors",
    "render_result": "results",
    "render_rows": "row_table",
    "show": "showing",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
