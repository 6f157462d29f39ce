"""Running actions: what they return, what they raise, and how their files are loaded."""

import asyncio
import json
import os
import pickle
import sys
import time
from pathlib import Path

import pytest

from nango_jupyter.server import ActionConnection, NangoServer
from tests.server.support import error_of, register, trigger, write_action, write_file

PREFIX = "There was an error during the action execution: "

RAISED = [
    ("ValueError('x')", "x - ValueError\n"),
    ("ValueError()", "ValueError - ValueError\n"),
    ("SystemExit(3)", "3 - SystemExit\n"),
    ("KeyboardInterrupt()", "KeyboardInterrupt - KeyboardInterrupt\n"),
    ("GeneratorExit()", "GeneratorExit - GeneratorExit\n"),
    ("asyncio.CancelledError()", "CancelledError - CancelledError\n"),
    ("MemoryError()", "MemoryError - MemoryError\n"),
    ("StopIteration(1)", "coroutine raised StopIteration - RuntimeError"),
    (
        "ExceptionGroup('two', [ValueError('a'), ExceptionGroup('in', [KeyError('b')])])",
        "two (2 sub-exceptions): ValueError: a; ExceptionGroup: in (1 sub-exception): "
        "KeyError: 'b' - ExceptionGroup\n",
    ),
    ("BaseExceptionGroup('one', [SystemExit(1)])", "one (1 sub-exception): SystemExit: 1 - "),
    (
        "type('Mute', (Exception,), {'__str__': lambda self: 1 / 0})()",
        "Mute, which has no message that can be shown - Mute\n",
    ),
    ("ValueError('half \\ud800')", "half \\ud800 - ValueError\n"),
    ("ValueError('long' * 9999)", "longlong"),
    ("'not an exception'", "exceptions must derive from BaseException - TypeError\n"),
]


@pytest.mark.parametrize(("raised", "said"), RAISED)
@pytest.mark.parametrize("head", ["async def", "def"])
async def test_whatever_is_raised_is_answered(
    server: NangoServer, folder: Path, raised: str, said: str, head: str
) -> None:
    write_action(folder, "demo/raise", f"import asyncio\nraise {raised}", head=head)
    error = await error_of(server, "demo/raise")
    assert error.startswith(PREFIX + said)
    assert len(error) < 11_000
    assert (await trigger(server, "demo/echo", 1)).return_value == 1


async def test_the_stack_names_only_action_files(server: NangoServer, folder: Path) -> None:
    write_file(
        folder,
        "demo/deep",
        """
        import json
        from nango_jupyter import NangoAction

        class Deep(NangoAction):
            async def execute_action(self, input):
                return self.helper()

            def helper(self):
                return json.loads("nonsense")
        """,
    )
    error = await error_of(server, "demo/deep")
    assert error == PREFIX + (
        "Expecting value: line 1 column 1 (char 0) - JSONDecodeError\n"
        "    at Deep.helper (demo/deep.action.py:10)\n"
        "    at Deep.execute_action (demo/deep.action.py:7)"
    )


async def test_endless_recursion(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/deep", "return await self.execute_action(input)")
    error = await error_of(server, "demo/deep")
    assert "RecursionError" in error
    assert error.count("\n") == 10


UNFIT = [
    (
        "{'rows': [1, 2, 3, {'when': datetime.datetime(2026, 1, 1)}]}",
        "return value.rows[3].when is a datetime.datetime, which JSON can't hold - Turn it into",
    ),
    ("float('nan')", "return value is nan, which JSON has no word for"),
    ("{1: 2}", "return value has the key 1 of type int"),
    ("{'a': '\\ud800'}", "return value.a holds a lone surrogate"),
    ("b'bytes'", "return value is a bytes"),
    ("self", "return value is a "),
    ("(yes for yes in [1])", "return value is a generator"),
    ("10 ** 5000", "return value has more digits than Python writes"),
    ("self.get_current_connection()", "ActionConnection, which JSON can't hold"),
    ("type('D', (dict,), {'items': lambda self: sys.exit(1)})({'a': 1})", "1 - SystemExit"),
]


@pytest.mark.parametrize(("value", "said"), UNFIT)
async def test_a_result_that_is_not_json(
    server: NangoServer, folder: Path, value: str, said: str
) -> None:
    write_action(folder, "demo/odd", f"import datetime, sys\nreturn {value}")
    assert said in await error_of(server, "demo/odd")


async def test_results_that_contain_themselves_or_are_too_deep(
    server: NangoServer, folder: Path
) -> None:
    write_action(folder, "demo/own", "a = []\na.append(a)\nreturn a")
    assert "return value[0] contains itself" in await error_of(server, "demo/own")
    write_action(folder, "demo/deep", "a = []\nfor _ in range(99999): a = [a]\nreturn a")
    assert "nested too deeply" in await error_of(server, "demo/deep")


async def test_a_plain_function_runs_in_a_thread(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/block", "import time\ntime.sleep(1)\nreturn input", head="def")
    start = time.monotonic()
    found = await asyncio.gather(*(trigger(server, "demo/block", number) for number in range(3)))
    assert [one.return_value for one in found] == [0, 1, 2]
    assert time.monotonic() - start < 2.5  # one after another they take 3 s


async def test_a_plain_function_may_return_a_coroutine(server: NangoServer, folder: Path) -> None:
    body = "import asyncio\nreturn asyncio.sleep(0, 'slept')"
    write_action(folder, "demo/later", body, head="def")
    assert (await trigger(server, "demo/later")).return_value == "slept"


async def test_an_action_that_cancels_itself(server: NangoServer, folder: Path) -> None:
    body = "import asyncio\nasyncio.current_task().cancel()\nawait asyncio.sleep(1)"
    write_action(folder, "demo/self", body)
    assert "the action cancelled itself" in await error_of(server, "demo/self")


async def test_cancelling_the_request_cancels_the_action(server: NangoServer, folder: Path) -> None:
    write_action(
        folder,
        "demo/wait",
        """
        import asyncio, pathlib
        try:
            pathlib.Path(input + ".started").touch()
            await asyncio.sleep(60)
        finally:
            pathlib.Path(input + ".ended").touch()
        """,
    )
    started, ended = folder / "mark.started", folder / "mark.ended"
    task = asyncio.create_task(trigger(server, "demo/wait", str(folder / "mark")))
    while not started.exists():  # noqa: ASYNC110 - the action knows no event of ours
        await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.exists()


async def test_known_secrets_are_masked_in_errors(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/leak", "raise ValueError(self.get_current_connection().credentials)")
    error = await error_of(server, "demo/leak")
    assert "token-of-u1" not in error
    assert "'access_token': '••••••'" in error


async def test_an_edited_file_is_run_as_it_is_now(server: NangoServer, folder: Path) -> None:
    path = write_action(folder, "demo/change", "return 'old'")
    assert (await trigger(server, "demo/change")).return_value == "old"
    write_action(folder, "demo/change", "return 'newer'")
    assert (await trigger(server, "demo/change")).return_value == "newer"
    path.unlink()
    assert "does not exist" in await error_of(server, "demo/change")


async def test_a_file_is_loaded_once(server: NangoServer, folder: Path) -> None:
    mark = folder / "mark"
    write_file(
        folder,
        "demo/once",
        f"""
        from nango_jupyter import NangoAction
        with open({str(mark)!r}, "a") as file:
            file.write("x")
        class Once(NangoAction):
            async def execute_action(self, input):
                return "fine"
        """,
    )
    for _ in range(3):
        await trigger(server, "demo/once")
    assert mark.read_text() == "x"


BROKEN = [
    ("class Half(:", "demo/broken.action.py:1: invalid syntax"),
    ("\nimport nothing_of_this_name", "demo/broken.action.py:2: ModuleNotFoundError: No module"),
    ("raise SystemExit(2)", "demo/broken.action.py:1: SystemExit: 2"),
    ("", "must define one action, a function with @action or a subclass of NangoAction; it"),
    (
        "from nango_jupyter import NangoAction\n"
        "class A(NangoAction): pass\n"
        "class B(NangoAction): pass\n",
        "demo/broken.action.py:3: must define one action",
    ),
    (
        "from nango_jupyter import NangoAction\nclass A(NangoAction): pass\n",
        "A has no method execute_action: write async def execute_action(self, input)",
    ),
    ("x = '\0'", "null bytes"),
    (
        "from nango_jupyter import NangoAction\n"
        "class A(NangoAction):\n"
        "    def __init__(self, more): pass\n"
        "    async def execute_action(self, input): pass\n",
        "missing 1 required positional argument: 'more'",
    ),
]


@pytest.mark.parametrize(("text", "said"), BROKEN)
async def test_a_broken_file_is_answered(
    server: NangoServer, folder: Path, text: str, said: str
) -> None:
    write_file(folder, "demo/broken", text)
    before = set(sys.modules)
    error = await error_of(server, "demo/broken")
    assert error.startswith(PREFIX)
    assert said in error
    write_action(folder, "demo/broken", "return 'mended'")
    assert (await trigger(server, "demo/broken")).return_value == "mended"
    assert len({name for name in set(sys.modules) - before if name.startswith("_nango")}) == 1


async def test_a_file_that_can_not_be_read(
    server: NangoServer, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> bytes:
        raise PermissionError(13, "Permission denied", str(path))

    write_action(folder, "demo/new", "return 1")
    monkeypatch.setattr(Path, "read_bytes", refuse)
    error = await error_of(server, "demo/new")
    assert error.startswith(f"{PREFIX}demo/new.action.py: it can't be read: Permission denied")
    assert str(folder) not in error


async def test_modules_are_usable_and_leave_no_trace(folder: Path) -> None:
    before, path = set(sys.modules), list(sys.path)
    write_file(
        folder,
        "demo/rich",
        """
        from __future__ import annotations
        import dataclasses, inspect, pickle, sys
        from nango_jupyter import NangoAction

        @dataclasses.dataclass
        class Point:
            x: int
            y: int = 2

        class Rich(NangoAction):
            def __init__(self):
                self.made = True

            async def execute_action(self, input):
                point = pickle.loads(pickle.dumps(Point(1)))
                assert "class Point" in inspect.getsource(Point)
                assert sys.modules[__name__].Point is Point
                return [dataclasses.asdict(point), self.made, __file__.rpartition("/")[2]]
        """,
    )
    async with NangoServer(folder, store_url=":memory:", environ={}) as server:
        await register(server)
        result = await trigger(server, "demo/rich")
        assert result.return_value == [{"x": 1, "y": 2}, True, "rich.action.py"]
        assert not {"rich", "demo", "demo.rich"} & (set(sys.modules) - before)
    assert not [name for name in set(sys.modules) - before if "rich" in name]
    assert sys.path == path


ESCAPES = [
    "../outside/steal",
    "../../outside/steal",
    "{outside}/steal",
    "..",
    ".",
    "echo\0",
    "\0",
    "..\\outside\\steal",
    "demo/echo",
    "./echo",
    "linked-file",
    "linked-folder/steal",
    "loop",
    "x" * 300,
    "pipe",
    "folder",
    "echo.action.py",
    "echo ",
    "*",
]


@pytest.mark.parametrize("name", ESCAPES)
async def test_no_action_name_leaves_the_folder(
    server: NangoServer, folder: Path, name: str
) -> None:
    outside = folder.parent / "outside"
    stolen = write_action(outside, "x/steal", "return 'stolen'").rename(outside / "steal.action.py")
    demo = folder / "demo"
    (demo / "linked-file.action.py").symlink_to(stolen)
    (demo / "linked-folder").symlink_to(outside)
    (demo / "loop.action.py").symlink_to(demo / "loop.action.py")
    (demo / "folder.action.py").mkdir()
    os.mkfifo(demo / "pipe.action.py")
    name = name.format(outside=outside)
    shown = f'Tried to trigger action "{name}" for integration "demo"'
    assert await error_of(server, f"demo/{name}") == f"{shown} but the action file does not exist"


async def test_an_integration_folder_that_is_a_link_out(server: NangoServer, folder: Path) -> None:
    outside = folder.parent / "outside"
    outside.mkdir()
    write_action(outside, "real/steal", "return 'stolen'")
    (folder / "keyed").symlink_to(outside / "real")
    await register(server, "keyed", credentials={"api_key": "k"})
    assert "the action file does not exist" in await error_of(server, "keyed/steal")
    assert server.integrations()["keyed"] == []


async def test_a_link_inside_the_folder_is_followed(server: NangoServer, folder: Path) -> None:
    (folder / "demo" / "alias.action.py").symlink_to(folder / "demo" / "echo.action.py")
    assert (await trigger(server, "demo/alias", 5)).return_value == 5


def test_the_connection_hides_its_credentials() -> None:
    connection = ActionConnection(
        uuid="1",
        integration="demo",
        user_id=1,
        credentials={"access_token": "secret-token"},
        additional_config={"a": 1},
    )
    assert "secret-token" not in f"{connection!r} {connection}"
    assert connection.oauth_access_token == "secret-token"
    assert pickle.loads(pickle.dumps(connection)) == connection
    other = ActionConnection(uuid="1", integration="x", user_id=1, credentials={"api_key": "k"})
    assert other.oauth_access_token is None


async def test_large_values_pass(server: NangoServer) -> None:
    value = {"text": "x" * 5_000_000, "list": list(range(100_000))}
    assert (await trigger(server, "demo/echo", value)).return_value == value
    body = json.dumps({"action": "TRIGGER_ACTION", "integration": "x" * 10_000_000}).encode()
    assert b'"success":false' in await server.handle(body)
