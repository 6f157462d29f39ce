"""Asks for what helps to fill in a form, without keeping anybody waiting."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import Future
from typing import Any, Generic, TypeVar

from nango_jupyter.known import KnownNames
from nango_jupyter.messages import UserId
from nango_jupyter.widgets.form import Form

__all__ = ["Question", "find_users"]

T = TypeVar("T")


class Question(Generic[T]):
    """One question at a time, on the kernel's main loop; a new one takes the place of the last.

    Parameters
    ----------
    form : Form
        Shows it if the question fails.
    answered : function
        Called on the main loop with the answer.
    """

    def __init__(self, form: Form, answered: Callable[[T], object]) -> None:
        self._form = form
        self._answered = answered
        self._asking: Future[None] | None = None

    def ask(self, question: Callable[[], Coroutine[Any, Any, T]]) -> None:
        """Ask; from any thread, and without waiting for the answer."""
        self.close()
        loop = self._form.shared.loop.loop
        self._asking = asyncio.run_coroutine_threadsafe(self._ask(question), loop)

    async def _ask(self, question: Callable[[], Coroutine[Any, Any, T]]) -> None:
        try:
            self._answered(await question())
        except Exception as error:
            self._form.fail(error)

    def close(self) -> None:
        """Let go of the question, if one is open."""
        if self._asking is not None:
            self._asking.cancel()


async def find_users(known: KnownNames, integrations: Iterable[str]) -> list[UserId]:
    """Return the known users of some integrations, each once."""
    users = [user for name in integrations for user in await known.users(name)]
    return list({(type(user), user): user for user in users}.values())
