"""Event loops that come and go, as in a terminal, and ones that nest, as in a notebook."""

import asyncio
import threading
from collections.abc import Iterator

import pytest

from nango_jupyter import Nango, NangoClosedError, NangoUsageError
from tests.client.peer import ignore, serve
from tests.support.program import run_program


@pytest.fixture
def other_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Run a loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    yield loop
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_one_client_in_two_runs(rabbit_vhost: str) -> None:
    client = Nango(rabbit_vhost)

    async def once(number: int) -> None:
        async with serve(rabbit_vhost), client:
            result = await client.trigger_action("i", "echo", 1, number)
            assert result.return_value == number

    for number in range(3):
        asyncio.run(once(number))


async def test_another_loop_is_refused(nango: Nango, other_loop: asyncio.AbstractEventLoop) -> None:
    for call in (nango.connect, lambda: nango.trigger_action("i", "a", 1)):
        elsewhere = asyncio.run_coroutine_threadsafe(call(), other_loop)
        with pytest.raises(NangoUsageError, match="belongs to another event loop"):
            await asyncio.wrap_future(elsewhere)
    assert nango.is_connected


async def test_another_loop_may_close(
    nango: Nango, rabbit_vhost: str, other_loop: asyncio.AbstractEventLoop
) -> None:
    async with serve(rabbit_vhost, ignore) as peer:
        calling = asyncio.create_task(nango.trigger_action("i", "a", 1))
        await peer.arrived.get()
        elsewhere = asyncio.run_coroutine_threadsafe(nango.close(), other_loop)
        await asyncio.wrap_future(elsewhere)
        with pytest.raises(NangoClosedError):
            await calling
    assert not nango.is_connected
    elsewhere = asyncio.run_coroutine_threadsafe(nango.connect(), other_loop)
    await asyncio.wrap_future(elsewhere)
    elsewhere = asyncio.run_coroutine_threadsafe(nango.close(), other_loop)
    await asyncio.wrap_future(elsewhere)


NESTED = """
    import asyncio, sys
    import nest_asyncio2
    from nango_jupyter import Nango, NangoTimeoutError
    from tests.client.peer import echo, hold, ignore, serve

    url = sys.argv[1]

    def run(awaitable):
        return asyncio.get_event_loop().run_until_complete(awaitable)

    async def main():
        nest_asyncio2.apply()
        client = Nango(url)
        async with serve(url):
            run(client.connect())
            for number in range(20):
                result = run(client.trigger_action("i", "echo", 1, number))
                assert result.return_value == number

            async def nested(number):
                await asyncio.sleep(0)
                inner = run(client.trigger_action("i", "echo", 1, number))
                outer = await client.trigger_action("i", "echo", 1, -number)
                return inner.return_value + outer.return_value

            assert run(asyncio.gather(*(nested(number) for number in range(10)))) == [0] * 10
            run(client.close())
            await client.connect()
        async with serve(url, ignore):
            try:
                run(client.trigger_action("i", "a", 1, timeout=0.2))
            except NangoTimeoutError as error:
                assert "1 server reads" in str(error), error
            else:
                raise AssertionError
        run(client.close())

    asyncio.run(main())
    print("fine")
"""

OUTLIVING = """
    import asyncio, sys
    from nango_jupyter import Nango
    from tests.client.peer import serve

    client = Nango(sys.argv[1])

    async def once(number):
        async with serve(sys.argv[1]):
            if number == 0:
                await client.connect()
            result = await client.trigger_action("i", "echo", 1, number)
            assert result.return_value == number

    for number in range(3):
        asyncio.run(once(number))
    asyncio.run(client.close())
    assert not client.is_open
    print("fine")
"""

NO_GOODBYE = """
    import asyncio, sys
    from nango_jupyter import Nango
    from tests.client.peer import ignore, serve

    async def main():
        client = Nango(sys.argv[1])
        await client.connect()
        if sys.argv[2] == "calling":
            asyncio.create_task(client.trigger_action("i", "a", 1))
            await asyncio.sleep(0.1)

    asyncio.run(main())
    print("fine")
"""


def test_nested_loops(rabbit_vhost: str) -> None:
    assert "rror" not in run_program(NESTED, rabbit_vhost)


def test_a_client_that_outlives_its_loop_reconnects(rabbit_vhost: str) -> None:
    assert "transport/amqp.py" not in run_program(OUTLIVING, rabbit_vhost)


@pytest.mark.parametrize("what", ["idle", "calling"])
def test_a_program_that_ends_without_closing(what: str, rabbit_vhost: str) -> None:
    complaints = run_program(NO_GOODBYE, rabbit_vhost, what)
    # aio-pika and aiormq leave things of their own behind; we leave nothing.
    assert "transport/amqp.py" not in complaints
    assert "guest" not in complaints
