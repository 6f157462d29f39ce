"""What every transport promises."""

from __future__ import annotations

from typing import Protocol

from nango_jupyter.exceptions import NangoClosedError, NangoUsageError

__all__ = ["Transport", "closed_error", "other_loop_error"]


class Transport(Protocol):
    """Carries requests to a Nango server, and its replies back.

    Every request ends: with the reply's bytes, or one of the errors below. A request whose fate
    is not known is never sent again. A fake one with these members serves in tests.
    """

    @property
    def address(self) -> str:
        """Where requests go, for people; without secrets."""

    @property
    def is_open(self) -> bool:
        """Whether requests can be sent at once, as far as is known."""

    async def connect(self, timeout: float) -> None:
        """Open the transport; do nothing if it is open.

        Raises
        ------
        NangoConnectionError
            Within `timeout` seconds, with the reason.
        """

    async def request(self, body: bytes, timeout: float) -> bytes:
        """Send one request and return the body of its reply.

        Raises
        ------
        NangoTimeoutError
            If no reply came within `timeout` seconds.
        NangoConnectionError
            If there is no connection, and none could be made within `timeout` seconds.
        NangoConnectionLostError
            If the connection went away after sending.
        NangoClosedError
            If `close` was called meanwhile.
        """

    async def server_count(self) -> int | None:
        """Return how many servers are listening, or None if that can't be told just now."""

    async def close(self) -> None:
        """End what is under way with `NangoClosedError`; do nothing if it is closed."""


def closed_error(*, sent: bool = True) -> NangoClosedError:
    """Make the error for what was under way when `close` was called.

    Parameters
    ----------
    sent : bool, optional
        Whether the request may have reached a server.
    """
    fate = "the action may have run" if sent else "nothing was sent"
    return NangoClosedError(
        f"The connection was closed while this was under way: {fate}",
        "Wait for what is under way before closing.",
    )


def other_loop_error() -> NangoUsageError:
    """Make the error for a client that is used in another event loop than its own."""
    return NangoUsageError(
        "This client belongs to another event loop",
        "Use it where it was connected, or make another Nango for this loop.",
    )
