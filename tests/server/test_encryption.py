"""Credentials are encrypted where they are kept, and the key can be changed."""

import asyncio
import base64
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from cryptography.fernet import Fernet
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from nango_jupyter.exceptions import NangoConfigError
from nango_jupyter.secrets import redact
from nango_jupyter.server.encryption import Cipher
from nango_jupyter.server.store import ConnectionStore

OLD, NEW, OTHER = (base64.urlsafe_b64encode(bytes([number]) * 32).decode() for number in range(3))
TOKEN = {"access_token": "tell-nobody"}
CONNECTIONS = ".nango-jupyter/connections.sqlite3"


@asynccontextmanager
async def opened(
    folder: Path, key: str | None = None, url: str | None = None
) -> AsyncIterator[ConnectionStore]:
    store = ConnectionStore(url, folder, encryption_key=key)
    await store.open()
    try:
        yield store
    finally:
        await store.close()


async def add(store: ConnectionStore, *users: int) -> None:
    for user in users:
        assert await store.add("demo", user, TOKEN, {"user": user})


async def credentials_of(store: ConnectionStore, *users: int) -> list[dict[str, Any] | None]:
    found = [await store.find("demo", user) for user in users]
    return [one.credentials if one else None for one in found]


async def stored(folder: Path, url: str | None = None) -> list[str]:
    """Return the column as it is in the database."""
    engine = create_async_engine(url or f"sqlite+aiosqlite:///{folder / CONNECTIONS}")
    async with engine.connect() as connection:
        rows = await connection.execute(text("SELECT credentials FROM connections ORDER BY id"))
        found = [str(row.credentials) for row in rows]
    await engine.dispose()
    return found


async def refused(folder: Path, key: str | None) -> NangoConfigError:
    with pytest.raises(NangoConfigError) as caught:
        async with opened(folder, key):
            pass
    return caught.value


@given(credentials=st.dictionaries(st.text(), st.text() | st.integers()))
def test_what_is_encrypted_comes_back(credentials: dict[str, Any]) -> None:
    plain = json.dumps(credentials)
    token = Cipher(OLD).encrypt(plain)
    assert not token.startswith("{")
    assert Cipher(f"{NEW},{OLD}").decrypt(token) == plain
    assert Cipher(OLD).decrypt(plain) == plain
    assert Cipher(None).encrypt(plain) == plain


@pytest.mark.parametrize(
    "keys", ["short", f"{OLD},", f",{OLD}", " ", f"{OLD} {NEW}", "é" * 44, OLD[:-4], f"{OLD},x"]
)
def test_a_malformed_key(keys: str) -> None:
    with pytest.raises(NangoConfigError) as caught:
        Cipher(keys)
    error = caught.value
    assert error.message == "A key in NANGO_ENCRYPTION_KEY is not a Fernet key"
    assert "python -c" in error.hint
    assert OLD not in error.message + error.hint


def test_the_hint_makes_a_key(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(NangoConfigError) as caught:
        Cipher("nonsense")
    exec(caught.value.hint.split('"')[1])
    assert Cipher(capsys.readouterr().out.strip()).has_key


def test_keys_are_secret() -> None:
    cipher = Cipher(f"{NEW} , {OLD}")
    assert cipher.has_key
    assert not Cipher("").has_key
    assert NEW not in repr(cipher)
    assert redact(f"{NEW} {OLD}") == "•••••• ••••••"


async def test_only_credentials_are_encrypted(folder: Path, shared_store_url: str | None) -> None:
    async with opened(folder, OLD, shared_store_url) as store:
        await add(store, 1)
        assert await store.set_credentials("demo", 1, {"access_token": "tell-nobody either"})
        assert await credentials_of(store, 1) == [{"access_token": "tell-nobody either"}]
        [listed] = await store.of_user(1)
        assert listed.additional_config == {"user": 1}
        [token] = await stored(folder, shared_store_url)
    assert Fernet(OLD).decrypt(token) == b'{"access_token":"tell-nobody either"}'
    async with opened(folder, OLD, shared_store_url) as store:
        assert await credentials_of(store, 1) == [{"access_token": "tell-nobody either"}]


async def test_nothing_readable_is_in_the_files(folder: Path) -> None:
    async with opened(folder, OLD) as store:
        await add(store, 1, 2)
        home = (folder / CONNECTIONS).parent
        files = {path.name: path.read_bytes() for path in home.iterdir()}
    assert len(files) == 4
    assert b"user" in files["connections.sqlite3-wal"]
    assert not [name for name, content in files.items() if b"tell-nobody" in content]


async def test_a_store_that_had_no_key(folder: Path) -> None:
    async with opened(folder) as store:
        await add(store, 1, 2)
    async with opened(folder, NEW) as store:
        assert await credentials_of(store, 1, 2) == [TOKEN, TOKEN]
        assert await store.set_credentials("demo", 2, TOKEN)
    first, second = await stored(folder)
    assert json.loads(first) == TOKEN
    assert json.loads(Fernet(NEW).decrypt(second)) == TOKEN


async def test_without_the_key(folder: Path) -> None:
    async with opened(folder) as store:
        await add(store, 1)
    async with opened(folder, OLD) as store:
        await add(store, 2)
    error = await refused(folder, None)
    assert "there is no key" in error.message
    assert "Set NANGO_ENCRYPTION_KEY" in error.hint
    error = await refused(folder, OTHER)
    assert "a key not in NANGO_ENCRYPTION_KEY" in error.message
    assert "the new one first" in error.hint
    async with opened(folder, f"{OTHER},{OLD}") as store:
        assert await credentials_of(store, 1, 2) == [TOKEN, TOKEN]


async def test_each_row_is_checked(folder: Path) -> None:
    async with opened(folder, OLD) as store:
        await add(store, *range(1200))
    async with opened(folder, f"{NEW},{OLD}") as store:
        assert await store.set_credentials("demo", 777, TOKEN)
    assert "a key not in" in (await refused(folder, OLD)).message


async def test_a_key_that_another_server_has(folder: Path) -> None:
    async with opened(folder, OLD) as ours, opened(folder, NEW) as theirs:
        await add(theirs, 1)
        with pytest.raises(NangoConfigError, match="a key not in NANGO_ENCRYPTION_KEY"):
            await ours.find("demo", 1)
        assert len(await ours.of_user(1)) == 1


async def test_a_damaged_row(folder: Path) -> None:
    async with opened(folder, OLD) as store:
        await add(store, 1)
    with closing(sqlite3.connect(folder / CONNECTIONS)) as database, database:
        database.execute("UPDATE connections SET credentials = replace(credentials, 'g', 'h')")
    assert "a key not in" in (await refused(folder, OLD)).message


async def test_a_key_is_rotated(folder: Path, shared_store_url: str | None) -> None:
    url = shared_store_url
    async with opened(folder, None, url) as store:
        await add(store, 1)
    async with opened(folder, OLD, url) as store:
        await add(store, *range(2, 1200))
    async with opened(folder, f"{NEW},{OLD}", url) as store:
        await add(store, 1200)
        [before] = await store.of_user(7)
        assert await store.rotate() == 1199
        assert await store.rotate() == 0
        assert await store.of_user(7) == [before]
    async with opened(folder, NEW, url) as store:
        assert await credentials_of(store, 1, 2, 1200) == [TOKEN] * 3
    assert all(Fernet(NEW).decrypt(token) for token in await stored(folder, url))


async def test_rotating_leaves_nothing_readable(folder: Path) -> None:
    async with opened(folder) as store:
        await add(store, *range(300))
    async with opened(folder, NEW) as store:
        assert await store.set_credentials("demo", 5, {"access_token": "tell-nobody" * 500})
        home = (folder / CONNECTIONS).parent
        assert b"tell-nobody" in (folder / CONNECTIONS).read_bytes()
        await store.rotate()
        left = [path.name for path in home.iterdir() if b"tell-nobody" in path.read_bytes()]
    assert left == []


async def test_rotating_without_a_key(folder: Path) -> None:
    async with opened(folder) as store:
        assert await store.rotate() == 0
        await add(store, 1)
        with pytest.raises(NangoConfigError, match="There is no key to encrypt with"):
            await store.rotate()


async def test_servers_write_while_the_key_is_rotated(
    folder: Path, shared_store_url: str | None
) -> None:
    users = range(300)
    async with opened(folder, OLD, shared_store_url) as store:
        await add(store, *users)
    keys = f"{NEW},{OLD}"
    async with (
        opened(folder, keys, shared_store_url) as rotating,
        opened(folder, keys, shared_store_url) as serving,
    ):

        async def serve() -> None:
            for user in reversed(users):
                assert await serving.set_credentials("demo", user, {"access_token": f"of {user}"})

        renewed, _ = await asyncio.gather(rotating.rotate(), serve())
        assert 0 < renewed < 300
        assert await credentials_of(rotating, *users) == [
            {"access_token": f"of {user}"} for user in users
        ]
    async with opened(folder, NEW, shared_store_url) as store:
        assert await credentials_of(store, 0, 299)
