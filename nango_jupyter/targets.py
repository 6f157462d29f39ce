"""What magics and forms do alike to connect: find the password, and open what is meant."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nango_jupyter.connections import DEFAULT_NAME
from nango_jupyter.preferences import LocalTarget
from nango_jupyter.secret_sources import find_password

if TYPE_CHECKING:
    from nango_jupyter.connections import ConnectionStatus
    from nango_jupyter.session import Session
    from nango_jupyter.settings import Settings

__all__ = ["open_target", "with_known_password"]


def with_known_password(settings: Settings, service: str | None = None) -> Settings:
    """Take the password of a user who has none yet from the keyring.

    Parameters
    ----------
    settings : Settings
    service : str, optional
        The keyring's service. Where one is named, the password has to be there.

    Returns
    -------
    Settings
        ``needs_password`` tells whether it is still to be found: then ask for it.

    Raises
    ------
    NangoUsageError
        If it is not where it was said to be.
    """
    if not settings.needs_password and service is None:
        return settings
    found = find_password(settings.username, settings.host, settings.port, service=service)
    return settings if found is None else settings.with_password(found)


async def open_target(
    session: Session, target: Settings | LocalTarget, name: str | None = None
) -> ConnectionStatus:
    """Connect to a broker, or start the embedded server; it becomes the current connection."""
    name = DEFAULT_NAME if name is None else name
    if isinstance(target, LocalTarget):
        return await session.connect_local(target.folder, target.timeout, name)
    return await session.connect(target, name)
