"""A field for a user's id, in which 1 and "1" are two users."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from ipywidgets import HTML, Combobox, VBox

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import UserId
from nango_jupyter.secrets import redact
from nango_jupyter.widgets import look
from nango_jupyter.widgets.checked_field import CheckedField

__all__ = ["UserField", "read_user", "write_user"]

# 007 is text: as a number it would be 7, somebody else.
_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,999}")
_LONGEST = 200  # a longer id is no help in a list
_HELP = 'A number alone is a number; "1" in quotes is text.'


def read_user(typed: str) -> UserId | None:
    """Return the id that a person means: a number alone is one, and quotes make text of it.

    Examples
    --------
    >>> read_user("1"), read_user('"1"'), read_user(" ada "), read_user("007"), read_user(" ")
    (1, '1', 'ada', '007', None)
    """
    word = typed.strip()
    if len(word) > 1 and word[0] == word[-1] and word[0] in "'\"":
        return word[1:-1]
    if _NUMBER.fullmatch(word):
        return int(word)
    return word or None


def write_user(user_id: UserId) -> str:
    """Return what `read_user` takes for an id."""
    plain = str(user_id)
    return plain if read_user(plain) == user_id else f'"{plain}"'


class UserField:
    """A field with the known users to choose from, and a line that says which type it is.

    Parameters
    ----------
    label : str
    on_change : function, optional
        Called when something else is in it.

    Attributes
    ----------
    widget : VBox
        What to show.
    """

    def __init__(self, label: str = "User", on_change: Callable[[], object] | None = None) -> None:
        self._field = look.field(Combobox, label, placeholder="ada, or 1")
        self._checked = CheckedField(self._field)
        self._help = look.help_text(_HELP)
        self.widget = VBox([self._checked.widget, self._help])
        self._on_change = on_change
        self._field.observe(self._follow, "value")

    def read(self) -> UserId:
        """Return the id.

        Raises
        ------
        NangoUsageError
            If there is none, which is shown at the field too.
        """
        found = read_user(self._field.value)
        if found is None:
            self.error = "Who? Give the user's id."
            raise NangoUsageError("There is no user", "Give the user's id.")
        self.error = ""
        return found

    @property
    def typed(self) -> str:
        """What is in the field."""
        text: str = self._field.value
        return text

    def set(self, user_id: UserId | None) -> None:
        """Fill in an id; None for nobody."""
        self._field.value = "" if user_id is None else write_user(user_id)

    def offer(self, users: Iterable[UserId]) -> None:
        """Offer users to choose from."""
        texts = (write_user(user) for user in users)
        self._checked.offer(text for text in texts if len(text) <= _LONGEST)

    @property
    def error(self) -> str:
        """What is wrong, as it is shown under the field; "" if nothing is."""
        return self._checked.error

    @error.setter
    def error(self, text: str) -> None:
        self._checked.error = text

    def _follow(self, _: object) -> None:
        self.error = ""
        found = read_user(self._field.value)
        about = _HELP
        if isinstance(found, int):
            about = f'The number {_short(found)}; in quotes, "{_short(found)}" is text.'
        elif found is not None and write_user(found) != found:
            about = f'The text "{_short(found)}".'
        self._show(self._help, about)
        if self._on_change:
            self._on_change()

    @staticmethod
    def _show(line: HTML, text: str) -> None:
        line.value = look.text_html(text, "nango-help")


def _short(user_id: UserId) -> str:
    text = redact(str(user_id))
    return text if len(text) <= 40 else f"{text[:40]}…"
