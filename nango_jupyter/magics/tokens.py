"""Splits the line of a magic into words, with quotes, JSON and ``{{ expressions }}`` whole."""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.expressions import find_holes

__all__ = ["BRACED", "Line", "Token", "read_line", "split", "split_typed"]

# JSON never has a letter behind its brace; a colon may be meant as JSON whose keys lack quotes.
BRACED = re.compile(r"\{([A-Za-z_][^{}:]*)\}(?=\s|$)")
_QUOTED = re.compile(r"""('[^']*'|"(?:[^"\\]|\\.)*")(?=\s|$|;\s*#)""")
_OPEN_QUOTE = re.compile(r"""'[^']*\Z|"(?:[^"\\]|\\.)*\\?\Z""")
_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|([\[{])|([\]}])')
_OPTION = re.compile(r"(--[a-z][a-z-]*)=")
_ASSIGNED = re.compile(r"\s*(?P<name>[^\s<>'\"{]+)\s*<<(?=\s|$)")


class Token(str):
    """One argument: its text without quotes, and `raw`, as it was typed."""

    raw: str

    def __new__(cls, raw: str) -> Token:
        """Make a token of what was typed."""
        quoted = len(raw) > 1 and raw[0] == raw[-1] and raw[0] in "'\""
        token = super().__new__(cls, raw[1:-1] if quoted else raw)
        token.raw = raw
        return token

    @property
    def json(self) -> str:
        """The text as JSON, whose strings keep their quotes."""
        return str(self) if self.raw.startswith("'") else self.raw


@dataclass(frozen=True, slots=True)
class Line:
    """What stands on the line of a magic.

    Attributes
    ----------
    assign_to : str
        The variable of ``NAME << …``; "" if there is none.
    tokens : list of Token
    is_silent : bool
        Whether it ends with ``;``.
    """

    assign_to: str
    tokens: list[Token]
    is_silent: bool


def split(line: str) -> list[Token]:
    """Split a line at blanks, but not inside quotes, JSON or ``{{ }}``."""
    return read_line(line).tokens


def split_typed(text: str) -> tuple[list[str], str] | None:
    """Split what stands before a cursor into whole words and the one that is being typed.

    Words are those of `split`, as they were typed, but what is open goes on to the cursor: quotes,
    JSON, ``{{``.

    Returns
    -------
    tuple of list of str and str, or None
        None inside a comment.
    """
    assigned = _ASSIGNED.match(_masked(text))
    if assigned and assigned.end() < len(text):
        text = text[assigned.end() :]
    tokens, comment = _split(text, is_typed=True)
    if comment is not None:
        return None
    words = [token.raw for token in tokens]
    if not words or (text[-1].isspace() and not words[-1].endswith(text[-1])):
        words.append("")
    return words[:-1], words[-1]


def read_line(line: str) -> Line:
    """Read a line.

    Raises
    ------
    NangoUsageError
        If what stands before ``<<`` is no name for a variable.
    """
    line = line.strip()
    assign_to = ""
    if match := _ASSIGNED.match(_masked(line)):
        assign_to = _checked_name(match["name"])
        line = line[match.end() :].strip()
    if line.endswith(";"):
        tokens, comment = _split(line[:-1])
        if comment is None:
            return Line(assign_to, tokens, is_silent=True)
    tokens, comment = _split(line)
    code = line if comment is None else line[:comment].rstrip()
    if comment is not None and code.endswith(";"):
        return Line(assign_to, _split(code[:-1])[0], is_silent=True)
    return Line(assign_to, tokens, is_silent=False)


def _checked_name(name: str) -> str:
    if name.isidentifier() and not keyword.iskeyword(name):
        return name
    raise NangoUsageError(f"{name} is no name for a variable", "Write: NAME << INTEGRATION …")


def _split(line: str, *, is_typed: bool = False) -> tuple[list[Token], int | None]:
    """Return the words, and where a comment begins."""
    masked = _masked(line, is_typed=is_typed)
    tokens: list[Token] = []
    at = 0
    while at < len(line):
        if masked[at].isspace():
            at += 1
        # IPython leaves a comment behind a magic on the line; quotes keep a # in front of a word.
        elif masked[at] == "#":
            return tokens, at
        # As two words, --config={"a": 1} keeps its JSON whole.
        elif option := _OPTION.match(masked, at):
            tokens.append(Token(option[1]))
            at = option.end()
            if at == len(line) or masked[at].isspace():
                tokens.append(Token(""))
        else:
            end = _end(masked, at, is_typed=is_typed)
            tokens.append(Token(line[at:end]))
            at = end
    return tokens, None


def _end(masked: str, at: int, *, is_typed: bool) -> int:
    for pattern in (_QUOTED, BRACED, *([_OPEN_QUOTE] if is_typed else [])):
        if match := pattern.match(masked, at):
            return match.end()
    if masked[at] in "{[":
        return _json_end(masked, at)
    return at + len(masked[at:].split(maxsplit=1)[0])


def _json_end(masked: str, at: int) -> int:
    """Find the bracket that closes the first one; there may be $variables between them."""
    depth = 0
    for match in _STRING_OR_BRACKET.finditer(masked, at):
        depth += bool(match[1]) - bool(match[2])
        if depth == 0:
            return match.end()
    return len(masked)  # broken JSON: the rest belongs to it, and is shown


def _masked(line: str, *, is_typed: bool = False) -> str:
    """Return the line with its holes made plain words of the same length."""
    if "{{" not in line:
        return line
    for hole in find_holes(line):
        end = hole.end
        if hole.expression is None:
            if not is_typed or "}}" in line[hole.start :]:
                continue
            end = len(line)  # it is still open
        line = f"{line[: hole.start]}{'x' * (end - hole.start)}{line[end:]}"
    return line
