"""``%nango_connect``, ``%nango_register`` and their kin, and what ``%config`` sets."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from typing import Any

from IPython.core.magic import (
    Magics,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.core.magic_arguments import argument, magic_arguments
from traitlets import Float, Int, TraitError, Unicode, validate

from nango_jupyter.connections import DEFAULT_NAME, ConnectionStatus, check_name
from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.magics.arguments import parse, read_line_input
from nango_jupyter.magics.asking import ask, warn_of_password
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import connection_argument, output_arguments, seconds
from nango_jupyter.magics.output import is_silent, read_output
from nango_jupyter.preferences import LocalTarget
from nango_jupyter.secret_sources import find_password, find_token
from nango_jupyter.settings import Settings, password_in

__all__ = ["NangoMagics"]

_ELSE = "None: what the environment or pyproject.toml says."


@magics_class
class NangoMagics(Magics):
    """Connect to Nango servers; ``%config NangoMagics`` shows the settings."""

    url = Unicode(None, allow_none=True, help=f"The broker, without password. {_ELSE}").tag(
        config=True
    )
    host = Unicode(None, allow_none=True, help=f"The broker's host. {_ELSE}").tag(config=True)
    port = Int(None, allow_none=True, min=1, max=65535, help=f"Its port. {_ELSE}").tag(config=True)
    user = Unicode(None, allow_none=True, help=f"Its user. {_ELSE}").tag(config=True)
    vhost = Unicode(None, allow_none=True, help=f"Its virtual host. {_ELSE}").tag(config=True)
    timeout = Float(
        None, allow_none=True, help=f"Time limit of each request, in seconds. {_ELSE}"
    ).tag(config=True)
    concurrency = Int(
        None, allow_none=True, min=1, help=f"How many rows of --each at once. {_ELSE}"
    ).tag(config=True)
    rows = Int(None, allow_none=True, min=1, help=f"Rows to draw of a table. {_ELSE}").tag(
        config=True
    )
    columns = Int(None, allow_none=True, min=1, help=f"Columns to draw of a table. {_ELSE}").tag(
        config=True
    )

    def __init__(self, notebook: Notebook) -> None:
        super().__init__(notebook.shell, parent=notebook.shell)
        self.notebook = notebook
        notebook.configure(lambda: self.trait_values(config=True))

    @validate("url")
    def _check_url(self, proposal: Mapping[str, Any]) -> str:
        url: str = proposal["value"]
        if url and password_in(url):
            raise TraitError(
                "Leave the password out of the URL, which %config shows: set NANGO_PASSWORD, "
                "put it into the keyring, or be asked for it."
            )
        return url

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
    @argument("--name", metavar="NAME", help="Keep it beside other connections, by this name.")
    @argument("--use", metavar="NAME", help="Make an open connection the current one.")
    @argument("--user", metavar="NAME", help="The broker's user.")
    @argument("--password-env", metavar="NAME", help="Environment variable with the password.")
    @argument("--keyring", metavar="SERVICE", help="The keyring's service with the password.")
    @argument("--vhost", metavar="NAME", help="The broker's virtual host.")
    @argument("--timeout", metavar="SECONDS", help="Time limit of each request (30).")
    @no_var_expand
    @needs_local_scope
    @line_magic
    def nango_connect(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Connect to a Nango server; with nothing, list the connections that are open.

        With nothing, and nothing open: to where %config, NANGO_URL (else NANGO_HOST, NANGO_PORT)
        or pyproject.toml say, else localhost. A password comes from NANGO_PASSWORD, --password-env,
        the keyring, or is asked for.

        Examples::

            %nango_connect --local
            %nango_connect broker.example.com --user ada --name prod
            %nango_connect --use prod
        """
        notebook = self.notebook
        args = parse(self.nango_connect, line, notebook.names(local_ns))
        given = [name for name, value in vars(args).items() if value and name != "is_silent"]
        if args.local is not None:
            given.append("local")
        if args.use is not None:
            _check_alone("--use", given, "use")
            self._use(str(args.use))
        elif given or not notebook.session.connections():
            status = self._connect(args)
            warn_of_password(notebook, line)
            return self._shown(status, args, "nango_connect", line)
        return self._shown(notebook.session.connections(), args, "nango_connect", line)

    def _use(self, name: str) -> None:
        try:
            self.notebook.session.use(name)
        except NangoClosedError as error:
            if name in self.notebook.preferences.connection_names():
                error.hint = f"pyproject.toml describes it: %nango_connect --name {name} opens it."
            raise

    def _connect(self, args: Namespace) -> ConnectionStatus:
        notebook, timeout = self.notebook, seconds(args.timeout)
        # Before anybody is asked for a password.
        name = None if args.name is None else check_name(args.name)
        if args.local is not None:
            if args.target is not None:
                raise NangoUsageError(
                    "There is a folder for --local, and one more argument",
                    "Give a host or --local; quote a folder that has blanks in it.",
                )
            found: Settings | LocalTarget = LocalTarget(
                str(args.local) or None,
                notebook.preferences.timeout(name) if timeout is None else timeout,
            )
        else:
            found = notebook.preferences.settings(
                args.target,
                name,
                user=args.user,
                vhost=args.vhost,
                timeout=timeout,
                password_env=args.password_env,
            )
        if isinstance(found, LocalTarget):
            return notebook.loop.run(
                notebook.session.connect_local(found.folder, found.timeout, name or DEFAULT_NAME)
            )
        found = _with_password(found, args.keyring)
        return notebook.loop.run(notebook.session.connect(found, name or DEFAULT_NAME))

    @magic_arguments()
    @argument("integration", metavar="INTEGRATION", help="Its name in integrations.yaml.")
    @argument("user", metavar="USER", help="The user's id; $name keeps a number a number.")
    @argument("--token-env", metavar="NAME", help="Environment variable that holds the token.")
    @argument("--keyring", metavar="SERVICE", help="The keyring's service that holds the token.")
    @argument("--config", metavar="JSON", help="Additional config, an object.")
    @connection_argument
    @no_var_expand
    @needs_local_scope
    @line_magic
    def nango_register(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """Register a user's connection to an integration.

        The token comes from an environment variable, from the keyring (service nango-jupyter,
        name INTEGRATION/USER), or is asked for without showing it.

        Examples::

            %nango_register slack ada
            %nango_register slack ada --token-env SLACK_TOKEN --config {"channelId": "C1"}
        """
        notebook = self.notebook
        names = notebook.names(local_ns)
        args = parse(self.nango_register, line, names, json="config")
        notebook.session.client(args.connection)  # before anybody is asked for a token
        config = read_line_input(args.config, "config", names).fill(names)
        token = find_token(
            args.integration, args.user, service=args.keyring, environ_name=args.token_env
        ) or ask("token", f"Token of {args.user} for {args.integration}: ", "--token-env NAME")
        result = notebook.run(
            notebook.session.register(
                args.integration, args.user, token, config, name=args.connection
            )
        )
        return self._shown(result, args, "nango_register", line)

    @magic_arguments()
    @argument("user", nargs="?", metavar="USER", help="Those of this user.")
    @argument("--integration", metavar="NAME", help="Those to this integration.")
    @connection_argument
    @output_arguments
    @no_var_expand
    @needs_local_scope
    @line_magic
    def nango_connections(self, line: str, local_ns: Mapping[str, Any] | None = None) -> Any:
        """List the connections that were registered: a user's, or those to an integration.

        Examples::

            %nango_connections ada
            %nango_connections --integration slack --frame
        """
        notebook = self.notebook
        args = parse(self.nango_connections, line, notebook.names(local_ns))
        if (args.user is None) == (args.integration is None):
            raise NangoUsageError(
                "Whose connections?", "Give a user, or --integration NAME: one of the two."
            )
        output = read_output(args, self.notebook.shell, "nango_connections", line, None)
        client = notebook.session.client(args.connection)
        if args.user is not None:
            result = notebook.run(client.get_connections_for_user_id(args.user))
        else:
            result = notebook.run(client.get_connections_for_integration(str(args.integration)))
        return output.deliver(self.notebook.shell, notebook.within_limits(result))

    @magic_arguments()
    @argument("name", nargs="?", metavar="NAME", help="The connection, if not the current one.")
    @no_var_expand
    @line_magic
    def nango_status(self, line: str) -> Any:
        """Show where this notebook is connected to.

        Examples::

            %nango_status
            status = %nango_status
        """
        args = parse(self.nango_status, line, self.notebook.shell.user_ns)
        status = self.notebook.run(self.notebook.session.status(args.name))
        return self._shown(status, args, "nango_status", line)

    @magic_arguments()
    @argument("name", nargs="?", metavar="NAME", help="The connection, if not the current one.")
    @argument("--all", action="store_true", help="Close all that are open.")
    @no_var_expand
    @line_magic
    def nango_close(self, line: str) -> Any:
        """Close a connection, and stop the embedded server if it was one.

        Examples::

            %nango_close
            %nango_close prod
        """
        args = parse(self.nango_close, line, self.notebook.shell.user_ns)
        session = self.notebook.session
        if args.all:
            _check_alone("--all", ["name"] * (args.name is not None), "all")
            status = self.notebook.run(session.close_all())
        else:
            status = self.notebook.run(session.close(args.name))
        return self._shown(session.connections() or status, args, "nango_close", line)

    def _shown(self, result: Any, args: Namespace, magic: str, line: str) -> Any:
        """Return a result, unless a ``;`` keeps it from being drawn."""
        return None if is_silent(args, self.notebook.shell, magic, line) else result


def _check_alone(option: str, given: list[str], name: str) -> None:
    if others := [other for other in given if other != name]:
        raise NangoUsageError(f"{option} goes with nothing else", f"Leave out {', '.join(others)}.")


def _with_password(settings: Settings, service: str | None) -> Settings:
    """Find the password of a user who has none yet, or ask for it."""
    if not settings.needs_password and service is None:
        return settings
    user, place = settings.username, f"{settings.host}:{settings.port}"
    password = find_password(user, settings.host, settings.port, service=service)
    return settings.with_password(
        password
        or ask("password", f"Password of {user} on {place}: ", "NANGO_PASSWORD or --password-env")
    )
