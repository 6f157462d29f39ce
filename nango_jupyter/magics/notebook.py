"""What the magics share: the user's variables, the session, and the kernel's event loop."""

from __future__ import annotations

import asyncio
from collections import ChainMap
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.exceptions import NangoError
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.magics.live import show_live
from nango_jupyter.preferences import Preferences
from nango_jupyter.session import Session

if TYPE_CHECKING:
    from nango_jupyter.batch import BatchResult
    from nango_jupyter.history import HistoryEntry
    from nango_jupyter.jobs import Job
    from nango_jupyter.results import NangoResult

__all__ = ["Notebook"]

T = TypeVar("T")
DrawnT = TypeVar("DrawnT", bound="NangoResult | BatchResult")


class Notebook:
    """A shell, and what nango-jupyter has open in it.

    Attributes
    ----------
    shell : InteractiveShell
    session : Session
    loop : KernelLoop
    preferences : Preferences
    is_warned : bool
        Whether the user was told already that a cell is no place for passwords.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.session = Session()
        self.loop = KernelLoop(lambda: _shell_loop(shell))
        self.preferences = Preferences()
        self.is_warned = False

    def configure(self, config: Callable[[], Mapping[str, object]]) -> None:
        """Take settings from a function that returns what ``%config`` says."""
        self.preferences = Preferences(config)

    @property
    def has_cards(self) -> bool:
        """Whether a front end draws HTML, and changes it: every kernel's may."""
        return getattr(self.shell, "kernel", None) is not None

    def kept(self, is_entry: Callable[[HistoryEntry], bool]) -> str:
        """Say how to get the last result again that an entry of the history tells of."""
        entry = next(filter(is_entry, reversed(self.session.history)))
        return f"The result is kept: %nango_history {entry.number}."

    def within_limits(self, result: DrawnT) -> DrawnT:
        """Return a result that is drawn with as many rows and columns as the settings say."""
        rows, columns = self.preferences.rows_and_columns()
        if rows is None and columns is None:
            return result
        from nango_jupyter.display import LIMITS

        return replace(result, limits=LIMITS.wider(rows=rows, columns=columns))

    def live(self, job: Job) -> Job:
        """Let a job's card follow it, where a front end changes what it has drawn."""
        if self.has_cards:
            job.on_display = show_live
        return job

    def names(self, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
        """Return the variables that a magic sees: those of its function, then the notebook's."""
        return ChainMap(dict(local_ns or {}), self.shell.user_ns)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine to its end; an error of the server that nobody catches gets a card."""
        with self.error_cards():
            return self.loop.run(coroutine)

    @contextmanager
    def error_cards(self) -> Iterator[None]:
        """Give what a server refused a card, for when IPython shows the error."""
        try:
            yield
        except NangoError as error:
            if self.has_cards and error.result is not None:
                error.on_show = _draw
            raise

    def shut_down(self) -> None:
        """Close what is open: when the extension is unloaded, and when Python ends."""
        # With nothing open the loop is left alone, and is not made to run nested.
        if self.session.connections() and not self.loop.loop.is_closed():
            self.loop.run(self.session.close_all())


def _draw(error: NangoError) -> None:
    from IPython.display import display

    from nango_jupyter.display import render_error

    display(render_error(error), raw=True)


def _shell_loop(shell: InteractiveShell) -> asyncio.AbstractEventLoop:
    """Find the main loop of a shell in which none runs just now."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        loop: asyncio.AbstractEventLoop = kernel.io_loop.asyncio_loop
        return loop
    from IPython.core.async_helpers import get_asyncio_loop

    terminal_loop: asyncio.AbstractEventLoop = get_asyncio_loop()
    return terminal_loop
