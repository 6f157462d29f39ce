"""Shows the actions of a folder with their inputs: as text for people, as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from nango_jupyter.server.folder import ActionDescription
from nango_jupyter.server.schemas import describe_inputs

__all__ = ["as_json", "as_text"]


def as_json(integrations: Iterable[str], actions: Sequence[ActionDescription]) -> str:
    """Return a map from each integration to its actions, and from each of these to its facts.

    ``inputs`` is a JSON schema, or null for an action that takes whatever comes.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in integrations}
    for one in actions:
        found[one.integration][one.name] = {
            "description": one.description,
            "idempotent": one.idempotent,
            "inputs": one.input_schema,
        }
    return json.dumps(found, indent=2, ensure_ascii=False)


def as_text(integrations: Iterable[str], actions: Sequence[ActionDescription]) -> str:
    """Return a block for each integration, with a line for each input of each action."""
    blocks = []
    for name in integrations:
        own = [one for one in actions if one.integration == name]
        shown = [line for one in own for line in _action(one)]
        blocks.append("\n".join([name, *(shown or ["  no actions"])]))
    return "\n\n".join(blocks)


def _action(one: ActionDescription) -> list[str]:
    lines = [f"  {one.name}: {one.description}" if one.description else f"  {one.name}"]
    if one.input_schema is None:
        return [*lines, "    any JSON"]
    inputs = describe_inputs(one.input_schema)
    rows = [(each.name, each.type, each.need, _on_one_line(each.description)) for each in inputs]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
        lines.append(f"    {'  '.join(cells)}".rstrip())
    if one.input_schema.get("additionalProperties"):
        lines.append("    and others")
    elif not rows:
        lines.append("    no inputs")
    return lines


def _on_one_line(text: str) -> str:
    return " ".join(text.split())
