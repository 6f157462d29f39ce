"""What every field of a schema does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, Final

from ipywidgets import HTML, VBox, Widget

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.widgets import look

__all__ = ["MISSING", "Field", "FieldError", "Leaf", "Missing"]


class FieldError(NangoUsageError):
    """What stands in a field can't be used; the message begins with the field's label."""


class Missing:
    """Stands for a value that is left out."""

    def __repr__(self) -> str:
        return "MISSING"


MISSING: Final = Missing()


class Field(ABC):
    """A part of an input, as a widget.

    Attributes
    ----------
    label : str
        The path of its value, such as ``address.street``.
    widget : Widget
        What to show.
    """

    label: str
    widget: Widget

    @abstractmethod
    def read(self) -> Any:
        """Return the JSON value, or `MISSING`; show what is wrong.

        Raises
        ------
        FieldError
            If there is none yet, or it can't be used.
        """

    @abstractmethod
    def set(self, value: Any) -> None:
        """Fill in a JSON value.

        Raises
        ------
        FieldError
            If this field can't hold it.
        """

    @abstractmethod
    def draft(self) -> Any:
        """Return as much as can be read, or `MISSING`; nothing is shown or raised."""

    def enable(self, *, is_on: bool) -> None:
        """Let it be used, or not."""
        self.widget.layout.display = None if is_on else "none"


class Leaf(Field):
    """A field with one widget to type or choose in, its help, and what is wrong with it.

    Parameters
    ----------
    label : str
    control : Widget
    about : str
        The help, as plain text.
    on_change : function
        Called when the user has changed it.
    """

    def __init__(
        self, label: str, control: Widget, about: str, on_change: Callable[[], object]
    ) -> None:
        self.label = label
        self.control = control
        self._on_change = on_change
        self._is_setting = False
        self._wrong = HTML()
        self._wrong.layout.margin = look.INDENT
        parts = [control, *([look.help_text(about)] if about else []), self._wrong]
        self.widget = VBox(parts)
        self._say("")
        control.observe(self._changed, "value")

    @abstractmethod
    def convert(self) -> Any:
        """Return the JSON value of what stands there, or raise a FieldError."""

    @abstractmethod
    def fill(self, value: Any) -> None:
        """Put a JSON value into the control, or raise a FieldError."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing was typed or chosen yet."""
        return self.control.value in ("", None)

    def read(self) -> Any:
        """Return the JSON value; see `Field.read`."""
        try:
            found = self.convert()
        except FieldError as error:
            self._say(str(error))
            raise
        self._say("")
        return found

    def draft(self) -> Any:
        """Return the JSON value, if there is one; see `Field.draft`."""
        try:
            return MISSING if self.is_empty else self.convert()
        except FieldError:
            return MISSING

    def set(self, value: Any) -> None:
        """Fill in a JSON value; see `Field.set`."""
        self._is_setting = True
        try:
            self.fill(value)
        finally:
            self._is_setting = False
        self._say("")

    def enable(self, *, is_on: bool) -> None:
        """Let it be used, or not."""
        self.control.disabled = not is_on
        if not is_on:
            self._say("")

    def _changed(self, _: object) -> None:
        if self._is_setting:
            return
        try:
            if self.is_empty:  # that it is needed is said when it is sent
                self._say("")
            else:
                self.read()
        except FieldError:
            pass  # it is shown
        self._on_change()

    def _say(self, text: str) -> None:
        self._wrong.value = look.text_html(text, "nango-wrong", "alert") if text else ""
        self._wrong.layout.display = None if text else "none"

    def need(self) -> FieldError:
        """Make the error for a field that is empty and must not be."""
        return FieldError(f"{self.label} is required")

    def wrong(self, reason: str) -> FieldError:
        """Make the error for what can't be used."""
        return FieldError(f"{self.label} {reason}")
