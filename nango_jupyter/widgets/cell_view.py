"""Shows the cell that does what a form holds, to copy it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from uuid import uuid4

from ipywidgets import HTML

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import redact

__all__ = ["CellView"]

_MOST_ROWS = 14
_MOST_FOLLOWED = 100_000  # characters: more are too many to send for each key
_LABEL = "Cell"
_NO_CELL = "There is no cell yet: mend what is wrong above."
_MASKED = "A secret is masked in it: put it into a variable, and write {{ name }} in its place."


class CellView:
    """A text area that can't be typed in; it follows the form while it is shown.

    Parameters
    ----------
    write : function
        Returns the cell, or raises a NangoUsageError if there is none just now.

    Attributes
    ----------
    widget : HTML
        ipywidgets has no text area that can be read and copied, but not changed.
    """

    def __init__(self, write: Callable[[], str]) -> None:
        self._write = write
        self._id = f"nango-cell-{uuid4().hex}"
        self.widget = HTML()
        self.widget.add_class("nango-cell")
        self.hide()

    @property
    def is_shown(self) -> bool:
        """Whether it is shown."""
        return bool(self.widget.layout.display != "none")

    def show(self) -> None:
        """Show the cell; errors are those of the function that writes it."""
        self._draw(self._write())
        self.widget.layout.display = ""

    def hide(self) -> None:
        """Show nothing."""
        self.widget.layout.display = "none"
        self.widget.value = ""

    def follow(self) -> None:
        """Write it anew, if it is shown."""
        if not self.is_shown:
            return
        if len(self.widget.value) > _MOST_FOLLOWED:
            self.hide()
            return
        try:
            self._draw(self._write())
        except NangoUsageError:
            self._draw("", _NO_CELL)

    def _draw(self, cell: str, note: str = "") -> None:
        shown = redact(cell)
        if shown != cell:
            note = _MASKED
        rows = min(max(shown.count("\n") + 1, 2), _MOST_ROWS)
        self.widget.value = (
            f'<div class="nango-cell-row"><label for="{self._id}">{_LABEL}</label>'
            f'<textarea id="{self._id}" readonly spellcheck="false" rows="{rows}">'
            f"\n{escape(shown)}</textarea></div>"  # HTML drops the first line end
            f'<div class="nango-cell-note">{escape(redact(note))}</div>'
        )
