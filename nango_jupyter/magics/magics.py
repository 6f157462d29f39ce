"""``%nango_connect``, ``%nango_register``, ``%%nango_trigger`` and their kin."""

from __future__ import annotations

import asyncio
import getpass
import os
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.core.magic_arguments import argument, magic_arguments

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.magics.arguments import expand, expand_json, parse
from nango_jupyter.magics.json_input import read_json
from nango_jupyter.results import NangoResult
from nango_jupyter.secrets import Secret
from nango_jupyter.session import ConnectionStatus, Session
from nango_jupyter.settings import Settings

__all__ = ["NangoMagics"]


@magics_class
class NangoMagics(Magics):
    """The magics of nango-jupyter; what they open lives on the kernel's main event loop."""

    def __init__(self, shell: InteractiveShell) -> None:
        super().__init__(shell)
        self.session = Session()
        self._variables = shell.user_ns
        self._loop = KernelLoop(lambda: _shell_loop(shell))

    def shut_down(self) -> None:
        """Close what is open: when the extension is unloaded, and when Python ends."""
        if not self._loop.loop.is_closed():
            self._loop.run(self.session.close())

    @magic_arguments()
    @argument("target", nargs="?", metavar="HOST[:PORT] | URL", help="The broker.")
    @argument(
        "--local",
        nargs="?",
        const="",
        metavar="FOLDER",
        help="Start the embedded server, without a broker, on an integrations folder; "
        "on the samples without one.",
    )
    @argument("--timeout", type=float, metavar="SECONDS", help="Time limit of each request (30).")
    @no_var_expand
    @needs_local_scope
    @line_magic
    def nango_connect(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Connect to a Nango server.

        With nothing, the environment says where: NANGO_URL, else NANGO_HOST and NANGO_PORT, else
        localhost. A password is best kept in NANGO_URL.

        Examples::

            %nango_connect --local
            %nango_connect --local ./nango-integrations
            %nango_connect broker.example.com:5672
        """
        args = parse(self.nango_connect, line)
        names = self._names(local_ns)
        target, folder = expand(args.target, names), expand(args.local, names)
        if folder is not None:
            if target is not None:
                raise NangoUsageError(
                    "--local and a host exclude each other", "Give one of the two."
                )
            local = self.session.connect_local(str(folder) or None, args.timeout)
            return self._loop.run(local)
        return self._loop.run(self.session.connect(_settings(target, args.timeout)))

    @magic_arguments()
    @argument("integration", metavar="INTEGRATION", help="Its name in integrations.yaml.")
    @argument("user", metavar="USER", help="The user's id; $name keeps a number a number.")
    @argument("--token-env", metavar="NAME", help="Environment variable that holds the token.")
    @argument("--config", metavar="JSON", help="Additional config, an object.")
    @no_var_expand
    @needs_local_scope
    @line_magic
    def nango_register(self, line: str, local_ns: Mapping[str, Any] | None = None) -> NangoResult:
        """Register a user's connection to an integration.

        The token comes from an environment variable, or is asked for without showing it.

        Examples::

            %nango_register slack ada
            %nango_register slack ada --token-env SLACK_TOKEN --config {"channelId": "C1"}
        """
        args = parse(self.nango_register, line)
        names = self._names(local_ns)
        client = self.session.client()
        config = self._read(args.config, "config", names)
        token = _token(args.token_env, args.integration, args.user)
        return self._loop.run(
            client.register_connection(
                expand(args.integration, names), expand(args.user, names), token, config
            )
        )

    @magic_arguments()
    @argument("integration", metavar="INTEGRATION", help="Its name in integrations.yaml.")
    @argument("action", metavar="ACTION", help="The action's name.")
    @argument("user", metavar="USER", help="The user's id; $name keeps a number a number.")
    @argument("input", nargs="?", metavar="JSON", help="The input; in a cell magic, the cell.")
    @argument("--timeout", type=float, metavar="SECONDS", help="Time limit (30).")
    @no_var_expand
    @needs_local_scope
    @line_cell_magic
    def nango_trigger(
        self, line: str, cell: str | None = None, local_ns: Mapping[str, Any] | None = None
    ) -> NangoResult:
        """Run an action in the name of a user, and return its result.

        The input is JSON: in the cell for %%nango_trigger, on the line for %nango_trigger. On
        the line, $name stands for a variable.

        Examples::

            result = %nango_trigger crm list-contacts ada {"city": "Berlin"}

            %%nango_trigger slack notify ada --timeout 60
            {"msg": "hello"}
        """
        args = parse(self.nango_trigger, line)
        names = self._names(local_ns)
        client = self.session.client()
        if cell is not None and args.input is not None:
            raise NangoUsageError(
                "There is input on the line and in the cell", "Keep one of the two."
            )
        value = self._read(args.input, "input", names) if cell is None else read_json(cell, "input")
        return self._loop.run(
            client.trigger_action(
                expand(args.integration, names),
                expand(args.action, names),
                expand(args.user, names),
                value,
                timeout=args.timeout,
            )
        )

    @magic_arguments()
    @no_var_expand
    @line_magic
    def nango_status(self, line: str) -> ConnectionStatus:
        """Show where this notebook is connected to."""
        parse(self.nango_status, line)
        return self._loop.run(self.session.status())

    @magic_arguments()
    @no_var_expand
    @line_magic
    def nango_close(self, line: str) -> ConnectionStatus:
        """Close the connection, and stop the embedded server if it was one."""
        parse(self.nango_close, line)
        return self._loop.run(self.session.close())

    def _names(self, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return ChainMap(dict(local_ns or {}), self._variables)

    def _read(self, token: Any, name: str, names: Mapping[str, Any]) -> Any:
        """Read a JSON argument, which may be a variable or hold some."""
        if token is None:
            return None
        if token.startswith("$") and token[1:].isidentifier():
            return expand(token, names)
        return read_json(expand_json(token.json, names), name)


def _settings(target: Any, timeout: float | None) -> Settings:
    if target is not None:
        return Settings.from_target(target, timeout=timeout)
    return Settings.from_environment(timeout=timeout)


def _token(variable: str | None, integration: str, user: str) -> Secret:
    """Take the token from the environment, or ask for it."""
    if variable is not None:
        token = os.environ.get(variable, "")
        if not token:
            raise NangoUsageError(
                f"The environment variable {variable} is not set, or empty",
                f"Set it before Jupyter starts, or: import os, getpass; "
                f"os.environ[{variable!r}] = getpass.getpass()",
            )
        return Secret(token)
    try:
        token = getpass.getpass(f"Token of {user} for {integration}: ")
    except (StdinNotImplementedError, EOFError):
        raise NangoUsageError(
            "No token was given, and nobody can be asked for it here", "Use --token-env NAME."
        ) from None
    if not token:
        raise NangoUsageError("No token was given: nothing was registered", "Run it again.")
    return Secret(token)


def _shell_loop(shell: InteractiveShell) -> asyncio.AbstractEventLoop:
    """Find the main loop of a shell in which none runs just now."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        loop: asyncio.AbstractEventLoop = kernel.io_loop.asyncio_loop
        return loop
    from IPython.core.async_helpers import get_asyncio_loop

    terminal_loop: asyncio.AbstractEventLoop = get_asyncio_loop()
    return terminal_loop
