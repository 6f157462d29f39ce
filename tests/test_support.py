"""The tools that other tests lean on do what they say."""

import asyncio
import ssl
from pathlib import Path

import aio_pika
import pytest

from tests.support.postgres import Postgres
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit

PROTOCOL_HEADER = b"AMQP\x00\x00\x09\x01"


async def greet(port: int, context: ssl.SSLContext | None = None) -> bytes:
    """Return the first byte a broker answers; empty if the connection is cut."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    try:
        writer.write(PROTOCOL_HEADER)
        async with asyncio.timeout(5):
            return await reader.read(1)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


async def publish_and_count(url: str, queue: str) -> int:
    """Put one message into a queue; return how many are in it then."""
    connection = await aio_pika.connect(url)
    async with connection, connection.channel() as channel:
        await channel.declare_queue(queue, durable=True)
        await channel.default_exchange.publish(
            aio_pika.Message(b"{}", delivery_mode=aio_pika.DeliveryMode.PERSISTENT), queue
        )
        declared = await channel.declare_queue(queue, passive=True)
        return declared.declaration_result.message_count or 0


async def test_each_vhost_is_empty_and_usable(rabbit_vhost: str) -> None:
    assert await publish_and_count(rabbit_vhost, "inbox") == 1


async def test_the_next_vhost_is_empty_again(rabbit_vhost: str) -> None:
    assert await publish_and_count(rabbit_vhost, "inbox") == 1


def test_url_encodes_every_part(rabbit: Rabbit) -> None:
    url = rabbit.url(user="a@b", password="p:/?#%", vhost="x/y")
    assert url == f"amqp://a%40b:p%3A%2F%3F%23%25@127.0.0.1:{rabbit.port}/x%2Fy"


async def test_tls(rabbit: Rabbit) -> None:
    trusting = ssl.create_default_context(cafile=rabbit.cafile)
    assert await greet(rabbit.tls_port, trusting) == b"\x01"
    with pytest.raises(ssl.SSLCertVerificationError):
        await greet(rabbit.tls_port, ssl.create_default_context())


async def test_paused_node_is_silent_until_resumed(rabbit: Rabbit) -> None:
    rabbit.pause()
    answer = asyncio.create_task(greet(rabbit.port))
    done, _ = await asyncio.wait({answer}, timeout=0.5)
    assert not done
    rabbit.resume()
    assert await answer == b"\x01"


def test_missing_rabbitmq_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.support.rabbitmq.SEARCH_PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="apt-get install"), Rabbit():
        pass


def test_missing_postgresql_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("tests.support.postgres.DEBIAN", tmp_path)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(RuntimeError, match="apt-get install"), Postgres():
        pass


async def test_proxy_forwards_and_counts(rabbit_vhost: str, rabbit: Rabbit) -> None:
    async with Proxy(rabbit.port) as proxy:
        assert await publish_and_count(proxy.url(rabbit_vhost), "inbox") == 1
        assert proxy.sent_to_broker > 100
        assert proxy.sent_to_client > 100


async def test_proxy_cut_resets(rabbit: Rabbit) -> None:
    async with Proxy(rabbit.port) as proxy:
        reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
        writer.write(PROTOCOL_HEADER)
        await reader.readexactly(1)
        proxy.cut()
        with pytest.raises(ConnectionResetError):
            await reader.read()
        writer.close()
        assert await greet(proxy.port) == b"\x01"


async def test_proxy_stall_and_resume(rabbit: Rabbit) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.stall()
        answer = asyncio.create_task(greet(proxy.port))
        done, _ = await asyncio.wait({answer}, timeout=0.3)
        assert not done
        proxy.resume()
        assert await answer == b"\x01"


async def test_proxy_cut_while_stalled(rabbit: Rabbit) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.stall()
        answer = asyncio.create_task(greet(proxy.port))
        await asyncio.sleep(0.1)
        proxy.cut()
        assert await answer == b""


async def test_proxy_refuse_and_accept(rabbit: Rabbit) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await greet(proxy.port)
        await proxy.accept()
        assert await greet(proxy.port) == b"\x01"


async def test_proxy_delay(rabbit: Rabbit) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.delay = 0.1
        started = asyncio.get_running_loop().time()
        await greet(proxy.port)
        assert asyncio.get_running_loop().time() - started >= 0.2
