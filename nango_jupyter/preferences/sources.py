"""A place where settings stand, and what each setting may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from typing import Any, NamedTuple

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import redact
from nango_jupyter.settings import MAX_TIMEOUT, Settings, check_timeout

__all__ = ["CONNECTION_KEYS", "COUNTS", "PLACES", "Source", "check", "checked", "shown"]

_TEXTS = ("url", "host", "user", "vhost", "password-env")
COUNTS = ("concurrency", "rows", "columns")
CONNECTION_KEYS = (*_TEXTS, "port", "timeout", "local")
PLACES = ("local", "url", "host")  # what says where to connect


class Source(NamedTuple):
    """Settings of one place.

    Attributes
    ----------
    values : mapping of str to object
        Checked settings by name.
    label : function
        How a setting of this place is called in an error.
    is_table : bool
        Whether it is a table of pyproject.toml.
    is_named : bool
        Whether it is the table of the connection itself.
    """

    values: Mapping[str, Any]
    label: Callable[[str], str]
    is_table: bool = False
    is_named: bool = False

    @property
    def place(self) -> str:
        """The setting that says where to connect; "" if none does."""
        return next((key for key in PLACES if key in self.values), "")

    @property
    def user(self) -> str:
        """The user that it names, also inside a URL; "" if it names none."""
        url = self.values.get("url", "")
        own = Settings.from_target(url).username if "@" in url else ""
        return str(self.values.get("user", own))


def checked(
    values: Mapping[str, Any], keys: Collection[str], label: Callable[[str], str]
) -> Source:
    """Return the settings of these keys as a source; check only those."""
    found = {key: value for key, value in values.items() if key in keys}
    for key, value in found.items():
        check(key, value, label(key))
    return Source(found, label)


def check(key: str, value: object, label: str) -> None:
    """Check a setting, and say in an error where it stands."""
    is_wrong, hint = _CHECKS[key]
    if is_wrong(value):
        raise NangoUsageError(f"{label} is {shown(value)}", hint)


def shown(value: object) -> str:
    """Return a value as an error repeats it."""
    if isinstance(value, str | int | float | bool):
        text = redact(repr(value))
        return text if len(text) <= 60 else f"{text[:60]}…"
    return f"a {type(value).__name__}"


def _is_no_text(value: object) -> bool:
    return not isinstance(value, str) or not value.strip()


def _is_no_count(value: object, most: float = math.inf) -> bool:
    return not isinstance(value, int) or isinstance(value, bool) or not 0 < value <= most


def _is_no_timeout(value: Any) -> bool:
    try:
        check_timeout(value)
    except NangoUsageError:
        return True
    return False


_CHECKS: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(_TEXTS, (_is_no_text, "Give a text.")),
    **dict.fromkeys(COUNTS, (_is_no_count, "Give a whole number, 1 or more.")),
    "port": (lambda value: _is_no_count(value, 65535), "Give a number from 1 to 65535."),
    "timeout": (
        _is_no_timeout,
        f"Give seconds, more than 0 and at most {MAX_TIMEOUT:.0f}.",
    ),
    "local": (
        lambda value: value is not True and _is_no_text(value),
        "Give true for the samples, or an integrations folder.",
    ),
}
