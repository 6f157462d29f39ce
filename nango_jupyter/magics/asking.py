"""Asks for secrets, and says where they are better kept than in a cell."""

from __future__ import annotations

import getpass
import sys

from IPython.core.error import StdinNotImplementedError

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.magics.notebook import Notebook
from nango_jupyter.magics.tokens import split
from nango_jupyter.secrets import Secret
from nango_jupyter.settings import password_in

__all__ = ["ask", "warn_of_password"]

_BETTER = (
    "The password in this URL is now in the notebook, and in IPython's history. Better: leave it "
    "out of the URL, and set NANGO_PASSWORD or --password-env NAME, put it into the keyring, or be "
    "asked for it.\n"
)


def ask(what: str, prompt: str, otherwise: str) -> Secret:
    """Ask for a secret without showing it.

    Parameters
    ----------
    what : str
        Such as "token".
    prompt : str
    otherwise : str
        How to give it where nobody can be asked.

    Raises
    ------
    NangoUsageError
        If none was given.
    """
    try:
        found = getpass.getpass(prompt)
    except (StdinNotImplementedError, EOFError):
        raise NangoUsageError(
            f"No {what} was given, and nobody can be asked for it here", f"Use {otherwise}."
        ) from None
    if not found:
        raise NangoUsageError(f"No {what} was given: nothing was done", "Run it again.")
    return Secret(found)


def warn_of_password(notebook: Notebook, line: str) -> None:
    """Say once in a session how to do better than with a password in a cell."""
    if notebook.is_warned or not any(map(password_in, split(line))):
        return
    notebook.is_warned = True
    sys.stderr.write(_BETTER)
