"""Fields for texts, numbers, truth values, choices and dates."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, time
from typing import Any

from ipywidgets import Checkbox, DatePicker, Dropdown, Text, Textarea

from nango_jupyter.widgets import look
from nango_jupyter.widgets.field import MISSING, Leaf
from nango_jupyter.widgets.fields.rules import Rules
from nango_jupyter.widgets.secret_field import SecretField

__all__ = [
    "CheckField",
    "ChoiceField",
    "DateField",
    "MomentField",
    "NumberField",
    "PasswordField",
    "TextField",
]

OnChange = Callable[[], object]

_LONG = 200  # characters; a text that may be longer gets room


class TextField(Leaf):
    """A text; a long one gets several lines."""

    def __init__(self, label: str, rules: Rules, about: str, on_change: OnChange) -> None:
        is_long = (rules.max_length or 0) > _LONG
        control = look.field(Textarea if is_long else Text, label, placeholder=rules.hint)
        super().__init__(label, control, about, on_change)
        self._rules = rules

    def convert(self) -> str:
        """Return the text."""
        text: str = self.control.value
        if not text and self._rules.is_needed:
            raise self.need()
        if reason := self._rules.check_text(text):
            raise self.wrong(reason)
        return text

    def fill(self, value: Any) -> None:
        """Take a text that one line can hold, if it has one."""
        if not isinstance(value, str):
            raise self.wrong("must be text")
        if isinstance(self.control, Text) and "\n" in value:
            raise self.wrong("has several lines, which its field can't hold")
        self.control.value = value


class PasswordField(Leaf):
    """A text that is secret: it is taken out of the widget at once."""

    def __init__(self, label: str, rules: Rules, about: str, on_change: OnChange) -> None:
        self._secret = SecretField(label, rules.hint)
        super().__init__(label, self._secret.widget, about, on_change)
        self._rules = rules

    def convert(self) -> str:
        """Return the text, which stays here until another one is typed."""
        secret = self._secret.given
        if secret is None and self._rules.is_needed:
            raise self.need()
        return "" if secret is None else secret.reveal()

    def _changed(self, _: object) -> None:
        self._on_change()

    def draft(self) -> Any:
        """Return nothing: what is secret is put into no other field."""
        return MISSING

    def fill(self, value: Any) -> None:
        """Leave it as it is: what is secret is typed, and comes from nowhere else."""


class NumberField(Leaf):
    """A number; whole ones stay whole, however large."""

    def __init__(
        self, label: str, rules: Rules, about: str, on_change: OnChange, *, is_whole: bool
    ) -> None:
        super().__init__(label, look.field(Text, label, placeholder=rules.hint), about, on_change)
        self._rules = rules
        self._is_whole = is_whole

    def convert(self) -> int | float:
        """Return the number."""
        text = self.control.value.strip()
        if not text:
            raise self.need()
        value = self._number(text)
        if reason := self._rules.check_number(value):
            raise self.wrong(reason)
        return value

    def _number(self, text: str) -> int | float:
        kind = "a whole number" if self._is_whole else "a number"
        try:
            if re.fullmatch(r"[+-]?\d+", text):
                return int(text)
            value = float(text)
        except ValueError:
            raise self.wrong(f"must be {kind}") from None
        if not math.isfinite(value) or (self._is_whole and not value.is_integer()):
            raise self.wrong(f"must be {kind}")
        return int(value) if self._is_whole else value

    def fill(self, value: Any) -> None:
        """Take a number."""
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self.wrong("must be a number")
        self.control.value = json.dumps(value)


class CheckField(Leaf):
    """True or false."""

    def __init__(self, label: str, about: str, on_change: OnChange) -> None:
        control = look.field(Checkbox, label, indent=False)
        control.layout.margin = look.INDENT
        super().__init__(label, control, about, on_change)

    def convert(self) -> bool:
        """Return whether it is checked."""
        return bool(self.control.value)

    def fill(self, value: Any) -> None:
        """Take a truth value."""
        if not isinstance(value, bool):
            raise self.wrong("must be true or false")
        self.control.value = value


class ChoiceField(Leaf):
    """One of several JSON values."""

    def __init__(self, label: str, choices: Sequence[Any], about: str, on_change: OnChange) -> None:
        self._choices = list(choices)
        options = [("choose…", None), *((text, n) for n, text in enumerate(_texts(choices)))]
        control = look.field(Dropdown, label, options=options, value=None)
        super().__init__(label, control, about, on_change)
        if len(self._choices) == 1:
            control.value = 0

    def convert(self) -> Any:
        """Return the value that is chosen."""
        if self.control.value is None:
            raise self.need()
        return self._choices[self.control.value]

    def fill(self, value: Any) -> None:
        """Choose a value; 1, 1.0 and true are three."""
        wanted = json.dumps(value, sort_keys=True)
        for number, choice in enumerate(self._choices):
            if json.dumps(choice, sort_keys=True) == wanted:
                self.control.value = number
                return
        raise self.wrong("is none of the choices")


def _texts(choices: Sequence[Any]) -> list[str]:
    texts = [one if isinstance(one, str) else json.dumps(one) for one in choices]
    # Where the text "1" is there beside the number 1, quotes tell them apart.
    return [
        json.dumps(choice, ensure_ascii=False) if texts.count(text) > 1 or not text else text
        for choice, text in zip(choices, texts, strict=True)
    ]


class DateField(Leaf):
    """A day."""

    def __init__(self, label: str, about: str, on_change: OnChange) -> None:
        super().__init__(label, look.field(DatePicker, label), about, on_change)

    def convert(self) -> str:
        """Return the day, such as ``2026-11-25``."""
        found: date | None = self.control.value
        if found is None:
            raise self.need()
        return found.isoformat()

    def fill(self, value: Any) -> None:
        """Take a day as text."""
        try:
            self.control.value = date.fromisoformat(value)
        except (TypeError, ValueError):
            raise self.wrong("must be a day, such as 2026-11-25") from None


class MomentField(TextField):
    """A time, or a day with a time, as ISO text: pickers have no time zone."""

    def __init__(
        self, label: str, rules: Rules, about: str, on_change: OnChange, *, has_day: bool
    ) -> None:
        super().__init__(label, rules, about, on_change)
        self._kind = datetime if has_day else time
        self._example = "2026-11-25T14:30:00+01:00" if has_day else "14:30:00"
        self.control.placeholder = self.control.placeholder or self._example

    def convert(self) -> str:
        """Return the text."""
        text = super().convert()
        try:
            if text:
                self._kind.fromisoformat(text)
        except ValueError:
            raise self.wrong(f"must look like {self._example}") from None
        return text
