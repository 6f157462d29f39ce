"""What came of a batch."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from nango_jupyter.batch.items import BatchItem, BatchItems, Todo
from nango_jupyter.calls import TriggerCall
from nango_jupyter.rows import Row, Rows
from nango_jupyter.secrets import redact

if TYPE_CHECKING:
    import pandas
    import polars

    from nango_jupyter.display import Limits

__all__ = ["BatchResult", "Left", "Prepare"]

Prepare = Callable[[Row], TriggerCall]
"""Makes of a row what is sent for it."""


@dataclass(frozen=True, slots=True)
class Left:
    """What a batch leaves for another: how calls are made, and the rows that were not begun."""

    prepare: Prepare
    todo: tuple[Todo, ...]
    rows: Rows
    position: int


@dataclass(frozen=True, eq=False, repr=False)
class BatchResult(Sequence[BatchItem]):
    """What came of many triggers: a sequence of `BatchItem`, in the order of the rows.

    Attributes
    ----------
    items : BatchItems
        Those that were run: a list.
    request : str
        What was triggered, such as ``crm.list-contacts``.
    connection : str
        The name of the connection that it went through; "" if it had none.
    total : int or None
        How many rows there are; None if nobody knows, for it ended before the rows did.
    ran : int
        How many were run this time; a retry has others from before.
    reason : str
        Why it ended early; "" if it didn't.
    error : Exception or None
        What ended it: the error of what yields the rows, or that of a connection that is gone. An
        error of a single row is that item's own.
    duration : float
        In seconds.
    concurrency : int
        How many at once.
    limits : Limits or None
        How much of it is drawn, if not as much as usual.
    """

    items: BatchItems
    request: str = field(default="", kw_only=True)
    connection: str = field(default="", kw_only=True)
    total: int | None = field(default=None, kw_only=True)
    ran: int = field(default=0, kw_only=True)
    reason: str = field(default="", kw_only=True)
    error: Exception | None = field(default=None, kw_only=True)
    duration: float = field(default=0.0, kw_only=True)
    concurrency: int = field(default=1, kw_only=True)
    limits: Limits | None = field(default=None, kw_only=True)
    left: Left | None = field(default=None, kw_only=True)

    @property
    def succeeded(self) -> BatchItems:
        """The rows that went well."""
        return BatchItems(item for item in self.items if item.success)

    @property
    def failed(self) -> BatchItems:
        """The rows that failed."""
        return BatchItems(item for item in self.items if not item.success)

    @property
    def not_run(self) -> int | None:
        """How many rows were not begun; None if that isn't known."""
        return None if self.total is None else max(self.total - len(self.items), 0)

    @property
    def rest(self) -> Rows:
        """The rows that were not begun; those of a generator can be read only once."""
        if self.left is None:
            return Rows(lambda _: iter(()), 0)
        first, rows = [todo.row for todo in self.left.todo], self.left.rows.rest()

        def make(_: int) -> Any:
            yield from first
            yield from rows

        return Rows(make, self.not_run, is_once=True)

    @overload
    def __getitem__(self, index: int) -> BatchItem: ...
    @overload
    def __getitem__(self, index: slice) -> BatchItems: ...
    def __getitem__(self, index: int | slice) -> BatchItem | BatchItems:
        return BatchItems(self.items[index]) if isinstance(index, slice) else self.items[index]

    def __len__(self) -> int:
        return len(self.items)

    def __repr__(self) -> str:
        failed = len(self.failed)
        parts = [f"{len(self) - failed:,} succeeded", f"{failed:,} failed"]
        parts += [redact(self.reason)] if self.reason else []
        return f"<BatchResult {redact(self.request)}: {', '.join(parts)}>"

    def __getstate__(self) -> dict[str, Any]:
        # A pickle has what came back; what is left to do belongs to this session.
        return {**self.__dict__, "left": None}

    def records(self) -> list[dict[str, Any]]:
        """Return a dict for each row, its result beside it; see `BatchItems.records`."""
        return self.items.records()

    def to_pandas(self) -> pandas.DataFrame:
        """Return each row with its result beside it; see `BatchItems.to_pandas`."""
        return self.items.to_pandas()

    def to_polars(self) -> polars.DataFrame:
        """Return each row with its result beside it; see `BatchItems.to_pandas`."""
        return self.items.to_polars()

    def to_json(self, indent: int | None = 2) -> str:
        """Return each row with its result beside it, as JSON text."""
        return self.items.to_json(indent)

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write each row with its result beside it; see `BatchItems.save`."""
        return self.items.save(target)

    def show(
        self,
        *,
        all: bool = False,  # noqa: A002
        rows: int | None = None,
        columns: int | None = None,
    ) -> None:
        """Draw the batch now, and more of it than usual.

        Parameters
        ----------
        all : bool
            Leave out nothing.
        rows, columns : int, optional
            How many of the results to draw.
        """
        from nango_jupyter.display import LIMITS, show

        limits = (self.limits or LIMITS).wider(all=all, rows=rows, columns=columns)
        show(replace(self, limits=limits)._repr_mimebundle_())

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from nango_jupyter.display.batch import render_batch

        return render_batch(self, self.limits)
