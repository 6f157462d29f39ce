"""What came of one row, and of some of them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nango_jupyter import frames
from nango_jupyter.rows import json_row
from nango_jupyter.secrets import redact

if TYPE_CHECKING:
    import pandas
    import polars

    from nango_jupyter.calls import TriggerCall
    from nango_jupyter.exceptions import NangoError
    from nango_jupyter.results import NangoResult

__all__ = ["BatchItem", "BatchItems", "Todo", "renamed"]

# The columns that stand beside a row's own.
_OURS = frozenset({"success", "error", "duration", "result"})
_SHOWN_CHARS = 120


@dataclass(slots=True, eq=False)
class Todo:
    """A row that is to be run; `call` is made of it when its turn comes."""

    index: int
    row: dict[str, Any]
    call: TriggerCall | None = None
    is_sent: bool = False


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class BatchItem:
    """What came of one row.

    Attributes
    ----------
    index : int
        The number of the row, from 0.
    row : dict
        Its columns.
    call : TriggerCall or None
        What is sent again by a retry; None for a row that succeeded, and for one that gave no call.
    result : NangoResult or None
        Of a row that failed, what is known of it; None if it was never sent.
    error : NangoError or None
        Why it failed; None if it didn't.
    """

    index: int
    row: dict[str, Any]
    call: TriggerCall | None = None
    result: NangoResult | None = None
    error: NangoError | None = None

    @property
    def success(self) -> bool:
        """Whether the action ran well."""
        return self.error is None

    @property
    def error_msg(self) -> str | None:
        """Why it failed; None if it didn't."""
        return None if self.error is None else self.error.message

    @property
    def duration(self) -> float:
        """From the call to the answer, in seconds; 0 if it was never sent."""
        return 0.0 if self.result is None else self.result.duration

    @property
    def value(self) -> Any:
        """What the action returned; None if it failed."""
        return self.result.return_value if self.success and self.result is not None else None

    def __repr__(self) -> str:
        message = self.error_msg
        if message is None:
            return f"<BatchItem {self.index}: success>"
        line = redact(message).partition("\n")[0][:_SHOWN_CHARS]
        return f"<BatchItem {self.index}: failed: {line}>"


class BatchItems(list[BatchItem]):
    """Some of the rows of a batch: a list of `BatchItem`, and a table of them."""

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each row: its columns, and beside them what came of it.

        Those are ``success``, ``error``, ``duration`` (in seconds) and ``result``. A column of the
        row that is called so becomes ``row.success`` and so on.
        """
        return [_record(item) for item in self]

    def to_pandas(self) -> pandas.DataFrame:
        """Return each row with its result beside it, as a DataFrame of pandas.

        The row's columns come first, then ``success``, ``error`` and ``duration`` (in seconds),
        then ``result``, or ``result.id`` and so on where it is an object. The index is the number
        of the row.

        Raises
        ------
        NangoUsageError
            If pandas is not installed.
        """
        frame = frames.to_pandas(self.records())
        numbers = [item.index for item in self]
        if numbers != list(range(len(numbers))):
            frame.index = numbers
        return frame

    def to_polars(self) -> polars.DataFrame:
        """Return each row with its result beside it, as a DataFrame of polars; see `to_pandas`."""
        return frames.to_polars(self.records())

    def to_json(self, indent: int | None = 2) -> str:
        """Return each row with its result beside it, as JSON text."""
        return frames.to_json(self._json_records(), indent)

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write each row with its result beside it: JSON, JSON lines, CSV or Parquet.

        Raises
        ------
        NangoUsageError
            If there is no such format, or the file can't be written.
        """
        frames.check_target(target)
        return frames.save(target, self._json_records())

    def _json_records(self) -> list[dict[str, Any]]:
        return [json_row(record) for record in self.records()]

    def show(
        self,
        *,
        all: bool = False,  # noqa: A002
        rows: int | None = None,
        columns: int | None = None,
    ) -> None:
        """Draw the rows now, and more of them than usual; see `NangoResult.show`."""
        from nango_jupyter.display import LIMITS, show
        from nango_jupyter.display.batch import render_items

        show(render_items(self, LIMITS.wider(all=all, rows=rows, columns=columns)))

    def __repr__(self) -> str:
        return f"[{', '.join(map(repr, self[:3]))}{', …' if len(self) > 3 else ''}]"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from nango_jupyter.display.batch import render_items

        return render_items(self)


def _record(item: BatchItem) -> dict[str, Any]:
    found = dict(renamed(item.row))
    found["success"] = item.success
    found["error"] = item.error_msg
    found["duration"] = item.duration or None
    found["result"] = item.value
    return found


def renamed(row: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    """Yield the columns of a row, those that have one of our names as ``row.result``."""
    for name, value in row.items():
        is_ours = name in _OURS or name.startswith("result.")
        new = f"row.{name}" if is_ours else name
        while is_ours and new in row:
            new = f"row.{new}"
        yield new, value
