"""The command line, as processes: check, init, actions, rotate-key."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from nango_jupyter.server import NangoServer
from nango_jupyter.server.cli import main
from tests.server.support import register, write_action, write_file, write_folder

SLACK = """
    slack:
        requests:
            base_url: ${SLACK_URL}
        colour: red
    demo: {}
"""
NOTIFY = """
    from typing import Annotated, Literal
    from pydantic import Field
    from nango_jupyter import action

    print("this is not for programs")

    @action(idempotent=True)
    async def notify(
        ctx,
        channel_id: Annotated[str, Field(description="Where to\\nsay it")],
        words: list[str],
        tone: Literal["kind", "stern"] = "kind",
    ):
        '''Post a message.

        And more.
        '''
"""
PING = """
    from nango_jupyter import action

    @action
    def ping(ctx):
        pass
"""


def run(*words: object, environ: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Run the command; return its exit code, standard output and standard error."""
    done = subprocess.run(
        [sys.executable, "-m", "nango_jupyter", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, **(environ or {})},
    )
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout, done.stderr


Here = Callable[[list[str], dict[str, str]], tuple[int, str, str]]


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    """The same in this process, for what ends before it has begun."""

    def call(words: list[str], environ: dict[str, str]) -> tuple[int, str, str]:
        for name, value in environ.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(SystemExit) as caught:
            main(words, prog_name="nango-jupyter")
        assert isinstance(caught.value.code, int)
        return caught.value.code, *capsys.readouterr()

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = write_folder(tmp_path / "my integrations", SLACK)
    write_file(folder, "slack/notify", NOTIFY)
    write_action(folder, "slack/raw", "return input")
    return folder


def test_check(folder: Path) -> None:
    code, out, err = run("check", folder, environ={"SLACK_URL": "https://slack.com/api"})
    assert (code, out) == (0, "2 integrations, 2 actions: no problems\n")
    assert err.splitlines() == [
        "this is not for programs",
        "Warning: integrations.yaml:5: slack.colour: this key is unknown, and ignored",
    ]
    write_file(folder, "demo/half", "\nclass Half(:\n")
    write_file(folder, "slak/ping", PING)
    code, out, err = run("check", folder)
    assert code == 1
    assert out.splitlines() == [
        "demo/half.action.py:2: invalid syntax",
        "integrations.yaml:4: slack.requests.base_url: the environment variable SLACK_URL is not "
        "set",
    ]
    assert err.splitlines()[-1] == (
        "Warning: slak: it holds actions, but integrations.yaml has no integration 'slak' "
        "(it has: demo, slack)"
    )


def test_actions(folder: Path) -> None:
    write_file(folder, "demo/ping", PING)
    environ = {"SLACK_URL": "https://slack.com/api"}
    code, out, _ = run("actions", folder, environ=environ)
    assert code == 0
    assert out.splitlines() == [
        "slack",
        "  notify: Post a message.",
        "    channel_id  string             required        Where to say it",
        "    words       array of string    required",
        '    tone        "kind" or "stern"  default "kind"',
        "  raw",
        "    any JSON",
        "",
        "demo",
        "  ping",
        "    no inputs",
    ]
    code, out, _ = run("actions", folder, "--json", environ=environ)
    found = json.loads(out)
    notify = found["slack"].pop("notify")
    assert found == {
        "slack": {"raw": {"description": "", "idempotent": False, "inputs": None}},
        "demo": {
            "ping": {
                "description": "",
                "idempotent": False,
                "inputs": {
                    "additionalProperties": False,
                    "properties": {},
                    "title": "ping",
                    "type": "object",
                },
            }
        },
    }
    assert (code, notify["idempotent"], notify["description"]) == (0, True, "Post a message.")
    assert notify["inputs"]["required"] == ["channel_id", "words"]


def test_init_writes_a_folder_that_works(tmp_path: Path) -> None:
    folder = tmp_path / "a" / "new one"
    code, out, _ = run("init", folder)
    assert code == 0
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    names = ["demo/greet.action.py", "integrations.yaml", "nango-config.yaml"]
    assert [path.relative_to(folder).as_posix() for path in written] == names
    assert [f"wrote {folder / name}" for name in names] == out.splitlines()[:3]
    assert f"nango-jupyter serve '{folder}'" in out
    assert run("check", folder) == (0, "1 integration, 1 action: no problems\n", "")
    assert run("actions", folder)[1].splitlines()[1:] == [
        "  greet: Greet somebody in the name of the connection's user.",
        "    name   string   required   Who is greeted",
        "    times  integer  default 1  How often",
    ]


def test_init_overwrites_nothing(tmp_path: Path) -> None:
    (tmp_path / "integrations.yaml").write_text("mine: {}\n")
    code, out, err = run("init", tmp_path)
    assert (code, out) == (1, "")
    assert err.splitlines() == [
        f"Error: {tmp_path} has files already that would be written: integrations.yaml",
        "Hint: Nothing was changed. Give a new folder.",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["integrations.yaml"]
    code, _, err = run("init", tmp_path / "integrations.yaml")
    assert (code, err) == (
        1,
        f"Error: {tmp_path / 'integrations.yaml'} can't be written: Not a directory\n",
    )


async def test_rotate_key(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "x", "demo: {}\n")
    old, new = (Fernet.generate_key().decode() for _ in range(2))
    async with NangoServer(folder, environ={}) as server:
        await register(server, user_id="u1", oAuthAccessToken="token-of-u1")
    async with NangoServer(folder, environ={"NANGO_ENCRYPTION_KEY": old}) as server:
        await register(server, user_id="u2", oAuthAccessToken="token-of-u2")
    both = {"NANGO_ENCRYPTION_KEY": f"{new},{old}"}
    assert run("rotate-key", folder, environ=both) == (
        0,
        f"2 connections encrypted anew in {folder}\n",
        "",
    )
    assert run("rotate-key", folder, environ=both) == (
        0,
        f"0 connections encrypted anew in {folder}\n",
        "",
    )
    with sqlite3.connect(folder / ".nango-jupyter" / "connections.sqlite3") as database:
        rows = database.execute("SELECT credentials FROM connections").fetchall()
    database.close()
    stored = sorted(Fernet(new).decrypt(row[0]) for row in rows)
    assert stored == [b'{"access_token":"token-of-u1"}', b'{"access_token":"token-of-u2"}']
    code, out, err = run("rotate-key", folder, environ={"NANGO_ENCRYPTION_KEY": old})
    assert (code, out) == (1, "")
    assert "with a key not in NANGO_ENCRYPTION_KEY" in err


KEY = {"NANGO_ENCRYPTION_KEY": Fernet.generate_key().decode()}
STORE = "postgresql+asyncpg://ada:very-secret@127.0.0.1:1/nango"


@pytest.mark.parametrize(
    ("words", "environ", "code", "said"),
    [
        (["check", "no-such-folder"], {}, 1, "There is no integrations folder no-such-folder"),
        (["actions", "no-such-folder"], {}, 1, "There is no integrations folder"),
        (["rotate-key", "no-such-folder"], KEY, 1, "There is no store in no-such-folder"),
        (["rotate-key", "--store", STORE], KEY, 1, "ada:••••••@127.0.0.1:1/nango"),
        (["rotate-key"], {**KEY, "NANGO_STORE_URL": STORE}, 1, "ada:••••••@127.0.0.1:1/nango"),
        (["rotate-key", "--store", "no url"], KEY, 1, "The store's URL can't be read"),
        (["rotate-key", "--store", ":memory:"], {"NANGO_ENCRYPTION_KEY": "very-secret"}, 1, "not"),
        (["rotate-key", "."], {"NANGO_ENCRYPTION_KEY": ""}, 2, "NANGO_ENCRYPTION_KEY is not set"),
        (["rotate-key"], {**KEY, "NANGO_STORE_URL": ""}, 2, "Give the FOLDER"),
        (["check"], {}, 2, "Missing argument 'FOLDER'"),
        (["chekc", "."], {}, 2, "No such command 'chekc'"),
        (["serve", "--grace", "soon"], {}, 2, "'soon' is not a valid float range"),
        (["serve", "--log-level", "loud"], {}, 2, "'loud' is not one of 'error', 'warn'"),
    ],
)
def test_what_is_wrong_is_a_message(
    here: Here, words: list[str], environ: dict[str, str], code: int, said: str
) -> None:
    found, out, err = here(words, environ)
    assert (found, out) == (code, "")
    assert said in err
    assert "very-secret" not in err


@pytest.mark.parametrize("command", ["serve", "check", "init", "actions", "rotate-key"])
def test_each_command_has_an_example(here: Here, command: str) -> None:
    code, out, _ = here([command, "--help"], {})
    assert code == 0
    assert f"nango-jupyter {command} my-integrations" in out


def test_the_exit_codes_are_documented(here: Here) -> None:
    code, out, _ = here(["--help"], {})
    assert code == 0
    assert "Exit codes: 0 fine, 1 it failed" in out
