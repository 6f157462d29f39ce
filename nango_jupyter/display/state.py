"""What a card's header says: the state as an icon beside its word, never as a colour alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

__all__ = ["ICONS", "State"]

State = Literal["ok", "bad", "idle"]

ICONS: Mapping[State, str] = {"ok": "✓", "bad": "✗", "idle": "○"}
