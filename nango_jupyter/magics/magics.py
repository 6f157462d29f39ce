"""``%nango_connect``, ``%nango_register`` and their kin, and what ``%config`` sets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from IPython.core.magic import (
    Magics,
    line_magic,
    magics_class,
    needs_local_scope,
    no_var_expand,
)
from IPython.core.magic_arguments import argument
from traitlets import Float, Int, TraitError, Unicode, observe, validate

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import connection_argument, output_arguments, takes_arguments

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
        self.notebook = notebook  # for what its configuration file says, which is read next
        super().__init__(notebook.shell, parent=notebook.shell)
        notebook.configure(lambda: self.trait_values(config=True))

    @validate("url")
    def _check_url(self, proposal: Mapping[str, Any]) -> str:
        from nango_jupyter.settings import password_in

        url: str = proposal["value"]
        if url and password_in(url):
            raise TraitError(
                "Leave the password out of the URL, which %config shows: set NANGO_PASSWORD, "
                "put it into the keyring, or be asked for it."
            )
        return url

    @validate("timeout")
    def _check_timeout(self, proposal: Mapping[str, Any]) -> float | None:
        from nango_jupyter.settings import check_timeout

        try:
            return None if proposal["value"] is None else check_timeout(proposal["value"])
        except NangoUsageError as error:
            raise TraitError(f"{error.message}. {error.hint}") from None

    @observe("timeout")
    def _use_timeout(self, _: object) -> None:
        self.notebook.use_timeout()

    @takes_arguments
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
        from nango_jupyter.magics.asking import warn_of_password
        from nango_jupyter.magics.connecting import connect, use

        notebook = self.notebook
        args = notebook.parse(self.nango_connect, line, notebook.names(local_ns))
        given = [name for name, value in vars(args).items() if value and name != "is_silent"]
        if args.local is not None:
            given.append("local")
        if args.use is not None:
            _check_alone("--use", given, "use")
            use(notebook, str(args.use))
        elif given or not notebook.session.connections():
            status = connect(notebook, args)
            warn_of_password(notebook, line)
            return notebook.shown(status, args, "nango_connect", line)
        return notebook.shown(notebook.session.connections(), args, "nango_connect", line)

    @takes_arguments
    @argument("integration", metavar="INTEGRATION", help="Its name in integrations.yaml.")
    @argument("user", metavar="USER", help="The user's id; $name keeps a number a number.")
    @argument("--token-env", metavar="NAME", help="Environment variable that holds the token.")
    @argument("--keyring", metavar="SERVICE", help="The keyring's service that holds the token.")
    @argument("--config", metavar="JSON", help="Additional config, an object.")
    @argument(
        "--replace",
        action="store_true",
        help="Where the user is registered already, replace the token, and the config if given.",
    )
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
            %nango_register slack ada --token-env NEW_TOKEN --replace
        """
        from nango_jupyter.magics.arguments import read_line_input
        from nango_jupyter.magics.connecting import token_of

        notebook = self.notebook
        names = notebook.names(local_ns)
        args = notebook.parse(self.nango_register, line, names, json="config")
        notebook.session.client(args.connection)  # before anybody is asked for a token
        config = read_line_input(args.config, "config", names).fill(names)
        result = notebook.run(
            notebook.session.register(
                args.integration,
                args.user,
                token_of(args),
                config,
                name=args.connection,
                replace=args.replace,
            )
        )
        return notebook.shown(result, args, "nango_register", line)

    @takes_arguments
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
        args = notebook.parse(self.nango_connections, line, notebook.names(local_ns))
        if (args.user is None) == (args.integration is None):
            raise NangoUsageError(
                "Whose connections?", "Give a user, or --integration NAME: one of the two."
            )
        output = notebook.output(args, "nango_connections", line)
        client = notebook.session.client(args.connection)
        if args.user is not None:
            result = notebook.run(client.get_connections_for_user_id(args.user))
        else:
            result = notebook.run(client.get_connections_for_integration(str(args.integration)))
        return output.deliver(self.notebook.shell, output.within_limits(result))

    @takes_arguments
    @argument("name", nargs="?", metavar="NAME", help="The connection, if not the current one.")
    @no_var_expand
    @line_magic
    def nango_status(self, line: str) -> Any:
        """Show where this notebook is connected to.

        Examples::

            %nango_status
            status = %nango_status
        """
        args = self.notebook.parse(self.nango_status, line, self.notebook.shell.user_ns)
        status = self.notebook.run(self.notebook.session.status(args.name))
        return self.notebook.shown(status, args, "nango_status", line)

    @takes_arguments
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
        args = self.notebook.parse(self.nango_close, line, self.notebook.shell.user_ns)
        session = self.notebook.session
        if args.all:
            _check_alone("--all", ["name"] * (args.name is not None), "all")
            status = self.notebook.run(session.close_all())
        else:
            status = self.notebook.run(session.close(args.name))
        return self.notebook.shown(session.connections() or status, args, "nango_close", line)


def _check_alone(option: str, given: list[str], name: str) -> None:
    if others := [other for other in given if other != name]:
        raise NangoUsageError(f"{option} goes with nothing else", f"Leave out {', '.join(others)}.")
