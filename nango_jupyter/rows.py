"""Rows of whatever holds some: frames, lists of dicts, cursors, generators.

A row is read when it is needed: of a generator there is never a list of all.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncIterable, Callable, Iterable, Iterator, Mapping, Sequence, Sized
from dataclasses import fields, is_dataclass
from itertools import islice
from typing import Any

from nango_jupyter.conversion import to_json_value
from nango_jupyter.exceptions import NangoKeyError, NangoUsageError
from nango_jupyter.secrets import MASK, is_secret_name, redact
from nango_jupyter.suggestions import did_you_mean

__all__ = ["NoColumnError", "Row", "Rows", "iterate", "json_row", "values_of"]

_SHOWN_NAMES = 10
_SHOWN_CHARS = 60
# Of a text that is cut: a secret that begins in what is shown is seen as a whole.
_LOOK_AT = 8_192
_CHUNK = 1_000
_GIVE = "Give a DataFrame, a list of dicts, or a generator of them."


class NoColumnError(NangoKeyError, AttributeError):
    """A row has no such column."""


class Row(Mapping[str, Any]):
    """One row: ``row.name`` and ``row["name"]``.

    A column comes before a method of the same name: ``row.items`` is the column ``items``, if there
    is one.

    Parameters
    ----------
    values : dict
        The columns by name.

    Examples
    --------
    >>> row = Row({"name": "Ada", "items": 3})
    >>> row.name, row["name"], row.items
    ('Ada', 'Ada', 3)
    """

    __slots__ = ("_values",)

    def __init__(self, values: dict[str, Any]) -> None:
        object.__setattr__(self, "_values", values)

    def __getattribute__(self, name: str) -> Any:
        if name.startswith("__"):  # what Python itself asks for
            return object.__getattribute__(self, name)
        values = values_of(self)
        return values[name] if name in values else object.__getattribute__(self, name)

    def __getattr__(self, name: str) -> Any:
        values = values_of(self)
        if name in values:  # one that begins with two underscores
            return values[name]
        raise _no_column(values, name)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("rows can't be changed")

    def __getitem__(self, name: Any) -> Any:
        values = values_of(self)
        text = name if isinstance(name, str) else _name(name)
        if text not in values:
            raise _no_column(values, text)
        return values[text]

    def __iter__(self) -> Iterator[str]:
        return iter(values_of(self))

    def __len__(self) -> int:
        return len(values_of(self))

    def get(self, name: Any, default: Any = None) -> Any:
        """Return a column, or something else if there is none."""
        return values_of(self).get(name if isinstance(name, str) else _name(name), default)

    def __contains__(self, name: object) -> bool:
        return (name if isinstance(name, str) else _name(name)) in values_of(self)

    def __eq__(self, other: object) -> bool:
        mine = values_of(self)
        if isinstance(other, Row):
            return mine == values_of(other)
        return mine == dict(other) if isinstance(other, Mapping) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # as of a dict

    def __dir__(self) -> list[str]:
        return list(values_of(self))

    def __reduce__(self) -> tuple[type[Row], tuple[dict[str, Any]]]:
        return Row, (values_of(self),)

    def __repr__(self) -> str:
        shown = [
            f"{_cut(redact(name))}={MASK if is_secret_name(name) else _short(value)}"
            for name, value in islice(values_of(self).items(), _SHOWN_NAMES)
        ]
        more = ["…"] if len(self) > _SHOWN_NAMES else []
        return f"Row({', '.join([*shown, *more])})"


def values_of(row: Row) -> dict[str, Any]:
    """Return the columns of a row, whatever they are called."""
    found: dict[str, Any] = object.__getattribute__(row, "_values")
    return found


class Rows:
    """An iterator of rows.

    Attributes
    ----------
    total : int or None
        How many there are in all; None if only the end will tell.
    position : int
        The number of the next one.
    is_once : bool
        Whether they can be read only once, as those of a generator.

    Parameters
    ----------
    make : callable
        Returns an iterator of what rows are made of, from a number on.
    total : int, optional
    is_once : bool
    start : int
        The number of the first one.
    """

    def __init__(
        self,
        make: Callable[[int], Iterator[Any]],
        total: int | None = None,
        *,
        is_once: bool = False,
        start: int = 0,
    ) -> None:
        self.total = total
        self._make = make
        self.is_once = is_once
        self._iterator: Iterator[Any] | None = None
        self.position = start

    def __iter__(self) -> Iterator[Row]:
        return self

    def __next__(self) -> Row:
        if self._iterator is None:
            self._iterator = self._make(self.position)
        item = next(self._iterator)
        number = self.position
        self.position += 1
        return _row(item, number)

    def rest(self) -> Rows:
        """Return those that were not read yet, to be read apart from this where that can be."""
        if self.is_once:
            return self
        return Rows(self._make, self.total, start=self.position)


def iterate(source: Any) -> Rows:
    """Return the rows of whatever holds some.

    Parameters
    ----------
    source : DataFrame or iterable
        A DataFrame of pandas (its index, if it has a name, is a column too) or of polars, a table
        of pyarrow, or any iterable of mappings, dataclasses, named tuples or pydantic models. What
        is changed in a list or a frame from now on changes nothing in its rows.

    Raises
    ------
    NangoUsageError
        If it holds no rows; that a row of a generator is none is said when its turn comes.
    """
    if _is(source, "pandas", "DataFrame"):
        return _pandas_rows(source)
    if _is(source, "polars", "DataFrame"):
        frame = source.clone()
        return Rows(lambda start: frame[start:].iter_rows(named=True), frame.height)
    if _is(source, "pyarrow", "Table") or _is(source, "pyarrow", "RecordBatch"):
        return Rows(lambda start: _arrow_rows(source.slice(start)), source.num_rows)
    if _is(source, "nango_jupyter.results", "NangoResult"):
        source = _value_of(source)
    _check(source)
    if isinstance(source, Sequence):
        items = tuple(source)  # who adds to the list while it is read does no harm
        for number, item in enumerate(items):
            if not _is_record(item):
                raise _no_row(item, number)
        return Rows(lambda start: islice(items, start, None), len(items))
    total = len(source) if isinstance(source, Sized) else None
    iterator = iter(source)
    return Rows(lambda _: iterator, total, is_once=True)


def json_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON; what JSON can't hold becomes text."""
    return {name: _json(value) for name, value in row.items()}


def _json(value: Any) -> Any:
    try:
        return to_json_value(value)
    except NangoUsageError:
        return _short(value)


def _value_of(result: Any) -> Any:
    """Return the rows that an action has returned."""
    if isinstance(result.return_value, Mapping):
        lists = [name for name, item in result.return_value.items() if isinstance(item, list)]
        raise NangoUsageError(
            "The result is an object, not rows",
            f"Give a list in it: result[{_short(lists[0])}]" if lists else _GIVE,
        )
    return result.return_value


def _check(source: Any) -> None:
    """Say what is wrong with what can't be rows."""
    kind = type(source).__name__
    if isinstance(source, Mapping):
        raise NangoUsageError(
            "A dict is one row, or holds columns, but it is not rows",
            "One row: [data]. Columns: pandas.DataFrame(data). Its values: list(data.values()).",
        )
    if isinstance(source, str | bytes | bytearray):
        raise NangoUsageError(f"A {kind} holds no rows", _GIVE)
    if _is(source, "polars", "LazyFrame"):
        raise NangoUsageError("A LazyFrame has no rows yet", "Give frame.collect().")
    if _is(source, "pandas", "Series") or _is(source, "polars", "Series"):
        raise NangoUsageError("A Series is one column, not rows", "Give series.to_frame().")
    if isinstance(source, AsyncIterable):
        raise NangoUsageError(
            f"This is {_a(kind)}, which can't be read here",
            "Read it first: rows = [row async for row in …]",
        )
    if source is None:
        raise NangoUsageError("None holds no rows", _GIVE)
    if isinstance(source, type) or not _is_iterable(source):
        hint = "Call it: what it returns has the rows." if callable(source) else _GIVE
        raise NangoUsageError(f"This is {_a(kind)}, which holds no rows", hint)


def _is_iterable(source: Any) -> bool:
    return isinstance(source, Iterable) or hasattr(type(source), "__getitem__")


def _pandas_rows(source: Any) -> Rows:
    # Since pandas 3 a copy costs nothing until somebody changes one of the two.
    is_lazy = int(sys.modules["pandas"].__version__.partition(".")[0]) >= 3
    frame = source.copy(deep=not is_lazy)
    names = _names(frame.columns)
    keys = [
        (name, frame.index.get_level_values(at))
        for at, name in enumerate(frame.index.names)
        if isinstance(name, str) and name not in names
    ]
    heads = [*(name for name, _ in keys), *names]

    def make(start: int) -> Iterator[dict[str, Any]]:
        columns: list[Iterable[Any]] = [level[start:] for _, level in keys]
        # Column by column: a row that pandas makes has floats where there were integers.
        columns += [_values(frame.iloc[start:, at]) for at in range(len(names))]
        for _, *values in zip(range(start, len(frame)), *columns, strict=True):
            yield dict(zip(heads, values, strict=True))

    return Rows(make, len(frame))


def _values(column: Any) -> Iterable[Any]:
    """Return the values of a column of pandas, with None for gaps, which floats have as NaN."""
    gaps = column.isna()
    if column.dtype.kind == "f" or not gaps.any():
        return column  # type: ignore[no-any-return]
    return (None if is_gap else value for value, is_gap in zip(column, gaps, strict=True))


def _names(columns: Iterable[Any]) -> list[str]:
    names = [_name(name) for name in columns]
    if len(set(names)) < len(names):
        twice = next(name for at, name in enumerate(names) if name in names[:at])
        raise NangoUsageError(
            f"Two columns are called {_short(twice)}", "Give one of them another name."
        )
    return names


def _arrow_rows(table: Any) -> Iterator[dict[str, Any]]:
    batches = table.to_batches(max_chunksize=_CHUNK) if hasattr(table, "to_batches") else [table]
    for batch in batches:
        yield from batch.to_pylist()


def _row(item: Any, number: int) -> Row:
    """Return one row, with columns of its own: what happens to the item later is not its matter."""
    if isinstance(item, Row):
        return Row(dict(values_of(item)))
    if type(item) is dict:
        if all(type(name) is str for name in item):
            return Row(dict(item))
        return Row({_name(name): value for name, value in item.items()})
    if not _is_record(item):
        raise _no_row(item, number)
    return Row({_name(name): value for name, value in _pairs(item)})


def _is_record(item: Any) -> bool:
    kind = type(item)
    if kind is dict or isinstance(item, Mapping):
        return True
    if isinstance(item, type):
        return False
    return (
        hasattr(kind, "_fields")  # a named tuple
        or hasattr(kind, "_mapping")  # a row of SQLAlchemy's
        or is_dataclass(item)
        or hasattr(kind, "__attrs_attrs__")
        or _is(item, "pydantic", "BaseModel")
        or (hasattr(kind, "keys") and hasattr(kind, "__getitem__"))  # a row of sqlite3's
    )


def _pairs(item: Any) -> Iterable[tuple[Any, Any]]:
    """Return the columns of something that `_is_record`."""
    kind = type(item)
    if isinstance(item, Mapping):
        return [(name, item[name]) for name in item]
    if hasattr(kind, "_mapping"):
        return list(item._mapping.items())
    if hasattr(kind, "_fields"):
        return list(zip(item._fields, item, strict=True))
    if is_dataclass(item):
        return [(field.name, getattr(item, field.name)) for field in fields(item)]
    if hasattr(kind, "__attrs_attrs__"):
        return [(field.name, getattr(item, field.name)) for field in kind.__attrs_attrs__]
    if _is(item, "pydantic", "BaseModel"):
        return list(item)
    return [(name, item[name]) for name in item.keys()]  # noqa: SIM118 - its iterator has values


def _no_row(item: Any, number: int) -> NangoUsageError:
    what = "nothing" if item is None else _a(type(item).__name__)
    hint = _GIVE
    if isinstance(item, tuple):
        hint = "Give dicts, or named tuples; of a DataFrame, the DataFrame itself."
    return NangoUsageError(f"Row {number} is {what}, and has no columns", hint)


def _no_column(values: dict[str, Any], name: str) -> NoColumnError:
    if not values:
        return NoColumnError(f"There is no column {_short(name)}: the row has none")
    shown = [_cut(redact(known)) for known in islice(values, _SHOWN_NAMES)]
    more = len(values) - len(shown)
    there = f"Columns: {', '.join(shown)}{f' and {more:,} more' if more else ''}."
    words = (f"There is no column {_short(name)}.", redact(did_you_mean(name, values)), there)
    return NoColumnError(" ".join(filter(None, words)))


def _name(name: Any) -> str:
    """Return the name of a column as text; of one with levels, ``a.b``."""
    if isinstance(name, str):
        return str.__str__(name)
    if isinstance(name, tuple):
        return ".".join(text for text in map(_name, name) if text)
    return str(name)


def _short(value: Any) -> str:
    try:
        return _cut(redact(repr(value[:_LOOK_AT] if isinstance(value, str | bytes) else value)))
    except Exception:  # somebody's __repr__
        return f"<{type(value).__name__}>"


def _cut(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _a(kind: str) -> str:
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"


def _is(value: Any, module: str, name: str) -> bool:
    """Tell whether it is one of a package's, which is loaded already then."""
    kind = getattr(sys.modules.get(module), name, None)
    return isinstance(kind, type) and isinstance(value, kind)
