"""Passwords and tokens that stand in no notebook: environment variables, and the keyring."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import Secret, redact

__all__ = ["KEYRING_SERVICE", "find_password", "find_token", "from_environment", "from_keyring"]

KEYRING_SERVICE = "nango-jupyter"


def from_environment(
    variable: str, option: str = "--token-env", environ: Mapping[str, str] = os.environ
) -> Secret:
    """Return the secret that an environment variable holds.

    Parameters
    ----------
    variable : str
    option : str
        Where its name was given, for the error.
    environ : mapping of str to str

    Raises
    ------
    NangoUsageError
        If it is not set, or empty.
    """
    if found := environ.get(variable, ""):
        return Secret(found)
    # Only what looks like a variable's name is repeated: a token may have been pasted here.
    name = variable if re.fullmatch(r"[A-Z][A-Z0-9_]*", variable) else f"that {option} names"
    raise NangoUsageError(
        f"The environment variable {name} is not set, or empty",
        "Set it before Jupyter starts, or with os.environ[NAME] = getpass.getpass(). A secret "
        f"itself does not stand in a notebook: without {option} you are asked for it.",
    )


def find_password(user: str, host: str, port: int, *, service: str | None = None) -> Secret | None:
    """Look for a broker's password in the keyring.

    Parameters
    ----------
    user, host, port
        Whose, and where; in the keyring ``USER@HOST:PORT``, or ``USER@HOST`` for all ports.
    service : str, optional
        The keyring's service. Where one is named, the password has to be there.

    Returns
    -------
    Secret or None
        None if there is none: then ask for it.

    Raises
    ------
    NangoUsageError
        If it is not where it was said to be.
    """
    shown = f"[{host}]" if ":" in host else host
    return from_keyring([f"{user}@{shown}:{port}", f"{user}@{shown}"], service)


def find_token(
    integration: str,
    user_id: str | int,
    *,
    service: str | None = None,
    environ_name: str | None = None,
) -> Secret | None:
    """Look for a user's token: in a variable if one is named, else in the keyring.

    The rest is as in `find_password`.
    In the keyring it is ``INTEGRATION/USER``. User 1 and user "1" are two users: where both have
    a token, that of the text is ``INTEGRATION/"1"``.
    """
    if environ_name is not None:
        return from_environment(environ_name)
    names = [f"{integration}/{user_id}"]
    if isinstance(user_id, str) and re.fullmatch(r"-?\d+", user_id):
        names.insert(0, f'{integration}/"{user_id}"')
    return from_keyring(names, service)


def from_keyring(names: Sequence[str], service: str | None = None) -> Secret | None:
    """Return the first of some passwords that the keyring has.

    Parameters
    ----------
    names : sequence of str
    service : str, optional
        Where one is named, a missing package, keyring or password is an error.

    Raises
    ------
    NangoUsageError
        As said for `service`.
    """
    place = KEYRING_SERVICE if service is None else service
    try:
        import keyring

        found = next(filter(None, (keyring.get_password(place, name) for name in names)), None)
        problem = f"The keyring has no {redact(names[-1])} for the service {redact(place)}"
        hint = f"Put it there, in a terminal: keyring set {redact(place)} {redact(names[-1])}"
    except ModuleNotFoundError as error:
        found, hint = None, "Run: %pip install keyring"
        problem = f"The package {error.name} is not installed"
    except Exception as error:  # whatever the system's own keyring raises
        found, hint = None, "Unlock it, or give an environment variable instead."
        sentence = re.split(r"\.\s|\n", str(error))[0]
        reason = sentence.rstrip(".") or type(error).__name__
        problem = f"The keyring can't be read: {redact(reason)[:200]}"
    if found is not None:
        return Secret(found)
    if service is None:
        return None
    raise NangoUsageError(problem, hint)
