"""One answer for all who ask in the same turn of the event loop."""

import asyncio
from itertools import count

from nango_jupyter.server.turns import EachTurn


async def test_each_turn_is_asked_once() -> None:
    asks = EachTurn(count().__next__)
    assert [asks(), asks()] == [0, 0]

    async def ask() -> int:
        return asks()

    await asyncio.sleep(0)
    assert await asyncio.gather(*(ask() for _ in range(3))) == [1, 1, 1]
    await asyncio.sleep(0)
    assert asks() == 2


async def test_forgetting_asks_anew() -> None:
    asks = EachTurn(count().__next__)
    assert asks() == 0
    asks.forget()
    assert asks() == 1
