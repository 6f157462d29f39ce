"""How long the rows of a batch took: in words, and as a small picture."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from nango_jupyter.display.values import count, duration_text

__all__ = ["Durations", "read_durations"]

_MOST_BARS, _FEWEST_BARS = 24, 4
# Shares of a millisecond make no picture.
_SAME = 0.0005
_BAR_WIDTH, _GAP, _HEIGHT = 7, 1, 28
_BLOCKS = "▁▂▃▄▅▆▇█"


@dataclass(frozen=True, slots=True)
class Durations:
    """What is told of many durations.

    Attributes
    ----------
    text : str
        Such as "min 48 ms · median 51 ms · 95 % within 60 ms · max 1.20 s".
    label : str
        What the picture shows, in words.
    counts : tuple of int
        How many there are in each part between the shortest and the longest.
    """

    text: str
    label: str
    counts: tuple[int, ...]

    @property
    def blocks(self) -> str:
        """The picture as characters."""
        most, steps = max(self.counts), len(_BLOCKS) - 1
        return "".join(
            _BLOCKS[math.ceil(number * steps / most)] if number else " " for number in self.counts
        )

    @property
    def width(self) -> int:
        """Of the drawn picture, in pixels."""
        return len(self.counts) * (_BAR_WIDTH + _GAP) - _GAP

    @property
    def height(self) -> int:
        """Of the drawn picture, in pixels."""
        return _HEIGHT

    @property
    def path(self) -> str:
        """The bars of the drawn picture, as an SVG path."""
        most = max(self.counts)
        return "".join(
            f"M{at * (_BAR_WIDTH + _GAP)} {_HEIGHT}v-{max(2, number * _HEIGHT // most)}"
            f"h{_BAR_WIDTH}V{_HEIGHT}z"
            for at, number in enumerate(self.counts)
            if number
        )


def read_durations(seconds: Sequence[float]) -> Durations | None:
    """Return what is told of durations; None if there are not even two."""
    found = sorted(one for one in seconds if one > 0)
    if len(found) < 2:
        return None
    shortest, longest = found[0], found[-1]
    late = found[math.ceil(len(found) * 0.95) - 1]
    words = (
        ("min", shortest),
        ("median", median(found)),
        ("95 % within", late),
        ("max", longest),
    )
    text = " · ".join(f"{word} {duration_text(one)}" for word, one in words)
    return Durations(
        text, f"Durations of {count(len(found), 'row')}: {text}", _counts(found, shortest, longest)
    )


def _counts(seconds: Sequence[float], shortest: float, longest: float) -> tuple[int, ...]:
    if longest - shortest < _SAME:
        return (len(seconds),)
    bars = min(_MOST_BARS, max(_FEWEST_BARS, 2 * math.isqrt(len(seconds))))
    counts = [0] * bars
    for one in seconds:
        counts[min(int((one - shortest) / (longest - shortest) * bars), bars - 1)] += 1
    return tuple(counts)
