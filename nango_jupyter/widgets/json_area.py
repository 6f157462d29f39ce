"""An area for JSON that is checked as one types."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ipywidgets import Textarea

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.json_input import load_json
from nango_jupyter.magics.marks import Document
from nango_jupyter.widgets import look
from nango_jupyter.widgets.field import FieldError, Leaf

__all__ = ["JsonArea"]

# Longer ones are checked when they are sent: each key would send all of it to the kernel.
_CHECKED_CHARACTERS = 100_000
_ROWS = (3, 20)


class JsonArea(Leaf):
    """A text area that holds JSON, with what is wrong with it, and where, below it.

    Parameters
    ----------
    label : str
    on_change : function
        Called when the user has changed it.
    about : str
        The help below it.
    is_needed : bool
        Whether it must not be empty; an empty one that needs not reads as None.
    """

    def __init__(
        self,
        label: str,
        on_change: Callable[[], object],
        about: str = "",
        *,
        is_needed: bool = False,
    ) -> None:
        control = look.field(Textarea, label, rows=_ROWS[0])
        control.add_class("nango-code")
        super().__init__(label, control, about, on_change)
        self._is_needed = is_needed

    @property
    def text(self) -> str:
        """What is typed."""
        typed: str = self.control.value
        return typed

    @text.setter
    def text(self, text: str) -> None:
        self.control.value = text

    def convert(self) -> Any:
        """Return the value."""
        if not self.text.strip():
            if self._is_needed:
                raise self.need()
            return None
        try:
            return load_json(Document(self.text, self.label, []))
        except NangoUsageError as error:
            raise FieldError(error.message, error.hint) from None

    def fill(self, value: Any) -> None:
        """Write a value, on several lines."""
        text = "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
        self.control.rows = min(max(text.count("\n") + 1, _ROWS[0]), _ROWS[1])
        self.control.value = text

    @property
    def is_empty(self) -> bool:
        """Whether nothing is typed; one that is too long to check at each key counts as such."""
        return not self.text.strip() or len(self.text) > _CHECKED_CHARACTERS
