"""The input of an action: fields where there is a schema, JSON where there is none or it is asked.

What was typed for one action is kept while another one is chosen, and when its schema changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from ipywidgets import Checkbox, VBox

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import MASK, redact_value
from nango_jupyter.widgets import look
from nango_jupyter.widgets.checked_field import CheckedField
from nango_jupyter.widgets.closing import close_tree
from nango_jupyter.widgets.fields import FieldError, schema_fields
from nango_jupyter.widgets.fields.groups import GroupField
from nango_jupyter.widgets.json_area import JsonArea

__all__ = ["InputArea"]

Key = tuple[str, str]
Schema = Mapping[str, Any]

_MOST_DRAFTS = 20
_LABEL = "Input"
_NOT_ALL = ("The fields can't show all of this", "Keep it as JSON.")


class InputArea:
    """What an action is given; one draft for each action that has a schema, one for all others.

    Parameters
    ----------
    on_change : function
        Called when the user has changed something.

    Attributes
    ----------
    widget : VBox
        What to show.
    """

    def __init__(self, on_change: Callable[[], object]) -> None:
        self._on_change = on_change
        self._drafts: dict[Key | None, _Draft] = {}
        self._draft = self._make(None, ("", ""))
        self.widget = VBox([self._draft.widget])

    def show(self, key: Key, schema: Schema | None) -> None:
        """Show the draft of an action.

        Parameters
        ----------
        key : tuple of str
            Its integration and its name.
        schema : mapping, optional
            The JSON schema of its input.
        """
        before = self._draft
        if before.key == key and before.schema == schema:
            return
        place = None if schema is None else key
        found = self._drafts.get(place)
        if found is None or found.schema != schema:
            replaced = found
            found = self._make(schema, key)
            if replaced is not None:
                found.take_from(replaced)
                replaced.close()
        if before is not found and before.key == key and not found.is_touched:
            found.take_from(before)
        found.key = key
        self._draft = found
        self._drafts[place] = self._drafts.pop(place)  # the last one used is the last
        self.widget.children = (found.widget,)
        self._forget_old()

    def _make(self, schema: Schema | None, key: Key) -> _Draft:
        draft = _Draft(schema, key, self._on_change)
        self._drafts[None if schema is None else key] = draft
        return draft

    def _forget_old(self) -> None:
        """Close drafts in which nothing was typed, and those of long ago."""
        others = [(place, one) for place, one in self._drafts.items() if one is not self._draft]
        kept = [place for place, one in others if one.is_touched][-_MOST_DRAFTS:]
        for place, one in others:
            if place not in kept:
                one.close()
                del self._drafts[place]

    def read(self) -> Any:
        """Return the JSON value.

        Raises
        ------
        NangoUsageError
            If something is wrong, which is shown at the field.
        """
        found = self._draft.read()
        if _is_masked(found):
            raise NangoUsageError(f"The input holds {MASK}.", "Type what is secret again.")
        return found

    def set(self, value: Any) -> None:
        """Fill in a JSON value: into the fields, or as JSON if they can't hold it.

        What is secret in it is masked, and has to be typed again.
        """
        self._draft.set(redact_value(value))

    def close(self) -> None:
        """Close the drafts, also those that are not shown."""
        for draft in self._drafts.values():
            draft.close()
        close_tree(self.widget)


class _Draft:
    """What was typed for one action."""

    def __init__(self, schema: Schema | None, key: Key, on_change: Callable[[], object]) -> None:
        self.schema, self.key = schema, key
        self.is_touched = False
        self._on_change = on_change
        self._is_switching = False
        self._json = JsonArea(_LABEL, on_change=self._changed)
        self._switch = look.answering(Checkbox(description="as JSON", indent=False))
        self._switch.layout.margin = look.INDENT
        self._checked = CheckedField(self._switch)
        self._switch.observe(self._on_switch, "value")
        self.widget = VBox()
        self._fields = self._new_fields()
        self._lay_out()

    def _new_fields(self) -> GroupField | None:
        return None if self.schema is None else schema_fields(self.schema, self._changed)

    @property
    def _is_json(self) -> bool:
        return self._fields is None or bool(self._switch.value)

    def _lay_out(self) -> None:
        """Show what is in use; the other one keeps what it holds."""
        parts = [self._json.widget]
        if self._fields is not None:
            parts = [self._checked.widget, self._fields.widget, self._json.widget]
            self._fields.widget.layout.display = "none" if self._is_json else None
        self._json.widget.layout.display = None if self._is_json else "none"
        self.widget.children = parts

    def _changed(self) -> None:
        self.is_touched = True
        self._checked.error = ""
        self._on_change()

    def _on_switch(self, _: object) -> None:
        if self._is_switching:
            return
        self._checked.error = ""
        try:
            if self._switch.value:
                self._json.set(self._drafted())
            else:
                self._fill_fields(self._json.read())
        except NangoUsageError as error:
            self._turn(is_json=not self._switch.value)
            self._checked.error = f"{error.message}. {error.hint}".strip()
        self._lay_out()
        self._on_change()

    def _turn(self, *, is_json: bool) -> None:
        self._is_switching = True
        try:
            self._switch.value = is_json
        finally:
            self._is_switching = False

    def _fill_fields(self, value: Any) -> None:
        """Put JSON into new fields, unless they can't show all of it."""
        fields = self._new_fields()
        if fields is None:
            return
        given = {} if value is None else value
        try:
            fields.set(given)
            problem = None if _holds(fields.draft(), given) else NangoUsageError(*_NOT_ALL)
        except NangoUsageError as error:
            problem = error
        if problem is not None:
            close_tree(fields.widget)
            raise problem
        old, self._fields = self._fields, fields
        self._lay_out()
        if old is not None:
            close_tree(old.widget)

    def read(self) -> Any:
        """Return the value; see `InputArea.read`."""
        if self._fields is None or self._is_json:
            return self._json.read()
        return self._fields.read()

    def set(self, value: Any) -> None:
        """Take a value; see `InputArea.set`."""
        self.is_touched = True
        self._checked.error = ""
        if self._fields is not None:
            try:
                self._fill_fields(value)
            except NangoUsageError:
                self._turn(is_json=True)
            else:
                self._turn(is_json=False)
        if self._is_json:
            self._json.set(value)
        self._lay_out()

    def take_from(self, other: _Draft) -> None:
        """Take over what was typed elsewhere for the same action, as far as it can be used."""
        if not other.is_touched:
            return
        self.is_touched = True
        if other._is_json:
            self._take_text(other._json.text)
        elif self._fields is None:
            self._json.set(other._drafted())
        else:
            for key, value in other._drafted().items():
                with suppress(KeyError, FieldError):  # its new schema has other fields
                    self._fields.fields[key].set(value)
        self._lay_out()

    def _take_text(self, text: str) -> None:
        self._json.text = text
        self._turn(is_json=True)
        with suppress(NangoUsageError):  # it is no JSON yet: the person goes on with it
            self.set(self._json.read())

    def _drafted(self) -> dict[str, Any]:
        return {} if self._fields is None else self._fields.draft()

    def close(self) -> None:
        """Close every part of it."""
        for part in (self.widget, self._json.widget, self._checked.widget):
            close_tree(part)


def _holds(found: Any, wanted: Any) -> bool:
    """Tell whether a value has all of another one; defaults may have come to objects."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        return all(
            value == MASK or (key in found and _holds(found[key], value))
            for key, value in wanted.items()
        )
    if isinstance(wanted, list) and isinstance(found, list):
        return len(found) == len(wanted) and all(map(_holds, found, wanted))
    return type(found) is type(wanted) and bool(found == wanted)


def _is_masked(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_is_masked, value.values()))
    if isinstance(value, list):
        return any(map(_is_masked, value))
    return isinstance(value, str) and MASK in value
