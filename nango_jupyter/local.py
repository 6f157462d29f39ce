"""The embedded server: a Nango server inside this process, without broker and port."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Self, TypeVar

from nango_jupyter.client import Nango
from nango_jupyter.defined import DefinedAction
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import UserId
from nango_jupyter.transport.base import other_loop_error
from nango_jupyter.transport.embedded import EmbeddedTransport

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from nango_jupyter.server import NangoServer
    from nango_jupyter.server.definitions import ActionDefinition

__all__ = ["LocalServer", "missing_extra"]

# The packages of the extra "local", by the name that they are imported by.
_LOCAL_PACKAGES = frozenset(
    {
        "aiosqlite",
        "click",
        "cryptography",
        "httpx",
        "pydantic",
        "sqlalchemy",
        "watchfiles",
    }
)


_ActionT = TypeVar("_ActionT")


class LocalServer:
    """A Nango server in this process.

    Parameters
    ----------
    folder : str or Path, optional
        The integrations folder; its connections are kept in a SQLite file inside it. Without
        one, the samples are served, and connections are kept in memory.

    Raises
    ------
    NangoConfigError
        On starting, if the folder can't be used; it lists everything that is wrong.
    NangoUsageError
        On starting, if the packages of the extra ``local`` are not installed.

    Examples
    --------
    >>> async with LocalServer() as server:  # doctest: +SKIP
    ...     nango = server.client()
    ...     await nango.register_connection("demo", "ada", "any-token")
    ...     await nango.trigger_action("demo", "echo", "ada", {"msg": "hello"})
    """

    def __init__(self, folder: str | Path | None = None) -> None:
        self._folder = None if folder is None else Path(folder).expanduser()
        self._stack = AsyncExitStack()
        self._server: NangoServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        # The integrations that were made here, with their base_url.
        self._made: dict[str, str | None] = {}

    async def start(self) -> None:
        """Start; do nothing if that was done."""
        if self._server is not None:
            return
        try:
            from nango_jupyter.server.opening import open_server
        except ModuleNotFoundError as error:
            raise missing_extra(error) from None
        self._loop = asyncio.get_running_loop()
        self._server = await self._stack.enter_async_context(open_server(self._folder))

    async def stop(self) -> None:
        """Close all clients, which stops what runs, and stop."""
        self._server = None
        await self._stack.aclose()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def client(self, *, timeout: float | None = None) -> Nango:
        """Return a new client of this server, open already.

        Parameters
        ----------
        timeout : float, optional
            As in `Nango`.

        Raises
        ------
        NangoUsageError
            If the server is not running.
        """
        server = self._running()
        name = "the samples" if self._folder is None else str(self._folder)
        nango = Nango(
            transport=EmbeddedTransport(
                server.handle, f"embedded server ({name})", self._loop, server.handle_catalog
            ),
            timeout=timeout,
        )
        self._stack.push_async_callback(nango.close)
        return nango

    def integrations(self) -> Mapping[str, list[str]]:
        """Return the names of the integrations, each with those of its actions."""
        return self._running().integrations()

    async def users(self, integration: str, limit: int = 1_000) -> list[UserId]:
        """Return users who are registered for an integration, the newest first.

        Raises
        ------
        NangoUsageError
            If the server is not running, or runs on another event loop.
        NangoError
            If its store fails.
        """
        server = self._running()
        if self._loop is not asyncio.get_running_loop():
            raise other_loop_error()
        return await server.users(integration, limit)

    def action(
        self,
        integration: str,
        name: str | None = None,
        *,
        idempotent: bool = False,
        base_url: str | None = None,
    ) -> Callable[[_ActionT], _ActionT]:
        """Define an action from a function, or from a subclass of `NangoAction`: a decorator.

        It is there at once, wins over an action file, and replaces what was defined before.

        Parameters
        ----------
        integration : str
            One that integrations.yaml doesn't have is made, with the auth mode OAUTH2.
        name : str, optional
            The action's; without it the function's own.
        idempotent : bool
            As in `action`.
        base_url : str, optional
            Where the requests of an integration that is made go, with the access token.

        Raises
        ------
        NangoUsageError
            If the server is not running, or a name or the URL can't be used.
        NangoConfigError
            If the function can't be an action; the message says what to write.

        Examples
        --------
        >>> @server.action("slack")  # doctest: +SKIP
        ... async def notify(ctx, channel_id: str, msg: str = "hi"):
        ...     return {"channel": channel_id, "text": msg}
        """
        if not isinstance(integration, str):
            raise NangoUsageError(
                "action was used without the integration's name", 'Write: @….action("slack")'
            )
        self._running()

        def decorate(item: _ActionT) -> _ActionT:
            from nango_jupyter.server.definitions import define

            own_name = name or str(getattr(item, "__name__", "action"))
            found = define(item, f"{integration}/{own_name}")
            found = replace(found, idempotent=idempotent or found.idempotent)
            self._define(integration, own_name, found, base_url)
            return item

        return decorate

    def define_cell(
        self,
        integration: str,
        name: str,
        cell: str,
        *,
        idempotent: bool = False,
        base_url: str | None = None,
        save: str | Path | None = None,
        notebook: Collection[str] = (),
    ) -> DefinedAction:
        """Define an action from a cell, which is the text of an action file.

        A cell with one function, or with one that is called like the action, needs no ``@action``.

        Parameters
        ----------
        integration, name, idempotent, base_url
            As in `action`.
        cell : str
        save : str or Path, optional
            A folder: write the action file into it, and the integration's settings if it has none.
        notebook : collection of str
            The notebook's names, which the cell can't use: it stands alone.

        Raises
        ------
        SyntaxError
            If the cell is not Python.
        NangoUsageError
            If it fails, defines no action, or can't be saved.
        """
        from nango_jupyter.server.schemas import input_lines
        from nango_jupyter.server.sources import action_source, check_names, load_source

        before = self._running().integrations()
        text = action_source(cell, name, idempotent=idempotent)
        check_names(text, notebook)
        found = load_source(text, integration, name)
        self._define(integration, name, found, base_url)
        saved, note = ("", "") if save is None else self._save(integration, name, text, save)
        return DefinedAction(
            integration=integration,
            action=name,
            description=found.description,
            inputs=None if found.input_schema is None else input_lines(found.input_schema),
            is_replaced=name in before.get(integration, ()),
            is_new_integration=integration not in before,
            saved=saved,
            note=note,
        )

    def _define(
        self, integration: str, name: str, found: ActionDefinition, base_url: str | None
    ) -> None:
        server = self._running()
        is_known = integration in server.integrations()
        if base_url and is_known and integration not in self._made:
            raise NangoUsageError(
                f"{integration} has its base_url in integrations.yaml", "Change it there."
            )
        if server.define(integration, name, found, base_url) or base_url:
            self._made[integration] = base_url

    def _save(self, integration: str, name: str, text: str, folder: str | Path) -> tuple[str, str]:
        from nango_jupyter.server.saving import save_action, settings_of

        settings = settings_of(integration, self._folder, self._made.get(integration))
        saved = save_action(Path(folder).expanduser(), integration, name, text, settings)
        replaced = ", in the place of the one that was there" if saved.is_replaced else ""
        return f"{saved.path}{replaced}", saved.note

    def _running(self) -> NangoServer:
        if self._server is None:
            raise NangoUsageError(
                "The local server is not running",
                "Use: async with LocalServer() as server: …",
            )
        return self._server


def missing_extra(error: ModuleNotFoundError) -> Exception:
    """Say how to install the extra ``local``, if it is one of its packages that is missing."""
    package = (error.name or "").partition(".")[0]
    if package not in _LOCAL_PACKAGES:
        return error
    return NangoUsageError(
        f"The local server needs the package {package}, which is not installed",
        'Run: pip install "nango-jupyter[local]"; in a clone of it: pip install ".[local]"',
    )
