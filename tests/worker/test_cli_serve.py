"""``nango-jupyter init`` and ``serve``: what a newcomer does, and how a server is stopped."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from nango_jupyter import Nango, NangoServerError
from tests.support.serve import Serve

GREETING = {"greeting": "hello, hello, Ada!", "from": "ada"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder made by ``init``."""
    folder = tmp_path / "my integrations"
    command = [sys.executable, "-m", "nango_jupyter", "init", str(folder)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    return folder


async def wait_for(serve: Serve, text: str) -> None:
    for _ in range(300):
        if text in serve.log:
            return
        await asyncio.sleep(0.1)
    raise AssertionError(f"{text!r} is not in the log:\n{serve.log}")


async def test_a_new_folder_is_served_and_changed(rabbit_vhost: str, folder: Path) -> None:
    with Serve(rabbit_vhost, folder) as serve:
        async with Nango(rabbit_vhost, timeout=30) as nango:
            await nango.register_connection("demo", "ada", "any-token")
            words = {"name": "Ada", "times": 2}
            found = await nango.trigger_action("demo", "greet", "ada", words)
            assert found.return_value == GREETING
            with pytest.raises(NangoServerError, match="times: "):
                await nango.trigger_action("demo", "greet", "ada", {"name": "Ada", "times": 99})
            path = folder / "demo" / "greet.action.py"
            source = path.read_text()
            path.write_text(f"{source}\nclass Half(:\n")
            found = await nango.trigger_action("demo", "greet", "ada", words)
            assert found.return_value == GREETING
            await wait_for(serve, "demo/greet.action.py:")
            path.write_text(source.replace("hello", "good day"))
            found = await nango.trigger_action("demo", "greet", "ada", words)
            assert found.return_value["greeting"] == "good day, good day, Ada!"
            await wait_for(serve, "demo/greet.action.py was loaded")
    assert "invalid syntax; the version of " in serve.log
    assert "[demo] [greet] [user-id: ada] [exec ID: #" in serve.log


async def test_connections_are_kept_where_store_says(
    rabbit_vhost: str, folder: Path, tmp_path: Path
) -> None:
    store = ["--store", f"sqlite+aiosqlite:///{tmp_path}/other.sqlite3"]
    with Serve(rabbit_vhost, folder, store) as serve:
        async with Nango(rabbit_vhost, timeout=30) as nango:
            await nango.register_connection("demo", "ada", "any-token")
        assert await asyncio.to_thread(serve.stop) == 0
    assert (tmp_path / "other.sqlite3").exists()
    assert not (folder / ".nango-jupyter").exists()


@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)], ids=["SIGTERM", "SIGINT"]
)
async def test_a_second_signal_ends_it_at_once(
    rabbit_vhost: str, number: signal.Signals, code: int
) -> None:
    with Serve(rabbit_vhost) as serve:
        async with Nango(rabbit_vhost, timeout=30) as nango:
            await nango.register_connection("demo", "ada", "any-token")
            waiting = asyncio.create_task(
                nango.trigger_action("demo", "sleep", "ada", {"seconds": 60})
            )
            await asyncio.sleep(1)
            serve.process.send_signal(number)
            await wait_for(serve, f"{number.name}: finishing what runs, for at most 30 s")
            await wait_for(serve, "waiting for 1 under way")
            assert await asyncio.to_thread(serve.stop, number) == code
            waiting.cancel()
    assert f"{number.name} again: what runs is given up" in serve.log


async def test_grace_is_how_long_it_waits(rabbit_vhost: str) -> None:
    with Serve(rabbit_vhost, options=["--grace", "0.5"]) as serve:
        async with Nango(rabbit_vhost, timeout=30) as nango:
            await nango.register_connection("demo", "ada", "any-token")
            waiting = asyncio.create_task(
                nango.trigger_action("demo", "sleep", "ada", {"seconds": 60})
            )
            await asyncio.sleep(1)
            assert await asyncio.to_thread(serve.stop) == 0
            waiting.cancel()


def test_a_wrong_folder_is_a_list_of_problems(folder: Path) -> None:
    (folder / "demo" / "half.action.py").write_text("\nclass Half(:\n")
    (folder / "integrations.yaml").write_text("demo: {log_level: loud}\n")
    done = subprocess.run(
        [sys.executable, "-m", "nango_jupyter", "serve", str(folder)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.splitlines() == [
        f"Error: The integrations folder {folder} can't be used:",
        "- demo/half.action.py:2: invalid syntax",
        "- integrations.yaml:1: demo.log_level: Input should be 'error', 'warn', 'info', 'http', "
        "'verbose', 'debug' or 'silly'",
    ]
    assert not (folder / ".nango-jupyter").exists()


@pytest.mark.parametrize(
    "store",
    ["postgresql+asyncpg://ada:very-secret@127.0.0.1:1/nango", "nonsense://ada:very-secret@x/y"],
)
def test_a_wrong_store_is_a_message_without_its_password(folder: Path, store: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "nango_jupyter", "serve", str(folder), "--store", store],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The store")
    assert "Traceback" not in done.stderr
    assert "very-secret" not in done.stderr
