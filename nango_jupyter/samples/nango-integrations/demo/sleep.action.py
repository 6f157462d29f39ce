"""Waits: ``{"seconds": 2}``."""

import asyncio
from typing import Any

from nango_jupyter import NangoAction


class Sleep(NangoAction):
    async def execute_action(self, input: Any) -> dict[str, float]:
        seconds: Any = input.get("seconds") if isinstance(input, dict) else None
        number = isinstance(seconds, int | float) and not isinstance(seconds, bool)
        if not number or not 0 <= seconds <= 3600:
            raise ValueError('the input must be {"seconds": N}, with a number from 0 to 3600')
        await asyncio.sleep(seconds)
        return {"slept": seconds}
