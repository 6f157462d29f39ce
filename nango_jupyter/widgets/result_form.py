"""What forms have in common that draw what a server answered."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any

from nango_jupyter.exceptions import NangoError
from nango_jupyter.widgets.form import Form

__all__ = ["ResultForm"]

_OLD = "nango-old"
_FAILED = "It failed: the reason is below."


class ResultForm(Form):
    """A form whose card is the answer to what was asked last, be it a result or an error."""

    def show(self, value: Any) -> None:
        """Draw a result with as many rows and columns as the settings say, as magics do."""
        rows = columns = None
        with suppress(NangoError):  # a pyproject.toml that can't be read must not cost the result
            rows, columns = self.shared.preferences.rows_and_columns()
        if rows is not None or columns is not None:
            from nango_jupyter.display import LIMITS

            value = replace(value, limits=LIMITS.wider(rows=rows, columns=columns))
        super().show(value)

    def on_tick(self, seconds: float) -> None:
        """Show how long it has run, and that the card is of the last time."""
        self.result.add_class(_OLD)
        super().on_tick(seconds)

    def on_end(self, error: BaseException | None) -> None:
        """Show an error, and not the result of the last time."""
        self.result.remove_class(_OLD)
        if error is not None:
            self.result.value = ""
        super().on_end(error)
        if isinstance(error, NangoError) and self.result.value:
            self.say(_FAILED, "error")  # once: a card tells it with what belongs to it
