"""Keep a private RabbitMQ running beside Jupyter, and a Nango server behind it.

``prepare`` prints what ``start`` puts into Jupyter's environment; ``run`` keeps both running until
its parent, which has become Jupyter, is gone. Only the standard library is used. Whatever fails is
written into the folder of logs and tried again: after a second, then two, four … up to a minute.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

PORT = 5672
TRIES = 20
# From the broker's port to those that Erlang needs beside it.
EPMD, DISTRIBUTION = 10_001, 20_000
# Debian's wrappers in /usr/sbin refuse other users and drop arguments; the real scripts are here.
SEARCH_PATH = f"/usr/lib/rabbitmq/bin:{os.environ.get('PATH', os.defpath)}"
# Of Binder's 2 GB. The disk's default would stop the broker where 50 MB are left.
SETTINGS = "vm_memory_high_watermark.absolute = 400MB\ndisk_free_limit.absolute = 5MB\n"
LOOK_SECONDS = 0.5
SHORTEST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
STOP_SECONDS = 10.0


def main() -> int:
    """Do what the command line says."""
    if sys.argv[1:] == ["prepare"]:
        return prepare()
    if sys.argv[1:2] == ["run"] and len(sys.argv) in (3, 4):
        folder = Path(os.environ["NANGO_BINDER_LOGS"])
        port = int(os.environ["NANGO_URL"].rpartition(":")[2])
        run(folder, port, parent=int(sys.argv[2]), integrations=sys.argv[3:])
        return 0
    sys.stderr.write("usage: services.py prepare | run PARENT [INTEGRATIONS]\n")
    return 2


def prepare() -> int:
    """Print the variables of the environment, as the shell reads them."""
    try:
        folder = choose_folder()
    except OSError as error:
        sys.stderr.write(f"binder/services.py: {error}\n")
        return 1
    # What an earlier start left there is not true any more.
    for name in ("status", "broker.log", "server.log"):
        with contextlib.suppress(OSError):
            (folder / name).unlink()
    url = f"amqp://127.0.0.1:{choose_port()}"
    logs = shlex.quote(str(folder))
    sys.stdout.write(f"export NANGO_URL={url} NANGO_BINDER_LOGS={logs}\n")
    return 0


def choose_folder() -> Path:
    """Return a folder that can be written: ~/.nango-jupyter if possible."""
    with contextlib.suppress(OSError, RuntimeError):
        folder = Path.home() / ".nango-jupyter"
        folder.mkdir(exist_ok=True)
        # RabbitMQ's scripts don't quote everywhere.
        if os.access(folder, os.W_OK | os.X_OK) and " " not in str(folder):
            return folder
    return Path(tempfile.mkdtemp(prefix="nango-jupyter-"))


def choose_port() -> int:
    """Return the first port that is free, with those beside it."""
    for port in range(PORT, PORT + TRIES):
        if all(can_listen(port + more) for more in (0, EPMD, DISTRIBUTION)):
            return port
    return PORT


def can_listen(port: int) -> bool:
    """Tell whether nobody listens there."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def run(folder: Path, port: int, parent: int, integrations: Sequence[str]) -> None:
    """Keep the services running until Jupyter is gone, or a signal ends this."""
    os.setsid()  # Ctrl-C in a terminal is Jupyter's; they end with it
    signals = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    for number in signals:
        signal.signal(number, lambda *_: sys.exit(0))
    services = Services(folder, port, integrations)
    try:
        while os.getppid() == parent:
            services.keep()
            time.sleep(LOOK_SECONDS)
    finally:
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
        services.stop()


class Services:
    """Erlang's port mapper, the broker and the server, each started when the last one is there."""

    def __init__(self, folder: Path, port: int, integrations: Sequence[str]) -> None:
        self._folder = folder
        self._port = port
        environment = broker_environment(folder, port)
        epmd = ("epmd", "-port", str(port + EPMD), "-address", "127.0.0.1")
        serve = (sys.executable, "-m", "nango_jupyter", "serve", *integrations)
        self._mapper = Service(folder / "broker.log", epmd, environment)
        self._broker = Service(folder / "broker.log", ("rabbitmq-server",), environment)
        self._server = Service(folder / "server.log", serve, os.environ)
        self._answers = False

    def keep(self) -> None:
        """Start what doesn't run, and tell how things stand."""
        self._mapper.keep()
        if self._mapper.is_running and not self._broker.is_running:
            self._answers = False
            write_files(self._folder)
            self._broker.keep()
        if self._broker.is_running:
            # Asked until it answers, and not again: it logs each connection.
            self._answers = self._answers or speaks_amqp(self._port)
        # A server that runs is left alone while the broker is away: it connects again by itself.
        if self._answers:
            self._server.keep()
        self._tell()

    def stop(self) -> None:
        """End all of them."""
        for service in (self._server, self._broker, self._mapper):
            service.stop()
        self._write_status("Jupyter has ended, and RabbitMQ and the Nango server with it.\n")

    def _tell(self) -> None:
        """Write how things stand, in words for whoever sits before the notebook."""
        logs = f"Look into broker.log and server.log in {self._folder}."
        failure = self._mapper.failure or self._broker.failure
        if self._answers and self._server.has_said(b" ready: "):
            text = "ready\nRabbitMQ is running, and a Nango server behind it.\n"
        elif "No such file" in failure:
            text = "RabbitMQ is not installed: binder/apt.txt should name rabbitmq-server.\n"
        elif failure:
            text = f"RabbitMQ can't be started: {failure}\n{logs}\n"
        elif self._answers:
            text = f"RabbitMQ is running, but no Nango server behind it (yet).\n{logs}\n"
        else:
            text = f"RabbitMQ doesn't answer (yet): it takes about ten seconds.\n{logs}\n"
        self._write_status(text)

    def _write_status(self, text: str) -> None:
        path = self._folder / "status"
        with contextlib.suppress(OSError):
            if path.is_file() and path.read_text() == text:
                return
            partial = path.with_suffix(".new")
            partial.write_text(text)
            partial.replace(path)


class Service:
    """One process, started again when it ends."""

    def __init__(self, log: Path, command: Sequence[str], environment: Mapping[str, str]) -> None:
        self.failure = ""
        self._log = log
        self._command = command
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._pause = SHORTEST_PAUSE
        self._started = self._next_start = 0.0
        self._log_begin = 0

    @property
    def is_running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def keep(self) -> None:
        """Start it, if it doesn't run and the pause after its last end is over."""
        now = time.monotonic()
        if self.is_running:
            return
        if self._process is not None:
            self._process = None
            if now - self._started > LONGEST_PAUSE:
                self._pause = SHORTEST_PAUSE
            self._note(f"{Path(self._command[0]).name} has ended; again in {self._pause:g} s\n")
            self._put_off(now)
        if now >= self._next_start:
            self._start(now)

    def has_said(self, text: bytes) -> bool:
        """Tell whether the running process has written this to its log."""
        with contextlib.suppress(OSError):
            return self.is_running and text in self._log.read_bytes()[self._log_begin :]
        return False

    def stop(self) -> None:
        """End it, and what it has started, in the end by force."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS)
        self._signal(signal.SIGKILL)
        self._process.wait()

    def _start(self, now: float) -> None:
        self._started = now
        self.failure = ""
        try:
            with self._open_log() as log:
                self._log_begin = log.tell()
                self._process = subprocess.Popen(
                    self._command,
                    env=self._environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
        except OSError as error:
            self.failure = str(error)
            self._note(f"{self.failure}; again in {self._pause:g} s\n")
            self._put_off(now)

    def _put_off(self, now: float) -> None:
        self._next_start = now + self._pause
        self._pause = min(2 * self._pause, LONGEST_PAUSE)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    def _open_log(self) -> BinaryIO:
        try:
            return self._log.open("ab")
        except OSError:
            return Path(os.devnull).open("ab")

    def _note(self, text: str) -> None:
        with contextlib.suppress(OSError), self._log.open("a") as log:
            log.write(text)


def write_files(folder: Path) -> None:
    """Write what RabbitMQ reads when it starts; without them it would try /etc."""
    with contextlib.suppress(OSError):
        (folder / "rabbitmq.conf").write_text(SETTINGS)
        (folder / "enabled_plugins").write_text("[].\n")
        cookie = folder / ".erlang.cookie"
        if not cookie.exists():
            cookie.touch(mode=0o600)
            cookie.write_text(secrets.token_hex(16))
            cookie.chmod(0o400)


def broker_environment(folder: Path, port: int) -> dict[str, str]:
    """Build RabbitMQ's whole environment: its own folder, and only the loopback interface."""
    return {
        "PATH": SEARCH_PATH,
        "HOME": str(folder),
        "LC_ALL": "C.UTF-8",
        "ERL_CRASH_DUMP_BYTES": "0",
        "ERL_EPMD_PORT": str(port + EPMD),
        "ERL_EPMD_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODENAME": "nango@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(port),
        "RABBITMQ_DIST_PORT": str(port + DISTRIBUTION),
        "RABBITMQ_CONF_ENV_FILE": "/dev/null",
        "RABBITMQ_CONFIG_FILE": f"{folder}/rabbitmq.conf",
        "RABBITMQ_CONFIG_FILES": f"{folder}/conf.d",
        "RABBITMQ_ADVANCED_CONFIG_FILE": f"{folder}/advanced.config",
        "RABBITMQ_ENABLED_PLUGINS_FILE": f"{folder}/enabled_plugins",
        "RABBITMQ_MNESIA_BASE": f"{folder}/data",
        "RABBITMQ_LOG_BASE": f"{folder}/log",
        "RABBITMQ_LOGS": "-",
        "RABBITMQ_PID_FILE": f"{folder}/rabbitmq.pid",
        "RABBITMQ_FEATURE_FLAGS_FILE": f"{folder}/feature_flags",
        "RABBITMQ_GENERATED_CONFIG_DIR": f"{folder}/generated",
        # The script then becomes the broker itself, so that a signal reaches it.
        "RABBITMQ_ALLOW_INPUT": "1",
        # Two threads that sleep when there is nothing to do: Binder lends a core or two.
        "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": (
            "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}"
            " +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none"
        ),
    }


def speaks_amqp(port: int) -> bool:
    """Tell whether a broker answers there."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            return connection.recv(1) == b"\x01"
    except OSError:
        return False


if __name__ == "__main__":
    sys.exit(main())
