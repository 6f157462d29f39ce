"""``%nango_connect``, ``%nango_register``, ``%%nango_trigger`` and their kin."""

from __future__ import annotations

import asyncio
import getpass
import os
import re
from collections import ChainMap
from collections.abc import Mapping
from typing import Any

from IPython.core.error import StdinNotImplementedError
from IPython.core.interactiveshell import InteractiveShell
from IPython.core.magic import (
    Magics,
    cell_magic,
    line_cell_magic,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.core.magic_arguments import argument, magic_arguments

from nango_jupyter.defined import DefinedAction
from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.kernel_loop import KernelLoop
from nango_jupyter.magics.arguments import expand, expand_json, is_variable, parse
from nango_jupyter.magics.json_input import read_json
from nango_jupyter.magics.python_input import explain_python
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
    @argument("--timeout", metavar="SECONDS", help="Time limit of each request (30).")
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
        args = parse(self.nango_connect, line, self._names(local_ns))
        timeout = _seconds(args.timeout)
        if args.local is None:
            return self._loop.run(self.session.connect(_settings(args.target, timeout)))
        if args.target is not None:
            raise NangoUsageError(
                "There is a folder for --local, and one more argument",
                "Give a host or --local; quote a folder that has blanks in it.",
            )
        return self._loop.run(self.session.connect_local(str(args.local) or None, timeout))

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
        names = self._names(local_ns)
        args = parse(self.nango_register, line, names, json="config")
        client = self.session.client()
        config = _read(args.config, "config", names)
        token = _token(args.token_env, args.integration, args.user)
        return self._loop.run(
            client.register_connection(args.integration, args.user, token, config)
        )

    @magic_arguments()
    @argument("integration", metavar="INTEGRATION", help="Its name in integrations.yaml.")
    @argument("action", metavar="ACTION", help="The action's name.")
    @argument("user", metavar="USER", help="The user's id; $name keeps a number a number.")
    @argument("input", nargs="?", metavar="JSON", help="The input; in a cell magic, the cell.")
    @argument("--timeout", metavar="SECONDS", help="Time limit (30).")
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
        names = self._names(local_ns)
        args = parse(self.nango_trigger, line, names, json="input")
        client = self.session.client()
        if cell is not None and args.input is not None:
            raise NangoUsageError(
                "There is input on the line and in the cell", "Keep one of the two."
            )
        value = _read(args.input, "input", names) if cell is None else read_json(cell, "input")
        return self._loop.run(
            client.trigger_action(
                args.integration, args.action, args.user, value, timeout=_seconds(args.timeout)
            )
        )

    @magic_arguments()
    @argument("integration", metavar="INTEGRATION", help="One that is unknown is made.")
    @argument("action", metavar="ACTION", help="The action's name; one that is there is replaced.")
    @argument(
        "--save",
        metavar="FOLDER",
        help="Write it as FOLDER/INTEGRATION/ACTION.action.py too, from where "
        "nango-jupyter serve FOLDER runs it.",
    )
    @argument(
        "--idempotent",
        action="store_true",
        help="It may run again for a message that the broker delivers a second time.",
    )
    @argument("--base-url", metavar="URL", help="The API of an integration that is made.")
    @no_var_expand
    @cell_magic
    def nango_action(self, line: str, cell: str) -> DefinedAction:
        """Define an action on the embedded server, from the function in the cell.

        The cell is the text of an action file, and stands alone: it imports or defines all that it
        uses. Its type hints check the input. A class that derives from NangoAction works as well.

        Examples::

            %%nango_action slack notify --base-url https://slack.com/api
            async def notify(ctx, channel: str, text: str = "hi"):
                body = {"channel": channel, "text": text}
                return (await ctx.http_request("chat.postMessage", "POST", body=body)).json()

            %%nango_action demo add --save my-integrations
            def add(ctx, a: int, b: int = 1) -> int:
                return a + b
        """
        args = parse(self.nango_action, line, self._variables)
        try:
            return self.session.define_action(
                str(args.integration),
                str(args.action),
                cell,
                idempotent=args.idempotent,
                base_url=args.base_url,
                save=args.save,
                notebook=self._variables.keys(),
            )
        except SyntaxError as error:
            raise explain_python(error, cell) from None

    @magic_arguments()
    @no_var_expand
    @line_magic
    def nango_status(self, line: str) -> ConnectionStatus:
        """Show where this notebook is connected to."""
        parse(self.nango_status, line, {})
        return self._loop.run(self.session.status())

    @magic_arguments()
    @no_var_expand
    @line_magic
    def nango_close(self, line: str) -> ConnectionStatus:
        """Close the connection, and stop the embedded server if it was one."""
        parse(self.nango_close, line, {})
        return self._loop.run(self.session.close())

    def _names(self, local_ns: Mapping[str, Any] | None) -> Mapping[str, Any]:
        return ChainMap(dict(local_ns or {}), self._variables)


def _read(token: Any, name: str, names: Mapping[str, Any]) -> Any:
    """Read a JSON argument, which may be a variable or hold some."""
    if token is None:
        return None
    if is_variable(token):
        return expand(token, names)
    return read_json(expand_json(token.json, names), name)


def _seconds(text: Any) -> float | None:
    """Read a time limit; what it may be is checked where it is used."""
    try:
        return None if text is None else float(text)
    except (TypeError, ValueError):
        raise NangoUsageError("--timeout is not a number", "Give seconds: --timeout 60.") from None


def _settings(target: Any, timeout: float | None) -> Settings:
    if target is not None:
        return Settings.from_target(target, timeout=timeout)
    return Settings.from_environment(timeout=timeout)


def _token(variable: str | None, integration: str, user: object) -> Secret:
    """Take the token from the environment, or ask for it."""
    if variable is not None:
        return _token_of(variable)
    try:
        token = getpass.getpass(f"Token of {user} for {integration}: ")
    except (StdinNotImplementedError, EOFError):
        raise NangoUsageError(
            "No token was given, and nobody can be asked for it here", "Use --token-env NAME."
        ) from None
    if not token:
        raise NangoUsageError("No token was given: nothing was registered", "Run it again.")
    return Secret(token)


def _token_of(variable: str) -> Secret:
    if token := os.environ.get(variable, ""):
        return Secret(token)
    # Only what looks like a variable's name is repeated: a token may have been pasted here.
    name = variable if re.fullmatch(r"[A-Z][A-Z0-9_]*", variable) else "that --token-env names"
    raise NangoUsageError(
        f"The environment variable {name} is not set, or empty",
        "Set it before Jupyter starts, or with os.environ[NAME] = getpass.getpass(). A token "
        "itself does not stand in a notebook: without --token-env you are asked for it.",
    )


def _shell_loop(shell: InteractiveShell) -> asyncio.AbstractEventLoop:
    """Find the main loop of a shell in which none runs just now."""
    kernel = getattr(shell, "kernel", None)
    if kernel is not None:
        loop: asyncio.AbstractEventLoop = kernel.io_loop.asyncio_loop
        return loop
    from IPython.core.async_helpers import get_asyncio_loop

    terminal_loop: asyncio.AbstractEventLoop = get_asyncio_loop()
    return terminal_loop
