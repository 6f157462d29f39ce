"""A field for a token or a password that keeps nothing in its widget."""

from __future__ import annotations

from typing import Any

from ipywidgets import Password

from nango_jupyter.secrets import Secret
from nango_jupyter.widgets.look import field

__all__ = ["SecretField"]

_GIVEN = "given; type to replace it"


class SecretField:
    """A Password field that is emptied as soon as its text arrives in the kernel.

    ipywidgets keeps a field's text in the state of its model, which front ends save into the
    notebook: so it is not left there until somebody presses the button.

    Parameters
    ----------
    label : str
    placeholder : str

    Attributes
    ----------
    widget : Password
        The field to show.
    """

    def __init__(self, label: str, placeholder: str = "") -> None:
        self.widget = field(Password, label, placeholder=placeholder, continuous_update=False)
        self._placeholder = placeholder
        self._secret: Secret | None = None
        self.widget.observe(self._keep, "value")

    @property
    def given(self) -> Secret | None:
        """What was typed since it was last taken."""
        return self._secret

    def _keep(self, change: dict[str, Any]) -> None:
        if not change["new"]:
            return
        self.give(Secret(change["new"]))
        self.widget.value = ""

    def give(self, secret: Secret) -> None:
        """Keep a secret that was typed elsewhere."""
        self._secret = secret
        self.widget.placeholder = _GIVEN

    def suggest(self, placeholder: str) -> None:
        """Say in the empty field what happens if nothing is typed."""
        self._placeholder = placeholder
        if self._secret is None:
            self.widget.placeholder = placeholder

    def take(self) -> Secret | None:
        """Return what was typed, and forget it; None if nothing was."""
        found, self._secret = self._secret, None
        self.widget.placeholder = self._placeholder
        return found
