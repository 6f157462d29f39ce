"""Several servers on a PostgreSQL."""

import asyncio
import json
import logging
import random
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from nango_jupyter.exceptions import NangoConfigError, NangoError
from nango_jupyter.server import NangoServer
from nango_jupyter.server.store import ConnectionStore
from tests.reliability.bodies import MUTATED
from tests.server.support import ask, register, trigger
from tests.server.test_junk import Asker
from tests.support.postgres import Postgres

TOKEN = {"access_token": "t"}


@pytest.fixture
async def store(postgres_url: str, tmp_path: Path) -> AsyncIterator[ConnectionStore]:
    store = ConnectionStore(postgres_url, tmp_path)
    await store.open()
    yield store
    await store.close()


async def refused(url: str, folder: Path) -> NangoConfigError:
    with pytest.raises(NangoConfigError) as caught:
        await ConnectionStore(url, folder).open()
    assert caught.value.hint
    return caught.value


async def test_a_wrong_password(postgres: Postgres, tmp_path: Path) -> None:
    error = await refused(postgres.url("postgres", password="p4ssw0rd"), tmp_path)
    assert 'password authentication failed for user "nango"' in error.message
    assert "do user and password fit" in error.hint
    assert "p4ssw0rd" not in error.message + error.hint


async def test_a_missing_database(postgres: Postgres, tmp_path: Path) -> None:
    error = await refused(postgres.url("nowhere"), tmp_path)
    assert 'database "nowhere" does not exist' in error.message
    assert postgres.password not in error.message


async def test_an_unreachable_host(postgres: Postgres, tmp_path: Path) -> None:
    error = await refused(postgres.url("postgres", password="p4ssw0rd", port=1), tmp_path)
    assert "Connect call failed" in error.message
    assert "p4ssw0rd" not in error.message
    url = "postgresql+asyncpg://nango:p4ssw0rd@no-such-host.invalid/postgres"
    error = await refused(url, tmp_path)
    assert "no-such-host.invalid" in error.message
    assert "p4ssw0rd" not in error.message


async def test_a_host_that_never_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("nango_jupyter.server.database._CONNECT_SECONDS", 0.2)
    leave = asyncio.Event()

    async def be_silent(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await leave.wait()
        writer.close()

    async with await asyncio.start_server(be_silent, "127.0.0.1", 0) as silent:
        port = silent.sockets[0].getsockname()[1]
        error = await refused(f"postgresql+asyncpg://u:p4ssw0rd@127.0.0.1:{port}/x", tmp_path)
        leave.set()
    assert "didn't answer in time" in error.message


@pytest.mark.parametrize("options", ["nonsense=1", "ssl=nonsense", "timeout=nonsense&x=y"])
async def test_wrong_options(postgres_url: str, options: str, tmp_path: Path) -> None:
    error = await refused(f"{postgres_url}?{options}", tmp_path)
    assert "can't be opened" in error.message


async def test_a_password_in_the_options(postgres: Postgres, tmp_path: Path) -> None:
    url = f"postgresql+asyncpg://127.0.0.1:{postgres.port}/postgres?user=nango&password=p4ssw0rd"
    error = await refused(url, tmp_path)
    assert "password authentication failed" in error.message
    assert "p4ssw0rd" not in error.message


async def test_a_driver_that_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    error = await refused("postgresql+asyncpg://u:p4ssw0rd@h/x", tmp_path)
    assert 'pip install "nango-jupyter[postgres]"' in error.hint
    assert "p4ssw0rd" not in error.message + error.hint


async def test_a_driver_that_is_not_async(tmp_path: Path) -> None:
    error = await refused("postgresql://u:p4ssw0rd@h/x", tmp_path)
    assert "is not an async one" in error.message
    assert "postgresql+asyncpg://" in error.hint


async def test_a_table_that_is_something_else(postgres_url: str, tmp_path: Path) -> None:
    engine = create_async_engine(postgres_url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE connections (a text)"))
    await engine.dispose()
    error = await refused(postgres_url, tmp_path)
    assert "column connections.id does not exist" in error.message


async def test_servers_that_start_on_a_new_database_at_once(
    postgres: Postgres, postgres_url: str, tmp_path: Path
) -> None:
    for number in range(3):
        name = f"new_{number}"
        postgres.create(name)
        stores = [ConnectionStore(postgres.url(name), tmp_path) for _ in range(12)]
        await asyncio.gather(*(one.open() for one in stores))
        assert await stores[0].add("demo", 1, TOKEN, None)
        assert all(await asyncio.gather(*(one.find("demo", 1) for one in stores)))
        await asyncio.gather(*(one.close() for one in stores))
        postgres.drop(name)


async def test_many_register_at_once(postgres_url: str, tmp_path: Path) -> None:
    stores = [ConnectionStore(postgres_url, tmp_path) for _ in range(2)]
    for store in stores:
        await store.open()
    for user in range(4):
        added = await asyncio.gather(
            *(
                store.add("demo", user, {"access_token": f"{number}"}, None)
                for number in range(20)
                for store in stores
            )
        )
        assert added.count(True) == 1
        assert len(await stores[0].of_user(user)) == 1
        found = await stores[1].find("demo", user)
        assert found
        assert found.credentials == {"access_token": f"{added.index(True) // 2}"}
    for store in stores:
        await store.close()


async def test_a_restart_of_the_database_goes_unnoticed(
    postgres: Postgres, store: ConnectionStore
) -> None:
    await store.add("demo", 1, TOKEN, None)
    await asyncio.gather(*(store.find("demo", 1) for _ in range(10)))  # a pool of connections
    postgres.kill()
    postgres.start()
    assert all(await asyncio.gather(*(store.find("demo", 1) for _ in range(10))))


async def test_a_database_that_is_away(
    postgres: Postgres, postgres_url: str, folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with NangoServer(folder, store_url=postgres_url, environ={}) as server:
        await register(server)
        postgres.kill()
        with caplog.at_level(logging.ERROR):
            result = await trigger(server, "demo/echo", 1)
        assert not result.success
        assert str(result.error_msg).startswith("The store failed: ")
        assert [record.getMessage() for record in caplog.records] == [result.error_msg]
        postgres.start()
        assert (await trigger(server, "demo/echo", 1)).return_value == 1


async def test_a_database_that_goes_away_during_requests(
    postgres: Postgres, store: ConnectionStore
) -> None:
    await store.add("demo", 1, TOKEN, None)
    asking = [asyncio.create_task(store.find("demo", 1)) for _ in range(200)]
    await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
    postgres.kill()
    for found in await asyncio.gather(*asking, return_exceptions=True):
        assert found is not None
        assert not isinstance(found, BaseException) or isinstance(found, NangoError)
    postgres.start()
    assert await store.find("demo", 1)


async def test_stop_without_the_database(
    postgres: Postgres, postgres_url: str, folder: Path
) -> None:
    server = NangoServer(folder, store_url=postgres_url, environ={})
    await server.start()
    await register(server)
    postgres.kill()
    await server.stop()


LONG = "".join(random.Random(1).choices("abcdefghijklmnopqrstuvwxyz0123456789", k=90_000))


@pytest.mark.parametrize("user", ["u" * 90_000, LONG, "a\0b", "\U0001f600", 10**300, -1])
async def test_odd_users(postgres_url: str, folder: Path, user: str | int) -> None:
    async with NangoServer(folder, store_url=postgres_url, environ={}) as server:
        fields: dict[str, Any] = {"integration": "demo", "userId": user}
        added = await ask(server, "REGISTER_CONNECTION", **fields, credentials=TOKEN)
        found = await trigger(server, "demo/echo", 1, user_id=user)
        if len(str(user)) < 1000:
            assert added.success
        assert found.success == added.success
        assert added.success or "index row requires" in str(added.error_msg)
        listed = await ask(server, "GET_USER_ID_CONNECTIONS", userId=user)
        assert len(listed.return_value) == added.success


async def test_an_integration_that_the_database_can_not_hold(
    postgres_url: str, folder: Path
) -> None:
    async with NangoServer(folder, store_url=postgres_url, environ={}) as server:
        await register(server)
        for kind in ("TRIGGER_ACTION", "GET_INTEGRATION_CONNECTIONS"):
            fields = {"integration": "de\0mo", "userId": "u1", "triggeredAction": "echo"}
            result = await ask(server, kind, **fields)
            assert not result.success
            assert "invalid byte sequence" in str(result.error_msg)
        config = {"deep": "\0", "n": 2**70}
        fields = {"integration": "demo", "userId": "u1"}
        assert (
            await ask(server, "UPDATE_CONNECTION_CONFIG", **fields, additionalConfig=config)
        ).success
        [found] = (await ask(server, "GET_USER_ID_CONNECTIONS", userId="u1")).return_value
        assert found["additionalConfig"] == config


def test_mutated_messages(postgres_url: str, folder: Path) -> None:
    with asyncio.Runner() as runner:
        asker = Asker(folder, runner)
        asker.server = NangoServer(folder, store_url=postgres_url, environ={})
        runner.run(asker.server.start())

        @settings(
            max_examples=100,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
            database=None,
        )
        @given(message=MUTATED)
        def send(message: dict[str, Any]) -> None:
            asker.ask(json.dumps(message).encode())

        send()
        runner.run(asker.server.stop())
