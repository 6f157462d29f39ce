"""Returns its input."""

from typing import Any

from nango_jupyter import NangoAction


class Echo(NangoAction):
    async def execute_action(self, input: Any) -> Any:
        return input
