"""Puts marks in the place of holes, so that parsers of JSON and YAML can read what is around them.

A mark is three of Unicode's noncharacters, which no text has; a hole is replaced by the mark of
its number, and places in the marked text are mapped back to what was typed.
"""

from __future__ import annotations

import re
from bisect import bisect_right

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.expressions import Hole
from nango_jupyter.magics.places import show_index
from nango_jupyter.secrets import redact

__all__ = ["MARK", "Document", "mark_number", "split_marks"]

_FIRST = 0xFDD0
_BASE = 26
_DIGIT = f"[{chr(_FIRST)}-{chr(_FIRST + _BASE - 1)}]"
MARK = re.compile(f"{_DIGIT}{{3}}")
_NONCHARACTER = re.compile("[\ufdd0-\ufdef]")
_MOST = _BASE**3


class Document:
    """What a person typed, with marks in the place of its holes.

    Parameters
    ----------
    typed : str
    name : str
        What it is called in messages, such as "input".
    holes : list of Hole

    Attributes
    ----------
    text : str
        The marked text; quoted by `quote`, as JSON needs it.

    Raises
    ------
    NangoUsageError
        If the text has noncharacters of its own, or thousands of holes.
    """

    def __init__(self, typed: str, name: str, holes: list[Hole]) -> None:
        self.typed, self.name, self.holes = typed, name, holes
        if holes and (found := _NONCHARACTER.search(typed)):
            raise NangoUsageError(
                f"The {name} holds U+{ord(found[0]):04X}, which is not a character, "
                f"{show_index(typed, found.start())}",
                "Remove it.",
            )
        if len(holes) > _MOST:
            raise NangoUsageError(
                f"The {name} has more than {_MOST:,} expressions", "Put one list in their place."
            )
        self.text = ""
        self.mark(quoted=False)

    def mark(self, *, quoted: bool) -> None:
        """Write the marked text, with quotes around the marks that are outside of strings or not.

        Parameters
        ----------
        quoted : bool
        """
        pieces: list[str] = []
        self._marked, self._starts = [0], [0]  # where runs begin: in the marked text, as typed
        length = at = 0
        for number, hole in enumerate(self.holes):
            mark = _mark(number)
            if quoted and not hole.in_string:
                mark = f'"{mark}"'
            length += hole.start - at
            pieces += (self.typed[at : hole.start], mark)
            self._marked += (length, length + len(mark))
            self._starts += (hole.start, hole.end)
            length += len(mark)
            at = hole.end
        self.text = "".join([*pieces, self.typed[at:]])

    def index(self, at: int) -> int:
        """Return where in what was typed a place of the marked text is."""
        run = bisect_right(self._marked, at) - 1
        inside_a_mark = run % 2 == 1
        return self._starts[run] + (0 if inside_a_mark else at - self._marked[run])

    def error(self, what: str, at: int, hint: str = "") -> NangoUsageError:
        """Return an error with a place of the marked text."""
        return NangoUsageError(f"{redact(what)}, {show_index(self.typed, self.index(at))}", hint)

    def rest(self, at: int) -> str:
        """Return what was typed from a place of the marked text on."""
        return self.typed[self.index(at) :]


def mark_number(text: str) -> int:
    """Return the number of the hole whose mark a text is."""
    first, second, third = (ord(char) - _FIRST for char in text)
    return (first * _BASE + second) * _BASE + third


def split_marks(text: str) -> list[str | int]:
    """Return the pieces of a text: what stands between marks, and their numbers."""
    found: list[str | int] = []
    at = 0
    for match in MARK.finditer(text):
        found += (text[at : match.start()], mark_number(match[0]))
        at = match.end()
    found.append(text[at:])
    return [piece for piece in found if piece != ""]


def _mark(number: int) -> str:
    rest, third = divmod(number, _BASE)
    first, second = divmod(rest, _BASE)
    return "".join(chr(_FIRST + digit) for digit in (first, second, third))
