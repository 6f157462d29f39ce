"""What came of defining an action in a notebook, and how it is drawn."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DefinedAction"]


@dataclass(frozen=True, kw_only=True)
class DefinedAction:
    """An action that was defined on the embedded server.

    Attributes
    ----------
    integration, action : str
    description : str
        The first paragraph of its docstring; "" without one.
    inputs : tuple of str, or None
        A line for each input; None if it takes whatever comes.
    is_replaced : bool
        Whether there was an action of this name before.
    is_new_integration : bool
        Whether its integration was made for it.
    saved : str
        The file that it was written to; "" if it was not.
    note : str
        What is to be said of the settings of the folder that it was written to; "" for nothing.
    """

    integration: str
    action: str
    description: str = ""
    inputs: tuple[str, ...] | None
    is_replaced: bool
    is_new_integration: bool
    saved: str = ""
    note: str = ""

    def _repr_mimebundle_(self, **_: object) -> dict[str, str]:
        from nango_jupyter.display import render_card

        integration, action = _word(self.integration), _word(self.action)
        steps = [f"%%nango_trigger {integration} {action} USER, with its input in the cell"]
        if self.is_new_integration:
            steps.insert(0, f"%nango_register {integration} USER")
        facts = [
            ("About", self.description),
            ("Inputs", _describe(self.inputs)),
            ("New", f"the integration {self.integration}" if self.is_new_integration else ""),
            ("Saved", self.saved),
            ("Settings", self.note),
            ("Next", "\n".join(steps)),
        ]
        title = f"{'Replaced' if self.is_replaced else 'Defined'} {self.integration}.{self.action}"
        return render_card(title, "ok", [(label, text) for label, text in facts if text])


def _describe(inputs: tuple[str, ...] | None) -> str:
    if inputs is None:
        return "whatever comes: the parameters of a function with @action would be checked"
    return "\n".join(inputs) or "none"


def _word(name: str) -> str:
    """Return a name as it is written on the line of a magic."""
    return f'"{name}"' if len(name.split()) > 1 else name
