"""What a JSON schema says that a text or a number must be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Rules"]

_LONGEST_PATTERN = 200


@dataclass(frozen=True)
class Rules:
    """The limits of one text or number.

    Attributes
    ----------
    is_needed : bool
        Whether it must not be empty.
    """

    is_needed: bool
    at_least: float | None = None
    at_most: float | None = None
    above: float | None = None
    below: float | None = None
    multiple_of: float | None = None
    min_length: int | None = None
    max_length: int | None = None
    pattern: str = ""

    @classmethod
    def of(cls, schema: Mapping[str, Any], *, is_needed: bool) -> Rules:
        """Read what a schema says; what is no limit is left out."""
        pattern = schema.get("pattern")
        return cls(
            is_needed=is_needed,
            at_least=_number(schema.get("minimum")),
            at_most=_number(schema.get("maximum")),
            above=_number(schema.get("exclusiveMinimum")),
            below=_number(schema.get("exclusiveMaximum")),
            multiple_of=_number(schema.get("multipleOf")),
            min_length=_length(schema.get("minLength")),
            max_length=_length(schema.get("maxLength")),
            pattern=pattern if isinstance(pattern, str) else "",
        )

    @property
    def hint(self) -> str:
        """What an empty field says."""
        words = [*(["required"] if self.is_needed else []), *self._limits()]
        return ", ".join(words)

    def _limits(self) -> list[str]:
        pairs = (
            ("at least", self.at_least),
            ("more than", self.above),
            ("at most", self.at_most),
            ("less than", self.below),
            ("a multiple of", self.multiple_of),
        )
        return [f"{words} {limit:g}" for words, limit in pairs if limit is not None]

    def check_number(self, value: float) -> str:
        """Return what is wrong with a number, such as "must be at most 10"; "" if nothing is."""
        is_within = (
            (self.at_least is None or value >= self.at_least)
            and (self.above is None or value > self.above)
            and (self.at_most is None or value <= self.at_most)
            and (self.below is None or value < self.below)
        )
        step = self.multiple_of
        if is_within and (not step or _is_multiple(value, step)):
            return ""
        return f"must be {' and '.join(self._limits())}"

    def check_text(self, text: str) -> str:
        """Return what is wrong with a text, such as "must have 3 characters at least"."""
        if self.min_length is not None and len(text) < self.min_length:
            return f"must have {self.min_length} characters at least"
        if self.max_length is not None and len(text) > self.max_length:
            return f"must have {self.max_length} characters at most"
        if self.pattern and not _fits(self.pattern, text):
            return f"must fit the pattern {self.pattern}"
        return ""


def _number(value: object) -> float | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return value if is_number else None  # type: ignore[return-value]


def _length(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _is_multiple(value: float, step: float) -> bool:
    ratio = value / step
    return abs(ratio - round(ratio)) < 1e-9


def _fits(pattern: str, text: str) -> bool:
    # A long one of somebody else's could take for ever; the server checks it anyway.
    if len(pattern) > _LONGEST_PATTERN or len(text) > _LONGEST_PATTERN:
        return True
    try:
        return re.search(pattern, text) is not None
    except re.error:  # it is JavaScript's
        return True
