"""A connection that was found is remembered, and never served after somebody wrote."""

import asyncio
import sqlite3
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import event

from nango_jupyter.server.recall import FileVersion, Recall
from nango_jupyter.server.store import ConnectionStore

WRITER = """
import asyncio, sys
from pathlib import Path
from nango_jupyter.server.store import ConnectionStore

async def main():
    store = ConnectionStore(sys.argv[2] if len(sys.argv) > 2 else None, Path(sys.argv[1]))
    await store.open()
    for token in sys.stdin:
        await store.set_credentials("demo", 1, {"access_token": token.strip()})
        print("written", flush=True)
    await store.close()

asyncio.run(main())
"""


@asynccontextmanager
async def opened(folder: Path, url: str | None = None) -> AsyncIterator[ConnectionStore]:
    store = ConnectionStore(url, folder)
    await store.open()
    try:
        if await store.find("demo", 1) is None:
            await store.add("demo", 1, {"access_token": "first"}, {"deep": {"a": 1}})
        yield store
    finally:
        await store.close()


async def token_of(store: ConnectionStore, user: int = 1) -> str:
    found = await store.find("demo", user)
    assert found
    return str(found.credentials["access_token"])


def statements_of(store: ConnectionStore) -> list[str]:
    """Return a list that grows with each statement that the database is asked."""
    asked: list[str] = []
    event.listen(
        store._opened().sync_engine,
        "before_cursor_execute",
        lambda *arguments: asked.append(arguments[2]),
    )
    return asked


async def test_the_database_is_asked_once(tmp_path: Path, store_url: str | None) -> None:
    async with opened(tmp_path, store_url) as store:
        asked = statements_of(store)
        found = [await store.find("demo", 1) for _ in range(5)]
        assert found == [found[0]] * 5
        is_remembered = store_url is None or store_url == ":memory:"
        assert len(asked) == (1 if is_remembered else 5)


async def test_a_remembered_connection_is_found_without_waiting(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await token_of(store)
        with pytest.raises(StopIteration):  # the first step ends it
            store.find("demo", 1).send(None)


async def test_own_writes_are_seen(tmp_path: Path, store_url: str | None) -> None:
    async with opened(tmp_path, store_url) as store:
        for number in range(50):
            await store.set_credentials("demo", 1, {"access_token": f"t{number}"})
            assert [await token_of(store), await token_of(store)] == [f"t{number}"] * 2
            await store.set_config("demo", 1, {"number": number})
            found = await store.find("demo", 1)
            assert found
            assert found.additional_config == {"number": number}


async def test_a_second_process_writes(tmp_path: Path, shared_store_url: str | None) -> None:
    url = [shared_store_url] if shared_store_url else []
    async with opened(tmp_path, shared_store_url) as store:
        writer = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", WRITER, str(tmp_path), *url), stdin=PIPE, stdout=PIPE
        )
        assert writer.stdin
        assert writer.stdout
        for number in range(30):
            await token_of(store)  # is in memory now
            writer.stdin.write(b"t%d\n" % number)
            assert await writer.stdout.readline() == b"written\n"
            assert await token_of(store) == f"t{number}"
        writer.stdin.close()
        assert await writer.wait() == 0


async def test_whoever_writes_to_the_file(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await token_of(store)
        path = tmp_path / ".nango-jupyter" / "connections.sqlite3"
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("""UPDATE connections SET credentials = '{"access_token": "by hand"}'""")
            assert await token_of(store) == "first"  # it isn't committed
        assert await token_of(store) == "by hand"
        with closing(sqlite3.connect(path)) as other, other:
            other.execute("DELETE FROM connections")
        assert await store.find("demo", 1) is None


async def test_finds_and_writes_at_once(tmp_path: Path, store_url: str | None) -> None:
    """Whatever was found meanwhile, a find that starts after a write has ended sees it."""
    async with opened(tmp_path, store_url) as store:
        is_over = False

        async def find_always() -> None:
            while not is_over:
                await token_of(store)
                await asyncio.sleep(0)

        finders = [asyncio.create_task(find_always()) for _ in range(5)]
        for number in range(40):
            await store.set_credentials("demo", 1, {"access_token": f"t{number}"})
            assert await token_of(store) == f"t{number}"
        is_over = True
        await asyncio.gather(*finders)


async def test_what_was_found_can_be_changed_in_place(
    tmp_path: Path, store_url: str | None
) -> None:
    async with opened(tmp_path, store_url) as store:
        for _ in range(3):
            found = await store.find("demo", 1)
            assert found
            assert found.additional_config == {"deep": {"a": 1}}
            found.credentials.clear()
            found.additional_config["deep"]["a"] = 2
        assert await token_of(store) == "first"


async def test_users_are_told_apart(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        for user in ("1", 2, "null"):
            await store.add("demo", user, {"access_token": repr(user)}, None)
        for _ in range(2):
            assert await token_of(store) == "first"
            for user in ("1", 2, "null"):
                found = await store.find("demo", user)
                assert found
                assert (found.user_id, found.credentials["access_token"]) == (user, repr(user))


async def test_large_ones_are_not_kept(tmp_path: Path) -> None:
    async with opened(tmp_path) as store:
        await store.set_credentials("demo", 1, {"access_token": "t" * 20_000})
        asked = statements_of(store)
        assert [len(await token_of(store)) for _ in range(3)] == [20_000] * 3
        assert len(asked) == 3


async def test_a_store_that_is_opened_again(tmp_path: Path) -> None:
    store = ConnectionStore(":memory:", tmp_path)
    for _ in range(2):
        await store.open()
        assert await store.find("demo", 1) is None
        await store.add("demo", 1, {"access_token": "first"}, None)
        assert await token_of(store) == "first"
        await store.close()


def test_the_least_used_goes() -> None:
    recall = Recall[str](lambda: 1, most=2)
    assert recall.get("a") is None
    for key in "ab":
        recall.keep(key, key.upper(), recall.version)
    assert recall.get("a") == "A"
    recall.keep("c", "C", recall.version)
    assert [recall.get(key) for key in "abc"] == ["A", None, "C"]


def test_what_a_write_overtook_is_not_kept() -> None:
    versions = count()
    now = next(versions)
    recall = Recall[str](lambda: now)
    assert recall.get("a") is None
    version = recall.version
    now = next(versions)
    assert recall.get("b") is None
    recall.keep("a", "read before the write", version)
    assert recall.get("a") is None


def test_nothing_is_kept_when_it_can_not_be_told() -> None:
    version: int | None = 1
    recall = Recall[str](lambda: version)
    recall.get("a")
    recall.keep("a", "A", recall.version)
    assert recall.get("a") == "A"
    version = None
    assert recall.get("a") is None
    recall.keep("a", "A", recall.version)
    version = 1
    assert recall.get("a") is None


def test_a_locked_or_closed_file_can_not_be_told(tmp_path: Path) -> None:
    path = str(tmp_path / "some.db")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (a)")
        version = FileVersion(path)
        assert version() == version()
        other.execute("BEGIN EXCLUSIVE")  # no log is in use here, so this keeps readers out
        assert version() is None
        other.execute("ROLLBACK")
        assert version() is not None
    version.close()
    assert version() is None
