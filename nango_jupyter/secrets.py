"""Keeps secrets out of everything that is drawn or logged.

Two nets: a value under a key that names a secret (``access_token``), and any text that holds a
secret this process was given (`remember`). The second is one set for the whole process, like the
log masks of CI systems: a token that one connection was given may come back through another.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["MASK", "Secret", "is_secret_name", "redact", "redact_value", "remember", "reveal"]

MASK = "••••••"

# A secret shorter than this is masked only as a whole word: "demo" must not blank "demonstration".
_WHOLE_WORD_BELOW = 6
_TOO_SHORT = 4
# RabbitMQ's documented default password hides nothing, and is a word that people use.
_PUBLIC = frozenset({"guest"})

_SECRET_NAME = re.compile(
    r"(tokens?|secrets?|passwords?|passwd|pwd|passphrase|(api|secret|private)keys?|authorization|jwt"
    r"|cookies?|basicauthencoded)$"
)
# What stands in texts as a secret by its place: the first group of each stays.
_IN_TEXT = re.compile(
    r"(\w://[^\s:/@]*:)[^\s@]+(?=@)"
    r"|((?i:authorization['\"]?\s*[:=]\s*['\"]?(?:bearer|basic|token)\s+))[^\s'\",]+"
    r"|((?i:(?:^|[?&\s'\"])[\w-]*(?:token|secret|password|api_?key)=))[^&\s'\"#]+"
)
_NOT_SECRET = re.compile(
    r"((page|cursor|next|sync|continuation)token"
    r"|(total|prompt|completion|input|output|max|cached|reasoning)tokens)$"
)


class Secret:
    """A string that hides itself.

    Parameters
    ----------
    value : str
        What to hide. `repr`, `str`, `format` and pickles show a mask; `reveal` gives it back.

    Examples
    --------
    >>> token = Secret("xoxb-123456")
    >>> f"{token}", token.reveal()
    ('••••••', 'xoxb-123456')
    """

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        if not isinstance(value, str):
            raise TypeError(f"a secret is a str, not {type(value).__name__}")
        self._value = value
        remember(value)

    def reveal(self) -> str:
        """Return the secret itself."""
        return self._value

    def __repr__(self) -> str:
        return f"Secret('{MASK}')"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> tuple[type[Secret], tuple[str]]:
        return Secret, (MASK,)  # a pickle would write it down in clear


def reveal(value: str | Secret) -> str:
    """Return the text of a secret that may have been given as a plain string."""
    return value.reveal() if isinstance(value, Secret) else value


class _Known:
    """The secrets that this process was given: a server may know those of thousands of users."""

    def __init__(self) -> None:
        self._secrets: set[str] = set()
        self._forms: set[str] = set()
        # By their ends: tokens of one kind begin alike.
        self._by_end: dict[str, set[str]] = {}
        # Actions log in threads of their own; one that is collected just then may log in this one.
        self._lock = threading.RLock()

    def add(self, secret: str) -> None:
        if secret in self._secrets or len(secret) < _TOO_SHORT or secret in _PUBLIC:
            return
        # The same secret as it stands in a URL, in a form, and inside a JSON string or a repr.
        forms = {secret, repr(secret)[1:-1]}
        forms |= {encode(secret, safe="", errors="replace") for encode in (quote, quote_plus)}
        forms |= {json.dumps(secret, ensure_ascii=flag)[1:-1] for flag in (True, False)}
        with self._lock:
            for form in forms - self._forms:
                self._by_end.setdefault(form[-_TOO_SHORT:], set()).add(form)
            self._forms |= forms
            self._secrets.add(secret)  # last: who finds it here goes on at once

    def mask(self, text: str) -> str:
        # One pattern of all would be compiled again after each new secret: slow with thousands.
        with self._lock:
            candidates = list(self._candidates(text))
        found = [form for form in candidates if form in text]
        if not found:
            return text
        longest_first = sorted(found, key=len, reverse=True)
        return re.sub("|".join(map(_as_pattern, longest_first)), MASK, text)

    def _candidates(self, text: str) -> Iterable[str]:
        """Return the forms that may be in a text, by the shorter way: through them, or it."""
        if len(self._forms) <= len(text):
            return self._forms
        ends = {text[at : at + _TOO_SHORT] for at in range(len(text) - _TOO_SHORT + 1)}
        known = ends & self._by_end.keys()
        return chain.from_iterable(self._by_end[end] for end in known)


def _as_pattern(form: str) -> str:
    escaped = re.escape(form)
    return escaped if len(form) >= _WHOLE_WORD_BELOW else rf"(?<!\w){escaped}(?!\w)"


_known = _Known()


def remember(secret: str) -> None:
    """Mask this text from now on, wherever `redact` is used."""
    _known.add(secret)


def redact(text: str) -> str:
    """Return the text with every known secret masked, and what is one by its place.

    Such as the password in a URL, a token in its query, and what follows ``Authorization: Bearer``.
    """
    masked = _known.mask(text)
    if ":" not in masked and "=" not in masked:
        return masked  # there is one in all that the pattern finds, and it is slow on long texts
    return _IN_TEXT.sub(lambda found: f"{next(filter(None, found.groups()))}{MASK}", masked)


def is_secret_name(name: str) -> bool:
    """Tell whether a key names a secret: ``access_token``, ``oAuthAccessToken``, ``X-Api-Key``."""
    letters = re.sub(r"[^a-z0-9]", "", name.lower())
    return bool(_SECRET_NAME.search(letters)) and not _NOT_SECRET.search(letters)


def redact_value(value: Any, name: str = "") -> Any:
    """Return a copy of a JSON value in which everything secret is masked.

    Parameters
    ----------
    value : JSON value
        Nested dicts, lists, strings, numbers, booleans and None.
    name : str, optional
        The key that the value stands under.
    """
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        if value != "" and is_secret_name(name):
            return MASK
        return redact(value) if isinstance(value, str) else value
    if isinstance(value, Mapping):
        return {_key(key): redact_value(item, str(key)) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [redact_value(item, name) for item in value]
    return value


def _key(key: Any) -> Any:
    return redact(key) if isinstance(key, str) else key
