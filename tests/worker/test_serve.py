"""``nango-jupyter serve``: a real process behind a real broker."""

import asyncio
import json
import signal
import struct
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import aio_pika
import pytest
from aio_pika import Message
from aiormq import spec
from aiormq.abc import ChannelFrame
from aiormq.channel import Channel
from pamqp.body import ContentBody
from pamqp.header import ContentHeader

from nango_jupyter import Nango, NangoServerError
from tests.client.broker import add_users
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve

REPLY_TO = "amq.rabbitmq.reply-to"
ECHO = {
    "action": "TRIGGER_ACTION",
    "integration": "demo",
    "triggeredAction": "echo",
    "userId": "ada",
    "input": 1,
}


@pytest.fixture
def serve(rabbit_vhost: str) -> Iterator[Serve]:
    """A server of the samples, on a vhost of its own."""
    with Serve(rabbit_vhost) as process:
        yield process


@pytest.fixture
async def nango(rabbit_vhost: str, serve: Serve) -> AsyncIterator[Nango]:
    """A client of that server, with ada registered at demo."""
    async with Nango(rabbit_vhost, timeout=15) as client:
        await client.register_connection("demo", "ada", "any-token")
        yield client


class Raw:
    """Publishes what no client of ours would, and keeps the replies."""

    def __init__(self, channel: aio_pika.abc.AbstractChannel) -> None:
        self._channel = channel
        self._replies: dict[str | None, asyncio.Future[bytes]] = {}

    @classmethod
    async def open(cls, connection: aio_pika.abc.AbstractConnection) -> "Raw":
        raw = cls(await connection.channel(publisher_confirms=False))
        queue = await raw._channel.get_queue(REPLY_TO, ensure=False)
        await queue.consume(raw._on_reply, no_ack=True)
        return raw

    async def _on_reply(self, message: aio_pika.abc.AbstractIncomingMessage) -> None:
        self.reply(message.correlation_id).set_result(message.body)

    def reply(self, correlation_id: str | None) -> asyncio.Future[bytes]:
        loop = asyncio.get_running_loop()
        return self._replies.setdefault(correlation_id, loop.create_future())

    async def publish(self, message: Message) -> None:
        await self._channel.default_exchange.publish(message, "server_inbound")

    async def publish_frames(self, header: ContentHeader, old: bytes, new: bytes) -> None:
        """Publish ECHO with some bytes of its header changed into what no library writes."""
        body = json.dumps(ECHO).encode()
        header.body_size = len(body)
        channel = await self._channel.get_underlay_channel()
        publish = spec.Basic.Publish(routing_key="server_inbound")
        frame = ChannelFrame.marshall(channel.number, [publish, header, ContentBody(body)])
        assert frame.payload.count(old) == 1
        payload = frame.payload.replace(old, new)
        writer = cast(Channel, channel).write_queue
        await writer.put(ChannelFrame(payload, should_close=False, drain_future=None))

    async def ask(self, body: bytes, name: str) -> dict[str, object]:
        await self.publish(Message(body, correlation_id=name, reply_to=REPLY_TO))
        found: dict[str, object] = json.loads(await asyncio.wait_for(self.reply(name), 20))
        return found


@pytest.fixture
async def raw(rabbit_vhost: str, nango: Nango) -> AsyncIterator[Raw]:
    async with await aio_pika.connect(rabbit_vhost) as connection:
        yield await Raw.open(connection)


async def test_the_samples_end_to_end(nango: Nango) -> None:
    await nango.register_connection("crm", 7, "crm-demo-token", {"page_size": 25})
    result = await nango.trigger_action("crm", "list-contacts", 7)
    assert result.return_value["pages"] == 3
    assert len(result.return_value["contacts"]) == 60
    connections = await nango.get_connections_for_user_id(7)
    assert [found.integration for found in connections.return_value] == ["crm"]
    with pytest.raises(NangoServerError, match="already-existing connection"):
        await nango.register_connection("crm", 7, "another-token")


async def test_no_message_kills_it(nango: Nango, raw: Raw) -> None:
    bodies = {
        "empty": b"",
        "no text": b"\xff\xfe\x00",
        "null": b"null",
        "deep": b"[" * 200_000,
        "digits": json.dumps(ECHO).replace('"ada"', "9" * 5000).encode(),
        "big": json.dumps({**ECHO, "input": "x" * 10_000_000}).encode(),
        "kind": b'{"action": "WAT"}',
        "types": json.dumps({**ECHO, "userId": [], "integration": {}}).encode(),
    }
    replies = {name: await raw.ask(body, name) for name, body in bodies.items()}
    assert {name for name, reply in replies.items() if reply["success"]} == {"big"}
    assert replies["kind"]["errorMsg"] == "Received inbound server message with unknown action: WAT"
    assert (await nango.trigger_action("demo", "echo", "ada", 1)).return_value == 1


async def test_no_reply_address_kills_it(nango: Nango, raw: Raw) -> None:
    body = json.dumps(ECHO).encode()
    addresses = [None, "", "nobody", f"{REPLY_TO}.junk", f"{REPLY_TO}.", "x" * 255, "\0", "é" * 99]
    for address in addresses:
        await raw.publish(Message(body, correlation_id="unread", reply_to=address))
    await raw.publish(Message(body, reply_to=REPLY_TO))
    assert json.loads(await asyncio.wait_for(raw.reply(None), 20))["returnValue"] == 1
    assert (await nango.trigger_action("demo", "echo", "ada", 1)).return_value == 1


async def test_broken_properties_are_one_broken_message(nango: Nango, raw: Raw) -> None:
    stamp = datetime(2020, 1, 1, tzinfo=UTC)
    old = struct.pack(">Q", int(stamp.timestamp()))
    for number in (2**63 - 1, 2**64 - 1):
        properties = spec.Basic.Properties(
            correlation_id=str(number), reply_to=REPLY_TO, timestamp=stamp
        )
        await raw.publish_frames(
            ContentHeader(properties=properties), old, struct.pack(">Q", number)
        )
        assert json.loads(await asyncio.wait_for(raw.reply(str(number)), 20))["returnValue"] == 1
    properties = spec.Basic.Properties(correlation_id="CORRELATED", reply_to=REPLY_TO)
    await raw.publish_frames(ContentHeader(properties=properties), b"CORRELATED", b"\xff" * 10)
    assert (await nango.trigger_action("demo", "echo", "ada", 1)).return_value == 1


async def test_what_came_too_late_is_not_run(raw: Raw) -> None:
    sent = datetime.now(UTC) - timedelta(seconds=100)
    await raw.publish(
        Message(
            json.dumps(ECHO).encode(),
            correlation_id="late",
            reply_to=REPLY_TO,
            timestamp=sent,
            expiration=10,
        )
    )
    reply = json.loads(await asyncio.wait_for(raw.reply("late"), 20))
    assert not reply["success"]
    assert "was not run" in reply["errorMsg"]


async def test_a_message_given_up_on_in_an_alarm_is_not_run(
    rabbit: Rabbit, rabbit_vhost: str, tmp_path: Path
) -> None:
    folder = write_counter(tmp_path)
    with Serve(rabbit_vhost, folder):
        async with Nango(rabbit_vhost, timeout=15) as nango:
            await nango.register_connection("count", "ada", "any-token")
            alarm = "{{resource_limit, memory, node()}, []}"
            await asyncio.to_thread(rabbit.ctl, "eval", f"rabbit_alarm:set_alarm({alarm}).")
            try:
                with pytest.raises(TimeoutError):
                    await nango.trigger_action("count", "up", "ada", timeout=1)
                await asyncio.sleep(3)
            finally:
                over = "rabbit_alarm:clear_alarm({resource_limit, memory, node()})."
                await asyncio.to_thread(rabbit.ctl, "eval", over)
            await asyncio.sleep(0.5)
            assert (await nango.trigger_action("count", "up", "ada")).return_value == 1


def write_counter(folder: Path) -> Path:
    """An integration whose action counts its runs, and tells which process it ran in."""
    (folder / "count").mkdir()
    (folder / "integrations.yaml").write_text(
        "integrations:\n  - count:\n      base_url: http://x\n"
    )
    (folder / "count" / "up.action.py").write_text(
        "from pathlib import Path\n"
        "from nango_jupyter import NangoAction\n\n"
        "class Up(NangoAction):\n"
        "    async def execute_action(self, input):\n"
        "        with Path(__file__).with_name('runs').open('a') as runs:\n"
        "            runs.write('x')\n"
        "        return Path(__file__).with_name('runs').stat().st_size\n"
    )
    (folder / "count" / "where.action.py").write_text(
        "import asyncio, os\n"
        "from nango_jupyter import NangoAction\n\n"
        "class Where(NangoAction):\n"
        "    async def execute_action(self, input):\n"
        "        await asyncio.sleep(input)\n"
        "        return os.getpid()\n"
    )
    return folder


async def test_two_share_the_work(rabbit_vhost: str, tmp_path: Path) -> None:
    folder = write_counter(tmp_path)
    with Serve(rabbit_vhost, folder) as one, Serve(rabbit_vhost, folder) as two:
        async with Nango(rabbit_vhost, timeout=15) as nango:
            await nango.register_connection("count", "ada", "any-token")
            results = await asyncio.gather(
                *(nango.trigger_action("count", "where", "ada", 0.1) for _ in range(40))
            )
            found = {result.return_value for result in results}
            assert found == {one.process.pid, two.process.pid}
            assert await nango.server_count() == 2


async def test_a_redelivered_trigger_is_not_run_again(rabbit_vhost: str, tmp_path: Path) -> None:
    folder = write_counter(tmp_path)
    with Serve(rabbit_vhost, folder) as first:
        async with Nango(rabbit_vhost, timeout=20) as nango:
            await nango.register_connection("count", "ada", "any-token")
            waiting = asyncio.create_task(nango.trigger_action("count", "where", "ada", 15))
            await asyncio.sleep(1)
            await asyncio.to_thread(first.stop, signal.SIGKILL)
            with (
                Serve(rabbit_vhost, folder),
                pytest.raises(NangoServerError, match="second time"),
            ):
                await waiting


async def test_sigterm_finishes_what_runs(rabbit_vhost: str) -> None:
    with Serve(rabbit_vhost) as serve:
        async with Nango(rabbit_vhost, timeout=15) as nango:
            await nango.register_connection("demo", "ada", "any-token")
            waiting = asyncio.create_task(
                nango.trigger_action("demo", "sleep", "ada", {"seconds": 2})
            )
            await asyncio.sleep(0.5)
            assert await asyncio.to_thread(serve.stop) == 0
            assert (await waiting).return_value == {"slept": 2}


async def test_it_comes_back_with_the_broker(rabbit: Rabbit, nango: Nango, serve: Serve) -> None:
    await asyncio.to_thread(rabbit.ctl, "close_all_connections", "--global", "test")
    for _ in range(100):
        if serve.log.count(" ready: ") == 2:
            break
        await asyncio.sleep(0.1)
    assert (await nango.trigger_action("demo", "echo", "ada", 1)).return_value == 1
    assert await asyncio.to_thread(serve.stop) == 0


async def test_it_notices_that_its_queue_was_deleted(
    rabbit_vhost: str, serve: Serve, nango: Nango
) -> None:
    async with await aio_pika.connect(rabbit_vhost) as connection:
        channel = await connection.channel()
        await channel.queue_delete("server_inbound")
    for _ in range(100):
        if serve.log.count(" ready: ") == 2:
            break
        await asyncio.sleep(0.1)
    assert (await nango.trigger_action("demo", "echo", "ada", 1)).return_value == 1


async def test_it_says_why_it_may_not_read(rabbit: Rabbit, rabbit_vhost: str) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    await asyncio.to_thread(add_users, rabbit, {"noread": "secret-word"}, vhost, (".*", ".*", ""))
    url = rabbit.url("noread", "secret-word", vhost)
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "nango_jupyter", "serve", "--url", url],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert "'noread' may not use what Nango needs" in done.stderr
    assert "secret-word" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["serve", "--url", "amqp://127.0.0.1:1"], "nothing listens on that port"),
        (["serve", "--url", "http://x"], "amqp://"),
        (["serve", "no-such-folder", "--url", "amqp://127.0.0.1:1"], "no-such-folder"),
        (["serve", "--url", "amqp://u:very-secret@127.0.0.1:port/"], "can't be read"),
    ],
)
def test_wrong_arguments_are_a_message_not_a_traceback(arguments: list[str], expected: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nango_jupyter", *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert expected in done.stderr
    assert "Traceback" not in done.stderr
    assert "very-secret" not in done.stderr
