"""Fixtures that need a real broker, or a real database."""

import asyncio
import signal
import sys
from collections.abc import Iterator
from uuid import uuid4

import pytest

from nango_jupyter import secrets
from nango_jupyter.samples.rabbitmq import is_open
from tests.support.postgres import Postgres
from tests.support.rabbitmq import Rabbit
from tests.support.vhosts import Vhosts

# jsonschema, which nbformat imports, compiles a grammar of this package's for seconds. It can do
# without: the package is for a format that no notebook has.
sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]

_SLOW = {
    "browser",
    "client",
    "kernel",
    "notebooks",
    "project",
    "reliability",
    "terminal",
    "test_batch.py",
    "widgets",
    "worker",
}


def pytest_configure() -> None:
    """Treat a terminated test run like Ctrl-C, so that the broker is stopped with it."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that take longest, so that no process waits at the end for another."""
    items.sort(key=lambda item: _SLOW.isdisjoint(item.path.parts))


@pytest.fixture(autouse=True)
def own_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests gave as secrets: it would be masked in this one's texts."""
    monkeypatch.setattr(secrets, "_known", secrets._Known())


@pytest.fixture(autouse=True)
def loops_do_not_nest() -> Iterator[None]:
    """Nesting patches asyncio for good: `run_program` is for a test of it."""
    yield
    assert not hasattr(asyncio, "_nest_patched")


@pytest.fixture(scope="session")
def rabbit() -> Iterator[Rabbit]:
    """One private RabbitMQ node for the whole session, with a TLS port."""
    with Rabbit(tls=True) as node:
        yield node
    assert not node.cafile.parent.exists()
    assert not is_open("127.0.0.1", node.port)


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One private PostgreSQL cluster for the whole session."""
    with Postgres() as cluster:
        yield cluster
    assert not cluster.folder.exists()
    assert not is_open("127.0.0.1", cluster.port)


@pytest.fixture
def postgres_url(postgres: Postgres) -> Iterator[str]:
    """The URL of an empty database, on a cluster that answers."""
    postgres.heal()
    name = f"test_{uuid4().hex}"
    postgres.create(name)
    yield postgres.url(name)
    postgres.heal()
    postgres.drop(name)


@pytest.fixture(params=["file", "memory", "postgres"])
def store_url(request: pytest.FixtureRequest) -> str | None:
    """Each of the databases in which the store works, as `ConnectionStore` takes it."""
    if request.param == "postgres":
        return str(request.getfixturevalue("postgres_url"))
    return ":memory:" if request.param == "memory" else None


@pytest.fixture(params=["file", "postgres"])
def shared_store_url(request: pytest.FixtureRequest) -> str | None:
    """Each of the databases that several servers can share."""
    return str(request.getfixturevalue("postgres_url")) if request.param == "postgres" else None
