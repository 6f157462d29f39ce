"""Rows as a DataFrame of pandas or of polars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
# Of lists and objects inside of a column; what is nested deeper becomes text.
_DEEPEST = 20


def to_pandas(rows: Sequence[Any]) -> pandas.DataFrame:
    """Return rows as a DataFrame of pandas.

    Columns have the types that pandas chooses, but large integers beside gaps, which would become
    inexact: those are ``Int64``, or Python's own where that is too small.
    """
    with needs("pandas"):
        import pandas as pd
    columns = {
        name: pd.array(values, dtype=dtype) if (dtype := _exact_type(values)) else values
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
    # By name: a list of series would get another name where theirs is "".
    return pl.DataFrame({name: _series(pl, name, values) for name, values in flatten(rows).items()})


def _exact_type(values: list[Any]) -> str:
    """Return the type that keeps integers beside gaps as they are; "" if pandas' choice does."""
    if None not in values or {type(value) for value in values} != {int, type(None)}:
        return ""
    largest: int = max(abs(value) for value in values if value is not None)
    if largest <= _EXACT_IN_FLOATS:
        return ""
    return "Int64" if largest < 2**63 else "object"


def _series(pl: Any, name: str, values: list[Any]) -> Any:
    if _has_one_type(values):
        try:
            # Being strict, polars would refuse 2.5 beside 1.
            series = pl.Series(name, values, strict=False)
        except (TypeError, ValueError, OverflowError, pl.exceptions.PolarsError):
            pass
        else:
            if series.dtype != pl.Object:
                return series
    return pl.Series(name, [column_text(value) for value in values], dtype=pl.String)


def _has_one_type(values: Sequence[Any], depth: int = 0) -> bool:
    """Tell whether polars has one type for values: it would drop, or change, what doesn't fit."""
    values = [value for value in values if value is not None]
    kinds = {type(value) for value in values}
    if not kinds or kinds <= {int, float}:
        return all(
            -_MOST_IN_POLARS <= value < _MOST_IN_POLARS for value in values if type(value) is int
        )
    if len(kinds) > 1 or depth > _DEEPEST:
        return False
    if isinstance(values[0], list | tuple):
        return _has_one_type([item for value in values for item in value], depth + 1)
    if isinstance(values[0], Mapping):
        parts: dict[Any, list[Any]] = {}
        for value in values:
            for key, item in value.items():
                parts.setdefault(key, []).append(item)
        # Of objects without any keys there is a type, but not in Parquet files.
        return bool(parts) and all(_has_one_type(part, depth + 1) for part in parts.values())
    return True
