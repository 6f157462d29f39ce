"""Turns what aio-pika raises when it can't connect into plain words."""

from __future__ import annotations

import errno
import os
import socket
import ssl

from aiormq import exceptions as amqp

from nango_jupyter.exceptions import NangoConnectionError
from nango_jupyter.secrets import redact
from nango_jupyter.settings import Settings

__all__ = ["FAULTS", "explain", "refused_error", "what_broker_said"]

FAULTS = Exception
"""What aio-pika raises when a peer misbehaves: anything, KeyError and struct.error included."""

_CHECK_URL = "Check the host and the port."


def explain(error: BaseException, settings: Settings, timeout: float) -> NangoConnectionError:
    """Say in plain words why connecting failed, and what to do.

    Parameters
    ----------
    error : BaseException
        What aio-pika raised, or a TimeoutError of ours.
    settings : Settings
    timeout : float
        How long was waited, in seconds.

    Returns
    -------
    NangoConnectionError
        Without the password, whatever the broker said.
    """
    # aiormq wraps the network's errors; the cause tells more than its own class.
    cause = error.__cause__ if isinstance(error.__cause__, OSError | EOFError) else error
    reason, hint = _reason(error, cause, settings, timeout)
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return NangoConnectionError(
        redact(f"Can't connect to {host}:{settings.port}: {reason}"), redact(hint)
    )


def _reason(
    error: BaseException, cause: BaseException, settings: Settings, timeout: float
) -> tuple[str, str]:
    if isinstance(cause, ssl.SSLError):
        return _tls_reason(cause)
    if isinstance(cause, TimeoutError):
        return (
            f"it did not answer as an AMQP broker does within {timeout:g} s",
            "Is it the right port, is the broker overloaded, does a firewall drop packets? "
            "timeout=SECONDS waits longer.",
        )
    if isinstance(cause, socket.gaierror | UnicodeError):
        return "there is no host of that name", "Check the spelling and the network."
    if isinstance(cause, ConnectionRefusedError) or _all_refused(cause):
        return (
            "nothing listens on that port",
            "Start the broker, or check the host and the port. To try without one: "
            "%nango_connect --local",
        )
    if isinstance(error, _HUNG_UP) or isinstance(cause, _HUNG_UP):
        return _hung_up_reason(settings)
    if isinstance(error, amqp.AMQPError) and cause is error:
        return _amqp_reason(error, settings)
    return _other_reason(error, cause)


def _all_refused(cause: BaseException) -> bool:
    """Tell whether asyncio tried several addresses, as of localhost, and one at least is there."""
    text = str(cause)
    return text.startswith("Multiple exceptions") and f"[Errno {errno.ECONNREFUSED}]" in text


def _tls_reason(error: ssl.SSLError) -> tuple[str, str]:
    if isinstance(error, ssl.SSLCertVerificationError):
        return (
            f"its TLS certificate is not trusted ({error.verify_message})",
            "Give the authority's certificate: amqps://…?cafile=ca.pem, or ssl_context=….",
        )
    if "WRONG_VERSION" in str(error) or "RECORD_LAYER" in str(error):
        return "it does not speak TLS on that port", "Use amqp://, or the TLS port (often 5671)."
    return (
        f"TLS failed ({error.reason or error})",
        "Check the certificates and the TLS versions of both sides.",
    )


def _hung_up_reason(settings: Settings) -> tuple[str, str]:
    if settings.tls:
        return (
            "what listens there hung up, or does not speak AMQP over TLS",
            "RabbitMQ's TLS port is often 5671. Does it want a certificate from you (certfile=, "
            "keyfile=), or another version of TLS?",
        )
    return (
        "what listens there hung up, or does not speak AMQP",
        "RabbitMQ's AMQP port is 5672, or 5671 with TLS (amqps://).",
    )


def _amqp_reason(error: amqp.AMQPError, settings: Settings) -> tuple[str, str]:
    text = str(error.args[-1]) if error.args else type(error).__name__
    if isinstance(error, amqp.ProbableAuthenticationError):
        return (
            f"the broker refused the user {settings.username!r} or the password",
            "Check both. RabbitMQ lets guest in from the same machine only. " + _ENCODED,
        )
    if isinstance(error, amqp.AuthenticationError):
        return "the broker does not offer the login method asked for", "Leave out auth=…."
    # aiormq expected Open-Ok and got Close: RabbitMQ says "not found" or "refused for user" there.
    if isinstance(error, amqp.InvalidFrameError) and "OpenOk" in text:
        return (
            f"the broker has no vhost {settings.vhost!r}, or refuses it to {settings.username!r}",
            "Check the last part of the URL: amqp://HOST/VHOST, with %2F for a slash.",
        )
    if isinstance(error, amqp.ChannelPreconditionFailed):
        return (
            "its queue server_inbound was declared with other arguments than Nango's",
            "Nango's is durable and has no arguments. Delete the queue, or use another vhost.",
        )
    if isinstance(error, amqp.ChannelAccessRefused):
        return (
            f"{settings.username!r} may not use what Nango needs ({text})",
            "Grant configure, write and read on server_inbound and amq.default, and write and "
            "read on amq.rabbitmq.reply-to.",
        )
    if isinstance(error, amqp.ProtocolSyntaxError):
        return _hung_up_reason(settings)
    return text, _CHECK_URL


def _other_reason(error: BaseException, cause: BaseException) -> tuple[str, str]:
    if isinstance(cause, OSError):
        words = os.strerror(cause.errno) if cause.errno else str(cause)
        if cause is error:  # not wrapped by aiormq, so it was not the network
            return f"a certificate can't be read ({words})", "Check cafile, certfile and keyfile."
        return words, _CHECK_URL
    if isinstance(error, ValueError):
        return f"it can't be used as it is given ({error})", _CHECK_URL
    return f"what listens there does not speak AMQP as RabbitMQ does ({error!r})", _CHECK_URL


_HUNG_UP = (
    BrokenPipeError,
    ConnectionResetError,
    EOFError,
    StopAsyncIteration,  # aiormq, reading where nothing more comes
    amqp.IncompatibleProtocolError,
)
_ENCODED = "In a URL, special characters must be percent-encoded."


def refused_error(error: amqp.DeliveryError) -> NangoConnectionError:
    """Say why the broker did not take a message: it sent it back, or said no."""
    if isinstance(error, amqp.PublishError):
        return NangoConnectionError(
            "The broker has no queue server_inbound any more: nothing was sent",
            "Somebody deleted it. The next call makes it anew; is the server still running?",
        )
    return NangoConnectionError(
        "The broker refused the message: nothing was sent",
        "Its queue server_inbound may be full (a length limit). Is the server running?",
    )


def what_broker_said(cause: object) -> str:
    """Return the broker's words when it closed a connection or a channel, else nothing."""
    if isinstance(cause, amqp.ConnectionClosed | amqp.ChannelClosed) and cause.args:
        return redact(str(cause.args[-1] or ""))
    return ""
