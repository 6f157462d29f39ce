"""The progress of a batch: how far it is, how fast, and how many rows failed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Self

from nango_jupyter.display.values import key_text

if TYPE_CHECKING:
    from nango_jupyter.batch import Batch, BatchItem

__all__ = ["Progress"]

_NAME_CHARS = 60
_COLUMNS = 90
_WIDGET_SECONDS = 0.25


class Progress:
    """A bar that follows a batch, and leaves one line when it ends: by itself, or by Stop.

    In a notebook it is a widget; the line that it leaves is plain text, which stays readable in a
    notebook that is saved, or shown where there are no widgets.

    Parameters
    ----------
    batch : Batch
    """

    def __init__(self, batch: Batch) -> None:
        self._batch = batch
        self._bar: Any = None
        self._shown: Any = None
        self._failed = 0
        self._next: Callable[[BatchItem], None] | None = None

    def __enter__(self) -> Self:
        batch = self._batch
        if batch.total == 0:
            return self
        # Imported here: in a notebook it takes ipywidgets with it.
        from tqdm.auto import tqdm

        is_widget = any(kind.__module__ == "tqdm.notebook" for kind in tqdm.__mro__)
        how: dict[str, Any] = {"dynamic_ncols": True}
        if is_widget:  # each step of it is some messages, 10 ms in all
            how = {"display": False, "mininterval": _WIDGET_SECONDS}
        name = key_text(batch.request, _NAME_CHARS) if batch.request else None
        self._bar = tqdm(total=batch.total, initial=batch.done, desc=name, unit=" rows", **how)
        if is_widget:
            self._shown = _show(self._bar)
        self._next, batch.on_item = batch.on_item, self._count
        return self

    def _count(self, item: BatchItem) -> None:
        if not item.success:
            self._failed += 1
            self._bar.set_postfix_str(f"{self._failed:,} failed", refresh=False)
        self._bar.update()
        if self._next is not None:
            self._next(item)

    def __exit__(self, *_: object) -> None:
        if self._bar is None:
            return
        self._batch.on_item = self._next
        # Rows that Stop cut off were not counted one by one.
        if cut_off := self._batch.done - self._bar.n:
            self._failed += cut_off
            self._bar.set_postfix_str(f"{self._failed:,} failed", refresh=False)
            self._bar.update(cut_off)
        if self._shown is None:
            self._bar.close()
            return
        line = _line(self._bar)
        self._bar.leave = False
        self._bar.close()
        for widget in (*self._bar.container.children, self._bar.container):
            widget.close()
        self._shown.update({"text/plain": line}, raw=True)


def _show(bar: Any) -> Any:
    """Draw the widget in a place where something else can be drawn later."""
    from IPython.display import display

    shown = display(bar.container, display_id=True)
    bar.displayed = True
    return shown


def _line(bar: Any) -> str:
    """Return the bar as a line of text, as it would be in a terminal."""
    facts = {**bar.format_dict, "ncols": _COLUMNS, "bar_format": None, "ascii": False}
    return str(bar.format_meter(**facts)).strip()
