"""Asks on a queue that not every broker has, over a channel of its own that may be lost."""

from __future__ import annotations

import asyncio
from uuid import uuid4

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

__all__ = ["ask"]

_REPLY_TO = "amq.rabbitmq.reply-to"


async def ask(connection: AbstractConnection, queue: str, body: bytes, timeout: float) -> bytes:
    """Send one message to whoever reads a queue, and return the body of the reply.

    Raises
    ------
    LookupError
        If there is no such queue, nobody reads it, or this user may not look.
    TimeoutError
    """
    correlation_id = uuid4().hex
    async with asyncio.timeout(timeout), connection.channel() as channel:
        try:
            # Never declared here: then there is somebody who knows what it is for.
            declared = await channel.declare_queue(queue, passive=True)
        except aio_pika.exceptions.ChannelClosed:
            raise LookupError(queue) from None
        if not declared.declaration_result.consumer_count:
            raise LookupError(queue)
        reply: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def on_reply(message: AbstractIncomingMessage) -> None:
            if message.correlation_id == correlation_id and not reply.done():
                reply.set_result(message.body)

        replies = await channel.get_queue(_REPLY_TO, ensure=False)
        await replies.consume(on_reply, no_ack=True)
        message = aio_pika.Message(
            body, correlation_id=correlation_id, reply_to=_REPLY_TO, expiration=timeout
        )
        await channel.default_exchange.publish(message, queue)
        return await reply
