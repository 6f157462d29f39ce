"""Fields that are made of fields: groups, lists, and what can be left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ipywidgets import HTML, Button, Checkbox, VBox, Widget

from nango_jupyter.widgets import look
from nango_jupyter.widgets.closing import close_tree
from nango_jupyter.widgets.field import MISSING, Field, FieldError

__all__ = ["GroupField", "ListField", "OptionalField"]

OnChange = Callable[[], object]
MakeField = Callable[[str], Field]

_MOST_ROWS = 200


def _all_of(fields: Mapping[Any, Field]) -> dict[Any, Any]:
    """Read every field, so that each shows what is wrong, and raise the first error."""
    found, errors = {}, []
    for key, field in fields.items():
        try:
            found[key] = field.read()
        except FieldError as error:
            errors.append(error)
    if len(errors) > 1:
        raise FieldError(f"{errors[0]}, and {len(errors) - 1} more to mend", errors[0].hint)
    if errors:
        raise errors[0]
    return {key: value for key, value in found.items() if value is not MISSING}


class _Framed(Field):
    """Fields in a frame with a title, which stays where the rest is switched off."""

    def __init__(self, label: str, about: str, parts: Sequence[Widget]) -> None:
        self.head = (look.title(label), *([_about(about)] if about else []))
        self._body = VBox(parts)
        self.widget = VBox([*self.head, self._body])
        self.widget.add_class("nango-group")

    def enable(self, *, is_on: bool) -> None:
        """Let it be used, or not."""
        self._body.layout.display = None if is_on else "none"

    def add_switch(self, switch: Checkbox) -> VBox:
        """Put a switch under the title; return all of it."""
        self.widget.children = (*self.head, switch, self._body)
        return self.widget


class GroupField(_Framed):
    """The fields of an object.

    Parameters
    ----------
    label : str
        "" for the outermost, which has no frame.
    fields : mapping of str to Field
    about : str
    """

    def __init__(self, label: str, fields: Mapping[str, Field], about: str = "") -> None:
        self.label = label
        self.fields = dict(fields)
        parts = [field.widget for field in self.fields.values()]
        if label:
            super().__init__(label, about, parts)
        else:
            self.widget = VBox(parts)

    def read(self) -> dict[str, Any]:
        """Return the object; see `Field.read`."""
        return _all_of(self.fields)

    def draft(self) -> dict[str, Any]:
        """Return what can be read of it; see `Field.draft`."""
        drafts = {key: field.draft() for key, field in self.fields.items()}
        return {key: value for key, value in drafts.items() if value is not MISSING}

    def set(self, value: Any) -> None:
        """Fill in an object; see `Field.set`."""
        if not isinstance(value, dict):
            raise FieldError(f"{self.label or 'The input'} must be an object")
        if unknown := [key for key in value if key not in self.fields]:
            raise FieldError(f"There is no field for {unknown[0]}")
        for key, field in self.fields.items():
            if key in value or isinstance(field, OptionalField):
                field.set(value.get(key, MISSING))


class ListField(_Framed):
    """Any number of fields of one kind, with buttons to add and to remove one.

    Parameters
    ----------
    label : str
    make : function of a label
        Makes the field of one item.
    about : str
    on_change : function
    least, most : int
        How many items there must be.
    """

    def __init__(
        self,
        label: str,
        make: MakeField,
        about: str,
        on_change: OnChange,
        *,
        least: int = 0,
        most: int | None = None,
    ) -> None:
        self.label = label
        self._make = make
        self._on_change = on_change
        self._least, self._most = least, most
        self._items: list[Field] = []
        self._box = VBox()
        self._add = look.button(f"Add to {label}")
        self._add.layout.width = "auto"
        self._add.layout.align_self = "flex-start"
        self._add.on_click(self._on_add)
        self._wrong = HTML()
        super().__init__(label, about, [self._box, self._add, self._wrong])
        self._resize(min(least, _MOST_ROWS))
        self._say("")

    def _resize(self, count: int) -> None:
        while len(self._items) > count:
            self._items.pop()
            self._drop(len(self._items))
        while len(self._items) < count:
            self._append()

    def _append(self) -> None:
        label = f"{self.label}[{len(self._items)}]"
        item = self._make(label)
        remove = look.button("Remove", tooltip=f"Remove {label}")
        remove.layout.width = "auto"
        remove.on_click(lambda _: self._on_remove(item))
        self._items.append(item)
        self._box.children = (*self._box.children, look.row(item.widget, remove, indent=False))

    def _drop(self, index: int) -> None:
        row = self._box.children[index]
        self._box.children = self._box.children[:index] + self._box.children[index + 1 :]
        close_tree(row)

    def _on_add(self, _: Button) -> None:
        if len(self._items) < min(self._most or _MOST_ROWS, _MOST_ROWS):
            self._append()
            self._say("")
            self._on_change()
        else:
            self._say(f"{self.label} can have {len(self._items)} at most")

    def _on_remove(self, item: Field) -> None:
        """Take out one item; what stands in the others moves up, so that labels go on counting."""
        index = self._items.index(item)
        kept = [one.draft() for one in self._items[index + 1 :]]
        self._resize(len(self._items) - 1)
        for field, value in zip(self._items[index:], kept, strict=True):
            if value is not MISSING:
                field.set(value)
        self._say("")
        self._on_change()

    def read(self) -> list[Any]:
        """Return the list; see `Field.read`."""
        if len(self._items) < self._least:
            self._say(f"{self.label} must have {self._least} at least")
            raise FieldError(f"{self.label} must have {self._least} at least")
        return list(_all_of(dict(enumerate(self._items))).values())

    def draft(self) -> list[Any]:
        """Return the items that can be read; see `Field.draft`."""
        return [value for value in (item.draft() for item in self._items) if value is not MISSING]

    def set(self, value: Any) -> None:
        """Fill in a list; see `Field.set`."""
        if not isinstance(value, list):
            raise FieldError(f"{self.label} must be a list")
        if len(value) > _MOST_ROWS:
            raise FieldError(f"{self.label} has {len(value):,} items, too many for fields")
        self._resize(len(value))
        for item, one in zip(self._items, value, strict=True):
            item.set(one)

    def _say(self, text: str) -> None:
        self._wrong.value = look.text_html(text, "nango-wrong", "alert") if text else ""
        self._wrong.layout.display = None if text else "none"


class OptionalField(Field):
    """A field with a switch: off, its value is left out, or null.

    Parameters
    ----------
    inner : Field
    off : JSON value or MISSING
        What it reads as when it is off.
    on_change : function
    """

    def __init__(self, inner: Field, off: Any, on_change: OnChange) -> None:
        self.label = inner.label
        self.inner = inner
        self._off = off
        self._on_change = on_change
        text = "give it" if off is MISSING else "give it, or it is null"
        self.switch = look.field(Checkbox, text, indent=False, tooltip=f"Give {inner.label}")
        self.switch.layout.margin = look.INDENT
        self.switch.layout.width = "auto"
        self.switch.add_class("nango-switch")
        self.switch.observe(self._changed, "value")
        if isinstance(inner, _Framed):
            self.widget = inner.add_switch(self.switch)
        else:
            self.widget = VBox([inner.widget, self.switch])
        self.widget.add_class("nango-optional")
        inner.enable(is_on=False)

    def _changed(self, change: dict[str, Any]) -> None:
        self.inner.enable(is_on=change["new"])
        self._on_change()

    def read(self) -> Any:
        """Return the value, or what stands for none; see `Field.read`."""
        return self.inner.read() if self.switch.value else self._off

    def draft(self) -> Any:
        """Return the value, if there is one; see `Field.draft`."""
        return self.inner.draft() if self.switch.value else self._off

    def set(self, value: Any) -> None:
        """Fill in a value, or switch it off; see `Field.set`."""
        is_given = value is not MISSING and not (value is None and self._off is None)
        if value is None and self._off is MISSING:
            is_given = False
        if is_given:
            self.inner.set(value)
        self.switch.value = is_given

    def enable(self, *, is_on: bool) -> None:
        """Let it be used, or not."""
        self.switch.disabled = not is_on
        self.inner.enable(is_on=is_on and bool(self.switch.value))


def _about(text: str) -> HTML:
    return HTML(look.text_html(text, "nango-help"))
