"""Sends many messages at once, and keeps the answers apart."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from itertools import count

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractIncomingMessage

from nango_jupyter.messages import SERVER_QUEUE, NangoMessageHandlerResult
from tests.reliability.letters import Letter, ReplyTo

IN_FLIGHT = 200
# For a full batch, of which some have ten million bytes, on a machine that does much else.
SECONDS = 90

Answer = asyncio.Future[NangoMessageHandlerResult]


class Post:
    """Carries letters to the server's queue.

    Attributes
    ----------
    unexpected : list of str
        What came back and was no answer to anything.
    """

    def __init__(self, channel: AbstractChannel, addresses: dict[ReplyTo, str | None]) -> None:
        self._channel = channel
        self._addresses = addresses
        self._numbers = count(1)
        # A letter may have the id of another, or none: then each answer is for the oldest.
        self._waiting: defaultdict[str, deque[Answer]] = defaultdict(deque)
        self.unexpected: list[str] = []

    @classmethod
    async def open(cls, connection: AbstractConnection) -> Post:
        """Declare the queues as a client does, and listen for answers."""
        channel = await connection.channel(publisher_confirms=False)
        await channel.declare_queue(SERVER_QUEUE, durable=True)
        direct = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
        own = await channel.declare_queue(exclusive=True)
        addresses = {
            ReplyTo.DIRECT: direct.name,
            ReplyTo.QUEUE: own.name,
            ReplyTo.NOBODY: None,
            ReplyTo.NOWHERE: "no-such-queue",
        }
        post = cls(channel, addresses)
        for queue in (direct, own):
            await queue.consume(post._on_answer, no_ack=True)
        return post

    async def send(self, letters: Sequence[Letter]) -> Counter[tuple[str, str]]:
        """Send all, IN_FLIGHT at once; return how each ended, counted by sort."""
        outcomes: Counter[tuple[str, str]] = Counter()
        for start in range(0, len(letters), IN_FLIGHT):
            group = letters[start : start + IN_FLIGHT]
            answers = [await self._post(letter) for letter in group]
            pending = [answer for answer in answers if answer]
            if pending:
                await asyncio.wait(pending, timeout=SECONDS)
            for letter, answer in zip(group, answers, strict=True):
                outcomes[letter.sort, _outcome(letter, answer)] += 1
        return outcomes

    async def ask(self, body: bytes) -> NangoMessageHandlerResult:
        """Send one plain message and return its answer."""
        answer = await self._post(Letter("plain", body))
        assert answer
        return await asyncio.wait_for(answer, SECONDS)

    async def _post(self, letter: Letter) -> Answer | None:
        properties = {"correlation_id": f"n{next(self._numbers)}", **letter.properties}
        message = aio_pika.Message(
            letter.body, reply_to=self._addresses[letter.reply_to], **properties
        )
        answer: Answer | None = None
        if letter.is_answered:
            answer = asyncio.get_running_loop().create_future()
            self._waiting[properties["correlation_id"] or ""].append(answer)
        await self._channel.default_exchange.publish(message, SERVER_QUEUE)
        return answer

    async def _on_answer(self, message: AbstractIncomingMessage) -> None:
        waiting = self._waiting[message.correlation_id or ""]
        if not waiting:
            self.unexpected.append(f"{message.correlation_id!r}: {message.body[:200]!r}")
            return
        answer = waiting.popleft()
        try:
            answer.set_result(NangoMessageHandlerResult.decode(message.body))
        except Exception as error:
            answer.set_exception(error)


def _outcome(letter: Letter, answer: Answer | None) -> str:
    if answer is None:
        return "no address"
    if not answer.done():
        raise AssertionError(f"no answer within {SECONDS} s: {letter}")
    result = answer.result()
    if not (result.success or result.error_msg):
        raise AssertionError(f"a failure that says nothing: {letter}")
    return "success" if result.success else "failure"
