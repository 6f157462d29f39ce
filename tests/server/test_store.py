"""Where connections are kept."""

import asyncio
import contextlib
import gc
import os
import sqlite3
import stat
import subprocess
import sys
import textwrap
import weakref
from pathlib import Path

import pytest

from nango_jupyter.exceptions import NangoClosedError, NangoConfigError
from nango_jupyter.server import NangoServer
from nango_jupyter.server.store import ConnectionStore
from tests.server.support import ask, register, trigger

TOKEN = {"access_token": "t"}


async def test_connections_are_kept(folder: Path, shared_store_url: str | None) -> None:
    async with NangoServer(folder, store_url=shared_store_url, environ={}) as server:
        await register(server, credentials=TOKEN, additionalConfig={"deep": {"list": [1, "é"]}})
    async with NangoServer(folder, store_url=shared_store_url, environ={}) as server:
        assert (await trigger(server, "demo/echo", 1)).return_value == 1
        found = (await ask(server, "GET_USER_ID_CONNECTIONS", userId="u1")).return_value
        assert found[0]["additionalConfig"] == {"deep": {"list": [1, "é"]}}


async def test_only_the_owner_can_read_the_file(folder: Path) -> None:
    before = os.umask(0)
    try:
        async with NangoServer(folder, environ={}) as server:
            await register(server)
            home = folder / ".nango-jupyter"
            assert stat.S_IMODE(home.stat().st_mode) == 0o700
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in home.iterdir()}
    finally:
        os.umask(before)
    assert (home / ".gitignore").read_text() == "*\n"
    del modes[".gitignore"]
    assert set(modes) == {f"connections.sqlite3{end}" for end in ["", "-wal", "-shm"]}
    assert set(modes.values()) == {0o600}


async def test_memory_leaves_nothing_behind(folder: Path) -> None:
    async with NangoServer(folder, store_url=":memory:", environ={}) as server:
        await register(server)
    assert not (folder / ".nango-jupyter").exists()


async def test_what_was_refused_leaves_memory_at_once(
    tmp_path: Path, store_url: str | None
) -> None:
    store = ConnectionStore(store_url, tmp_path)
    await store.open()
    config = _Config(a=1)
    kept = weakref.ref(config)
    gc.disable()
    try:
        assert await store.add("demo", "u1", TOKEN, None)
        assert not await store.add("demo", "u1", TOKEN, config)
        del config
        await asyncio.sleep(0.1)  # the driver's tasks come to their ends
        assert kept() is None
    finally:
        gc.enable()
        await store.close()


class _Config(dict[str, object]):
    """A dict that can be watched: no others have weak references."""


async def test_each_call(tmp_path: Path, store_url: str | None) -> None:
    store = ConnectionStore(store_url, tmp_path)
    await store.open()
    assert await store.add("demo", "u1", TOKEN, None)
    assert not await store.add("demo", "u1", {"access_token": "other"}, None)
    assert await store.add("keyed", "u1", {"api_key": "k"}, {"a": 1})
    assert await store.add("demo", 1, TOKEN, None)
    found = await store.find("keyed", "u1")
    assert found
    assert (found.credentials, found.additional_config) == ({"api_key": "k"}, {"a": 1})
    assert [one.integration for one in await store.of_user("u1")] == ["demo", "keyed"]
    assert [one.user_id for one in await store.of_integration("demo")] == ["u1", 1]
    assert await store.users("demo", 10) == [1, "u1"]
    assert await store.users("demo", 1) == [1]
    assert await store.users("nothing", 10) == []
    assert await store.set_credentials("demo", "u1", {"access_token": "new"})
    assert await store.set_config("demo", "u1", {"b": 2})
    changed = await store.find("demo", "u1")
    assert changed
    assert (changed.credentials, changed.additional_config) == ({"access_token": "new"}, {"b": 2})
    assert not await store.set_credentials("demo", "1", TOKEN)
    assert not await store.set_config("demo", "1", {})
    assert await store.find("demo", "1") is None
    await store.close()
    with pytest.raises(NangoClosedError, match="The store is closed"):
        await store.find("demo", "u1")


async def test_a_url(folder: Path, tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path}/mine.db"
    async with NangoServer(folder, store_url=url, environ={}) as server:
        await register(server)
    assert stat.S_IMODE((tmp_path / "mine.db").stat().st_mode) == 0o600


async def test_two_servers_at_once_register_one(folder: Path, shared_store_url: str | None) -> None:
    first, second = (NangoServer(folder, store_url=shared_store_url, environ={}) for _ in range(2))
    await asyncio.gather(first.start(), second.start())
    try:
        for user in range(25):
            fields = {"integration": "demo", "userId": user, "credentials": TOKEN}
            found = await asyncio.gather(
                *(ask(one, "REGISTER_CONNECTION", **fields) for one in [first, second] * 3)
            )
            assert [one.success for one in found].count(True) == 1
            assert len({one.error_msg for one in found if not one.success}) == 1
    finally:
        await first.stop()
        await second.stop()


async def test_servers_that_start_on_a_new_file_at_once(folder: Path) -> None:
    for _ in range(10):
        servers = [NangoServer(folder, environ={}) for _ in range(6)]
        await asyncio.gather(*(one.start() for one in servers))
        await asyncio.gather(*(one.stop() for one in servers))
        for path in (folder / ".nango-jupyter").glob("connections*"):
            path.unlink()


VISIT = """
import sqlite3, sys

database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE connections SET additional_config = '{}'")
database.commit()
database.close()
"""


async def test_a_second_server_leaves_the_first_its_locks(folder: Path) -> None:
    """A process that doesn't see them would remove the log that the first still writes to."""
    async with NangoServer(folder, environ={}) as server:
        await register(server)
        async with NangoServer(folder, environ={}):
            pass
        log = folder / ".nango-jupyter" / "connections.sqlite3-wal"
        before = log.stat().st_ino
        visit = await asyncio.to_thread(run, VISIT, str(log.with_name("connections.sqlite3")))
        assert visit.returncode == 0, visit.stderr
        assert log.stat().st_ino == before


RACE = """
import asyncio, json, sys
from nango_jupyter.server import NangoServer

async def main():
    url = sys.argv[2] if len(sys.argv) > 2 else None
    async with NangoServer(sys.argv[1], store_url=url, environ={}) as server:
        print("ready", flush=True)
        sys.stdin.readline()
        won = 0
        for user in range(40):
            body = {"action": "REGISTER_CONNECTION", "integration": "demo", "userId": user}
            body["credentials"] = {"access_token": "t"}
            won += json.loads(await server.handle(json.dumps(body).encode()))["success"]
        print(won)

asyncio.run(main())
"""


def test_two_processes_at_once_register_one(folder: Path, shared_store_url: str | None) -> None:
    url = [shared_store_url] if shared_store_url else []
    started = [
        subprocess.Popen(
            [sys.executable, "-c", RACE, str(folder), *url],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for one in started:
        assert one.stdout
        assert one.stdout.readline() == "ready\n"
    for one in started:
        assert one.stdin
        one.stdin.write("go\n")
        one.stdin.flush()
    assert sum(int(one.communicate()[0]) for one in started) == 40


async def test_a_cancelled_request_loses_nothing(folder: Path, store_url: str | None) -> None:
    async with NangoServer(folder, store_url=store_url, environ={}) as server:
        await register(server)
        for steps in range(25):
            task = asyncio.create_task(trigger(server, "demo/echo", 1))
            for _ in range(steps):
                await asyncio.sleep(0)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            assert (await trigger(server, "demo/echo", 1)).return_value == 1


async def test_stop_during_a_request(folder: Path, store_url: str | None) -> None:
    server = NangoServer(folder, store_url=store_url, environ={})
    await server.start()
    fields = {"integration": "demo", "userId": "u1", "credentials": TOKEN}
    task = asyncio.create_task(ask(server, "REGISTER_CONNECTION", **fields))
    await asyncio.sleep(0)
    await server.stop()
    assert (await task).success in (True, False)


async def test_numbers_that_do_not_fit_a_database(folder: Path, store_url: str | None) -> None:
    async with NangoServer(folder, store_url=store_url, environ={}) as server:
        user = 10**300
        await register(server, user_id=user, credentials=TOKEN, additionalConfig={"n": 2**70})
        found = (await ask(server, "GET_USER_ID_CONNECTIONS", userId=user)).return_value
        assert (found[0]["userId"], found[0]["additionalConfig"]) == (user, {"n": 2**70})


async def refused(folder: Path, url: str | None = None) -> NangoConfigError:
    server = NangoServer(folder, store_url=url, environ={})
    with pytest.raises(NangoConfigError) as caught:
        await server.start()
    await server.stop()
    return caught.value


async def test_a_folder_that_can_not_be_written(folder: Path) -> None:
    (folder / ".nango-jupyter").write_text("in the way")
    error = await refused(folder)
    assert "The store can't be written at" in error.message
    assert error.hint


async def test_urls_that_lead_nowhere(folder: Path, tmp_path: Path) -> None:
    assert "can't be read" in (await refused(folder, "nonsense p4ssw0rd")).message
    error = await refused(folder, f"sqlite:///{tmp_path}/x.db")
    assert error.message == "The store's driver sqlite is not an async one"
    assert not (tmp_path / "x.db").exists()
    for url in ["nosuch+driver://u:p4ssw0rd@h/x", "sqlite+aiosqlite://u:p4ssw0rd@h:x/y"]:
        assert "p4ssw0rd" not in (await refused(folder, url)).message
    error = await refused(folder, f"sqlite+aiosqlite:///{tmp_path}/none/x.db")
    assert "No such file" in error.message


async def test_a_file_that_is_something_else(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("this is not a database, but long enough to look at" * 50)
    error = await refused(folder, f"sqlite+aiosqlite:///{tmp_path}/text.db")
    assert "file is not a database" in error.message
    with contextlib.closing(sqlite3.connect(tmp_path / "other.db")) as other:
        other.execute("CREATE TABLE connections (a)")
    error = await refused(folder, f"sqlite+aiosqlite:///{tmp_path}/other.db")
    assert "no such column" in error.message


def run(code: str, *args: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code), *args],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_an_unclosed_store_lets_the_interpreter_exit(folder: Path) -> None:
    code = """
        import asyncio, sys
        from nango_jupyter.server import NangoServer

        server = NangoServer(sys.argv[1], environ={})
        loop = asyncio.new_event_loop()
        loop.run_until_complete(server.start())
        print("left open")
    """
    done = run(code, str(folder))
    assert (done.returncode, done.stdout) == (0, "left open\n")


def test_stop_leaves_nothing_open(folder: Path) -> None:
    code = """
        import asyncio, gc, sys, threading
        from nango_jupyter.server import NangoServer

        async def main(**options):
            asyncio.get_running_loop().slow_callback_duration = 60  # the machine may be busy
            async with NangoServer(sys.argv[1], environ={}, **options):
                pass

        asyncio.run(main())
        asyncio.run(main(store_url=":memory:"))
        gc.collect()
        print(threading.active_count())
    """
    done = run(code, str(folder), options=("-X", "dev", "-W", "error"))
    assert (done.returncode, done.stdout, done.stderr) == (0, "1\n", "")


def test_on_a_loop_patched_as_in_a_kernel(folder: Path) -> None:
    code = """
        import asyncio, json, sys
        import nest_asyncio2
        from nango_jupyter.server import NangoServer

        async def main():
            loop = asyncio.get_running_loop()
            nest_asyncio2.apply(loop)
            server = NangoServer(sys.argv[1], store_url=":memory:", environ={})
            loop.run_until_complete(server.start())
            body = {"integration": "demo", "userId": 1, "credentials": {"access_token": "t"}}
            found = [{**body, "action": "REGISTER_CONNECTION"}]
            found.append({**body, "action": "TRIGGER_ACTION", "triggeredAction": "echo"})
            for one in found:
                reply = loop.run_until_complete(server.handle(json.dumps(one).encode()))
                print(json.loads(reply)["success"])
            waiting = asyncio.ensure_future(server.handle(json.dumps(found[1]).encode()))
            await asyncio.sleep(0)
            waiting.cancel()
            try:
                loop.run_until_complete(waiting)
            except asyncio.CancelledError:
                print("cancelled")
            loop.run_until_complete(server.stop())

        asyncio.run(main())
    """
    done = run(code, str(folder))
    assert done.stderr == ""
    assert done.stdout == "True\nTrue\ncancelled\n"
