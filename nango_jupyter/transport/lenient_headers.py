"""Lets one message with broken properties be one broken message, not the end of a connection.

pamqp refuses a whole frame for a time stamp that Python can't hold, or text that is not UTF-8.
aiormq then drops the connection, the broker delivers the message again, and so on for ever: any
client could keep a server from serving, or end all requests of another client.
"""

from __future__ import annotations

import struct

from pamqp.header import ContentHeader

__all__ = ["install"]

_strict = ContentHeader.unmarshal


def _lenient(header: ContentHeader, data: bytes) -> None:
    """Read the properties up to the first that can't be read; the rest stays unset."""
    try:
        _strict(header, data)
    except (ValueError, OverflowError, struct.error):
        if header.class_id is None:  # not even the size of the body was there
            raise


def install() -> None:
    """Read properties leniently from now on, in this process."""
    ContentHeader.unmarshal = _lenient  # type: ignore[assignment, method-assign]
