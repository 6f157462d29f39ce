"""binder/start never blocks or breaks Jupyter, whatever happens to what runs beside it."""

import json
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.binder.start import Running, Start, wait_until

TELL = "import json, sys; print(json.dumps(sys.argv[1:])); sys.exit(7)"


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    with Start(tmp_path) as made:
        yield made


def test_arguments_and_the_exit_code_are_passed_on(start: Start) -> None:
    words = ["a b", "", "*", "--x=$HOME", "'\"\\", "-e"]
    done = start.run(sys.executable, "-c", TELL, *words)
    assert (json.loads(done.stdout), done.returncode) == (words, 7)
    assert done.stderr == ""
    assert start.run("no-such-program").returncode == 127
    wait_until(lambda: not start.living())


def test_no_arguments_start_jupyterlab(start: Start, tmp_path: Path) -> None:
    jupyter = tmp_path / "jupyter"
    jupyter.write_text('#!/bin/sh\necho "jupyter $*"\n')
    jupyter.chmod(0o755)
    start.environment["PATH"] = f"{tmp_path}:{start.environment['PATH']}"
    assert start.run().stdout == "jupyter lab\n"


def test_services_come_are_kept_and_go_with_jupyter(start: Start) -> None:
    start.broken.touch()
    with Running(start) as running:
        assert running.logs == start.home / ".nango-jupyter"
        wait_until(lambda: running.status)
        wait_until(lambda: "has ended; again in" in (running.logs / "broker.log").read_text())
        assert "doesn't answer" in running.status
        assert not start.living("nango_jupyter")

        start.broken.unlink()  # the broker comes late
        wait_until(lambda: running.status.startswith("ready\n"))
        assert f"ready: {running.url} ['serve']" in (running.logs / "server.log").read_text()

        for word in ("rabbitmq-server", "nango_jupyter"):
            [old] = start.living(word)
            os.kill(old, signal.SIGKILL)
            wait_until(lambda old=old, word=word: start.living(word) not in ([], [old]))  # type: ignore[misc]
        wait_until(lambda: running.status.startswith("ready\n"))

        [services] = start.living("services.py")
        before = seconds_of(services)
        time.sleep(1)
        assert seconds_of(services) - before < 0.1  # no busy loop

        running.process.terminate()
        assert running.process.wait(10) == 42  # Jupyter had the signal, and its own way to end
        wait_until(lambda: not start.living())


def seconds_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_nothing_stays_when_jupyter_is_killed(start: Start) -> None:
    with Running(start) as running:
        wait_until(lambda: running.status.startswith("ready\n"))
        running.process.kill()
        running.process.wait()
        wait_until(lambda: not start.living())
        assert running.status.startswith("Jupyter has ended")


def test_without_rabbitmq_the_status_says_so(start: Start) -> None:
    (start.bin / "rabbitmq-server").unlink()
    with Running(start) as running:
        wait_until(lambda: running.status)
        wait_until(lambda: "RabbitMQ is not installed: binder/apt.txt" in running.status)
        assert "No such file" in (running.logs / "broker.log").read_text()
        assert running.process.poll() is None


def test_a_port_that_is_taken_is_not_used(start: Start) -> None:
    with Running(start) as running:
        first = running.url
        wait_until(lambda: running.status.startswith("ready\n"))
        with Running(start) as second:
            assert second.url != first
    port = int(first.rpartition(":")[2])
    wait_until(lambda: not start.living())
    # Those beside it count, too: without them Erlang would not start.
    with socket.create_server(("127.0.0.1", port + 20_000)), Running(start) as third:
        assert third.url != first


@pytest.mark.parametrize("home", ["/dev/null", "/proc/no such", None])
def test_a_home_that_cannot_be_written(start: Start, tmp_path: Path, home: str | None) -> None:
    start.environment["HOME"] = home or str(tmp_path / "with a space")
    (tmp_path / "with a space").mkdir()
    with Running(start) as running:
        assert running.logs.parent == tmp_path
        wait_until(lambda: running.status)


def test_a_full_disk(start: Start) -> None:
    (start.home / ".nango-jupyter").mkdir()
    with Running(start, "bash", "-c", 'ulimit -f 0; exec "$@"', "bash") as running:
        wait_until(lambda: start.living("nango_jupyter"))
        assert running.status == ""
        assert running.process.poll() is None


def test_without_python_jupyter_starts_alone(start: Start, tmp_path: Path) -> None:
    broken = tmp_path / "python3"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    start.environment["PATH"] = f"{tmp_path}:{start.environment['PATH']}"
    done = start.run("bash", "-c", 'echo "Jupyter $NANGO_URL"')
    assert done.stdout == "Jupyter \n"
    assert "Jupyter starts alone" in done.stderr


def test_a_folder_of_integrations(start: Start) -> None:
    path = Path(start.start)
    text = path.read_text()
    assert "\nintegrations=\n" in text
    path.write_text(text.replace("\nintegrations=\n", "\nintegrations='my integrations'\n"))
    with Running(start) as running:
        wait_until(lambda: running.status.startswith("ready\n"))
        assert "/../my integrations']" in (running.logs / "server.log").read_text()
