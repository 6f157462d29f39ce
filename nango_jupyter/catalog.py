"""What a server can run: its integrations and actions, with the schemas of their inputs.

A kind of message of our own: the reference has none. It has a queue of its own as well, which only
our servers declare, so that no other server is ever sent one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from nango_jupyter.exceptions import NangoProtocolError

__all__ = ["CATALOG_QUEUE", "CATALOG_REQUEST", "Catalog", "CatalogAction"]

CATALOG_QUEUE = "nango_jupyter_catalog"
CATALOG_REQUEST = b'{"action": "GET_CATALOG"}'


@dataclass(frozen=True)
class CatalogAction:
    """One action.

    Attributes
    ----------
    name : str
    description : str
        "" without one.
    input_schema : dict or None
        A JSON schema; None for an action that takes whatever comes.
    is_idempotent : bool
    """

    name: str
    description: str = ""
    input_schema: dict[str, Any] | None = None
    is_idempotent: bool = False


@dataclass(frozen=True)
class Catalog:
    """What a server can run.

    Attributes
    ----------
    integrations : mapping of str to mapping of str to CatalogAction
        The actions of each integration, by name.
    """

    integrations: Mapping[str, Mapping[str, CatalogAction]] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """Return the reply's value."""
        return {
            name: [
                {
                    "name": one.name,
                    "description": one.description,
                    "inputs": one.input_schema,
                    "idempotent": one.is_idempotent,
                }
                for one in actions.values()
            ]
            for name, actions in self.integrations.items()
        }

    @classmethod
    def from_wire(cls, found: object) -> Catalog:
        """Read a reply's value.

        Raises
        ------
        NangoProtocolError
            If it is something else.
        """
        try:
            return cls(
                {
                    str(name): {action.name: action for action in map(_action, actions)}
                    for name, actions in found.items()  # type: ignore[attr-defined]
                }
            )
        except (AttributeError, KeyError, TypeError):
            raise NangoProtocolError("The server's catalogue can't be read") from None


def _action(found: Mapping[str, Any]) -> CatalogAction:
    schema = found["inputs"]
    return CatalogAction(
        name=str(found["name"]),
        description=str(found["description"]),
        input_schema=schema if isinstance(schema, dict) else None,
        is_idempotent=found["idempotent"] is True,
    )
