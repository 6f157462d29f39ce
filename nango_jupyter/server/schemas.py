"""JSON schemas of actions' inputs, in words."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nango_jupyter.secrets import MASK, redact_value

__all__ = ["InputDescription", "describe_inputs", "input_lines"]


@dataclass(frozen=True)
class InputDescription:
    """One input of an action; `str` gives ``msg: string, default "hi"``.

    Attributes
    ----------
    name : str
    type : str
        In JSON's words, such as ``array of string``.
    is_required : bool
    default : str or None
        As JSON; None if there is none, or JSON can't hold it.
    description : str
        On one line; "" without one.
    """

    name: str
    type: str
    is_required: bool
    default: str | None
    description: str

    @property
    def need(self) -> str:
        """Whether it has to be given, and what it is otherwise."""
        if self.is_required:
            return "required"
        return "optional" if self.default is None else f"default {self.default}"

    def __str__(self) -> str:
        about = f" ({self.description})" if self.description else ""
        return f"{self.name}: {self.type}, {self.need}{about}"


def describe_inputs(schema: Mapping[str, Any]) -> list[InputDescription]:
    """Describe the inputs that a JSON schema, as pydantic makes it, has."""
    definitions = schema.get("$defs", {})
    required = schema.get("required", ())
    return [
        InputDescription(
            name=name,
            type=_type(found, definitions),
            is_required=name in required,
            default=_default(name, found),
            description=" ".join(found.get("description", "").split()),
        )
        for name, found in schema.get("properties", {}).items()
    ]


def _default(name: str, found: Mapping[str, Any]) -> str | None:
    if "default" not in found:
        return None
    is_secret = found.get("writeOnly")  # what pydantic says of a SecretStr
    shown = MASK if is_secret else redact_value(found["default"], name)
    return json.dumps(shown, ensure_ascii=False)


def input_lines(schema: Mapping[str, Any]) -> tuple[str, ...]:
    """Return a line for each input that a JSON schema has."""
    lines = tuple(map(str, describe_inputs(schema)))
    return (*lines, "and others") if schema.get("additionalProperties") else lines


def _type(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    if "$ref" in found:
        name = found["$ref"].rpartition("/")[2]
        target = definitions.get(name, {})
        return name if "properties" in target or "$ref" in target else _type(target, definitions)
    if "const" in found or "enum" in found:
        values = found.get("enum", [found.get("const")])
        return " or ".join(json.dumps(value, ensure_ascii=False) for value in values)
    for word in ("anyOf", "oneOf"):
        if word in found:
            types = [_type(one, definitions) for one in found[word]]
            return " or ".join(dict.fromkeys(types))
    return _plain_type(found, definitions)


def _plain_type(found: Mapping[str, Any], definitions: Mapping[str, Any]) -> str:
    kind = str(found.get("type", "any JSON"))
    if kind == "array" and found.get("items"):
        return f"array of {_type(found['items'], definitions)}"
    return f"{kind} ({found['format']})" if "format" in found else kind
