"""From a value to what is drawn of it: a tree with tables in it, within the limits.

The tree grows level by level, so that when the output is full it is the depths that are missing,
not the second half of the top. Only what is drawn is looked at: a list of a million rows costs as
much as one of a hundred.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, NamedTuple

from markupsafe import escape

from nango_jupyter.display.limits import SHOW_ALL, Limits
from nango_jupyter.display.plain_columns import MISSING, column_values, plain_texts
from nango_jupyter.display.shapes import (
    columns_of,
    entries,
    is_table,
    preview,
    shape_text,
    size_text,
)
from nango_jupyter.display.values import (
    Leaf,
    is_ambiguous,
    is_container,
    is_secret,
    is_word,
    key_text,
    leaf,
    normal,
)

__all__ = ["Branch", "Cell", "Drawing", "Item", "Node", "Row", "Table", "build", "draw"]

# What things cost in HTML beside their text, roughly.
_ITEM_COST = 32
_BRANCH_COST = 160
_TABLE_COST = 200
_ROW_COST = 36
_CELL_COST = 16
_LINK_COST = 62
_NOTE_COST = 20
# Longer text in a table is wrapped.
_LONG = 40
# Levels that stand open, unless they are long.
_OPEN_DEPTH = 2
_OPEN_ITEMS = 12


@dataclass(slots=True)
class Branch:
    """An object or a list, drawn as a tree or as a table.

    Attributes
    ----------
    size : str
        Such as "3 keys".
    preview : str
        The beginning of its content on one line.
    is_open : bool
    items : list of Item
        What is drawn of it, if it isn't a table.
    table : Table or None
    notes : list of str
        What isn't drawn.
    """

    size: str
    preview: str
    is_open: bool
    items: list[Item] = field(default_factory=list)
    table: Table | None = None
    notes: list[str] = field(default_factory=list)


Node = Leaf | Branch


@dataclass(slots=True)
class Item:
    """A key, or an index, and its value."""

    label: str
    node: Node


Cell = str | Node
"""A text, or a node for all that is more than a text."""


class Row(NamedTuple):
    """A row of a table.

    Attributes
    ----------
    shape : str
        A letter for each cell, which says what is around its texts; "" if one of them folds.
    texts : sequence of str
        The texts of all cells in turn, as many as their letters ask for.
    cells : sequence of Cell
    """

    shape: str
    texts: Sequence[str]
    cells: Sequence[Cell]


@dataclass(slots=True)
class Table:
    """A list of objects.

    Attributes
    ----------
    columns : list of (style, name)
    rows : list of Row
    note : str
    """

    columns: list[tuple[str, str]]
    rows: list[Row]
    note: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn of a value; `more` says how to see what was left out, if anything was."""

    node: Node
    more: str


def draw(value: Any, limits: Limits) -> Drawing:
    """Return what is drawn of a value that can draw more of itself: ``.show(all=True)``."""
    builder = _Builder(limits)
    node = builder.build(value, "")
    more = SHOW_ALL if builder.is_cut and not limits.is_all else ""
    if more and isinstance(node, Branch) and node.table:
        node.table.note += f"; {more}"  # on the line that says what was left out
        more = ""
    return Drawing(node, more)


def build(value: Any, limits: Limits, name: str = "") -> Node:
    """Return what is drawn of a value that stands under a name."""
    return _Builder(limits).build(value, name)


@dataclass(slots=True)
class _Task:
    branch: Branch
    value: Any
    name: Any
    depth: int


class _Builder:
    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._left = limits.total
        self.is_cut = False
        self._tasks: deque[_Task] = deque()

    def build(self, value: Any, name: str) -> Node:
        root = self._node(value, name, 0)
        while self._tasks:
            self._grow(self._tasks.popleft())
        return root

    def _node(self, value: Any, name: Any, depth: int) -> Node:
        value = normal(value)
        if is_container(value) and value:
            return self._branch(value, name, depth)
        return self._leaf(value, self._limits.string_chars, is_secret(name), is_ambiguous)

    def _leaf(
        self, value: Any, most: int, secret: bool, needs_quotes: Callable[[str], bool]
    ) -> Leaf:
        found = leaf(value, most, secret=secret, link_chars=self._limits.string_chars)
        self._left -= len(escape(found.text))
        if found.href:
            self._left -= _LINK_COST + len(escape(found.href))
        if found.note:
            self.is_cut = True
            self._left -= _NOTE_COST + len(found.note)
        if found.kind == "text" and needs_quotes(found.text):
            return found._replace(text=f'"{found.text}"')
        return found

    def _branch(self, value: Any, name: Any, depth: int) -> Branch:
        branch = Branch(size_text(value), preview(value, name, self._limits), is_open=False)
        self._left -= _BRANCH_COST + len(escape(branch.preview))
        self._tasks.append(_Task(branch, value, name, depth))
        return branch

    def _grow(self, task: _Task) -> None:
        branch, value = task.branch, task.value
        if task.depth >= self._limits.depth:
            self.is_cut = True
            branch.notes.append(f"nested deeper than {self._limits.depth} levels: not shown")
        elif self._left <= 0:
            self.is_cut = True
            branch.notes.append("not shown: this output is full")
        elif is_table(value, self._limits.rows):
            branch.table = self._table(value, task.depth)
            branch.is_open = task.depth < _OPEN_DEPTH
        else:
            self._tree(task)
            branch.is_open = task.depth == 0 or (
                task.depth < _OPEN_DEPTH and len(branch.items) <= _OPEN_ITEMS
            )

    def _tree(self, task: _Task) -> None:
        for key, item in islice(entries(task.value), self._limits.children):
            if self._left <= 0:
                break
            label = self._label(key)
            # A list under a secret name is a list of secrets.
            name = key if isinstance(task.value, Mapping) else task.name
            task.branch.items.append(Item(label, self._node(item, name, task.depth + 1)))
        shown, total = len(task.branch.items), len(task.value)
        if shown < total:
            self.is_cut = True
            what = "keys" if isinstance(task.value, Mapping) else "items"
            task.branch.notes.append(f"showing {shown:,} of {total:,} {what}")

    def _table(self, value: Sequence[Any], depth: int) -> Table:
        objects = [normal(item) for item in islice(value, self._limits.rows)]
        names = columns_of(objects, self._limits.counted_columns)
        shown = names[: self._limits.columns]
        columns = [_Column.read(objects, name, self._limits) for name in shown]
        cost = _ROW_COST + _CELL_COST * len(shown) + sum(column.cost for column in columns)
        self._left -= _TABLE_COST
        plain = [column.texts for column in columns if column.texts]
        if len(plain) == len(columns):
            fitting = min(max(0, -(-self._left // cost)), len(objects))
            shape = "t" * len(columns)
            rows = [Row(shape, cells, cells) for cells in islice(zip(*plain, strict=True), fitting)]
            self._left -= cost * len(rows)
        else:
            rows = self._rows(len(objects), columns, cost, depth)
        heads = [(column.style, self._label(column.name)) for column in columns]
        note = shape_text(
            (len(rows), len(value)), (len(shown), len(names)), self._limits.counted_columns
        )
        # In a fold the summary has told how many rows there are.
        is_whole = len(rows) == len(value) and len(shown) == len(names)
        self.is_cut |= not is_whole
        return Table(heads, rows, "" if is_whole and depth else note)

    def _rows(self, number: int, columns: list[_Column], cost: int, depth: int) -> list[Row]:
        rows: list[Row] = []
        for at in range(number):
            if self._left <= 0:
                break
            self._left -= cost
            rows.append(_row([self._cell(column, at, depth + 1) for column in columns]))
        return rows

    def _label(self, name: Any) -> str:
        text = key_text(name, self._limits.key_chars)
        self._left -= _ITEM_COST + len(escape(text))
        self.is_cut |= isinstance(name, str) and len(name) > self._limits.key_chars
        return text

    def _cell(self, column: _Column, at: int, depth: int) -> Cell:
        if column.texts:
            return column.texts[at]
        value = column.values[at]
        if value is MISSING:
            return ""
        value = normal(value)
        if is_container(value) and value:
            column.kinds.add("branch")
            return self._branch(value, column.name, depth)
        # Numbers stand to the right, so text of digits needs no quotes.
        found = self._leaf(value, self._limits.cell_chars, column.is_secret, is_word)
        column.kinds.add(found.kind)
        column.is_wide |= len(found.text) > _LONG or "\n" in found.text
        return found if found.href or found.note or found.kind == "nothing" else found.text


def _row(cells: list[Cell]) -> Row:
    letters, texts = [], []
    for cell in cells:
        if isinstance(cell, str):
            letters.append("t")
            texts.append(cell)
        elif not isinstance(cell, Leaf):
            return Row("", [], cells)
        elif cell.href:
            letters.append("A" if cell.note else "a")  # a link, with or without a note
            texts += [cell.href, cell.text]
        else:
            nothing = "n" if cell.kind == "nothing" else "t"
            letters.append("o" if cell.note else nothing)
            texts.append(cell.text)
        if not isinstance(cell, str) and cell.note:
            texts.append(cell.note)
    return Row("".join(letters), texts, cells)


@dataclass(slots=True)
class _Column:
    """A column on its way: its values, and what is known of its cells.

    Attributes
    ----------
    texts : list of str or None
        Its cells, if they are nothing but texts.
    cost : int
        What those cost in HTML, for each row.
    kinds : set of str
        Which kinds of leaves it has, and "branch".
    is_wide : bool
        Whether a text is to be wrapped.
    """

    name: Any
    values: list[Any]
    is_secret: bool
    texts: list[str] | None = None
    cost: int = 0
    kinds: set[str] = field(default_factory=set)
    is_wide: bool = False

    @classmethod
    def read(cls, rows: Sequence[Mapping[Any, Any]], name: Any, limits: Limits) -> _Column:
        found = cls(name, column_values(rows, name), is_secret(name))
        texts = None if found.is_secret else plain_texts(found.values, limits.cell_chars)
        if texts:
            found.texts = texts
            found.cost = len(escape("".join(texts))) // len(texts)
            found.kinds.add("text" if isinstance(found.values[0], str) else "number")
            found.is_wide = max(map(len, texts)) > _LONG
        return found

    @property
    def style(self) -> str:
        """The class of its cells: numbers stand to the right, gaps among them don't matter."""
        if self.is_wide:
            return "ng-w"
        is_numeric = "number" in self.kinds and self.kinds <= {"number", "nothing"}
        return "ng-n" if is_numeric else ""
