"""Raises an error, with the input's message: ``{"message": "out of coffee"}``."""

from typing import Any

from nango_jupyter import NangoAction


class Fail(NangoAction):
    async def execute_action(self, input: Any) -> None:
        message = input.get("message") if isinstance(input, dict) else None
        raise RuntimeError(message or "this action always fails")
