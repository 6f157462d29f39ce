"""Requests through RabbitMQ: one connection, one channel, direct reply-to.

Facts about the wire are in PROTOCOL.md. This is the only place that opens AMQP connections and
that turns aio-pika's errors into ours.
"""

from __future__ import annotations

import asyncio
import contextlib
import copy
import logging
import math
import random
import string
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from nango_jupyter.exceptions import (
    NangoConnectionLostError,
    NangoError,
    NangoTimeoutError,
)
from nango_jupyter.messages import SERVER_QUEUE
from nango_jupyter.settings import Settings
from nango_jupyter.transport import lenient_headers
from nango_jupyter.transport.amqp_errors import FAULTS as _FAULTS
from nango_jupyter.transport.amqp_errors import explain, refused_error, what_broker_said
from nango_jupyter.transport.asking import ask
from nango_jupyter.transport.base import closed_error, other_loop_error
from nango_jupyter.transport.waiting import give_up, keep, retrieve, settle, within

__all__ = ["AmqpTransport", "hang_up", "open_connection"]

log = logging.getLogger(__name__)

_REPLY_TO = "amq.rabbitmq.reply-to"
_ID_CHARACTERS = string.ascii_uppercase + string.digits

# A connection that was silent for longer is asked for a sign of life before anything is sent: in
# a terminal no loop runs between commands, so it may have died unnoticed. One round trip.
_SILENCE = 0.25
# After a shorter pause it is enough to let the loop go round: from what the socket has to say to
# aiormq's opinion takes four rounds.
_PAUSE = 0.002
_ROUNDS = 5
# How long to wait for that sign, and for what is nice to know or polite to do, in seconds.
_SIGN_OF_LIFE = 3.0  # at most; a third of the call's time limit, but no less than one second
_GLANCE = 1.0

# Both log every lost connection as a warning with its traceback, which Python prints where no
# logging is set up, as in a notebook. We raise instead; who configures logging still gets them.
# At DEBUG they write down whole messages, tokens included: that has to be asked for by name.
for _noisy in map(logging.getLogger, ("aio_pika", "aiormq")):
    _noisy.addHandler(logging.NullHandler())
    if _noisy.level == logging.NOTSET:
        _noisy.setLevel(logging.INFO)

lenient_headers.install()


async def open_connection(settings: Settings, timeout: float) -> AbstractConnection:
    """Open an AMQP connection.

    Raises
    ------
    NangoConnectionError
        Within `timeout` seconds, with the reason in plain words and no password.
    """
    options: dict[str, Any] = {**settings.options, "heartbeat": settings.heartbeat}
    opening = aio_pika.connect(
        host=settings.host,
        port=settings.port,
        login=settings.username,
        password=settings.password.reveal(),
        virtualhost=settings.vhost,
        ssl=settings.tls,
        ssl_context=settings.ssl_context,
        **options,
    )
    try:
        return await within(timeout, opening, late=_close)
    except _FAULTS as error:
        failure = explain(error, settings, timeout)
    # Out here, the error does not carry aio-pika's along, whose frames know the password.
    raise failure


def _lost_error(cause: object = None) -> NangoConnectionLostError:
    said = what_broker_said(cause)
    return NangoConnectionLostError(
        f"connection lost: the action may have run{f' (the broker said: {said})' if said else ''}",
        "It was not sent again. Look at what it should have done; the next call reconnects.",
    )


class _Link:
    """One open connection, its channel, and the requests that wait on it."""

    def __init__(self, connection: AbstractConnection, channel: AbstractChannel) -> None:
        self._connection = connection
        self._channel = channel
        self._waiting: dict[str, asyncio.Future[bytes]] = {}
        self._ended: Callable[[], NangoError] | None = None
        self._retired = False
        self.loop = asyncio.get_running_loop()
        self._heard = self.loop.time()
        self.on_end: Callable[[], object] = lambda: None

    @classmethod
    async def open(cls, settings: Settings) -> _Link:
        """Connect, declare the server's queue as every client does, and listen for replies."""
        deadline = time.monotonic() + settings.timeout
        connection = await open_connection(settings, settings.timeout)
        try:
            return await within(max(deadline - time.monotonic(), 0), cls._set_up(connection))
        except BaseException as error:
            _close(connection)
            if not isinstance(error, _FAULTS):
                raise
            failure = explain(error, settings, settings.timeout)
        raise failure

    @classmethod
    async def _set_up(cls, connection: AbstractConnection) -> _Link:
        channel = await connection.channel(on_return_raises=True)
        await channel.declare_queue(SERVER_QUEUE, durable=True)
        link = cls(connection, channel)
        replies = await channel.get_queue(_REPLY_TO, ensure=False)
        await replies.consume(link._on_reply, no_ack=True)
        connection.close_callbacks.add(link._on_lost)
        channel.close_callbacks.add(link._on_lost)
        return link

    @property
    def is_open(self) -> bool:
        return not (self._ended or self._retired or self._channel.is_closed) and self._is_up

    @property
    def is_over(self) -> bool:
        return self._ended is not None

    @property
    def _is_up(self) -> bool:
        transport = self._connection.transport
        return transport is not None and transport.connection.is_opened

    @property
    def silence(self) -> float:
        """How long nothing was heard, in seconds."""
        return self.loop.time() - self._heard

    async def is_alive(self, timeout: float) -> bool:
        """Ask the broker for a sign of life."""
        # Not passive: if somebody deleted the queue meanwhile, this makes it anew. And never
        # cancelled: aiormq would close the channel, and end what waits on it.
        asking = asyncio.ensure_future(self._channel.declare_queue(SERVER_QUEUE, durable=True))
        asking.add_done_callback(retrieve)
        keep(asking)
        await asyncio.wait({asking}, timeout=timeout)
        if not asking.done() or asking.cancelled() or asking.exception():
            return False
        self._heard = self.loop.time()
        return self.is_open

    def check(self) -> None:
        """Raise what ended this link, if something did."""
        if self._ended:
            raise self._ended()

    async def request(self, body: bytes, timeout: float) -> bytes:
        """Publish one message and wait for the reply with its correlation id."""
        correlation_id = self._new_id()
        reply: asyncio.Future[bytes] = self.loop.create_future()
        reply.add_done_callback(retrieve)
        self._waiting[correlation_id] = reply
        # A task of its own: aiormq may cancel who publishes when the connection goes away.
        publishing = asyncio.ensure_future(self._publish(body, correlation_id, timeout))
        publishing.add_done_callback(lambda done: self._on_published(done, reply))
        try:
            async with asyncio.timeout(timeout):
                return await reply
        except TimeoutError:
            raise await self._explain_timeout(timeout, publishing.done()) from None
        finally:
            publishing.cancel()
            del self._waiting[correlation_id]
            if self._retired:
                self.retire()

    async def _publish(self, body: bytes, correlation_id: str, timeout: float) -> None:
        message = aio_pika.Message(
            body,
            correlation_id=correlation_id,
            reply_to=_REPLY_TO,
            # What we gave up on must not run later. The broker counts from when it has taken the
            # message, which can be long after; our server counts from the time stamp.
            expiration=timeout,
            timestamp=datetime.now(UTC),
        )
        await self._channel.default_exchange.publish(message, SERVER_QUEUE)

    def _new_id(self) -> str:
        while True:
            found = "".join(random.choices(_ID_CHARACTERS, k=8))  # noqa: S311 - not a secret
            if found not in self._waiting:
                return found

    async def _on_reply(self, message: AbstractIncomingMessage) -> None:
        self._heard = self.loop.time()
        reply = self._waiting.get(message.correlation_id or "")
        if reply is None or reply.done():
            log.debug("Ignored a reply to no request of ours, id %r", message.correlation_id)
            return
        reply.set_result(message.body)

    def _on_published(self, publishing: asyncio.Future[None], reply: asyncio.Future[bytes]) -> None:
        """End the wait for a reply to a message that could not be published."""
        failure = None if publishing.cancelled() else publishing.exception()
        if isinstance(failure, aio_pika.exceptions.PublishError):
            self._heard = -math.inf  # so that the next call looks after the queue
        if reply.done() or not (failure or publishing.cancelled()):
            return
        if isinstance(failure, aio_pika.exceptions.DeliveryError):
            reply.set_exception(refused_error(failure))
        else:
            reply.set_exception(_lost_error(failure))

    def _on_lost(self, _: object = None, cause: object = None) -> None:
        self.end(lambda: _lost_error(cause))

    def retire(self) -> None:
        """Take no more requests, and hang up when the last one has ended.

        A broker in an alarm stops reading from who publishes, but still delivers replies.
        """
        self._retired = True
        if not (self._is_up and self._waiting):
            self.end(_lost_error)

    def end(self, make_error: Callable[[], NangoError]) -> None:
        """End what is under way, each request with an error of its own, and hang up."""
        if self._ended:
            return
        self._ended = make_error
        for reply in self._waiting.values():
            if not reply.done():
                reply.set_exception(make_error())
        if self._is_up:  # else aiormq is hanging up already
            _close(self._connection)
        self.on_end()

    async def _explain_timeout(self, timeout: float, taken: bool) -> NangoTimeoutError:
        # What is left after connecting: 0.299 of 0.3 s.
        waited = f"No answer within {round(timeout, 1) if timeout >= 1 else f'{timeout:.2g}'} s"
        if not taken:
            return NangoTimeoutError(
                f"{waited}: the broker did not take the message",
                "It may have run out of memory or disk space; its log says so.",
            )
        count = await self.server_count()
        if count == 0:
            return NangoTimeoutError(
                f"{waited}: no server is reading the queue {SERVER_QUEUE}",
                "Start one (nango-jupyter serve FOLDER --url …). The request has expired and does "
                "not run from now on, but a server that is gone may have begun it.",
            )
        if count is None:
            seen = ", and the broker does not say whether a server reads"
        else:
            seen = f", though {count} server{'s read' if count > 1 else ' reads'}"
        return NangoTimeoutError(
            f"{waited}{seen} the queue {SERVER_QUEUE}",
            "The action may still be running, or have died with its server. Give it longer with "
            "timeout=SECONDS (in a magic: --timeout SECONDS).",
        )

    async def ask(self, queue: str, body: bytes, timeout: float) -> bytes | None:
        """Ask on a queue that there may not be; None without an answer."""
        try:
            return await ask(self._connection, queue, body, timeout)
        except _FAULTS:
            return None

    async def server_count(self) -> int | None:
        """Return how many consumers the server's queue has; None if that can't be told."""
        try:
            return await within(_GLANCE, self._count_consumers())
        except aio_pika.exceptions.ChannelNotFoundEntity:
            return 0  # somebody deleted the queue
        except _FAULTS:
            return None

    async def _count_consumers(self) -> int | None:
        # A channel of its own: asking for a queue that is gone closes the channel.
        async with self._connection.channel() as channel:
            queue = await channel.declare_queue(SERVER_QUEUE, passive=True)
            return queue.declaration_result.consumer_count


async def hang_up(connection: AbstractConnection) -> None:
    """Close a connection, without waiting long for a broker that says nothing."""
    with contextlib.suppress(_FAULTS):
        await within(_GLANCE, connection.close())


def _close(connection: AbstractConnection) -> None:
    keep(asyncio.ensure_future(hang_up(connection)))


class AmqpTransport:
    """Requests through RabbitMQ; reconnects by itself when the connection was lost.

    Parameters
    ----------
    settings : Settings
        Where the broker is.

    Attributes
    ----------
    on_change : function
        Called on its loop when the connection has come up, and when it has ended.
    """

    def __init__(self, settings: Settings) -> None:
        self.on_change: Callable[[], object] = lambda: None
        self._settings = settings
        self._link: _Link | None = None
        self._retired: list[_Link] = []
        self._opening: asyncio.Task[_Link] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def address(self) -> str:
        """Where requests go, without user and password."""
        return self._settings.address

    @property
    def is_open(self) -> bool:
        """Whether the connection is up, as far as is known."""
        return self._link is not None and self._link.is_open

    async def connect(self, timeout: float) -> None:
        """Open the connection; do nothing if it is open. See `Transport.connect`."""
        await self._ready_link(timeout)

    async def request(self, body: bytes, timeout: float) -> bytes:
        """Send one request and return the body of its reply. See `Transport.request`."""
        deadline = time.monotonic() + timeout
        link = await self._ready_link(timeout)
        return await link.request(body, max(deadline - time.monotonic(), 0.001))

    async def ask(self, queue: str, body: bytes, timeout: float) -> bytes | None:
        """Ask on another queue than the servers'; None if nobody reads it, or answers."""
        link = await self._ready_link(timeout)
        return await link.ask(queue, body, timeout)

    async def server_count(self) -> int | None:
        """Return how many servers are listening. See `Transport.server_count`."""
        return await self._link.server_count() if self._link else None

    async def close(self) -> None:
        """End what is under way and close the connection. See `Transport.close`."""
        if self._loop is asyncio.get_running_loop():
            self._end()
            await settle(_GLANCE)
        elif self._loop and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end)  # it runs in another thread

    def _end(self) -> None:
        links, opening = [*self._retired, self._link], self._opening
        self._retired, self._link, self._opening = [], None, None
        if opening:
            give_up(opening)
        for link in filter(None, links):
            link.end(closed_error)

    async def _ready_link(self, timeout: float) -> _Link:
        """Return a link that is known to work, opened anew where it must be."""
        self._follow_loop()
        if self._link and self._link.silence > _PAUSE:
            # Let the loop read what came in meanwhile: that the connection is gone, say.
            for _ in range(_ROUNDS):
                await asyncio.sleep(0)
            if self._link is None:
                raise closed_error(sent=False)
        if self._link and self._link.is_open and self._link.silence < _SILENCE:
            return self._link
        # Requests that come together wait for one opening, each within its own time limit.
        if self._opening is None or self._opening.done():
            self._opening = asyncio.ensure_future(self._open(timeout))
            self._opening.add_done_callback(retrieve)
        opening = self._opening
        await asyncio.wait({opening}, timeout=timeout)
        if not opening.done():
            raise explain(TimeoutError(), self._settings, timeout)
        if opening.cancelled():
            raise closed_error(sent=False)
        if error := opening.exception():
            raise copy.copy(error)  # others wait for it too: each gets its own
        link = opening.result()
        link.check()
        return link

    async def _open(self, timeout: float) -> _Link:
        patience = min(_SIGN_OF_LIFE, max(_SIGN_OF_LIFE / 3, timeout / 3))
        if self._link and self._link.is_open and await self._link.is_alive(patience):
            return self._link
        if self._link:
            self._link.retire()
            self._retired = [link for link in (*self._retired, self._link) if not link.is_over]
        self._link = await _Link.open(self._settings)
        self._link.on_end = lambda: self.on_change()
        self.on_change()
        return self._link

    def _follow_loop(self) -> None:
        """Forget a connection whose event loop is gone; refuse to use one from another loop."""
        loop = asyncio.get_running_loop()
        if self._loop is loop:
            return
        opening = self._opening and not self._opening.done()
        if self._loop and not self._loop.is_closed() and (self._link or opening):
            raise other_loop_error()
        self._loop, self._link, self._opening = loop, None, None
        self._retired = []
