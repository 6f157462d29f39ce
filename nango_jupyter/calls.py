"""One trigger as it was asked for: what history keeps, and a rerun or a retry sends again."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from nango_jupyter.messages import UserId

__all__ = ["TriggerCall"]


@dataclass(frozen=True, kw_only=True, slots=True)
class TriggerCall:
    """What to run, for whom, and with what.

    Attributes
    ----------
    integration, action : str
    user_id : str or int
    input : JSON value
    timeout : float or None
        In seconds; None for the connection's own.
    """

    integration: str
    action: str
    user_id: UserId
    input: Any = field(default=None, repr=False)
    timeout: float | None = None

    @property
    def request(self) -> str:
        """What is asked, in a word: ``crm.list-contacts``."""
        return f"{self.integration}.{self.action}"
