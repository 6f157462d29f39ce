"""The integrations folder while it is in use: what changes in it, and what breaks."""

import asyncio
import logging
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest

from nango_jupyter.exceptions import NangoConfigError, NangoUsageError
from nango_jupyter.server import action, action_files
from nango_jupyter.server.definitions import define
from nango_jupyter.server.folder import IntegrationsFolder
from tests.server.support import write_action, write_file, write_folder

NAMED = """
    from nango_jupyter import action

    @action
    def {name}(ctx):
        '''Do something.'''
"""


def write_named(folder: Path, place: str, name: str) -> Path:
    """Write an action whose function has this name, by which its version is told."""
    return write_file(folder, place, NAMED.format(name=name))


async def name_of(folder: IntegrationsFolder, action: str = "echo") -> str:
    """Return which version of an action is in use."""
    loaded = await folder.action("demo", action)
    assert loaded is not None
    return loaded.definition.name


async def note_of(folder: IntegrationsFolder, action: str = "echo") -> str:
    loaded = await folder.action("demo", action)
    assert loaded is not None
    return loaded.note


def count_modules() -> int:
    return len([name for name in sys.modules if name.startswith("_nango_action")])


async def modules_become(expected: int) -> bool:
    """Wait for the threads that have just run action files: they hold the last of them."""
    for _ in range(100):
        if count_modules() == expected:
            return True
        await asyncio.sleep(0.05)
    return False


@pytest.fixture
def path(tmp_path: Path) -> Path:
    folder = write_folder(tmp_path / "my folder", "demo: {}\n")
    write_named(folder, "demo/echo", "first")
    return folder


@pytest.fixture
async def folder(path: Path) -> AsyncIterator[IntegrationsFolder]:
    found = await IntegrationsFolder.open(path, {})
    yield found
    found.close()


@asynccontextmanager
async def watching(folder: IntegrationsFolder) -> AsyncIterator[None]:
    task = asyncio.create_task(folder.watch())
    await asyncio.sleep(0.3)
    yield
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def said(caplog: pytest.LogCaptureFixture, text: str) -> str:
    """Wait until the log has a message with this text; return all messages."""
    for _ in range(200):
        messages = "\n".join(record.getMessage() for record in caplog.records)
        if text in messages:
            return messages
        await asyncio.sleep(0.05)
    raise AssertionError(f"{text!r} was not logged:\n{messages}")


async def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = write_folder(
        tmp_path / "x", "demo:\n    log_level: loud\nother: {}\n", "\n\nmain_server_log_level: x\n"
    )
    write_file(path, "demo/half", "\nclass Half(:\n")
    write_file(path, "other/none", "")
    write_named(path, "other/fine", "fine")
    (path / "other" / "notes.txt").write_text("not an action")
    (path / "README.md").write_text("no integration")
    before = count_modules()
    with pytest.raises(NangoConfigError) as caught:
        await IntegrationsFolder.open(path, {})
    levels = "Input should be 'error', 'warn', 'info', 'http', 'verbose', 'debug' or 'silly'"
    assert caught.value.message.split("\n- ") == [
        f"The integrations folder {path} can't be used:",
        "demo/half.action.py:2: invalid syntax",
        f"integrations.yaml:2: demo.log_level: {levels}",
        f"nango-config.yaml:3: main_server_log_level: {levels}",
        "other/none.action.py: must define one action, a function with @action or a subclass of "
        "NangoAction; it defines none",
    ]
    assert await modules_become(before)


async def test_a_folder_of_no_integration_is_a_warning(path: Path) -> None:
    write_named(path, "dmo/typo", "typo")
    found = await IntegrationsFolder.examine(path, {})
    assert found.problems == []
    (warning,) = map(str, found.warnings)
    assert warning.startswith("dmo: it holds actions, but integrations.yaml has no integration")
    found.folder.close()


async def test_a_broken_integrations_file_makes_no_folder_a_stray(path: Path) -> None:
    (path / "integrations.yaml").write_text("demo: [")
    found = await IntegrationsFolder.examine(path, {})
    assert [problem.file for problem in found.problems] == ["integrations.yaml"]


async def test_warnings_are_logged(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (path / "integrations.yaml").write_text("demo:\n    colour: red\n")
    (await IntegrationsFolder.open(path, {})).close()
    assert caplog.messages == ["integrations.yaml:2: demo.colour: this key is unknown, and ignored"]


async def test_new_changed_and_deleted_actions(folder: IntegrationsFolder, path: Path) -> None:
    before = count_modules() - 1
    assert await name_of(folder) == "first"
    file = write_named(path, "demo/echo", "second")
    assert await name_of(folder) == "second"
    assert await folder.action("demo", "more") is None
    write_named(path, "demo/more", "more")
    assert await name_of(folder, "more") == "more"
    assert folder.integrations() == {"demo": ["echo", "more"]}
    file.unlink()
    assert await folder.action("demo", "echo") is None
    assert await folder.action("demo", "echo") is None
    write_named(path, "demo/echo", "third")
    assert await name_of(folder) == "third"
    assert await modules_become(before + 2)


async def test_each_of_many_quick_saves_is_seen(folder: IntegrationsFolder, path: Path) -> None:
    for number in range(100, 200):  # all of one size, several within one step of the clock
        write_named(path, "demo/echo", f"version_{number}")
        assert await name_of(folder) == f"version_{number}"


async def test_a_file_with_another_ones_times_is_seen(
    folder: IntegrationsFolder, path: Path
) -> None:
    file = path / "demo" / "echo.action.py"
    os.utime(file, (1_000_000_000, 1_000_000_000))
    assert await name_of(folder) == "first"
    write_named(path, "demo/other", "other")
    os.utime(path / "demo" / "other.action.py", (1_000_000_000, 1_000_000_000))
    (path / "demo" / "other.action.py").replace(file)
    assert await name_of(folder) == "other"


async def test_a_broken_file_keeps_its_last_version(
    folder: IntegrationsFolder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nango_jupyter")
    write_file(path, "demo/echo", "\n\ndef broken(:\n")
    for _ in range(3):
        assert await name_of(folder) == "first"
    note = await note_of(folder)
    assert note.startswith("demo/echo.action.py:3: invalid syntax; the version of ")
    assert note.endswith(" UTC stays in use")
    assert caplog.messages == [note]
    write_file(path, "demo/echo", "raise ValueError('still broken')")
    assert "demo/echo.action.py:1: ValueError: still broken; the ver" in await note_of(folder)
    write_named(path, "demo/echo", "mended")
    assert (await name_of(folder), await note_of(folder)) == ("mended", "")
    assert caplog.messages[2:] == ["demo/echo.action.py was loaded"]


async def test_the_module_of_a_version_in_use_can_be_pickled(
    folder: IntegrationsFolder, path: Path
) -> None:
    write_file(
        path,
        "demo/rich",
        """
        import pickle
        from nango_jupyter import NangoAction

        class Point:
            pass

        class Rich(NangoAction):
            def execute_action(self, input):
                return type(pickle.loads(pickle.dumps(Point()))).__name__
        """,
    )
    loaded = await folder.action("demo", "rich")
    write_file(path, "demo/rich", "1 / 0")
    kept = await folder.action("demo", "rich")
    assert loaded
    assert kept
    runtime: Any = None
    for one in (loaded, kept):
        assert one.definition.call(runtime, None) == "Point"
    write_named(path, "demo/rich", "new")
    assert await name_of(folder, "rich") == "new"
    assert loaded.definition.call(runtime, None) == "Point"  # one that still runs


async def test_a_file_that_never_worked(folder: IntegrationsFolder, path: Path) -> None:
    write_file(path, "demo/never", "import nothing_of_this_name")
    for _ in range(2):
        with pytest.raises(NangoConfigError) as caught:
            await folder.action("demo", "never")
        assert caught.value.message.startswith("demo/never.action.py:1: ModuleNotFoundError")
    assert [one.name for one in await folder.describe()] == ["echo"]


async def test_a_file_runs_once_for_all_who_wait(folder: IntegrationsFolder, path: Path) -> None:
    write_file(
        path,
        "demo/slow",
        """
        import time
        from nango_jupyter import action

        with open(__file__ + ".runs", "a") as runs:
            runs.write("x")
        time.sleep(0.3)

        @action
        def slow(ctx):
            pass
        """,
    )
    tasks = [asyncio.create_task(folder.action("demo", "slow")) for _ in range(5)]
    await asyncio.sleep(0.1)
    tasks[0].cancel()  # the one that began it
    found = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(found[0], asyncio.CancelledError)
    assert len({id(one) for one in found[1:]}) == 1
    assert (path / "demo" / "slow.action.py.runs").read_text() == "x"


async def test_a_file_that_never_ends(
    folder: IntegrationsFolder, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(action_files, "_LONGEST_LOAD", 0.3)
    write_file(path, "demo/endless", "while True: pass")
    with pytest.raises(NangoConfigError, match=r"endless.action.py: it still ran after 0.3 s"):
        await folder.action("demo", "endless")
    assert await name_of(folder) == "first"


async def test_who_asks_while_a_file_is_loaded_waits_for_it(
    folder: IntegrationsFolder, path: Path
) -> None:
    slow = "import time\ntime.sleep(0.5)\n"
    write_file(path, "demo/new", slow + dedent(NAMED.format(name="new")))
    first = asyncio.create_task(name_of(folder, "new"))
    await asyncio.sleep(0.1)
    assert await name_of(folder, "new") == "new"
    assert await first == "new"
    write_file(path, "demo/new", slow + dedent(NAMED.format(name="newer")))
    first = asyncio.create_task(name_of(folder, "new"))
    await asyncio.sleep(0.1)
    assert await name_of(folder, "new") == "newer"
    assert await first == "newer"


async def test_a_link_to_the_folder_may_come_to_lead_elsewhere(path: Path, tmp_path: Path) -> None:
    other = write_folder(tmp_path / "second", "demo: {}\nmore: {}\n")
    write_named(other, "demo/echo", "second")
    link = tmp_path / "current"
    link.symlink_to(path)
    folder = await IntegrationsFolder.open(link, {})
    assert await name_of(folder) == "first"
    (tmp_path / "next").symlink_to(other)
    (tmp_path / "next").rename(link)
    await folder.look()
    assert sorted(folder.integrations()) == ["demo", "more"]
    assert await name_of(folder) == "second"
    folder.close()


async def test_a_pipe_in_the_place_of_a_file_is_a_problem(path: Path) -> None:
    (path / "integrations.yaml").unlink()
    os.mkfifo(path / "integrations.yaml")
    found = await IntegrationsFolder.examine(path, {})
    assert [str(one) for one in found.problems] == ["integrations.yaml: it is not a file"]
    found.folder.close()


async def test_an_editors_files_are_no_actions(
    folder: IntegrationsFolder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nango_jupyter")
    async with watching(folder):
        (path / "demo" / ".#echo.action.py").symlink_to("ada@host.1")
        write_file(path, "demo/._echo", "not Python (")
        (path / "demo" / "echo.action.py~").write_text("(")
        (path / "demo" / ".echo.action.py.swp").write_text("(")
        (path / ".nango-jupyter").mkdir()
        write_file(path, ".nango-jupyter/x", "(")
        write_file(path, "demo/__pycache__/x", "(")
        await asyncio.sleep(0.5)
    assert caplog.messages == []
    assert folder.integrations() == {"demo": ["echo"]}
    assert await folder.action("demo", "._echo") is None
    assert (await IntegrationsFolder.examine(path, {})).problems == []


async def test_a_named_pipe_in_an_actions_place(folder: IntegrationsFolder, path: Path) -> None:
    (path / "demo" / "echo.action.py").unlink()
    os.mkfifo(path / "demo" / "echo.action.py")
    assert await asyncio.wait_for(folder.action("demo", "echo"), 5) is None
    assert await asyncio.wait_for(folder.action("demo", "echo"), 5) is None


async def test_a_link_that_comes_to_lead_out(folder: IntegrationsFolder, path: Path) -> None:
    outside = write_named(path.parent, "outside/steal", "stolen")
    file = path / "demo" / "echo.action.py"
    assert await name_of(folder) == "first"
    file.unlink()
    file.symlink_to(outside)
    assert await folder.action("demo", "echo") is None
    write_named(path, "demo/inside", "inside")
    file.unlink()
    file.symlink_to("inside.action.py")
    assert await name_of(folder) == "inside"


async def test_a_folder_that_can_not_be_watched(
    folder: IntegrationsFolder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    shutil.rmtree(path)
    await asyncio.wait_for(folder.watch(), 10)
    (message,) = caplog.messages
    assert message.startswith(f"{path} can't be watched: changes are seen when they are used (")


async def test_integrations_come_change_and_go(
    folder: IntegrationsFolder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nango_jupyter")
    before = folder.config
    await folder.look()
    assert folder.config is before
    write_folder(path, "demo: {log_level: debug}\nnew: {}\n")
    await folder.look()
    assert folder.config.integrations["demo"].log_level == logging.DEBUG
    assert folder.integrations() == {"demo": ["echo"], "new": []}
    write_folder(path, "new: {}\n")
    await folder.look()
    assert list(folder.config.integrations) == ["new"]
    write_folder(path, "new: {}\n", "default_action_log_level: error\n")  # a file that is new
    await folder.look()
    assert folder.config.integrations["new"].log_level == logging.ERROR
    (path / "nango-config.yaml").unlink()
    await folder.look()
    assert folder.config.integrations["new"].log_level == logging.INFO
    assert caplog.messages == [
        "the integrations were read: new: new; changed: demo",
        "the integrations were read: gone: demo",
        "the integrations were read: changed: new",
        "the integrations were read: changed: new",
    ]


async def test_a_broken_yaml_file_keeps_the_last_version(
    folder: IntegrationsFolder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nango_jupyter")
    before = folder.config
    write_folder(path, "demo: {a\n", "main_server_log_level: loud\n")
    for _ in range(3):
        await folder.look()
    assert folder.config is before
    (note,) = folder.notes("demo")
    assert note.startswith("integrations.yaml:2: expected ',' or '}', but got")
    assert " (and 1 more); the version of " in note
    assert caplog.messages == [note]
    write_folder(path, "demo: {}\n", "main_server_log_level: info\n")
    await folder.look()
    assert folder.notes("demo") == []


async def test_the_folder_goes_away(folder: IntegrationsFolder, path: Path) -> None:
    gone = path.with_name("elsewhere")
    shutil.move(path, gone)
    await folder.look()
    assert folder.notes("demo")[0].startswith("integrations.yaml: There is no integrations folder")
    assert folder.integrations() == {"demo": []}
    shutil.move(gone, path)
    await folder.look()
    assert folder.notes("demo") == []
    assert await name_of(folder) == "first"


async def test_the_log_tells_at_once_what_changed(
    folder: IntegrationsFolder, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "nango_jupyter")
    async with watching(folder):
        write_file(path, "demo/echo", "def broken(:\n")
        await said(caplog, "demo/echo.action.py:1: invalid syntax; the version of ")
        (path / "demo" / "echo.action.py").unlink()
        await said(caplog, "demo/echo.action.py is gone")
        write_named(path, "new/ping", "ping")
        write_folder(path, "demo: {}\nnew: {}\n")
        await said(caplog, "new/ping.action.py was loaded")
        write_file(path, "new/never", "def broken(:\n")
        await said(caplog, "new/never.action.py:1: invalid syntax")
        write_folder(path, "demo: {}\nnew: [}\n")
        messages = await said(caplog, "integrations.yaml:2: ")
    assert messages.count("\n") == 5
    assert await folder.action("demo", "echo") is None


async def test_an_action_from_a_notebook(folder: IntegrationsFolder) -> None:
    @action
    async def defined(ctx: Any) -> None:
        """Be defined."""

    @action
    async def again(ctx: Any) -> None:
        pass

    assert folder.define("demo", "echo", define(defined, "x")) is False
    assert (await name_of(folder), folder.names("demo")) == ("defined", ["echo"])
    assert folder.define("demo", "echo", define(again, "x")) is False
    assert await name_of(folder) == "again"
    assert folder.define("demo", "other", define(again, "x")) is False
    assert folder.integrations() == {"demo": ["echo", "other"]}


async def test_an_integration_from_a_notebook(folder: IntegrationsFolder, path: Path) -> None:
    @action
    async def ping(ctx: Any) -> None:
        pass

    made = define(ping, "x")
    (path / "nango-config.yaml").write_text("default_execution_timeout_seconds: 7\n")
    await folder.look()
    assert folder.define("api", "ping", made) is True
    assert folder.define("api", "ping", made, "https://api.example.com") is False
    found = folder.config.integrations["api"]
    assert (found.base_url, found.auth_mode) == ("https://api.example.com", "OAUTH2")
    assert found.headers == {"Authorization": "Bearer ${access_token}"}
    assert found.execution_timeout == 7
    (path / "integrations.yaml").write_text("demo: {")
    await folder.look()
    assert folder.notes("api") == []
    (path / "integrations.yaml").write_text("api: {base_url: http://localhost:1}\n")
    await folder.look()
    assert folder.integrations() == {"api": ["ping"]}
    assert folder.config.integrations["api"].base_url == "http://localhost:1"


@pytest.mark.parametrize(
    ("integration", "name", "url", "message"),
    [
        ("../x", "ping", None, "'../x' can't be a name"),
        ("demo", "a/b", None, "'a/b' can't be a name"),
        ("demo", ".ping", None, r"'.ping' can't be a name"),
        ("", "ping", None, "'' can't be a name"),
        ("api", "ping", "api.example.com", "base_url: it is not a URL such as https://"),
    ],
)
async def test_a_definition_that_can_not_be(
    folder: IntegrationsFolder, integration: str, name: str, url: str | None, message: str
) -> None:
    @action
    async def ping(ctx: Any) -> None:
        pass

    with pytest.raises(NangoUsageError, match=message):
        folder.define(integration, name, define(ping, "x"), url)
    assert folder.integrations() == {"demo": ["echo"]}


async def test_what_there_is_to_say_of_actions(folder: IntegrationsFolder, path: Path) -> None:
    write_action(path, "demo/class", "return input")
    found = await folder.describe()
    assert [(one.name, one.description, one.input_schema is None) for one in found] == [
        ("class", "", True),
        ("echo", "Do something.", False),
    ]


async def test_closing_leaves_nothing_behind(path: Path) -> None:
    before = count_modules()
    folder = await IntegrationsFolder.open(path, {})
    write_file(path, "demo/slow", "import time\nwhile True: time.sleep(0.01)\n")
    task = asyncio.create_task(folder.action("demo", "slow"))
    await asyncio.sleep(0.2)
    folder.close()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert await modules_become(before)
