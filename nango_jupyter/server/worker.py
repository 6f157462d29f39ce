"""Serves requests from RabbitMQ: takes them from the queue, hands them to the server, replies.

Messages are read and written on aiormq's channels, which lie under aio-pika's: its objects around
each message would cost a server a tenth of its time.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from datetime import UTC, datetime

import aiormq
from aio_pika.abc import AbstractConnection
from aiormq import spec
from aiormq.abc import AbstractChannel, DeliveredMessage

from nango_jupyter.exceptions import NangoConnectionError
from nango_jupyter.messages import SERVER_QUEUE, NangoMessageHandlerResult
from nango_jupyter.server.catalog_queue import serve_catalog
from nango_jupyter.server.server import NangoServer
from nango_jupyter.settings import Settings
from nango_jupyter.transport.amqp import hang_up, open_connection
from nango_jupyter.transport.amqp_errors import FAULTS, explain, what_broker_said
from nango_jupyter.transport.waiting import within

__all__ = ["Worker"]

log = logging.getLogger(__name__)

# The broker may refuse a larger reply (16 MiB are the default of RabbitMQ 4, 128 of older ones),
# and closes the channel then, with whatever else is on its way on it.
_MOST_BYTES_UNASKED = 1024 * 1024
# How far the clocks of client and server may differ, in seconds; the stamp counts whole seconds.
_CLOCKS = 2.0
_LONGEST_PAUSE = 30.0
# For what is polite to do, in seconds.
_GLANCE = 1.0
# For what was cancelled, to clean up and to tell its client, in seconds.
_FAREWELL = 3.0


class Worker:
    """One server process on the queue ``server_inbound``; several share the work.

    Parameters
    ----------
    server : NangoServer
        Started.
    settings : Settings
        Where the broker is.
    concurrency : int
        How many requests to work on at once; the rest wait in the queue.
    grace : float
        How long to wait, on stopping, for what runs, in seconds.
    """

    def __init__(
        self, server: NangoServer, settings: Settings, *, concurrency: int = 32, grace: float = 30.0
    ) -> None:
        self._server = server
        self._settings = settings
        self._concurrency = concurrency
        self._grace = grace
        self._running: dict[asyncio.Task[bytes], DeliveredMessage] = {}
        # What ran when a connection was lost: the broker delivers it again, to us or to another.
        self._orphans: dict[tuple[object, object], asyncio.Task[bytes]] = {}
        self._connection: AbstractConnection
        self._gone: asyncio.Event
        self._tag: str
        self._replies: AbstractChannel | None = None
        self._opening_replies = asyncio.Lock()

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until `stop` is set; connect again whenever the broker goes away.

        Raises
        ------
        NangoConnectionError
            If the first attempt to connect fails.
        """
        channel = await self._open()
        pause = 1.0
        while True:
            begun = time.monotonic()
            await self._serve(channel, stop)
            if stop.is_set():
                return await self._finish()
            self._orphans = {_key(message): task for task, message in self._running.items()}
            log.warning("lost the connection to %s", self._settings.address)
            # A broker that drops us at once is not asked again and again.
            lasted = time.monotonic() - begun > _LONGEST_PAUSE
            pause = 1.0 if lasted else min(2 * pause, _LONGEST_PAUSE)
            found = await self._reopen(stop, pause)
            if found is None:
                return await self._finish()
            channel = found

    async def _reopen(self, stop: asyncio.Event, pause: float) -> AbstractChannel | None:
        """Try until the broker is back; None if told to stop meanwhile."""
        while True:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
                return None
            try:
                return await self._open()
            except NangoConnectionError as error:
                pause = min(2 * pause, _LONGEST_PAUSE)
                log.warning("%s; next attempt in %g s", error, pause)

    async def _open(self) -> AbstractChannel:
        """Connect, declare the queue as every client and server does, and consume."""
        timeout = self._settings.timeout
        connection = await open_connection(self._settings, timeout)
        self._connection, self._replies, self._gone = connection, None, asyncio.Event()
        try:
            return await within(timeout, self._consume(connection))
        except FAULTS as error:
            failure = explain(error, self._settings, timeout)
            await hang_up(connection)
        raise failure

    async def _consume(self, connection: AbstractConnection) -> AbstractChannel:
        channel = await _open_channel(connection)
        await channel.basic_qos(prefetch_count=self._concurrency)
        await channel.queue_declare(SERVER_QUEUE, durable=True)
        gone = self._gone
        connection.close_callbacks.add(lambda *_: gone.set())
        channel.closing.add_done_callback(lambda _: gone.set())
        # Somebody deleted the queue: without this, the server would wait for ever, unheard.
        channel.on_consumer_cancel_callbacks.add(lambda _: gone.set())
        consumer = await channel.basic_consume(SERVER_QUEUE, self._start)
        self._tag = consumer.consumer_tag or ""
        await serve_catalog(connection, self._server)
        log.info("ready: reading %s at %s", SERVER_QUEUE, self._settings.address)
        return channel

    async def _serve(self, channel: AbstractChannel, stop: asyncio.Event) -> None:
        """Serve until told to stop or the connection is gone; then finish what runs."""
        await _first(stop, self._gone)
        if stop.is_set():
            with contextlib.suppress(FAULTS):  # the connection may go away just now
                await within(_GLANCE, channel.basic_cancel(self._tag))
            await self._finish()
        await hang_up(self._connection)

    async def _finish(self) -> None:
        if self._running:
            log.info("stopping: waiting for %d under way", len(self._running))
            await asyncio.wait(self._running, timeout=self._grace)
        for task in self._running:
            task.cancel()
        if self._running:  # each tells its client; what can't goes back to the queue
            log.warning("stopping: cancelled %d after %g s", len(self._running), self._grace)
            await asyncio.wait(self._running, timeout=_FAREWELL)

    async def _start(self, message: DeliveredMessage) -> None:
        # A task of its own: aiormq cancels its own ones with the connection, and what runs goes on.
        task = asyncio.create_task(self._answer(message))
        self._running[task] = message
        task.add_done_callback(self._running.pop)

    async def _answer(self, message: DeliveredMessage) -> bytes:
        """Reply to a message, settle it with the broker, and return the reply's body."""
        body = await self._body(message)
        tag = message.delivery_tag or 0
        try:
            if message.header.properties.reply_to:
                await self._reply(message.header.properties, body)
        except Exception as error:
            log.warning("could not reply to a request: %r", error)
            # It is delivered again, but not run again: see `redelivered`.
            settling = message.channel.basic_nack(tag)
        else:
            settling = message.channel.basic_ack(tag, wait=False)
        with contextlib.suppress(FAULTS):  # with a connection that was lost it goes back by itself
            await settling
        return body

    async def _body(self, message: DeliveredMessage) -> bytes:
        if late := _seconds_late(message.header.properties):
            return _refusal(
                f"The message came {late:.0f} s after its time limit and was not run. If that "
                "can't be, the clocks of the two machines differ."
            )
        is_again = bool(message.redelivered)
        if is_again and (orphan := self._orphans.get(_key(message))):
            return await asyncio.shield(orphan)
        try:
            return await self._server.handle(message.body, redelivered=is_again)
        except asyncio.CancelledError:
            return _refusal(
                "The server was stopped and did not wait any longer: what was asked for may have "
                "been done in part"
            )

    async def _reply(self, request: spec.Basic.Properties, body: bytes) -> None:
        if len(body) > _MOST_BYTES_UNASKED:
            refused = await self._try(request, body)
            if refused is None:
                return
            body = _refusal(f"The broker refused the result of {len(body):,} bytes: {refused}")
        # Replies have a channel of their own: one that the broker refuses closes its channel, and
        # on the consumer's everything that runs would be delivered again.
        if self._replies is None or self._replies.is_closed:
            async with self._opening_replies:  # else each of many at once opens one
                if self._replies is None or self._replies.is_closed:
                    self._replies = await _open_channel(self._connection)
        await _publish(self._replies, request, body)

    async def _try(self, request: spec.Basic.Properties, body: bytes) -> str | None:
        """Send a large reply where it harms no other; return why it was refused, if it was."""
        channel = await _open_channel(self._connection, confirms=True)
        try:
            await _publish(channel, request, body)
        except aiormq.exceptions.ChannelClosed as error:
            return what_broker_said(error) or "it closed the channel"
        await channel.close()
        return None


def _key(message: DeliveredMessage) -> tuple[object, object]:
    properties = message.header.properties
    return properties.reply_to, properties.correlation_id


async def _publish(channel: AbstractChannel, request: spec.Basic.Properties, body: bytes) -> None:
    await channel.basic_publish(
        body,
        routing_key=request.reply_to or "",
        properties=spec.Basic.Properties(correlation_id=request.correlation_id),
    )


async def _open_channel(
    connection: AbstractConnection, *, confirms: bool = False
) -> AbstractChannel:
    channel = await connection.channel(publisher_confirms=confirms)
    return await channel.get_underlay_channel()


async def _first(*events: asyncio.Event) -> None:
    """Wait until one of the events is set."""
    waits = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    for wait in waits:
        wait.cancel()


def _seconds_late(request: spec.Basic.Properties) -> float | None:
    """Tell by how much a message has outlived its time limit; None if it has not.

    The broker drops what expires in its queue, but counts from when it took the message, and in
    an alarm it takes messages long after their senders gave up.
    """
    if request.timestamp is None or not (request.expiration or "").isdecimal():
        return None
    sent = request.timestamp.replace(tzinfo=request.timestamp.tzinfo or UTC)
    late = (datetime.now(UTC) - sent).total_seconds() - int(request.expiration or 0) / 1000
    return late if late > _CLOCKS else None


def _refusal(reason: str) -> bytes:
    return NangoMessageHandlerResult(False, reason).encode()
