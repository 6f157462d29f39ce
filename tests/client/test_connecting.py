"""Getting in, and every way of not getting in."""

import asyncio
import logging
import socket
import ssl
import time
import traceback
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from nango_jupyter import Nango, NangoConnectionError, NangoUsageError
from tests.client.broker import add_users, add_vhosts
from tests.client.peer import serve
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit

PASSWORD = "hunter2:/@?#[]!$&'()*+,;=% %41\"\\<>^`{|}~é🎉"
LOGIN = f"someone:{quote(PASSWORD, safe='')}"
PATIENCE = 5.0  # where an answer comes
LIMIT = 0.5  # where none comes

START = bytes.fromhex("01 0000 00000025 000a000a 00 09 00000000") + (
    b"\x00\x00\x00\x05PLAIN\x00\x00\x00\x0aen_US12345\xce"
)
GREETINGS = {
    "http": b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n<html></html>",
    "ssh": b"SSH-2.0-OpenSSH_9.2p1\r\n",
    "smtp": b"220 mail.example ESMTP\r\n",
    "redis": b"-ERR unknown command\r\n",
    "amqp 1.0": b"AMQP\x00\x01\x00\x00",
    "zeros": bytes(64),
    "ones": b"\xff" * 64,
    "a broken frame": b"\x01\x00\x00\x00\x00\x00\x04\x00\x0a\x00\x0aX",
    "an unknown method": b"\x01\x00\x00\x00\x00\x00\x04\x99\x99\x99\x99\xce",
    "a heartbeat": b"\x08\x00\x00\x00\x00\x00\x00\xce",
    "a body": b"\x03\x00\x00\x00\x00\x00\x04abcd\xce",
    "a start that ends": START,
    "nothing": b"",
}


@asynccontextmanager
async def stranger(
    greeting: bytes, *, hangs_up: bool, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """Listen on a port as something that is not a broker."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await reader.read(8)
            writer.write(greeting)
            await writer.drain()
            while not hangs_up and await reader.read(100):
                pass
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@contextmanager
def closed_port() -> Iterator[int]:
    """Keep a port on which nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield unused.getsockname()[1]


def chain_of(error: BaseException | None) -> Iterator[BaseException]:
    """Go through what an error carries along, though no traceback shows it."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


async def refusal(
    url: str, context: ssl.SSLContext | None = None, limit: float = PATIENCE
) -> NangoConnectionError:
    """Fail to connect, in time and without words about the password, and leave nothing."""
    before = asyncio.all_tasks()
    client = Nango(url, timeout=limit, ssl_context=context)
    started = time.monotonic()
    with pytest.raises(NangoConnectionError) as caught:
        await client.connect()
    assert time.monotonic() - started < limit + 3
    error = caught.value
    assert error.result is not None
    assert not error.result.success
    assert error.result.error_msg == error.message
    assert error.hint
    shown = "".join(traceback.format_exception(error)) + repr(error) + error.hint
    shown += repr(client)
    assert all(type(each).__module__.startswith("nango") for each in chain_of(error))
    assert "hunter2" not in shown
    assert "direct cause" not in shown  # no stack of the libraries below
    assert "During handling" not in shown
    await client.close()
    for _ in range(100):
        if asyncio.all_tasks() <= before:
            break
        await asyncio.sleep(0.01)  # what was cancelled ends in its own time
    return error


@pytest.fixture(autouse=True)
def no_password_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Check what is logged meanwhile."""
    caplog.set_level(logging.DEBUG)
    yield
    assert "hunter2" not in caplog.text


async def test_a_host_that_does_not_exist(tidy: None) -> None:
    error = await refusal(f"amqp://{LOGIN}@no-such-host.invalid")
    assert "no-such-host.invalid:5672: there is no host of that name" in error.message
    error = await refusal(f"amqp://{LOGIN}@{'a' * 70}.invalid")
    assert "there is no host of that name" in error.message


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
async def test_a_closed_port(host: str, tidy: None) -> None:
    with closed_port() as port:
        error = await refusal(f"amqp://{LOGIN}@{host}:{port}")
    assert error.message == f"Can't connect to {host}:{port}: nothing listens on that port"
    assert "Start the broker" in error.hint


async def test_a_closed_port_on_several_addresses(
    monkeypatch: pytest.MonkeyPatch, tidy: None
) -> None:
    loop = asyncio.get_running_loop()

    async def both(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        kinds = ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "127.0.0.2"))
        return [(kind, socket.SOCK_STREAM, 6, "", (ip, port)) for kind, ip in kinds]

    monkeypatch.setattr(loop, "getaddrinfo", both)
    with closed_port() as port:
        error = await refusal(f"amqp://{LOGIN}@localhost:{port}")
    assert "nothing listens on that port" in error.message


async def test_a_wrong_password(rabbit: Rabbit, tidy: None) -> None:
    for user in ("guest", "nobody"):
        url = f"amqp://{user}:{quote(PASSWORD, safe='')}@127.0.0.1:{rabbit.port}"
        error = await refusal(url)
        assert f"refused the user '{user}' or the password" in error.message
        assert "percent-encoded" in error.hint


async def test_a_wrong_vhost(rabbit: Rabbit, tidy: None) -> None:
    error = await refusal(rabbit.url(vhost="no/such"))
    assert "no vhost 'no/such'" in error.message
    assert "%2F" in error.hint


@pytest.mark.parametrize("hangs_up", [True, False])
@pytest.mark.parametrize("name", GREETINGS)
async def test_a_port_that_is_not_amqp(name: str, hangs_up: bool, tidy: None) -> None:
    async with stranger(GREETINGS[name], hangs_up=hangs_up) as port:
        error = await refusal(f"amqp://{LOGIN}@127.0.0.1:{port}", limit=LIMIT)
    words = (
        "hung up, or does not speak AMQP",
        "did not answer as an AMQP broker does within 0.5 s",
    )
    assert any(each in error.message for each in words)


async def test_speaking_tls_to_a_port_that_does_not(rabbit: Rabbit, tidy: None) -> None:
    error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{rabbit.port}")
    assert "does not speak TLS on that port" in error.message
    async with stranger(GREETINGS["ssh"], hangs_up=True) as port:
        error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{port}")
    assert "does not speak TLS on that port" in error.message


async def test_not_speaking_tls_to_a_port_that_does(rabbit: Rabbit, tidy: None) -> None:
    error = await refusal(f"amqp://{LOGIN}@127.0.0.1:{rabbit.tls_port}")
    assert "hung up, or does not speak AMQP" in error.message
    assert "amqps://" in error.hint


async def test_a_certificate_that_is_not_trusted(rabbit: Rabbit, tidy: None) -> None:
    error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{rabbit.tls_port}")
    assert "its TLS certificate is not trusted" in error.message
    assert "cafile=" in error.hint


async def test_a_certificate_for_another_host(rabbit: Rabbit, tidy: None) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("other.example").configure_cert(context)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    async with stranger(b"", hangs_up=False, context=context) as port:
        error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{port}", ours)
    assert "not trusted" in error.message
    assert "127.0.0.1" in error.message


@pytest.mark.parametrize("wants", ["certificate", "version"])
async def test_tls_refused(wants: str, tidy: None) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    if wants == "certificate":
        context.verify_mode = ssl.CERT_REQUIRED
    else:
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        ours.maximum_version = ssl.TLSVersion.TLSv1_2
    async with stranger(b"", hangs_up=False, context=context) as port:
        error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{port}", ours)
    assert "TLS" in error.message
    assert "TLS" in error.hint or "certificate" in error.hint


@pytest.mark.parametrize("greeting", [b"", START])
async def test_a_peer_that_says_nothing_over_tls(greeting: bytes, tidy: None) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    ours = ssl.create_default_context()
    authority.configure_trust(ours)
    async with stranger(greeting, hangs_up=False, context=context) as port:
        error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{port}", ours, LIMIT)
    assert "TLS" in error.message or "did not answer as an AMQP broker does" in error.message


@pytest.mark.parametrize(
    "options", ["cafile={0}/none.pem", "cafile={0}", "cafile={0}/junk.pem", "cadata=x"]
)
async def test_certificates_that_can_not_be_read(
    options: str, rabbit: Rabbit, tmp_path: Path, tidy: None
) -> None:
    (tmp_path / "junk.pem").write_text("junk")
    query = options.format(quote(str(tmp_path)))
    error = await refusal(f"amqps://{LOGIN}@127.0.0.1:{rabbit.tls_port}?{query}")
    assert "Can't connect" in error.message


async def test_a_broker_that_stops_answering(rabbit: Rabbit, tidy: None) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.stall()
        error = await refusal(proxy.url(rabbit.url()), limit=LIMIT)
        assert "did not answer as an AMQP broker does within 0.5 s" in error.message
        assert "timeout=SECONDS" in error.hint


async def test_a_connection_cut_at_any_moment_of_connecting(
    rabbit: Rabbit, rabbit_vhost: str, tidy: None
) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.delay = 0.002
        outcomes = set()
        for step in range(40):
            client = Nango(proxy.url(rabbit_vhost), timeout=5)
            connecting = asyncio.create_task(client.connect())
            await asyncio.sleep(step * 0.001)
            proxy.cut()
            try:
                await connecting
                outcomes.add("connected")
            except NangoConnectionError:
                outcomes.add("refused")
            await client.close()
        assert "refused" in outcomes


async def test_tls(rabbit: Rabbit, rabbit_vhost: str, tidy: None) -> None:
    secure = rabbit.url(vhost=rabbit_vhost.rpartition("/")[2], tls=True)
    context = ssl.create_default_context(cafile=str(rabbit.cafile))
    async with serve(rabbit_vhost):
        for client in (
            Nango(f"{secure}?cafile={quote(str(rabbit.cafile))}"),
            Nango(secure, ssl_context=context),
            Nango(secure.replace("amqps:", "amqp:"), ssl_context=context),
            Nango(f"{secure}?no_verify_ssl=1"),
        ):
            async with client:
                assert (await client.trigger_action("i", "echo", 1, [1])).return_value == [1]


async def test_logins_of_all_kinds(rabbit: Rabbit, rabbit_vhost: str, tidy: None) -> None:
    vhost = rabbit_vhost.rpartition("/")[2]
    users = {
        "plain": PASSWORD,
        "us@er:na/me%": "p@ss",
        "ünïcode🎉": "pässwörd🎉",
        "per cent": "%2F%41%",
        "plus+": "a+b c",
        **{f"user-{ord(sign):x}": f"x{sign}y" for sign in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ "},
    }
    add_users(rabbit, users, vhost)
    for user, password in users.items():
        async with Nango(rabbit.url(user, password, vhost)) as client:
            assert client.is_connected
            assert password not in repr(client)


async def test_vhosts_of_all_kinds(rabbit: Rabbit, tidy: None) -> None:
    names = ["a/b", "/a", "a b", "é🎉", "a+b", "a%b", "a?b#c@d", "a:b", "~", "//", "a\\b"]
    add_vhosts(rabbit, *names)
    for name in names:
        client = Nango(rabbit.url(vhost=name))
        async with client, serve(rabbit.url(vhost=name)) as peer:
            await client.trigger_action("i", "echo", 1)
            assert len(peer.received) == 1
    base = f"amqp://guest:guest@127.0.0.1:{rabbit.port}"
    async with Nango(f"{base}/a/b") as client, serve(rabbit.url(vhost="a/b")) as peer:
        await client.trigger_action("i", "echo", 1)
        assert len(peer.received) == 1
    async with serve(rabbit.url(vhost="/")) as peer:
        for path in ("", "/", "/%2F", "/%2f"):
            async with Nango(base + path) as client:
                await client.trigger_action("i", "echo", 1)
        async with Nango("127.0.0.1", rabbit.port) as client:
            await client.trigger_action("i", "echo", 1)
        assert len(peer.received) == 5


async def test_connecting_again_does_nothing(rabbit_vhost: str, tidy: None) -> None:
    client = Nango(rabbit_vhost)
    assert not client.is_open
    await client.connect()
    transport = client._transport
    link = transport._link  # type: ignore[attr-defined]
    await client.connect()
    await asyncio.gather(*(client.connect() for _ in range(10)))
    assert transport._link is link  # type: ignore[attr-defined]
    assert client.is_open
    assert client.is_connected
    await client.close()


async def test_connecting_from_many_tasks_opens_one_connection(
    rabbit: Rabbit, rabbit_vhost: str, tidy: None
) -> None:
    async with Proxy(rabbit.port) as proxy:
        client = Nango(proxy.url(rabbit_vhost))
        await asyncio.gather(*(client.connect() for _ in range(20)))
        assert len(proxy._links) == 1
        await client.close()


async def test_each_of_many_gets_an_error_of_its_own(tidy: None) -> None:
    with closed_port() as port:
        client = Nango("127.0.0.1", port)
        errors = await asyncio.gather(*(client.connect() for _ in range(5)), return_exceptions=True)
    assert all(isinstance(error, NangoConnectionError) for error in errors)
    assert len({id(error) for error in errors}) == 5


async def test_a_failed_connect_can_be_tried_again(rabbit: Rabbit, tidy: None) -> None:
    async with Proxy(rabbit.port) as proxy:
        proxy.refuse()
        client = Nango(proxy.url(rabbit.url()))
        with pytest.raises(NangoConnectionError):
            await client.connect()
        assert not client.is_open
        await proxy.accept()
        await client.connect()
        assert client.is_connected
        await client.close()


@pytest.mark.parametrize("heartbeat", [0, 1, 65535])
async def test_heartbeats_of_all_lengths(heartbeat: int, rabbit_vhost: str, tidy: None) -> None:
    async with serve(rabbit_vhost), Nango(rabbit_vhost, heartbeat=heartbeat) as client:
        assert (await client.trigger_action("i", "echo", 1, [1])).return_value == [1]


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"host": None},
        {"host": "amqp://u:hunter2@x@h"},
        {"host": "http://h"},
        {"port": 0},
        {"port": "5672"},
        {"timeout": 0},
        {"timeout": float("nan")},
        {"heartbeat": -1},
    ],
)
def test_what_can_not_be_used(wrong: dict[str, object]) -> None:
    with pytest.raises(NangoUsageError) as caught:
        Nango(**wrong)  # type: ignore[arg-type]
    assert "hunter2" not in str(caught.value)
