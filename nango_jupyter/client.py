"""The client: the reference's `Nango` class, async, in Python's spelling."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, Literal, Self

from nango_jupyter import messages
from nango_jupyter.catalog import CATALOG_QUEUE, CATALOG_REQUEST, Catalog
from nango_jupyter.credentials import Credentials, both_spellings, reveal_all
from nango_jupyter.exceptions import (
    NangoClosedError,
    NangoError,
    NangoProtocolError,
    NangoServerError,
)
from nango_jupyter.messages import NangoConnection, NangoMessageHandlerResult, Request, UserId
from nango_jupyter.results import NangoResult
from nango_jupyter.secrets import Secret, redact
from nango_jupyter.settings import Settings, check_timeout
from nango_jupyter.transport import Transport

__all__ = ["DEFAULT_TIMEOUT", "Nango"]

DEFAULT_TIMEOUT = 30.0

_EXISTS = "already-existing connection"
_HINTS = {
    _EXISTS: (
        "It is there: go on and trigger actions. To give it another token: replace=True, or in a "
        "notebook %nango_register … --replace."
    ),
    "no connection exists": (
        "Register the user first (register_connection, %nango_register). "
        'User 1 and user "1" are two users.'
    ),
    "passed in credentials are invalid": (
        "Give what the auth mode needs, from Python: await client.register_connection(INTEGRATION, "
        "USER, credentials={'api_key': …}); in a notebook the client is (%nango_status).client."
    ),
    "action file does not exist": "Check the action's name, and the server's integrations folder.",
}


class Nango:
    """A client of a Nango server. Reference: Nango class.

    Parameters
    ----------
    host : str
        Host of the RabbitMQ broker, or a URL: ``amqp://user:password@host:port/vhost`` or
        ``amqps://…``. In a URL, special characters are percent-encoded, and without a vhost it
        is "/".
    port : int
        Port of the broker; a URL has its own.
    ssl_context : ssl.SSLContext, optional
        Speak TLS, by this context.
    timeout : float, optional
        Time limit of connecting and of each request, in seconds; 30 if neither this nor the URL
        (``?timeout=``) says otherwise.
    heartbeat : int, optional
        AMQP heartbeat in seconds, 0 for none; 60 if not given.
    transport : Transport, optional
        Carries the requests instead of RabbitMQ; `host` and `port` are then not used.

    Raises
    ------
    NangoUsageError
        If a parameter can't be used.

    Notes
    -----
    A client belongs to the event loop in which it connected. When the connection is lost, what
    was under way ends with `NangoConnectionLostError`, and the next call connects again. Nothing
    is ever sent twice.

    Examples
    --------
    >>> async with Nango("localhost") as nango:  # doctest: +SKIP
    ...     await nango.register_connection("slack", 1, "xoxb-…", {"channelId": "C1"})
    ...     result = await nango.trigger_action("slack", "notify", 1, {"msg": "hello"})
    """

    def __init__(
        self,
        host: str = "localhost",
        port: int = 5672,
        *,
        ssl_context: ssl.SSLContext | None = None,
        timeout: float | None = None,
        heartbeat: int | None = None,
        transport: Transport | None = None,
    ) -> None:
        if transport is None:
            settings = Settings.from_target(
                host, port, ssl_context=ssl_context, timeout=timeout, heartbeat=heartbeat
            )
            timeout, transport = settings.timeout, _amqp(settings)
        self._transport = transport
        self._timeout = check_timeout(DEFAULT_TIMEOUT if timeout is None else timeout)
        # A transport that is open already, such as the embedded server's, needs no connect.
        self._state: Literal["new", "open", "closed"] = "open" if transport.is_open else "new"

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Make a client from settings that were read elsewhere, as from the environment."""
        return cls(transport=_amqp(settings), timeout=settings.timeout)

    @property
    def address(self) -> str:
        """Where requests go, without user and password."""
        return self._transport.address

    @property
    def timeout(self) -> float:
        """The default time limit of a request, in seconds; it can be changed."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: float) -> None:
        self._timeout = check_timeout(timeout)

    @property
    def is_open(self) -> bool:
        """Whether the client was connected and not closed."""
        return self._state == "open"

    @property
    def is_connected(self) -> bool:
        """Whether its connection is up just now; if not, the next call brings it up."""
        return self.is_open and self._transport.is_open

    def watch(self, listener: Callable[[], object]) -> None:
        """Call a function, on the client's loop, when its connection comes up or is lost."""
        if hasattr(self._transport, "on_change"):
            self._transport.on_change = listener

    async def server_count(self) -> int | None:
        """Return how many servers listen to this client, or None if that can't be told."""
        return await self._transport.server_count()

    async def catalog(self, timeout: float = 2.0) -> Catalog | None:
        """Ask what there is to trigger, with the schemas of the inputs.

        Only our own servers can tell, and no other is asked: see `nango_jupyter.catalog`.

        Parameters
        ----------
        timeout : float, optional
            In seconds.

        Returns
        -------
        Catalog or None
            None if the server is another one, or does not answer in time.

        Raises
        ------
        NangoClosedError, NangoConnectionError
            If there is no connection.
        """
        self._check_open()
        # A transport of somebody's own need not have it.
        ask = getattr(self._transport, "ask", None)
        reply = None if ask is None else await ask(CATALOG_QUEUE, CATALOG_REQUEST, timeout)
        if reply is None:
            return None
        answer = NangoMessageHandlerResult.decode(reply)
        return Catalog.from_wire(answer.return_value) if answer.success else None

    async def connect(self) -> None:
        """Connect; do nothing if that was done. Reference: connect method.

        Raises
        ------
        NangoConnectionError
            Within the time limit, with the reason and a hint.
        """
        with _result_on_error("connect"):
            try:
                await self._transport.connect(self._timeout)
            except asyncio.CancelledError:
                if self._state != "open":  # what comes up later would belong to nobody
                    await self._transport.close()
                raise
        self._state = "open"

    async def close(self) -> None:
        """Close the connection; what is under way ends with an error. Reference: close method."""
        self._state = "closed"
        await self._transport.close()

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Nango {self.address} ({self._state})>"

    async def register_connection(
        self,
        integration: str,
        user_id: UserId,
        oauth_access_token: str | Secret | None = None,
        additional_config: dict[str, Any] | None = None,
        *,
        credentials: Credentials | None = None,
        replace: bool = False,
    ) -> NangoResult:
        """Register a user's connection to an integration. Reference: registerConnection method.

        Parameters
        ----------
        integration : str
            Name in the server's integrations.yaml.
        user_id : str or int
            Keeps its type: user 1 and user "1" are two users.
        oauth_access_token : str or Secret, optional
            The user's token. It goes out in both spellings, so that all servers take it.
        additional_config : dict, optional
            JSON; the integration's actions can read it.
        credentials : dict, optional
            In place of, or with, the token, by the integration's auth mode (servers since
            0.2.1): ``{"access_token", "refresh_token"?, "expires_at"?}``,
            ``{"oauth_token", "oauth_token_secret"}``, ``{"api_key"}`` or
            ``{"username", "password"}``.
        replace : bool, optional
            Where there is such a connection already, give it these credentials, and this config
            if it isn't None, rather than raise (servers since 0.2.1).

        Returns
        -------
        NangoResult
            With ``success`` True.

        Raises
        ------
        NangoUsageError
            If a parameter can't be used; NangoInputError, a TypeError, if it isn't JSON.
        NangoServerError
            If the server refuses, as when the connection exists.
        NangoClosedError, NangoConnectionError, NangoTimeoutError, NangoProtocolError
            If no answer came. All errors carry a ``result``.
        """
        asked = f"register {integration}"
        with _result_on_error(asked, user_id):
            spelled = both_spellings(oauth_access_token, credentials)
            try:
                return await self._call(
                    messages.RegisterConnection,
                    asked,
                    integration=integration,
                    user_id=user_id,
                    additional_config=additional_config,
                    **spelled,
                )
            except NangoServerError as error:
                if not replace or _EXISTS not in error.message:
                    raise
            if additional_config is not None:
                await self.update_connection_config(integration, user_id, additional_config)
            found = spelled["credentials"]
            return await self.update_connection_credentials(integration, user_id, found)

    async def trigger_action(
        self,
        integration: str,
        action: str,
        user_id: UserId,
        input: Any = None,  # noqa: A002 - the reference's word
        *,
        timeout: float | None = None,
    ) -> NangoResult:
        """Run an action in the name of a user. Reference: triggerAction method.

        Parameters
        ----------
        integration, action : str
            Names in the server's integrations folder.
        user_id : str or int
            As registered; keeps its type.
        input : JSON value, optional
            What the action gets.
        timeout : float, optional
            Time limit in seconds. The message expires with it: what was given up on does not
            run later.

        Returns
        -------
        NangoResult
            ``return_value`` is what the action returned.

        Raises
        ------
        NangoUsageError, NangoServerError, NangoClosedError, NangoConnectionError, NangoTimeoutError
            As `register_connection`; NangoServerError if the action failed.
        """
        return await self._call(
            messages.TriggerAction,
            f"{integration}.{action}",
            timeout=timeout,
            integration=integration,
            triggered_action=action,
            user_id=user_id,
            input=input,
        )

    async def update_connection_credentials(
        self, integration: str, user_id: UserId, credentials: Credentials
    ) -> NangoResult:
        """Replace the credentials of a connection. Servers since 0.2.1 only: older ones die of it.

        Parameters and errors are those of `register_connection`.
        """
        return await self._call(
            messages.UpdateConnectionCredentials,
            f"update credentials of {integration}",
            integration=integration,
            user_id=user_id,
            credentials=reveal_all(credentials),
        )

    async def update_connection_config(
        self, integration: str, user_id: UserId, additional_config: dict[str, Any]
    ) -> NangoResult:
        """Replace a connection's additional config. Servers since 0.2.1 only: older ones die of it.

        Parameters and errors are those of `register_connection`.
        """
        return await self._call(
            messages.UpdateConnectionConfig,
            f"update config of {integration}",
            integration=integration,
            user_id=user_id,
            additional_config=additional_config,
        )

    async def get_connections_for_user_id(self, user_id: UserId) -> NangoResult:
        """List a user's connections. Servers since 0.2.1 only: older ones die of it.

        Returns
        -------
        NangoResult
            ``return_value`` is a list of `NangoConnection`.

        Raises
        ------
        NangoUsageError, NangoServerError, NangoClosedError, NangoConnectionError, NangoTimeoutError
            As `register_connection`.
        """
        return await self._list(messages.GetUserIdConnections, "connections", user_id=user_id)

    async def get_connections_for_integration(self, integration: str) -> NangoResult:
        """List an integration's connections; otherwise as `get_connections_for_user_id`."""
        asked = f"connections to {integration}"
        return await self._list(messages.GetIntegrationConnections, asked, integration=integration)

    async def _list(self, kind: type[Request], asked: str, **values: Any) -> NangoResult:
        with _result_on_error(asked, values.get("user_id")):
            return _read_connections(await self._call(kind, asked, **values))

    async def _call(
        self, kind: type[Request], asked: str, timeout: float | None = None, **values: Any
    ) -> NangoResult:
        """Send one request; return its good answer, or raise an error that carries a bad one."""
        started = time.perf_counter()

        def result(answer: NangoMessageHandlerResult) -> NangoResult:
            return NangoResult(
                answer.success,
                answer.error_msg,
                answer.return_value,
                execution=answer.execution,
                request=asked,
                user_id=values.get("user_id"),
                duration=time.perf_counter() - started,
                is_action=kind is messages.TriggerAction,
            )

        with _result_on_error(asked, values.get("user_id")):
            self._check_open()
            limit = self._timeout if timeout is None else check_timeout(timeout)
            reply = await self._transport.request(kind(**values).encode(), limit)
            answer = NangoMessageHandlerResult.decode(reply)
            if not answer.success:
                raise _server_error(result(answer))
            return result(answer)

    def _check_open(self) -> None:
        if self._state == "new":
            raise NangoClosedError("This client is not connected", "Call: await nango.connect()")
        if self._state == "closed":
            raise NangoClosedError(
                "This client was closed", "Call await nango.connect() to open it again."
            )


def _amqp(settings: Settings) -> Transport:
    # Imported here: who only looks around in a notebook doesn't wait for aio-pika.
    from nango_jupyter.transport.amqp import AmqpTransport

    return AmqpTransport(settings)


@contextmanager
def _result_on_error(asked: str, user_id: UserId | None = None) -> Iterator[None]:
    """Give every error of a call the object that the reference promises."""
    started = time.perf_counter()
    try:
        yield
    except NangoError as error:
        if error.result is None:
            spent = time.perf_counter() - started
            error.result = NangoResult(
                False, error.message, request=asked, user_id=user_id, duration=spent
            )
        raise


def _server_error(result: NangoResult) -> NangoServerError:
    message = result.error_msg or "The server says that it failed, and not why."
    hint = next((hint for text, hint in _HINTS.items() if text in message), "")
    error = NangoServerError(redact(message), hint)
    error.result = result
    return error


def _read_connections(result: NangoResult) -> NangoResult:
    if not isinstance(result.return_value, list):
        raise NangoProtocolError("The server did not answer with a list of connections")
    return replace(
        result, return_value=[NangoConnection.from_wire(item) for item in result.return_value]
    )
