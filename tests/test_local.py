"""`LocalServer`: the embedded server from Python."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from nango_jupyter import (
    LocalServer,
    NangoClosedError,
    NangoConfigError,
    NangoServerError,
    NangoTimeoutError,
    NangoUsageError,
)


async def test_the_samples() -> None:
    async with LocalServer() as server:
        assert server.integrations() == {
            "billing": ["get-invoice", "list-invoices", "send-reminder"],
            "chat": ["list-channels", "list-messages", "post-message"],
            "crm": ["add-note", "get-contact", "list-contacts", "list-deals"],
            "demo": ["echo", "fail", "sleep", "whoami"],
        }
        nango = server.client()
        await nango.connect()  # does nothing: it is open
        await nango.register_connection("demo", 1, "any-token", {"team": "blue"})
        who = (await nango.trigger_action("demo", "whoami", 1)).return_value
        assert who["userId"] == 1
        assert who["additionalConfig"] == {"team": "blue"}
        assert "any-token" not in str(who)
        with pytest.raises(NangoServerError, match="boom"):
            await nango.trigger_action("demo", "fail", 1, {"message": "boom"})
        with pytest.raises(NangoServerError, match="no connection exists"):
            await nango.trigger_action("demo", "echo", "1")
    with pytest.raises(NangoClosedError):
        await nango.trigger_action("demo", "echo", 1)
    with pytest.raises(NangoUsageError, match="not running"):
        server.client()


async def test_connections_stay_in_the_folder(tmp_path: Path) -> None:
    (tmp_path / "integrations.yaml").write_text("chat:\n  auth: {auth_mode: API_KEY}\n")
    async with LocalServer(tmp_path) as server:
        await server.client().register_connection("chat", "ada", credentials={"api_key": "key-1"})
    async with LocalServer(str(tmp_path)) as server:
        found = await server.client().get_connections_for_integration("chat")
        assert [connection.user_id for connection in found.return_value] == ["ada"]


async def test_a_time_limit_stops_the_action() -> None:
    async with LocalServer() as server, server.client(timeout=0.2) as nango:
        await nango.register_connection("demo", "ada", "any-token")
        with pytest.raises(NangoTimeoutError, match=r"within 0\.2 s"):
            await nango.trigger_action("demo", "sleep", "ada", {"seconds": 30})
        assert (await nango.trigger_action("demo", "echo", "ada", 1, timeout=5)).return_value == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_closing_ends_what_is_under_way() -> None:
    async with LocalServer() as server:
        nango = server.client()
        await nango.register_connection("demo", "ada", "any-token")
        waits = [
            asyncio.create_task(nango.trigger_action("demo", "sleep", "ada", {"seconds": 30}))
            for _ in range(3)
        ]
        await asyncio.sleep(0.1)
        await nango.close()
        for wait in waits:
            with pytest.raises(NangoClosedError):
                await wait


async def test_a_folder_that_can_not_be_used(tmp_path: Path) -> None:
    (tmp_path / "integrations.yaml").write_text("chat: [")
    with pytest.raises(NangoConfigError, match=r"integrations\.yaml"):
        await LocalServer(tmp_path).start()


def test_without_the_extra_it_says_what_to_install() -> None:
    code = (
        "import asyncio, sys\n"
        "sys.modules['sqlalchemy'] = None\n"
        "from nango_jupyter import LocalServer\n"
        "asyncio.run(LocalServer().start())\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=60
    )
    assert 'pip install "nango-jupyter[local]"' in done.stderr


async def test_another_loop_is_refused_and_harms_nothing() -> None:
    async with LocalServer() as server:
        nango = server.client()
        await nango.register_connection("demo", "ada", "any-token")
        call = nango.trigger_action("demo", "echo", "ada", 1)
        with pytest.raises(NangoUsageError, match="another event loop"):
            await asyncio.to_thread(asyncio.run, call)
        assert (await nango.trigger_action("demo", "echo", "ada", 2)).return_value == 2
