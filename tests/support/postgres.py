"""A private PostgreSQL cluster in a temporary folder, to be broken at will.

Nothing listens outside 127.0.0.1, there is no socket in the file system, and no cluster of the
machine is touched. PostgreSQL refuses to run as root; root lends it to another user.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

from nango_jupyter.samples.rabbitmq import free_ports, is_open

DEBIAN = Path("/usr/lib/postgresql")
USER = "nango"
START_SECONDS = 60
STOP_SECONDS = 20

# Nothing waits for the disk; a commit that was answered survives a `kill` all the same.
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "fsync": "off",
    "full_page_writes": "off",
    "shared_buffers": "16MB",
    "max_connections": "100",
}


class Postgres:
    """One cluster, running while its ``with`` block does (or from `start` to `stop`).

    `kill` keeps the cluster's data, for another `start`; `stop` removes it.
    """

    def __init__(self) -> None:
        (self.port,) = free_ports(1)
        self.password = secrets.token_hex(8)
        self._as_user = _other_user_for_root()
        self._folder = Path(tempfile.mkdtemp(prefix="nango-postgres-"))
        self._postmaster: subprocess.Popen[bytes] | None = None
        if self._as_user:
            shutil.chown(self._folder, self._as_user["user"], self._as_user["group"])

    @property
    def folder(self) -> Path:
        """Where everything of this cluster is."""
        return self._folder

    def url(self, database: str, *, password: str = "", port: int = 0) -> str:
        """Return a database's URL, as the store takes it."""
        password, port = password or self.password, port or self.port
        return f"postgresql+asyncpg://{USER}:{password}@127.0.0.1:{port}/{database}"

    def create(self, database: str) -> None:
        """Make an empty database."""
        self._run("createdb", *self._address(), database)

    def drop(self, database: str) -> None:
        """Remove a database, whoever is connected to it."""
        self._run("dropdb", *self._address(), "--force", database)

    def start(self) -> None:
        """Start the cluster, at first make it, and wait until it answers."""
        if self._postmaster is not None:
            raise RuntimeError("this cluster is running already")
        data = self._folder / "data"
        if not data.exists():
            self._make_cluster(data)
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        with (self._folder / "output.log").open("ab") as output:
            self._postmaster = subprocess.Popen(
                [_program("postgres"), "-D", str(data), "-p", str(self.port), *settings],
                env=self._environment(),
                cwd=self._folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,  # Ctrl-C is for the tests, which then stop the cluster
                **self._as_user,
            )
        self._wait_for(self._answers, self._postmaster)
        # All of 127/8 is this machine, so 127.0.0.2 reaches what is bound to every address.
        if is_open("127.0.0.2", self.port):
            raise RuntimeError(f"PostgreSQL listens on more than 127.0.0.1 (port {self.port})")

    def stop(self) -> None:
        """End everything for good and leave nothing behind."""
        try:
            if self._postmaster is not None:
                self._end(signal.SIGINT)  # without waiting for clients to leave
        finally:
            shutil.rmtree(self._folder)

    def kill(self) -> None:
        """End the cluster at once: connections break in the middle of what they do."""
        self._end(signal.SIGQUIT)

    def heal(self) -> None:
        """Bring the cluster back if a test left it dead."""
        if self._postmaster is None:
            self.start()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _make_cluster(self, data: Path) -> None:
        passwords = self._folder / "password"
        passwords.write_text(self.password)
        if self._as_user:
            shutil.chown(passwords, self._as_user["user"])
        self._run(
            "initdb",
            *("--pgdata", str(data), "--username", USER, "--pwfile", str(passwords)),
            *("--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--no-sync"),
        )

    def _run(self, name: str, *arguments: str) -> None:
        done = subprocess.run(
            [_program(name), *arguments],
            env=self._environment(),
            cwd=self._folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
            **self._as_user,
        )
        if done.returncode:
            raise RuntimeError(f"{name} failed:\n{done.stdout}{done.stderr}")

    def _environment(self) -> dict[str, str]:
        """Build the whole environment: nothing of the user's PostgreSQL leaks in."""
        folder = str(self._folder)
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": folder,
            "LC_ALL": "C.UTF-8",
            "PGPASSWORD": self.password,
        }

    def _address(self) -> tuple[str, ...]:
        return ("--host", "127.0.0.1", "--port", str(self.port), "--username", USER)

    def _answers(self) -> bool:
        asked = [_program("pg_isready"), *self._address(), "--quiet"]
        return subprocess.run(asked, env=self._environment(), check=False).returncode == 0

    def _wait_for(self, ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not ready():
            if process.poll() is not None or time.monotonic() > deadline:
                words = (self._folder / "output.log").read_text()[-2000:]
                raise RuntimeError(f"PostgreSQL did not start:\n{words}")
            time.sleep(0.05)

    def _end(self, how: signal.Signals) -> None:
        if self._postmaster is None:
            raise RuntimeError("this cluster is not running")
        self._postmaster.send_signal(how)
        try:
            self._postmaster.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._postmaster.kill()
            self._postmaster.wait()
        self._postmaster = None


def _program(name: str) -> str:
    newest = sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    path = os.pathsep.join([*map(str, reversed(newest)), os.environ.get("PATH", os.defpath)])
    found = shutil.which(name, path=path)
    if found is None:
        raise RuntimeError(
            f"PostgreSQL is not installed ({name} is missing). On Debian and Ubuntu:"
            " apt-get install --no-install-recommends postgresql"
        )
    return found


def _other_user_for_root() -> dict[str, Any]:
    """Return what makes a child process run as another user; nothing, unless we are root."""
    if os.geteuid() != 0:
        return {}
    known = {entry.pw_name: entry for entry in pwd.getpwall()}
    found = known.get("postgres") or known["nobody"]
    return {"user": found.pw_name, "group": found.pw_gid, "extra_groups": []}
