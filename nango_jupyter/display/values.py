"""Single values as text: cut, masked, and without characters that deceive the eye.

The order matters. A string is cut with a margin, then masked, then cut to its length: a secret that
the cut would halve is masked first, and the rest of a 1 MB string is never looked at.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from functools import lru_cache
from numbers import Number
from typing import Any, Literal, NamedTuple

from nango_jupyter.secrets import MASK, Secret, is_secret_name, redact

__all__ = [
    "Leaf",
    "clip",
    "count",
    "cut",
    "duration_text",
    "is_ambiguous",
    "is_container",
    "is_number",
    "is_secret",
    "is_word",
    "key_text",
    "leaf",
    "line_text",
    "normal",
    "number_text",
    "user_text",
    "visible",
]

# The longest secret that a cut can't halve; RSA keys in PEM and big JWTs are shorter.
_MARGIN = 8_192
# A key's end says whether it names a secret; a key of 1 MB isn't worth reading.
_KEY_END = 200
# Python refuses to write integers of more digits than this, and nobody reads them.
_MOST_BITS = 13_000

_SCALARS = frozenset({str, int, float, bool, type(None)})
_CONTAINERS = (dict, list, tuple, Mapping)
_JSON_TYPES = _SCALARS | {dict, list, tuple}
_LINK = re.compile(r"https?://[^\s<>\"'`\\]+", re.IGNORECASE)
_NUMBER = re.compile(r"-?\d+(\.\d+)?([eE][+-]?\d+)?")
_WORDS = frozenset({"true", "false", "null", "NaN", "Infinity", "-Infinity", "{}", "[]"})


def _escapes() -> dict[int, str]:
    """Map what is invisible, or turns text around, to its JSON escape."""
    hidden = [
        *(code for code in range(0x20) if chr(code) not in "\n\t"),
        *range(0x7F, 0xA0),
        0x061C,  # Arabic letter mark
        0x180E,
        0x200B,  # zero width space; the joiners next to it are part of emoji and of scripts
        *range(0x200E, 0x2010),  # left-to-right and right-to-left mark
        *range(0x2028, 0x202F),  # line separators; embeddings and overrides
        *range(0x2060, 0x2070),  # invisible operators and isolates
        0xFEFF,
        *range(0xFFF9, 0xFFFC),
        *range(0xD800, 0xE000),  # a lone surrogate can't even be written as UTF-8
    ]
    return {code: f"\\u{code:04x}" for code in hidden}


_ESCAPES = _escapes()

Kind = Literal["text", "number", "bool", "nothing"]


class Leaf(NamedTuple):
    """A value that is drawn in one piece.

    Attributes
    ----------
    kind : {"text", "number", "bool", "nothing"}
        Nothing is null, {} and [].
    text : str
    href : str
        Where it leads; "" if it is no link.
    note : str
        What was left out; "" if nothing was.
    """

    kind: Kind
    text: str
    href: str = ""
    note: str = ""


def count(number: int, one: str, many: str = "") -> str:
    """Return "1 row", "2 rows", "10,000 rows"."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def visible(text: str) -> str:
    """Return the text with what is invisible, or turns text around, as escapes of JSON."""
    # A subclass of str may have its own __html__, which templates would trust.
    plain = str.__str__(text)
    return plain if plain.isprintable() else plain.replace("\r\n", "\n").translate(_ESCAPES)


def line_text(text: str) -> str:
    """Return the text on one line, line ends shown as an arrow."""
    return text.replace("\n", "↵").replace("\t", " ") if not text.isprintable() else text


def cut(text: str, most: int) -> tuple[str, bool]:
    """Mask and cut a text; tell whether something was cut off."""
    text = str.__str__(text)
    if len(text) <= most + _MARGIN:
        masked = redact(text)
        return masked[:most], len(masked) > most
    # The last characters may be the first half of a secret.
    masked = redact(text[: most + _MARGIN])[:-_MARGIN]
    return masked[:most], True


def clip(text: str, most: int) -> tuple[str, bool]:
    """Mask, cut and clean a text; tell whether something was cut off."""
    masked, was_cut = cut(text, most)
    return visible(masked), was_cut


@lru_cache(maxsize=1024)
def _names_secret(name: str) -> bool:
    return is_secret_name(name)


def is_secret(name: Any) -> bool:
    """Tell whether what stands under this key is to be masked."""
    return isinstance(name, str) and _names_secret(str.__str__(name)[-_KEY_END:])


def is_container(value: Any) -> bool:
    """Tell whether a normal value (see `normal`) holds other values."""
    # Asking an abstract class is slow, and most values are plain.
    return type(value) not in _SCALARS and isinstance(value, _CONTAINERS)


def normal(value: Any) -> Any:
    """Return JSON values as they are, and make the best of other Python objects."""
    if type(value) in _JSON_TYPES:
        return value
    try:
        return _other(value)
    except Exception:  # somebody's __repr__ or property, and we are only drawing
        return f"<{type(value).__name__}>"


def _other(value: Any) -> Any:
    if isinstance(value, (str, int, float, *_CONTAINERS)):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        return {item.name: getattr(value, item.name) for item in fields(value)}
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, datetime | date | time):
        return value.isoformat(*([" "] if isinstance(value, datetime) else []))
    if isinstance(value, Number):
        return str(value)
    return str.__str__(repr(value))


def number_text(value: float) -> str:
    """Return a number as JSON writes it; integers of thousands of digits are described."""
    if isinstance(value, float):
        return json.dumps(float(value))
    bits = int.bit_length(value)
    if bits > _MOST_BITS:
        return (
            f"{'-' if value < 0 else ''}(integer of about {int(bits * math.log10(2)) + 1:,} digits)"
        )
    return int.__repr__(value)


def leaf(value: Any, most: int, *, secret: bool = False, link_chars: int = 0) -> Leaf:
    """Return how a normal value that holds nothing else is drawn.

    Parameters
    ----------
    value : object
    most : int
        Characters to show.
    secret : bool
        Whether it stands under a key that names a secret.
    link_chars : int
        The longest text that becomes a link.
    """
    if isinstance(value, str):
        return _text_leaf(value, most, secret=secret, link_chars=link_chars)
    if value is None:
        return Leaf("nothing", "null")
    if isinstance(value, bool):
        return Leaf("bool", "true" if value else "false")
    if isinstance(value, (int, float)):
        if secret:
            return Leaf("text", MASK)
        digits = redact(number_text(value))
        if len(digits) > most:
            return Leaf("number", f"{digits[:most]}…", "", count(len(digits.lstrip("-")), "digit"))
        return Leaf("number", digits)
    return Leaf("nothing", "{}" if isinstance(value, Mapping) else "[]")


def _text_leaf(value: str, most: int, *, secret: bool, link_chars: int) -> Leaf:
    if secret and value:
        return Leaf("text", MASK)
    text, was_cut = clip(value, most)
    # What was masked already, and is as it was, needs no second look.
    is_clean = not was_cut and text == value
    href = _link(value, link_chars, is_clean=is_clean) if link_chars else ""
    if was_cut:
        return Leaf("text", f"{text}…", href, count(len(value), "character"))
    return Leaf("text", text, href)


def _link(value: str, most: int, *, is_clean: bool) -> str:
    """Return the address that a text is: http or https, nothing hidden, nothing masked."""
    if value[:4].lower() != "http" or len(value) > most or not value.isprintable():
        return ""
    value = str.__str__(value)
    if not _LINK.fullmatch(value):
        return ""
    return value if is_clean or redact(value) == value else ""


def key_text(key: Any, most: int) -> str:
    """Return a key, or the name of a column, on one line."""
    if not isinstance(key, str):
        key = _key_of(key)
    text, was_cut = clip(key, most)
    return f"{line_text(text)}…" if was_cut else line_text(text) or '""'


def _key_of(key: Any) -> str:
    found = normal(key)
    if not is_container(found):
        return found if isinstance(found, str) else leaf(found, _KEY_END).text
    try:
        return repr(found)
    except Exception:  # as in `normal`
        return f"<{type(found).__name__}>"


def is_ambiguous(text: str) -> bool:
    """Tell whether a text, without quotes, looks like another value, or like none."""
    return is_word(text) or text != text.strip() or is_number(text)


def is_number(text: str) -> bool:
    """Tell whether a text is a number as JSON writes it."""
    return bool(_NUMBER.fullmatch(text))


def is_word(text: str) -> bool:
    """Tell whether a text, without quotes, looks like one of JSON's words, or like nothing."""
    return text in _WORDS or not text or text.isspace()


def user_text(user_id: Any) -> str:
    """Return a user's id; text that looks like a number is quoted: 1 and "1" are two users."""
    text = key_text(user_id, 80)
    return f'"{text}"' if isinstance(user_id, str) and is_ambiguous(user_id) else text


def duration_text(seconds: Any) -> str:
    """Return "38 ms", "0.42 s", "12.3 s", "2 min 5 s", "1 h 3 min"; "" if it isn't known."""
    if not isinstance(seconds, int | float) or not 0 < seconds < 1e9:
        return ""
    if seconds < 0.0995:
        return f"{seconds * 1000:.0f} ms" if seconds >= 0.001 else "<1 ms"
    if seconds < 59.95:
        return f"{seconds:.2f} s" if seconds < 9.995 else f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"
