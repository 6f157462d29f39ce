"""Of several servers, one refreshes a connection's credentials."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from nango_jupyter.server.store import ConnectionStore, StoredConnection


@pytest.fixture
async def stores(
    tmp_path: Path, shared_store_url: str | None
) -> AsyncIterator[list[ConnectionStore]]:
    """Two stores of one database, with user 1 in it."""
    stores = [ConnectionStore(shared_store_url, tmp_path) for _ in range(2)]
    for store in stores:
        await store.open()
    await stores[0].add("demo", 1, {"access_token": "t"}, None)
    yield stores
    for store in stores:
        await store.close()


async def connection_of(store: ConnectionStore) -> StoredConnection:
    found = await store.find("demo", 1)
    assert found
    return found


async def test_one_of_many_claims(stores: list[ConnectionStore]) -> None:
    connection = await connection_of(stores[0])
    for _ in range(10):
        claims = [store.claim_refresh(connection, 30) for store in stores * 5]
        won = await asyncio.gather(*claims)
        assert won.count(True) == 1
        # Only its owner can release it.
        winner = stores[won.index(True) % 2]
        loser = stores[(won.index(True) + 1) % 2]
        await loser.release_refresh(connection)
        assert not await loser.claim_refresh(connection, 30)
        await winner.release_refresh(connection)


async def test_a_claim_ends_by_itself(stores: list[ConnectionStore]) -> None:
    first, second = stores
    connection = await connection_of(first)
    start = time.monotonic()
    assert await first.claim_refresh(connection, 0.5)
    while not await second.claim_refresh(connection, 30):
        assert time.monotonic() - start < 20
        await asyncio.sleep(0.01)
    assert time.monotonic() - start > 0.49
    await first.release_refresh(connection)  # what it claimed has ended: this is the second's
    assert not await first.claim_refresh(connection, 30)


async def test_connections_are_claimed_apart(stores: list[ConnectionStore]) -> None:
    first, second = stores
    await first.add("demo", 2, {"access_token": "t"}, None)
    other = await first.find("demo", 2)
    assert other
    assert await first.claim_refresh(await connection_of(first), 30)
    assert await second.claim_refresh(other, 30)


async def test_in_memory(tmp_path: Path) -> None:
    store = ConnectionStore(":memory:", tmp_path)
    await store.open()
    await store.add("demo", 1, {"access_token": "t"}, None)
    connection = await connection_of(store)
    assert await store.claim_refresh(connection, 30)
    assert not await store.claim_refresh(connection, 30)
    await store.release_refresh(connection)
    assert await store.claim_refresh(connection, 30)
    await store.close()
