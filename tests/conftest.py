"""Fixtures that need a real broker."""

import signal
from collections.abc import Iterator

import pytest

from nango_jupyter import secrets
from tests.support.rabbitmq import Rabbit
from tests.support.vhosts import Vhosts


def pytest_configure() -> None:
    """Treat a terminated test run like Ctrl-C, so that the broker is stopped with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests gave as secrets: it would be masked in this one's texts."""
    monkeypatch.setattr(secrets, "_known", secrets._Known())


@pytest.fixture(scope="session")
def rabbit() -> Iterator[Rabbit]:
    """One private RabbitMQ node for the whole session, with a TLS port."""
    with Rabbit(tls=True) as node:
        yield node


@pytest.fixture(scope="session")
def rabbit_vhosts(rabbit: Rabbit) -> Vhosts:
    """The node's supply of empty virtual hosts."""
    return Vhosts(rabbit)


@pytest.fixture
def rabbit_vhost(rabbit: Rabbit, rabbit_vhosts: Vhosts) -> Iterator[str]:
    """The URL of an empty virtual host, on a node that answers."""
    rabbit.heal()
    name = rabbit_vhosts.take()
    yield rabbit.url(vhost=name)
    rabbit_vhosts.give_back(name)
