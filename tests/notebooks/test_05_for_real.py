"""A broker with TLS, two servers, and each of them broken; and where there is no broker at all."""

import importlib
import os
import re
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from types import ModuleType

import pytest

from tests.notebooks.support import NOTEBOOKS, run_notebook

NAME = "05_for_real.ipynb"
FOLDER = "nango-shop-"


@pytest.fixture
def helper(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What the notebook imports from beside it."""
    monkeypatch.syspath_prepend(str(NOTEBOOKS))
    return importlib.import_module("private_broker")


@pytest.mark.timeout(240)
def test_everything_is_broken_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.delenv("NANGO_BINDER_LOGS", raising=False)
    executed = run_notebook(NAME, tmp_path, timeout=90)
    text = executed.text
    assert "This is not Binder" in text("real-binder-use")
    assert re.search(r"RabbitMQ runs at amqps://127\.0\.0\.1:\d+", text("real-broker-start"))
    assert "no server reads the queue" in text("real-connect-shop")
    refused = text("real-refused-try")
    assert "refused the user 'fernwood' or the password" in refused
    assert "certificate is not trusted" in refused
    assert "does not speak AMQP" in refused
    assert "2 servers" in text("real-start-both")
    assert "WAREHOUSE_TOKEN is not set" in text("real-tokens-register")
    assert "✓ register warehouse · user ada" in text("real-tokens-register")
    assert text("real-tokens-look") == "[]"
    assert re.search(r"Counter\({'(one|two)': 10, '(one|two)': 10}\)", text("real-share-run"))
    broken = text("real-break-begin")
    assert "2 of 4 rows failed" in broken
    assert re.search(r"may have run already, so it was not run again \(rows (0, 2|1, 3)\)", broken)
    assert "Counter({'three': 4})" in text("real-break-labels")
    assert "no server is reading the queue" in text("real-nobody-there")
    assert "NangoConnectionLostError: connection lost" in text("real-broker-kill")
    assert "nothing listens on that port" in text("real-broker-gone-try")
    assert '{"order": 27, "server": "three"}' in text("real-broker-again")
    log = text("real-log-read")
    assert "lost the connection" in log
    assert log.count("ready: reading") == 2
    assert "'server': 'three'" in executed.solutions[0]
    assert "though 1 server reads the queue" in executed.solutions[1]
    assert "processes ended" in text("real-end-all")
    assert "warehouse-demo-token" not in executed.everything
    assert not list(tmp_path.glob(f"{FOLDER}*"))


def test_without_a_broker_it_says_what_to_do_and_ends_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NANGO_BINDER_LOGS", raising=False)
    nowhere = {"play = Playground()": 'play = Playground(search_path="/nowhere")'}
    executed = run_notebook(NAME, tmp_path, nowhere)
    assert "There is no RabbitMQ on this machine" in executed.text("real-broker-start")
    needing = [
        cell
        for cell in executed.notebook.cells
        if cell.cell_type == "code" and cell.source.startswith("# needs RabbitMQ")
    ]
    assert len(needing) > 10
    for cell in needing:
        shown = "\n".join(output.text for output in cell.outputs)
        assert "This cell needs RabbitMQ" in shown
        assert "apt-get install" in shown
    assert executed.text("real-end-all").strip().endswith("Nothing runs.")


def test_a_broker_that_does_not_start_is_told_with_its_log(
    helper: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("rabbitmq-server", "epmd"):
        (tmp_path / name).write_text("#!/bin/sh\necho out of coffee\n")
        (tmp_path / name).chmod(0o700)
    here = Path.cwd()
    play = helper.Playground(search_path=str(tmp_path))
    try:
        play.start_broker()
    finally:
        play.end()
    shown = capsys.readouterr().out
    assert "out of coffee" in shown
    assert "each cell that needs RabbitMQ says so" in shown
    assert not play.folder.exists()
    assert Path.cwd() == here


def test_on_binder_it_tells_the_status_and_the_logs_of_what_does_not_run(
    helper: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NANGO_BINDER_LOGS", str(tmp_path))
    monkeypatch.setattr(helper, "BINDER_SECONDS", 0)
    assert f"{tmp_path}/broker.log" in helper._missing_on_binder()
    (tmp_path / "status").write_text("RabbitMQ is not running: it is out of coffee\n")
    assert "does not run: RabbitMQ is not running: it is out of" in helper._missing_on_binder()
    (tmp_path / "status").write_text("ready\n")
    assert helper._missing_on_binder() == ""


def test_nothing_outlives_a_kernel_that_is_killed(tmp_path: Path) -> None:
    program = """
        import os, signal
        from private_broker import Playground

        play = Playground()
        process = play.processes.spawn(["sleep", "60"], dict(os.environ), play.folder / "log")
        print(process.pid, flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
        """
    environment = {**os.environ, "PYTHONPATH": str(NOTEBOOKS), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 20
    while is_running(pid) or list(tmp_path.glob(f"{FOLDER}*")):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def is_running(pid: int) -> bool:
    """Tell whether a process is there, and not only its exit code, which nobody collects."""
    try:
        return " Z " not in Path(f"/proc/{pid}/stat").read_text()
    except FileNotFoundError:
        return False
