"""IPython in a terminal, where no event loop runs between commands."""

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve

ANSI = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


class Terminal:
    """A terminal IPython, one command at a time."""

    def __init__(self, home: Path, variables: dict[str, str]) -> None:
        self._child = pexpect.spawn(
            sys.executable,
            ["-m", "IPython", "--no-banner", "--simple-prompt", "--colors=nocolor"],
            env={**os.environ, "IPYTHONDIR": str(home), "TERM": "dumb", **variables},
            encoding="utf-8",
            timeout=40,
            dimensions=(50, 200),
        )
        self._wait()

    def _wait(self) -> str:
        self._child.expect(r"In \[\d+\]: $")
        return ANSI.sub("", self._child.before or "").replace("\r\n", "\n")

    def run(self, command: str) -> str:
        """Type a command; return what it showed, the echo included."""
        self._child.sendline(command)
        return self._wait()

    def interrupt(self, command: str) -> str:
        """Type a command, press Ctrl-C once it waits, return what it showed."""
        self._child.sendline(command)
        self._child.expect_exact(command)
        with pytest.raises(pexpect.TIMEOUT):
            self._child.expect("In ", timeout=1)
        self._child.sendintr()
        return self._wait()

    def answer(self, command: str, prompt: str, text: str) -> str:
        """Type a command that asks for something, and the answer."""
        self._child.sendline(command)
        self._child.expect(prompt)
        self._child.sendline(text)
        return self._wait()

    def leave(self) -> str:
        """Leave IPython; return its last words."""
        self._child.sendline("exit")
        self._child.expect(pexpect.EOF)
        self._child.close()
        assert self._child.exitstatus == 0
        return ANSI.sub("", self._child.before or "")


@pytest.fixture
def terminal(rabbit_vhost: str, tmp_path: Path) -> Iterator[Terminal]:
    variables = {"NANGO_URL": rabbit_vhost, "TOKEN": "crm-demo-token"}
    with Serve(rabbit_vhost):
        yield Terminal(tmp_path, variables)


def test_a_session_in_the_terminal(terminal: Terminal, rabbit: Rabbit) -> None:
    terminal.run("%load_ext nango_jupyter")
    assert "Connected" in terminal.run("%nango_connect")
    terminal.run("%nango_register crm ada --token-env TOKEN")
    shown = terminal.run('%nango_trigger crm list-contacts ada {"city": "Berlin"}')
    assert "✓ crm.list-contacts · user ada" in shown
    assert re.search(r"^ *1003 +李雷", shown, re.MULTILINE)
    assert "<div" not in shown

    secret = terminal.answer("%nango_register demo ada", "Token of ada for demo: ", "typed-token")
    assert "typed-token" not in secret
    terminal.run("def f(n):\n    x = %nango_trigger demo echo ada $n\n    return x.return_value\n")
    assert "Out" in terminal.run("f([1, 2])")

    interrupted = terminal.interrupt('%nango_trigger demo sleep ada {"seconds": 30}')
    assert "KeyboardInterrupt" in interrupted
    assert "kernel_loop.py" not in interrupted

    # No loop runs here while the connection goes away: the next command must simply reconnect.
    rabbit.ctl("close_all_connections", "--global", "test")
    assert "✓ demo.whoami" in terminal.run("%nango_trigger demo whoami ada --timeout 20")
    terminal.run("status = %nango_status")
    shown = terminal.run('await status.client.trigger_action("demo", "echo", "ada", {"n": 1})')
    assert '{"n": 1}' in shown

    assert "NangoServerError" in terminal.run("%nango_trigger demo nope ada")
    assert "destroyed" not in terminal.leave()


def test_the_embedded_server_in_the_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"TOKEN": "any-token"})
    terminal.run("%load_ext nango_jupyter")
    assert "demo" in terminal.run("%nango_connect --local")
    assert "Forms need a notebook" in terminal.run("%nango")
    terminal.run("%nango_register demo ada --token-env TOKEN")
    assert "1.5" in terminal.run('%nango_trigger demo echo ada {"n": 1.5}')
    assert "Traceback" not in terminal.leave()


def test_rows_jobs_and_names_in_the_terminal(tmp_path: Path) -> None:
    terminal = Terminal(tmp_path, {"TOKEN": "any-token"})
    terminal.run("%load_ext nango_jupyter")
    terminal.run("%nango_connect --local --name first;")
    terminal.run("%nango_register demo ada --token-env TOKEN;")
    terminal.run("rows = [{'seconds': 0.01}] * 20 + [{'seconds': 30}] * 20")
    each = '%nango_trigger demo sleep ada {"seconds": {{ row.seconds }}} --each'
    shown = terminal.run(f"{each} rows[:20]")
    assert "20/20" in shown
    assert "20 rows succeeded" in shown
    shown = terminal.interrupt(f"{each} rows --out batch")
    assert "What came back is in batch." in shown
    assert "(20, 10, 10)" in terminal.run("len(batch.succeeded), len(batch.failed), batch.not_run")
    terminal.run('job = %nango_trigger demo sleep ada {"seconds": 0.1} --no-wait')
    assert "0.1" in terminal.run("job.result().return_value")
    assert "demo.sleep" in terminal.run("%nango_history")
    assert "current" in terminal.run("%nango_connect")
    assert "Did you mean echo?" in terminal.run("%nango_trigger demo eho ada")
    assert "Traceback" not in terminal.leave()
