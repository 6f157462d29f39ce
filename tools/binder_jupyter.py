"""JupyterLab as Binder's container starts it: by repo2docker's entry point and binder/start."""

from __future__ import annotations

import json
import re
import secrets
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlsplit

from binder_sandbox import RehearsalError, Sandbox, descendants

NEWS = "@jupyterlab/apputils-extension:announcements"
ASK = """
import asyncio
from nango_jupyter import Nango
from nango_jupyter.settings import Settings

async def main():
    async with Nango.from_settings(Settings.from_environment()) as nango:
        catalog = await nango.catalog()
        if "echo" in catalog.integrations.get("demo", {}):
            await nango.register_connection("demo", "rehearsal", "a-token", {})
            await nango.trigger_action("demo", "echo", "rehearsal", {"msg": "hello"})
        print(*catalog.integrations)

asyncio.run(main())
"""


@dataclass(frozen=True)
class Page:
    """What a visitor sees first."""

    path: str
    seconds: float
    is_quiet: bool


class Jupyter:
    """One server, with the services that binder/start runs beside it."""

    def __init__(self, sandbox: Sandbox, environment: Mapping[str, str], program: Path) -> None:
        self.variables: dict[str, str] = {}
        self._sandbox = sandbox
        self._environment = environment
        self._log = sandbox.folder / "jupyter.log"
        self._token = secrets.token_hex(16)
        self._port = _free_port()
        self._entrypoint = sandbox.folder / "repo2docker-entrypoint"
        shutil.copy(program, self._entrypoint)
        self._entrypoint.chmod(0o755)
        self._process: subprocess.Popen[bytes] | None = None
        self._started = 0.0

    def start(self) -> None:
        """Start it, as the container's command."""
        jupyter = ["jupyter", "lab", "--no-browser", "--ip=127.0.0.1", f"--port={self._port}"]
        options = ["--ServerApp.port_retries=0", f"--IdentityProvider.token={self._token}"]
        python = f"{self._environment['NB_PYTHON_PREFIX']}/bin/python"
        command = [python, "-u", str(self._entrypoint), *jupyter, *options]
        self._started = time.monotonic()
        self._process = self._sandbox.start(command, self._environment, self._log)

    def open_first_page(self, seconds: float) -> Page:
        """Open / as a browser does, as soon as somebody answers."""
        while True:
            try:
                path, disabled = visit(self._port, self._token)
                break
            except urllib.error.HTTPError as error:
                raise RehearsalError(f"{urlsplit(error.url).path} is answered by {error}") from None
            except OSError:
                self._check(seconds, "JupyterLab does not answer")
        self.variables = self._read_variables()
        return Page(path, time.monotonic() - self._started, NEWS in disabled)

    def wait_for_services(self, seconds: float) -> float:
        """Wait until binder/start says that they are there; return when that was."""
        folder = Path(self.variables["NANGO_BINDER_LOGS"])
        status, log = folder / "status", folder / "server.log"
        while not (status.exists() and status.read_text().startswith("ready")):
            said = status.read_text() if status.exists() else "nothing is said of the services"
            self._check(
                seconds,
                f"binder/start: {said.partition(chr(10))[0].rstrip('.')}",
                lambda: log.read_text(errors="replace") if log.exists() else "",
            )
        return time.monotonic() - self._started

    def ask_catalog(self) -> str:
        """Ask through the broker, as a kernel would, what is served, and trigger demo's echo."""
        python = f"{self._environment['NB_PYTHON_PREFIX']}/bin/python"
        names = self._sandbox.run([python, "-c", ASK], self.variables, 60).strip()
        if not names:
            raise RehearsalError("the server has no integrations")
        return names

    def end(self, seconds: float) -> None:
        """End it as Binder does; whatever it started should end by itself."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RehearsalError(f"Jupyter goes on {seconds:g} s after SIGTERM") from None
        deadline = time.monotonic() + seconds
        while descendants() and time.monotonic() < deadline:
            time.sleep(0.2)

    def _read_variables(self) -> dict[str, str]:
        """Read the environment that Jupyter has, and its kernels get."""
        assert self._process is not None
        for process in descendants(self._process.pid):
            if "jupyter-lab" in process.command:
                # Linux shows it to its own user, and not to every root.
                text = self._sandbox.run(["cat", f"/proc/{process.pid}/environ"], self._environment)
                pairs = (pair.partition("=") for pair in text.split("\0") if pair)
                return {name: value for name, _, value in pairs}
        raise RehearsalError("binder/start has not become jupyter-lab")

    def _check(self, seconds: float, what: str, more: Callable[[], str] = str) -> None:
        """Wait a moment; raise if there is no point in waiting any longer."""
        assert self._process is not None
        if self._process.poll() is not None or time.monotonic() - self._started > seconds:
            log = self._log.read_text(errors="replace").replace(self._token, "…")
            log += (others := more())
            place = place_in("binder/start", log) or file_in(others)
            raise RehearsalError(f"{what}{place}", log)
        time.sleep(0.2)


def visit(port: int, token: str) -> tuple[str, list[str]]:
    """Open / of a Jupyter server as a browser does.

    Returns
    -------
    tuple of str and list of str
        The path that it leads to, and the extensions of JupyterLab that are disabled there.
    """
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPCookieProcessor(CookieJar())
    )
    with opener.open(f"http://127.0.0.1:{port}/?token={token}", timeout=10) as response:
        text, url = response.read().decode(), response.url
    match = re.search(r'<script id="jupyter-config-data"[^>]*>(.*?)</script>', text, re.DOTALL)
    disabled = json.loads(match[1]).get("disabledExtensions", []) if match else []
    return urlsplit(url).path, disabled


def place_in(name: str, printed: str) -> str:
    """Say which line of a script failed, if bash, Python or the trap for errors says so."""
    file = re.escape(name.rpartition("/")[2])
    found = re.findall(rf"{file}\"?[:,] line (\d+)", printed)
    return f", at line {found[-1]} of {name}" if found else ""


def file_in(printed: str) -> str:
    """Say which line of an action or of YAML the server complained about."""
    found = re.findall(r"^- (\S.*\.(?:py|yaml)):(\d+): (.*)", printed, re.MULTILINE)
    return f"; line {found[-1][1]} of {found[-1][0]}: {found[-1][2]}" if found else ""


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
