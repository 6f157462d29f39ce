"""Guesses what was meant by a name that isn't known."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["did_you_mean"]

_NAMES = 3
_LIKENESS = 0.6
_LONGEST = 200  # longer names are no help to anybody, and take long to compare
_MOST = 1_000  # each name costs some microseconds; of more, those of about the word's length


def did_you_mean(word: object, names: Iterable[object]) -> str:
    """Return "Did you mean x?", or "" if no name is like the word.

    Case doesn't count, and neither do the dashes, underscores and blanks between words. Of many
    names, only the 1,000 whose lengths are most like the word's are looked at.

    Examples
    --------
    >>> did_you_mean("list_contact", ["list-contacts", "create-deal"])
    'Did you mean list-contacts?'
    """
    from difflib import get_close_matches  # imported when somebody errs
    from heapq import nsmallest

    length = len(str(word))
    short = (name for name in map(str, names) if len(name) <= _LONGEST)
    spelt: dict[str, list[str]] = {}
    for name in nsmallest(_MOST, short, key=lambda name: abs(len(name) - length)):
        spelt.setdefault(_plain(name), []).append(name)
    close = get_close_matches(_plain(str(word)), spelt, n=_NAMES, cutoff=_LIKENESS)
    found = [name for plain in close for name in spelt[plain] if name != str(word)][:_NAMES]
    return f"Did you mean {' or '.join(found)}?" if found else ""


def _plain(name: str) -> str:
    return "".join(char for char in name.casefold() if char not in "-_ .")
