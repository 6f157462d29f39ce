"""What a call answers with: the server's answer, what was asked, and how it looks in a notebook."""

from __future__ import annotations

import os
from collections.abc import Callable, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from nango_jupyter import frames
from nango_jupyter.exceptions import NangoKeyError, NangoUsageError
from nango_jupyter.frames.paths import name_list, path_text, type_name
from nango_jupyter.messages import NangoConnection, NangoMessageHandlerResult, UserId
from nango_jupyter.secrets import redact
from nango_jupyter.suggestions import did_you_mean

if TYPE_CHECKING:
    import pandas
    import polars

    from nango_jupyter.display import Limits

__all__ = ["NangoResult", "NangoTable"]

T = TypeVar("T")


@dataclass(frozen=True, eq=False, repr=False)
class NangoResult(NangoMessageHandlerResult):
    """A server's answer that knows what it answers, and draws itself in a notebook.

    What an action returned can be used as if the result were it: ``result["contacts"][0]``,
    ``len(result)``, ``for row in result``, ``"contacts" in result``, ``result.keys()``. Only truth
    is another matter: ``bool(result)`` is `success`.

    Attributes
    ----------
    success, error_msg, return_value
        As in `NangoMessageHandlerResult`.
    request : str
        What was asked, such as ``crm.list-contacts`` or ``register crm``.
    user_id : str, int or None
    duration : float
        From the call to the answer, in seconds.
    is_action : bool
        Whether an action was run, which could have returned something.
    limits : Limits or None
        How much of it is drawn, if not as much as usual.

    Examples
    --------
    >>> result = NangoResult(True, None, {"contacts": [{"name": "Ada"}, {"name": "Bob"}]})
    >>> result["contacts"][0]["name"]
    'Ada'
    >>> [row["name"] for row in result.table("contacts")]
    ['Ada', 'Bob']
    """

    request: str = field(default="", kw_only=True)
    user_id: UserId | None = field(default=None, kw_only=True)
    duration: float = field(default=0.0, kw_only=True)
    is_action: bool = field(default=False, kw_only=True)
    limits: Limits | None = field(default=None, kw_only=True, repr=False, compare=False)

    def __bool__(self) -> bool:
        return self.success

    def __getitem__(self, key: Any) -> Any:
        try:
            return self.return_value[key]
        except (LookupError, TypeError):
            raise _no_such_key(self.return_value, key) from None

    def __len__(self) -> int:
        return self._ask(len, "length")

    def __iter__(self) -> Iterator[Any]:
        return self._ask(iter, "items")

    def __contains__(self, item: object) -> bool:
        self._ask(iter, "items")
        try:
            return item in self.return_value
        except TypeError:  # a list can't be a key, nor a number stand in a text
            return False

    def keys(self) -> KeysView[str]:
        """Return the keys of a value that is an object."""
        return self._ask(lambda value: value.keys(), "keys")

    def values(self) -> ValuesView[Any]:
        """Return the values of a value that is an object."""
        return self._ask(lambda value: value.values(), "keys")

    def items(self) -> ItemsView[str, Any]:
        """Return the keys and values of a value that is an object."""
        return self._ask(lambda value: value.items(), "keys")

    def get(self, key: str, default: Any = None) -> Any:
        """Return what an object has under a key, or something else if it has no such key."""
        return self._ask(lambda value: value.get(key, default), "keys")

    def to_pandas(self, path: str | None = None) -> pandas.DataFrame:
        """Return the value as a DataFrame of pandas: a row for each object of a list.

        The list may be the value itself, or the only list inside an object, as in
        ``{"contacts": […], "total": 2}``. A list of plain values makes one column, ``value``; a
        single object makes one row. Nested objects become columns such as ``address.city``, lists
        stay lists.

        Parameters
        ----------
        path : str, optional
            Where in the value to look, such as ``contacts`` or ``orders[0].items``.

        Raises
        ------
        NangoUsageError
            If the value holds no list or object, or several lists; or pandas is not installed.
        """
        return frames.to_pandas(self._rows(path, "to_pandas"))

    def to_polars(self, path: str | None = None) -> polars.DataFrame:
        """Return the value as a DataFrame of polars, as `to_pandas` does.

        A column that holds several types becomes one of text.
        """
        return frames.to_polars(self._rows(path, "to_polars"))

    def to_json(self, indent: int | None = 2) -> str:
        """Return the value as JSON text; ``indent=None`` writes it on one line."""
        return frames.to_json(self.return_value, indent)

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the value to a file; the end of its name chooses the format.

        ``.json`` holds the whole value; ``.jsonl``, ``.csv`` and ``.parquet`` hold the rows that
        `to_pandas` would have. A file that is there is replaced when the new one is complete.

        Returns
        -------
        pathlib.Path
            The file.

        Raises
        ------
        NangoUsageError
            If there is no such format, or the file can't be written.
        """
        return frames.save(target, self.return_value, lambda: self._rows(None, "table"))

    def table(self, path: str | None = None) -> NangoTable:
        """Return one list inside the value: drawn as a table, it is the cell's output.

        Parameters
        ----------
        path : str, optional
            Where the list is, such as ``contacts``, ``orders[0].items`` or ``orders.0.items``;
            without it, the value itself, or the only list in it.

        Raises
        ------
        NangoUsageError
            If there is no list; the hint says where there are some.
        """
        rows = self._rows(path, "table")
        return NangoTable(rows, path or "", request=self.request, limits=self.limits)

    def show(
        self,
        *,
        all: bool = False,  # noqa: A002
        rows: int | None = None,
        columns: int | None = None,
    ) -> None:
        """Draw the result now, and more of it than usual.

        Parameters
        ----------
        all : bool
            Leave out nothing.
        rows, columns : int, optional
            How many of a table to draw.
        """
        _show(self, all=all, rows=rows, columns=columns)

    def _rows(self, path: str | None, call: str) -> list[Any]:
        return frames.find_rows(self.return_value, path, call)

    def _ask(self, question: Callable[[Any], T], what: str) -> T:
        try:
            return question(self.return_value)
        except (AttributeError, TypeError):
            raise NangoUsageError(
                f"The value is {type_name(self.return_value)}: it has no {what}",
                "It is in result.return_value.",
            ) from None

    def _ipython_key_completions_(self) -> list[str]:
        value = self.return_value
        return list(value) if isinstance(value, Mapping) else []

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        # Imported when first drawn: Jinja2 is not needed to send a request.
        from nango_jupyter.display import LIMITS, render_result

        drawn = replace(self, return_value=_as_json(self.return_value))
        return render_result(drawn, self.limits or LIMITS)


@dataclass(frozen=True, eq=False, repr=False)
class NangoTable(Sequence[Any]):
    """One list inside a result: a sequence of its rows, drawn as a table.

    Attributes
    ----------
    rows : list
        Objects, or plain values.
    path : str
        Where in the value they are; "" for the value itself.
    request : str
        What was asked.
    limits : Limits or None
        How much of it is drawn, if not as much as usual.
    """

    rows: list[Any]
    path: str = ""
    request: str = field(default="", kw_only=True)
    limits: Limits | None = field(default=None, kw_only=True)

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, index: Any) -> Any:
        """Return a row, or for a slice a table of some."""
        if isinstance(index, slice):
            return replace(self, rows=self.rows[index])
        try:
            return self.rows[index]
        except (LookupError, TypeError):
            raise _no_such_key(self.rows, index) from None

    def __repr__(self) -> str:
        name = f"{redact(self.path)!r}, " if self.path else ""
        return f"NangoTable({name}{len(self.rows):,} row{'' if len(self.rows) == 1 else 's'})"

    def to_pandas(self) -> pandas.DataFrame:
        """Return the rows as a DataFrame of pandas; see `NangoResult.to_pandas`."""
        return frames.to_pandas(self.rows)

    def to_polars(self) -> polars.DataFrame:
        """Return the rows as a DataFrame of polars; see `NangoResult.to_polars`."""
        return frames.to_polars(self.rows)

    def to_json(self, indent: int | None = 2) -> str:
        """Return the rows as JSON text; ``indent=None`` writes them on one line."""
        return frames.to_json(self.rows, indent)

    def save(self, target: str | os.PathLike[str]) -> Path:
        """Write the rows to a file: JSON, JSON lines, CSV or Parquet; see `NangoResult.save`."""
        return frames.save(target, self.rows)

    def show(
        self,
        *,
        all: bool = False,  # noqa: A002
        rows: int | None = None,
        columns: int | None = None,
    ) -> None:
        """Draw the table now, and more of it than usual; see `NangoResult.show`."""
        _show(self, all=all, rows=rows, columns=columns)

    def _repr_mimebundle_(self, **_: Any) -> dict[str, str]:
        from nango_jupyter.display import LIMITS, render_rows

        about = [self.request] if self.request else []
        return render_rows(_as_json(self.rows), self.path, about, self.limits or LIMITS)


def _show(
    shown: NangoResult | NangoTable,
    *,
    all: bool,  # noqa: A002
    rows: int | None,
    columns: int | None,
) -> None:
    from nango_jupyter.display import LIMITS, show

    wider = (shown.limits or LIMITS).wider(all=all, rows=rows, columns=columns)
    show(replace(shown, limits=wider)._repr_mimebundle_())


def _as_json(value: Any) -> Any:
    """Return connections as the JSON objects that they were."""
    if isinstance(value, list) and value and isinstance(value[0], NangoConnection):
        return [item.to_wire() if isinstance(item, NangoConnection) else item for item in value]
    return value


def _no_such_key(value: Any, key: Any) -> NangoKeyError:
    shown = path_text((key,)) if isinstance(key, str | int) else f"[{type(key).__name__}]"
    if isinstance(value, Mapping):
        names = [path_text((str(name),)) for name in value]
        hint = did_you_mean(shown, names) or (f"Its keys: {name_list(names)}." if names else "")
        return NangoKeyError(f"The value has no {shown}", hint)
    if isinstance(value, list | tuple):
        first = '[0]["name"], .table() or .to_pandas() get at what is in them.'
        if isinstance(key, int):
            return NangoKeyError(f"The value has {len(value):,} items: there is no {shown}")
        return NangoKeyError(f"The value is a list: there is no {shown}", f"result{first}")
    return NangoKeyError(
        f"The value is {type_name(value)}: there is no {shown}", "It is in result.return_value."
    )
