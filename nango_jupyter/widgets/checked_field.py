"""A field that says under it what is wrong with what it holds."""

from __future__ import annotations

from collections.abc import Iterable

from ipywidgets import HTML, VBox, Widget

from nango_jupyter.secrets import redact
from nango_jupyter.widgets import look

__all__ = ["CheckedField"]

_MOST = 1_000


class CheckedField:
    """A widget with a line below it for an error.

    Parameters
    ----------
    field : Widget

    Attributes
    ----------
    field : Widget
    widget : VBox
        What to show.
    """

    def __init__(self, field: Widget) -> None:
        self.field = field
        self._line = HTML()
        self._line.layout.margin = look.INDENT
        self._line.layout.display = "none"
        self._error = ""
        self.widget = VBox([field, self._line])

    @property
    def error(self) -> str:
        """What is wrong; "" if nothing is."""
        return self._error

    @error.setter
    def error(self, text: str) -> None:
        if text == self._error:
            return
        self._error = text
        self._line.value = look.text_html(text, "nango-wrong", "alert") if text else ""
        self._line.layout.display = "" if text else "none"

    def offer(self, names: Iterable[str]) -> None:
        """Offer names in a Combobox; those that hold a secret, or can't be read, are left out."""
        found: list[str] = []
        for name in names:
            if len(found) == _MOST:
                break
            if name.isprintable() and redact(name) == name:
                found.append(name)
        if tuple(found) != tuple(self.field.options):
            self.field.options = found
