"""binder/start with stand-ins for RabbitMQ and the Nango server, and any program as Jupyter."""

import os
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Self

BINDER = Path(__file__).parent.parent.parent / "binder"
RABBITMQ = "/usr/lib/rabbitmq/bin"
SECONDS = 20.0

# Answers as a broker does; fails as long as the file "broken" is beside it.
BROKER = """
import os, pathlib, socket, sys
if pathlib.Path(__file__).with_name("broken").exists():
    sys.exit("cannot start")
listener = socket.create_server(("127.0.0.1", int(os.environ["RABBITMQ_NODE_PORT"])))
while True:
    with listener.accept()[0] as connection:
        connection.recv(8)
        connection.sendall(bytes([1]))
"""
MAPPER = "#!/bin/sh\nexec sleep 600\n"
SERVER = """
import os, sys, time
print(f"info ready: {os.environ['NANGO_URL']} {sys.argv[1:]}", flush=True)
time.sleep(600)
"""
# Tells its variables, and ends at SIGTERM with an exit code of its own.
JUPYTER = """
import os, signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(42))
print(os.environ.get("NANGO_URL", ""), os.environ.get("NANGO_BINDER_LOGS", ""), flush=True)
time.sleep(600)
"""


class Start:
    """A copy of binder/ in a folder of its own, with a home and stand-ins.

    Attributes
    ----------
    home
        The folder that is HOME, unless `environment` says otherwise.
    bin
        Where the stand-ins for RabbitMQ are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.home, self.bin = folder / "home", folder / "bin"
        for made in (self.home, self.bin):
            made.mkdir()
        binder = folder / "binder"
        shutil.copytree(BINDER, binder, ignore=shutil.ignore_patterns("__pycache__"))
        services = binder / "services.py"
        text = services.read_text()
        for old, new in {
            RABBITMQ: str(self.bin),
            "LOOK_SECONDS = 0.5": "LOOK_SECONDS = 0.1",
            "SHORTEST_PAUSE = 1.0": "SHORTEST_PAUSE = 0.1",
        }.items():
            assert old in text
            text = text.replace(old, new)
        services.write_text(text)
        self.start = str(binder / "start")
        (self.bin / "rabbitmq-server.py").write_text(BROKER)
        broker = f'exec {shlex.quote(sys.executable)} "$0.py"'
        self._program("rabbitmq-server", f"#!/bin/sh\n{broker}\n")
        self._program("epmd", MAPPER)
        package = folder / "packages" / "nango_jupyter"
        package.mkdir(parents=True)
        (package / "__main__.py").write_text(SERVER)
        (package / "__init__.py").touch()
        self.environment = {
            "HOME": str(self.home),
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "PYTHONPATH": str(package.parent),
            "TMPDIR": str(folder),
        }

    def _program(self, name: str, text: str) -> None:
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    @property
    def broken(self) -> Path:
        """While this file exists, the broker can't be started."""
        return self.bin / "broken"

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Run start to the end of its command, without standard input."""
        return subprocess.run(
            [self.start, *command],
            cwd=self.home,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )

    def living(self, word: str = "") -> list[int]:
        """List the processes that belong to this start, by a word of their command line."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                mine = f"{self._folder}/".encode() in (folder / "environ").read_bytes()
                command = (folder / "cmdline").read_bytes().decode()
            except OSError:
                continue
            if mine and word in command:
                found.append(int(folder.name))
        return found

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for pid in self.living():
            os.kill(pid, signal.SIGKILL)


class Running:
    """A start that goes on, with `JUPYTER` as Jupyter.

    Attributes
    ----------
    url, logs
        What its environment has.
    """

    def __init__(self, start: Start, *before: str) -> None:
        command = [*before, start.start, sys.executable, "-c", JUPYTER]
        self.process = subprocess.Popen(
            command,
            cwd=start.home,
            env=start.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        with self.process.stdout as output:
            self.url, logs = output.readline().rstrip("\n").split(" ", 1)
        self.logs = Path(logs)

    @property
    def status(self) -> str:
        """What it says to people."""
        path = self.logs / "status"
        return path.read_text() if path.exists() else ""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        self.process.wait()


def wait_until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)
