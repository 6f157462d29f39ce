"""What ``%nango_connect`` and ``%nango_register`` do: settings, secrets, and a connection."""

from __future__ import annotations

from argparse import Namespace

from nango_jupyter.connections import ConnectionStatus, check_name
from nango_jupyter.exceptions import NangoClosedError, NangoUsageError
from nango_jupyter.magics.asking import ask
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.options import seconds
from nango_jupyter.preferences import LocalTarget
from nango_jupyter.secret_sources import find_token
from nango_jupyter.secrets import Secret
from nango_jupyter.settings import Settings
from nango_jupyter.targets import open_target, with_known_password

__all__ = ["connect", "token_of", "use"]


def use(notebook: Notebook, name: str) -> None:
    """Make an open connection the current one."""
    try:
        notebook.session.use(name)
    except NangoClosedError as error:
        if name in notebook.preferences.connection_names():
            error.hint = f"pyproject.toml describes it: %nango_connect --name {name} opens it."
        raise


def connect(notebook: Notebook, args: Namespace) -> ConnectionStatus:
    """Connect to where the line and the settings say."""
    timeout = seconds(args.timeout)
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
    if not isinstance(found, LocalTarget):
        found = _with_password(found, args.keyring)
    return notebook.loop.run(open_target(notebook.session, found, name))


def _with_password(settings: Settings, service: str | None) -> Settings:
    """Find the password of a user who has none yet, or ask for it."""
    found = with_known_password(settings, service)
    if not found.needs_password:
        return found
    prompt = f"Password of {found.username} on {found.host}:{found.port}: "
    return found.with_password(ask("password", prompt, "NANGO_PASSWORD or --password-env"))


def token_of(args: Namespace) -> Secret:
    """Find the token that a line means, or ask for it."""
    return find_token(
        args.integration, args.user, service=args.keyring, environ_name=args.token_env
    ) or ask("token", f"Token of {args.user} for {args.integration}: ", "--token-env NAME")
