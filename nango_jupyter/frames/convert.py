"""Rows as a DataFrame of pandas or of polars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from nango_jupyter.frames.columns import column_text, flatten
from nango_jupyter.frames.packages import needs

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["to_pandas", "to_polars"]

# Integers beyond are not the same any more as a float, which is what pandas makes of a gap.
_EXACT_IN_FLOATS = 2**53
# Integers that polars has; larger ones would be gaps.
_MOST_IN_POLARS = 2**127


def to_pandas(rows: Sequence[Any]) -> pandas.DataFrame:
    """Return rows as a DataFrame of pandas.

    Columns have the types that pandas chooses, but large integers beside gaps, which would become
    inexact: those are ``Int64``.
    """
    with needs("pandas"):
        import pandas as pd
    columns = {
        name: pd.array(values, dtype="Int64") if _need_int64(values) else values
        for name, values in flatten(rows).items()
    }
    index = pd.RangeIndex(len(rows))
    try:
        return pd.DataFrame(columns, index=index)
    except UnicodeEncodeError:  # half a pair of surrogates, which pandas' own texts can't hold
        written = {
            name: [column_text(value) if isinstance(value, str) else value for value in values]
            for name, values in columns.items()
        }
        return pd.DataFrame(written, index=index)


def to_polars(rows: Sequence[Any]) -> polars.DataFrame:
    """Return rows as a DataFrame of polars; a column of several types becomes text."""
    with needs("polars"):
        import polars as pl
    return pl.DataFrame([_series(pl, name, values) for name, values in flatten(rows).items()])


def _need_int64(values: list[Any]) -> bool:
    if None not in values or {type(value) for value in values} != {int, type(None)}:
        return False
    largest: int = max(abs(value) for value in values if value is not None)
    return _EXACT_IN_FLOATS < largest < 2**63


def _series(pl: Any, name: str, values: list[Any]) -> Any:
    kinds = {type(value) for value in values} - {type(None)}
    is_mixed = len(kinds) > 1 and kinds != {int, float}
    if not is_mixed and not any(map(_is_huge, values)):
        try:
            # Being strict, polars would read lists by the first one, and drop what doesn't fit.
            series = pl.Series(name, values, strict=False)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            pass
        else:
            if series.dtype != pl.Object:
                return series
    return pl.Series(name, [column_text(value) for value in values], dtype=pl.String)


def _is_huge(value: Any) -> bool:
    """Tell whether there is an integer in a value that polars doesn't have."""
    if isinstance(value, int):
        return not -_MOST_IN_POLARS <= value < _MOST_IN_POLARS
    if isinstance(value, list | tuple):
        return any(map(_is_huge, value))
    return isinstance(value, dict) and any(map(_is_huge, value.values()))
