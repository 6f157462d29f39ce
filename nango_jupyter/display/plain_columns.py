"""The quick way for most columns of most tables: nothing in them needs a second look.

One check of a whole column costs what a check of a single cell does. A column of which that can't
tell is drawn cell by cell.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from nango_jupyter.display.values import is_word
from nango_jupyter.secrets import redact

__all__ = ["MISSING", "column_values", "plain_texts"]

MISSING = object()
"""The value of a row that doesn't have the key."""

# Numbers that are surely short.
_SMALL = 2**63


def column_values(rows: Sequence[Mapping[Any, Any]], name: Any) -> list[Any]:
    """Return what the rows have under a key."""
    return [row.get(name, MISSING) for row in rows]


def plain_texts(values: Sequence[Any], most: int) -> list[str] | None:
    """Return values of one type as they are drawn; None if one may need more than its text.

    Such as a link, a text that is cut, quoted, masked, or has characters that deceive.
    """
    kinds = set(map(type, values))
    if kinds == {str}:
        texts = _plain_strings(values)
    elif kinds and kinds <= {int, float}:
        texts = _plain_numbers(values)
    else:
        return None
    if texts is None or max(map(len, texts)) > most:
        return None
    joined = "\n".join(texts)
    return texts if redact(joined) == joined else None


def _plain_strings(values: Sequence[str]) -> list[str] | None:
    joined = "".join(values)
    if not joined.isprintable() or "http" in joined.lower():
        return None
    return None if any(map(is_word, set(values))) else list(values)


def _plain_numbers(values: Sequence[int | float]) -> list[str] | None:
    # Whatever is not finite makes a sum that isn't, and NaN is neither large nor small.
    is_short = min(values) > -_SMALL and max(values) < _SMALL and math.isfinite(sum(values))
    if not is_short:
        return None
    return list(map(repr, values))
