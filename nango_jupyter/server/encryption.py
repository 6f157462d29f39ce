"""Encrypts the credentials that the store keeps, when there is a key."""

from __future__ import annotations

import re

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import remember

__all__ = ["Cipher"]

_KEY = re.compile(r"[A-Za-z0-9_-]{43}=")  # 32 bytes
_VARIABLE = "NANGO_ENCRYPTION_KEY"
_MAKE_ONE = (
    'Make one with: python -c "from cryptography.fernet import Fernet; '
    'print(Fernet.generate_key().decode())"'
)


class Cipher:
    """Turns credentials into what the store keeps, and back.

    What is stored says itself what it is: JSON of credentials starts with a brace, and a Fernet
    token never does. So a store may hold both, and gets its key while it is in use.

    Parameters
    ----------
    keys : str or None
        Fernet keys, separated by commas: the first encrypts, all decrypt. None or "" leaves
        everything as it is.

    Raises
    ------
    NangoConfigError
        If one of them is no key.
    """

    def __init__(self, keys: str | None) -> None:
        fernets = [_fernet(key.strip()) for key in keys.split(",")] if keys else []
        self._first = fernets[0] if fernets else None
        self._all = MultiFernet(fernets) if fernets else None

    @property
    def has_key(self) -> bool:
        """Whether `encrypt` does anything."""
        return self._first is not None

    def encrypt(self, text: str) -> str:
        """Return a JSON object's text as it is to be stored."""
        return self._first.encrypt(text.encode()).decode() if self._first else text

    def decrypt(self, stored: str) -> str:
        """Return the JSON text of what was stored.

        Raises
        ------
        NangoConfigError
            If no key here is the one that it was encrypted with.
        """
        if stored.startswith("{"):
            return stored
        if self._all is None:
            raise NangoConfigError(
                "The store's credentials are encrypted, and there is no key to read them",
                f"Set {_VARIABLE} to the key that they were encrypted with.",
            )
        try:
            return self._all.decrypt(stored).decode()
        except InvalidToken:
            raise NangoConfigError(
                f"The store has credentials that were encrypted with a key not in {_VARIABLE}",
                f"Set {_VARIABLE} to that key too: the new one first, then a comma, then the old.",
            ) from None

    def renew(self, stored: str) -> str | None:
        """Return what was stored as the first key writes it; None if that key wrote it.

        Raises
        ------
        NangoConfigError
            If there is no key, or none that it was encrypted with.
        """
        if self._first is None:
            raise NangoConfigError(f"There is no key to encrypt with in {_VARIABLE}", _MAKE_ONE)
        try:
            self._first.decrypt(stored)
        except InvalidToken:
            return self.encrypt(self.decrypt(stored))
        return None


def _fernet(key: str) -> Fernet:
    remember(key)
    # Fernet itself would take two keys with a blank between them for the first alone.
    if not _KEY.fullmatch(key):
        raise NangoConfigError(f"A key in {_VARIABLE} is not a Fernet key", _MAKE_ONE)
    return Fernet(key)
