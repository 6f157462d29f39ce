"""Reads a JSON schema, and chooses the field for each part of it.

A schema comes from a server: what it says is text to show, never to be trusted, and what can't be
drawn becomes an area for JSON.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from nango_jupyter.secrets import is_secret_name
from nango_jupyter.widgets.field import MISSING, Field, FieldError
from nango_jupyter.widgets.fields.groups import GroupField, ListField, OptionalField
from nango_jupyter.widgets.fields.leaves import (
    CheckField,
    ChoiceField,
    DateField,
    MomentField,
    NumberField,
    PasswordField,
    TextField,
)
from nango_jupyter.widgets.fields.rules import Rules
from nango_jupyter.widgets.json_area import JsonArea

__all__ = ["schema_fields"]

Schema = Mapping[str, Any]

# What is nested deeper, or refers to itself, is JSON; more fields than this take too long to draw.
_DEEPEST = 4
_MOST_FIELDS = 150
_MOST_CHOICES = 1_000
_ABOUT_CHARACTERS = 500


def schema_fields(schema: object, on_change: Callable[[], object]) -> GroupField | None:
    """Make the fields for an action's input.

    Parameters
    ----------
    schema : mapping
        A JSON schema, as pydantic makes it.
    on_change : function
        Called when the user has changed something.

    Returns
    -------
    GroupField or None
        None for a schema that is not one of an object with properties, or has too many.
    """
    if not isinstance(schema, Mapping):
        return None
    reader = _Reader(schema, on_change)
    found = reader.resolve(schema)
    properties = found.get("properties")
    if not isinstance(properties, Mapping) or not 0 < len(properties) <= _MOST_FIELDS:
        return None
    if found.get("additionalProperties") not in (None, False):
        return None  # there may be more than fields can tell
    return reader.group("", found, 0)


class _Reader:
    def __init__(self, root: Schema, on_change: Callable[[], object]) -> None:
        self._root = root
        self._on_change = on_change

    def resolve(self, schema: Schema) -> Schema:
        """Follow references, and take off what wraps a single schema."""
        for _ in range(20):
            target = _target(self._root, schema)
            if target is None:
                return schema
            schema = {**target, **{k: v for k, v in schema.items() if k not in _WRAPPERS}}
        return {}

    def group(self, label: str, schema: Schema, depth: int) -> GroupField:
        """Make the fields of an object's properties."""
        required = schema.get("required")
        needed = set(map(str, required)) if isinstance(required, list) else set()
        fields = {
            str(name): self._property(_path(label, str(name)), part, depth, str(name) in needed)
            for name, part in schema["properties"].items()
        }
        return GroupField(label, fields, _about(schema) if label else "")

    def _property(self, label: str, part: Any, depth: int, is_needed: bool) -> Field:
        schema = self.resolve(part if isinstance(part, Mapping) else {})
        inner, is_nullable = self._without_null(schema)
        default = schema.get("default", MISSING)
        if is_needed and not is_nullable:
            return self._filled(self._field(label, inner, depth, is_needed=True), default)
        # A default that is secret stands in no widget: switched off, the server has it.
        has_default = default is not MISSING and default is not None
        if has_default and not _is_secret(label, inner):
            # It is sent as it stands: what the form shows is what the action gets.
            field = self._field(label, inner, depth, is_needed=not is_nullable)
            if not is_nullable:
                return self._filled(field, default)
            return self._filled(OptionalField(field, None, self._on_change), default)
        field = self._field(label, inner, depth, is_needed=False)
        return OptionalField(field, None if is_needed else MISSING, self._on_change)

    def _filled(self, field: Field, default: Any) -> Field:
        if default is not MISSING:
            # Where the schema contradicts itself, the server will say so.
            with suppress(FieldError):
                field.set(default)
        return field

    def _without_null(self, schema: Schema) -> tuple[Schema, bool]:
        """Take null out of what is allowed; tell whether it was there."""
        about = {key: value for key, value in schema.items() if key not in ("anyOf", "oneOf")}
        for key in ("anyOf", "oneOf"):
            kinds = schema.get(key)
            if isinstance(kinds, list) and {"type": "null"} in kinds:
                rest = [kind for kind in kinds if kind != {"type": "null"}]
                if len(rest) == 1 and isinstance(rest[0], Mapping):
                    return {**self.resolve(rest[0]), **about}, True
                return {**about, key: rest}, True
        types = schema.get("type")
        if isinstance(types, list) and "null" in types:
            rest = [one for one in types if one != "null"]
            return {**schema, "type": rest[0] if len(rest) == 1 else rest}, True
        return schema, False

    def _field(self, label: str, schema: Schema, depth: int, *, is_needed: bool) -> Field:
        about = _about(schema)
        if (choices := _choices(schema)) is not None:
            return ChoiceField(label, choices, about, self._on_change)
        match schema.get("type"):
            case "string":
                return self._text(label, schema, about, is_needed)
            case "integer" | "number" as kind:
                rules = Rules.of(schema, is_needed=is_needed)
                is_whole = kind == "integer"
                return NumberField(label, rules, about, self._on_change, is_whole=is_whole)
            case "boolean":
                return CheckField(label, about, self._on_change)
            case "object" if depth < _DEEPEST and _is_closed(schema):
                return self.group(label, schema, depth + 1)
            case "array" if depth < _DEEPEST and isinstance(schema.get("items"), Mapping):
                if "prefixItems" not in schema:
                    return self._list(label, schema, depth)
        return JsonArea(label, self._on_change, about, is_needed=True)

    def _text(self, label: str, schema: Schema, about: str, is_needed: bool) -> Field:
        rules = Rules.of(schema, is_needed=is_needed)
        match schema.get("format"):
            case "date":
                return DateField(label, about, self._on_change)
            case "date-time" | "time" as form:
                has_day = form == "date-time"
                return MomentField(label, rules, about, self._on_change, has_day=has_day)
        if _is_secret(label, schema):
            return PasswordField(label, rules, about, self._on_change)
        return TextField(label, rules, about, self._on_change)

    def _list(self, label: str, schema: Schema, depth: int) -> Field:
        part = self.resolve(schema["items"])

        def make(item_label: str) -> Field:
            inner, is_nullable = self._without_null(part)
            field = self._field(item_label, inner, depth + 1, is_needed=True)
            return OptionalField(field, None, self._on_change) if is_nullable else field

        return ListField(
            label,
            make,
            _about(schema),
            self._on_change,
            least=_count(schema.get("minItems")) or 0,
            most=_count(schema.get("maxItems")),
        )


_WRAPPERS = ("$ref", "allOf", "$defs", "definitions")


def _target(root: Schema, schema: Schema) -> Schema | None:
    """Return what a schema refers to; None if it stands for itself."""
    wrapped = schema.get("allOf")
    if isinstance(wrapped, list) and len(wrapped) == 1 and isinstance(wrapped[0], Mapping):
        return wrapped[0]
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return None
    found: Any = root
    for name in reference.removeprefix("#/").split("/"):
        found = found.get(name.replace("~1", "/").replace("~0", "~"), {}) if found else {}
        if not isinstance(found, Mapping):
            return {}
    return found


def _is_secret(label: str, schema: Schema) -> bool:
    is_marked = schema.get("format") == "password" or schema.get("writeOnly") is True
    is_named = is_secret_name(label.rpartition(".")[2])
    return schema.get("type") == "string" and (is_marked or is_named)


def _path(label: str, name: str) -> str:
    return f"{label}.{name}" if label else name


def _choices(schema: Schema) -> list[Any] | None:
    if "const" in schema:
        return [schema["const"]]
    found = schema.get("enum")
    return found if isinstance(found, list) and 0 < len(found) <= _MOST_CHOICES else None


def _is_closed(schema: Schema) -> bool:
    """Tell whether an object has the properties that are listed, and no others."""
    properties = schema.get("properties")
    is_drawable = isinstance(properties, Mapping) and 0 < len(properties) <= _MOST_FIELDS
    return is_drawable and schema.get("additionalProperties") in (None, False)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _about(schema: Schema) -> str:
    """Return the description, on one line and cut."""
    found = schema.get("description")
    text = " ".join(found.split()) if isinstance(found, str) else ""
    return text if len(text) <= _ABOUT_CHARACTERS else f"{text[:_ABOUT_CHARACTERS]}…"
