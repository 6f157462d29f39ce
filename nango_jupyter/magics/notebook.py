"""What the magics share: the user's variables, the session, and the kernel's event loop.

Most of it is imported when it is first used: loading the extension costs next to nothing.
"""

from __future__ import annotations

import asyncio
import os
from collections import ChainMap
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from IPython.core.interactiveshell import InteractiveShell

from nango_jupyter.exceptions import NangoError
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.magics.live import show_live

if TYPE_CHECKING:
    from argparse import Namespace

    from nango_jupyter.display.limits import Limits
    from nango_jupyter.history import HistoryEntry
    from nango_jupyter.jobs import Job
    from nango_jupyter.magics.completion import MagicCompleter
    from nango_jupyter.magics.output import Output
    from nango_jupyter.magics.template import InputTemplate
    from nango_jupyter.preferences import Preferences
    from nango_jupyter.session import Session

__all__ = ["CellRun", "Notebook"]

T = TypeVar("T")


class CellRun(NamedTuple):
    """One run of a cell.

    Attributes
    ----------
    cell : str
        The same at each run of the cell.
    run : str
        Another one at each run.
    """

    cell: str
    run: str


class Notebook:
    """A shell, and what nango-jupyter has open in it.

    Attributes
    ----------
    shell : InteractiveShell
    loop : KernelLoop
    is_warned : bool
        Whether the user was told already that a cell is no place for passwords.
    """

    def __init__(self, shell: InteractiveShell) -> None:
        self.shell = shell
        self.loop = KernelLoop(lambda: _shell_loop(shell))
        self.is_warned = False
        self._config: Callable[[], Mapping[str, object]] = dict

    @cached_property
    def session(self) -> Session:
        """What is open, and what was triggered."""
        from nango_jupyter.session import Session

        return Session()

    @cached_property
    def preferences(self) -> Preferences:
        """The settings that a line does not say."""
        from nango_jupyter.preferences import Preferences

        return Preferences(self._config)

    @cached_property
    def completer(self) -> MagicCompleter:
        """What completes our lines."""
        from nango_jupyter.magics.completion import MagicCompleter

        return MagicCompleter(self)

    def configure(self, config: Callable[[], Mapping[str, object]]) -> None:
        """Take settings from a function that returns what ``%config`` says."""
        self._config = config

    def running_cell(self) -> CellRun | None:
        """Return which cell runs in this thread; None in a callback of a widget."""
        kernel = getattr(self.shell, "kernel", None)
        request: Mapping[str, Any] = kernel.get_parent() if kernel is not None else {}
        header = request.get("header", {})
        if header.get("msg_type") != "execute_request":
            return None
        cell = request.get("metadata", {}).get("cellId")
        # Front ends without ids of cells run a text again, but Voila: there, two cells with the
        # same text are two cells.
        if not cell and not os.environ.get("SERVER_SOFTWARE", "").startswith("voila"):
            cell = request.get("content", {}).get("code")
        return CellRun(cell, header["msg_id"]) if cell else None

    def use_timeout(self) -> None:
        """Let the time limit that the settings say hold for what is open already."""
        if "session" in vars(self):
            self.session.use_timeout(self.preferences.timeout)

    def parse(
        self, magic: Callable[..., Any], line: str, names: Mapping[str, Any], **how: Any
    ) -> Namespace:
        """Parse the line of a magic; see `arguments.parse`."""
        from nango_jupyter.magics.arguments import parse

        return parse(magic, line, names, **how)

    def output(
        self, args: Namespace, magic: str, line: str, cell: InputTemplate | None = None
    ) -> Output:
        """Read what a line says about where its result goes; see `output.read_output`."""
        from nango_jupyter.magics.output import read_output

        found = read_output(args, self.shell, magic, line, cell)
        # Before anything is sent: a pyproject.toml that can't be read must not cost its result.
        return replace(found, limits=self._limits())

    def shown(self, result: Any, args: Namespace, magic: str, line: str) -> Any:
        """Return a result, unless a ``;`` keeps it from being drawn."""
        from nango_jupyter.magics.output import is_silent

        return None if is_silent(args, self.shell, magic, line) else result

    def _limits(self) -> Limits | None:
        """Return how much of a table the settings say to draw."""
        rows, columns = self.preferences.rows_and_columns()
        if rows is None and columns is None:
            return None
        from nango_jupyter.display import LIMITS

        return LIMITS.wider(rows=rows, columns=columns)

    @property
    def has_cards(self) -> bool:
        """Whether a front end draws HTML, and changes it: every kernel's may."""
        return getattr(self.shell, "kernel", None) is not None

    def kept(self, is_entry: Callable[[HistoryEntry], bool]) -> str:
        """Say how to get the last result again that an entry of the history tells of."""
        entry = next(filter(is_entry, reversed(self.session.history)))
        return f"The result is kept: %nango_history {entry.number}."

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
        is_open = "session" in vars(self) and self.session.connections()
        if is_open and not self.loop.loop.is_closed():
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
