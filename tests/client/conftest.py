"""Clients of a broker, with nothing left behind."""

import asyncio
import gc
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nango_jupyter import Nango
from tests.support.proxy import Proxy
from tests.support.rabbitmq import Rabbit


@pytest.fixture
async def tidy() -> AsyncIterator[None]:
    """Fail if the event loop complained: of an exception that nobody took, say."""
    complaints: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    yield
    gc.collect(1)  # what this test made; all would take ten times as long
    await asyncio.sleep(0)
    # Python 3.11 and 3.12 complain when the proxy cancels what it forwards; that is the proxy's.
    ours = [each for each in complaints if "StreamReaderProtocol" not in each["message"]]
    assert not ours


@pytest.fixture
async def nango(rabbit_vhost: str, tidy: None) -> AsyncIterator[Nango]:
    """A connected client of an empty virtual host."""
    async with Nango(rabbit_vhost, timeout=10) as client:
        yield client


@pytest.fixture
async def proxy(rabbit: Rabbit, rabbit_vhost: str) -> AsyncIterator[Proxy]:
    """A proxy in front of the broker."""
    async with Proxy(rabbit.port) as running:
        yield running


@pytest.fixture
async def distant(proxy: Proxy, rabbit_vhost: str, tidy: None) -> AsyncIterator[Nango]:
    """A client connected through the proxy."""
    async with Nango(proxy.url(rabbit_vhost), timeout=10) as client:
        yield client
