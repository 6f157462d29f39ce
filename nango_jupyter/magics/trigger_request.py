"""What the line and the cell of a trigger ask for."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nango_jupyter.calls import TriggerCall
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.arguments import ArgumentTemplate, read_line_input
from nango_jupyter.magics.options import seconds
from nango_jupyter.magics.template import InputTemplate, read_file, read_input
from nango_jupyter.messages import UserId

__all__ = ["TriggerRequest", "read_request"]

_USAGE = "Write: %nango_trigger INTEGRATION ACTION USER"


@dataclass(frozen=True)
class TriggerRequest:
    """A trigger whose variables are still to be put in their place, once or for each row.

    Attributes
    ----------
    integration, action : str
    user : object or ArgumentTemplate
        None where the line names nobody.
    input : InputTemplate
    timeout : float or None
        In seconds.
    """

    integration: str
    action: str
    user: Any
    input: InputTemplate
    timeout: float | None

    @property
    def request(self) -> str:
        """What is asked, in a word: ``crm.list-contacts``."""
        return f"{self.integration}.{self.action}"

    @property
    def names(self) -> frozenset[str]:
        """The variables that are put in their place."""
        of_user = self.user.names if isinstance(self.user, ArgumentTemplate) else frozenset()
        return self.input.names | of_user

    def call(self, names: Mapping[str, Any], user: UserId | None = None) -> TriggerCall:
        """Put variables in their place.

        Parameters
        ----------
        names : mapping of str to object
        user : str or int, optional
            Whom the line doesn't name.

        Raises
        ------
        NangoUsageError
            If there is no such variable, or nobody to do it for.
        """
        found = self.user.fill(names) if isinstance(self.user, ArgumentTemplate) else self.user
        if found is None:
            found = user
        if found is None:
            raise NangoUsageError("There is no user", f"{_USAGE}.")
        return TriggerCall(
            integration=self.integration,
            action=self.action,
            user_id=found,
            input=self.input.fill(names),
            timeout=self.timeout,
        )


def read_request(args: Namespace, cell: str | None, names: Mapping[str, Any]) -> TriggerRequest:
    """Read what is to be run, and its input from the cell, the line or a file."""
    if args.integration is None or args.action is None:
        what = "integration and no action" if args.integration is None else "action"
        raise NangoUsageError(f"There is no {what}", f"{_USAGE}.")
    return TriggerRequest(
        str(args.integration),
        str(args.action),
        args.user,
        _read_input(args, cell, names),
        seconds(args.timeout),
    )


def _read_input(args: Namespace, cell: str | None, names: Mapping[str, Any]) -> InputTemplate:
    given = [
        place
        for place, is_there in (
            ("on the line", args.input is not None),
            ("in the cell", cell is not None and bool(cell.strip())),
            ("in a file", args.input_file is not None),
        )
        if is_there
    ]
    if len(given) > 1:
        raise NangoUsageError(f"There is input {' and '.join(given)}", "Keep one of the two.")
    if args.input_file is not None:
        return InputTemplate.of(read_file(str(args.input_file), "input"))
    if args.input is not None:
        return read_line_input(args.input, "input", names)
    return read_input(cell or "", "input")
