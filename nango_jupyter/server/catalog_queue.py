"""Answers what there is to trigger, on a queue that only our servers have."""

from __future__ import annotations

import logging

import aio_pika
from aio_pika.abc import AbstractConnection, AbstractIncomingMessage

from nango_jupyter.catalog import CATALOG_QUEUE
from nango_jupyter.server.server import NangoServer
from nango_jupyter.transport.amqp_errors import FAULTS

__all__ = ["serve_catalog"]

log = logging.getLogger(__name__)


async def serve_catalog(connection: AbstractConnection, server: NangoServer) -> None:
    """Read the queue from now on, until the connection ends.

    A user who may not declare it can serve all the same: only forms and completion miss it.
    """
    try:
        channel = await connection.channel()
        queue = await channel.declare_queue(CATALOG_QUEUE, durable=False, auto_delete=True)
        exchange = channel.default_exchange

        async def answer(message: AbstractIncomingMessage) -> None:
            body = await server.handle_catalog(message.body)
            if message.reply_to:
                reply = aio_pika.Message(body, correlation_id=message.correlation_id)
                await exchange.publish(reply, message.reply_to, mandatory=False)

        # Without acknowledgements: who gets no answer asks again.
        await queue.consume(answer, no_ack=True)
    except FAULTS as error:
        log.info("no catalogue for forms and completion: %s", error)
