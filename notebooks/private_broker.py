"""What 05_for_real.ipynb starts and breaks: a RabbitMQ and Nango servers, private to the notebook.

Everything lies in one temporary folder, listens on 127.0.0.1 only, and is ended by `Playground.end`
or with the kernel, however that ends.
"""

from __future__ import annotations

import os
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from private_rabbitmq import (
    PASSWORD_VARIABLE,
    USER,
    VHOST,
    Broker,
    Processes,
    wait_for,
)

__all__ = ["Playground", "Server"]

# Set by binder/start: the folder with the logs of what it runs, and with a file "status".
BINDER_VARIABLE = "NANGO_BINDER_LOGS"
BINDER_SECONDS = 30


class Playground:
    """A broker with TLS, servers behind it, and a project folder for the notebook.

    A cell whose first line is ``# needs RabbitMQ`` only says so where there is none.

    Parameters
    ----------
    search_path : str, optional
        Where RabbitMQ's programs are looked for.

    Attributes
    ----------
    folder : Path
        The project: integrations in ``integrations``, and the certificate in ``ca.pem``.
    """

    _current: Playground | None = None

    def __init__(self, search_path: str | None = None) -> None:
        if Playground._current is not None:  # the cell is run once more
            Playground._current.end()
        Playground._current = self
        self._came_from = Path.cwd()
        # Short and without a blank: RabbitMQ's shell scripts don't quote everywhere.
        self.folder = Path(tempfile.mkdtemp(prefix="nango-shop-")).resolve()
        (self.folder / "integrations" / "warehouse").mkdir(parents=True)
        self.processes = Processes(self.folder)
        self._servers: list[Server] = []
        self._advice = "Run the notebook from the top: its first cells start a RabbitMQ."
        self._is_ready = False
        self.broker = Broker(self.folder, self.processes, search_path)
        _replace_transformer(self._read_first_line)

    def start_broker(self) -> None:
        """Start the broker, or start it again; where that can't be, print what to do."""
        begun = time.monotonic()
        try:
            self.broker.start()
        except (OSError, RuntimeError) as error:
            self._is_ready, self._advice = False, str(error)
            print(f"{error}\n\nUntil then, each cell that needs RabbitMQ says so.")
            return
        self._is_ready = True
        print(f"RabbitMQ runs at {self.broker.address}, after {time.monotonic() - begun:.1f} s.")

    def serve(self, *names: str) -> list[Server]:
        """Start Nango servers on the folder ``integrations``, and wait until all are ready."""
        servers = [Server(self, name) for name in names]
        self._servers += servers
        for server in servers:
            server.wait_ready()
            print(f"Server {server.name} is ready: nango-jupyter serve integrations")
        return servers

    def end(self) -> None:
        """End everything that was started, and remove the folder."""
        servers = [server.process for server in self._servers if server.process.poll() is None]
        others = self.broker.processes
        self.processes.end(*servers)
        self.processes.kill(*others)  # the broker's data go as well: it need not tidy up
        os.chdir(self._came_from)
        self.processes.close()
        self._is_ready = False
        Playground._current = None
        count = len(servers) + len(others)
        print(f"{count} processes ended, and the folder is gone." if count else "Nothing runs.")

    def _read_first_line(self, lines: list[str]) -> list[str]:
        """Let a cell say what is missing, in the place of what it would do."""
        wanted = lines[0].strip() if lines else ""
        missing = ""
        if wanted == "# needs RabbitMQ" and not self._is_ready:
            missing = f"This cell needs RabbitMQ. {self._advice}"
        elif wanted == "# needs Binder":
            missing = _missing_on_binder()
        return [f"print({missing!r})\n"] if missing else lines


class Server:
    """``nango-jupyter serve integrations`` as a process.

    Attributes
    ----------
    name : str
        Its actions find it in the environment, as SERVER_NAME.
    """

    def __init__(self, playground: Playground, name: str) -> None:
        self.name = name
        self._processes = playground.processes
        self._log = playground.folder / f"server-{name}-{secrets.token_hex(2)}.log"
        broker = playground.broker
        url = (
            f"amqps://{USER}:{os.environ[PASSWORD_VARIABLE]}@127.0.0.1:{broker.port}/{VHOST}"
            f"?cafile={playground.folder}/ca.pem"
        )
        command = [sys.executable, "-m", "nango_jupyter", "serve", "integrations"]
        environment = {**os.environ, "NANGO_URL": url, "SERVER_NAME": name}
        environment["PYTHONWARNINGS"] = "ignore"  # aio-pika's, of a connection it gave up
        self.process = playground.processes.spawn(command, environment, self._log)

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    def wait_ready(self, times: int = 1) -> None:
        """Wait until it has said so many times that it takes requests."""
        wait_for(lambda: self.log.count(" ready: ") >= times, self.process, self._log)

    def stop(self) -> None:
        """End it as a deployment does, by SIGTERM: what runs is finished first."""
        self._processes.end(self.process)

    def kill(self) -> None:
        """End it as a crash would."""
        self._processes.kill(self.process)


def _missing_on_binder() -> str:
    """Wait for the broker that Binder starts; say why it can't be used, or "" if it can."""
    if BINDER_VARIABLE not in os.environ:
        return "This is not Binder: nothing was started in advance. The next cells do that."
    folder = Path(os.environ[BINDER_VARIABLE])
    deadline = time.monotonic() + BINDER_SECONDS
    while not (status := _status_of(folder)).startswith("ready"):
        if time.monotonic() > deadline:
            return (
                f"Binder's RabbitMQ does not run: {status or 'it has said nothing.'}\n"
                f"Its log is {folder}/broker.log, the Nango server's {folder}/server.log. Go on: "
                "the next cells start another. To have it again, open the Binder link anew."
            )
        time.sleep(0.2)
    return ""


def _status_of(folder: Path) -> str:
    try:
        return (folder / "status").read_text().strip()
    except OSError:
        return ""


def _replace_transformer(transformer: Callable[[list[str]], list[str]]) -> None:
    from IPython import get_ipython

    shell = get_ipython()
    if shell is None:
        return
    kept = [
        one
        for one in shell.input_transformers_cleanup
        if not isinstance(getattr(one, "__self__", None), Playground)
    ]
    shell.input_transformers_cleanup[:] = [transformer, *kept]
