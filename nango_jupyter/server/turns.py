"""Asks once for many requests that are answered in the same turn of the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Generic, TypeVar

__all__ = ["EachTurn"]

_T = TypeVar("_T")


class EachTurn(Generic[_T]):
    """A function that is called once in each turn of the event loop; all who ask get its answer.

    A hundred requests that came in together need no hundred looks at the same file. What one of
    them could know of has happened before its turn.

    Parameters
    ----------
    ask : callable
    """

    def __init__(self, ask: Callable[[], _T]) -> None:
        self._ask = ask
        self._answers: list[_T] = []

    def __call__(self) -> _T:
        """Return this turn's answer."""
        if not self._answers:
            self._answers.append(self._ask())
            asyncio.get_running_loop().call_soon(self.forget)
        return self._answers[0]

    def forget(self) -> None:
        """Ask anew the next time, even in this turn."""
        self._answers.clear()
