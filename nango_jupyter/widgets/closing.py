"""Closes forms: ipywidgets keeps every model, and a front end its copy, until it is closed."""

from __future__ import annotations

from collections.abc import Iterator

from ipywidgets import Widget

from nango_jupyter.magics.notebook import CellRun

__all__ = ["Cells", "close_tree"]


def close_tree(root: Widget) -> None:
    """Close a widget with everything that it is made of: children, layouts, styles."""
    for widget in reversed(list(_walk(root, set()))):
        if widget.comm is not None:
            Widget.close(widget)


def _walk(widget: Widget, seen: set[int]) -> Iterator[Widget]:
    if id(widget) in seen or widget.comm is None:
        return
    seen.add(id(widget))
    yield widget
    for name in widget.keys:
        value = getattr(widget, name)
        for part in value if isinstance(value, (tuple, list)) else (value,):
            if isinstance(part, Widget):
                yield from _walk(part, seen)


class Cells:
    """The forms that cells made: a cell that is run again closes those of its last run."""

    def __init__(self) -> None:
        self._made: dict[str, tuple[str, list[Widget]]] = {}

    def add(self, form: Widget, where: CellRun | None) -> None:
        """Note a form, and close what an earlier run of the same cell made."""
        if where is None:
            return
        run, forms = self._made.get(where.cell, (where.run, []))
        if run != where.run:
            for old in forms:
                old.close()
            forms = []
        self._made[where.cell] = (where.run, [*forms, form])

    def remove(self, form: Widget) -> None:
        """Forget a form that was closed."""
        for cell, (run, forms) in list(self._made.items()):
            kept = [one for one in forms if one is not form]
            if kept:
                self._made[cell] = (run, kept)
            else:
                del self._made[cell]
