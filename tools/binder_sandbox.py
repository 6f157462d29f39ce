"""A user without rights, a folder of theirs, and the processes that run there.

Used by ``binder_rehearsal.py``. Only the standard library is needed.
"""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

STOP_SECONDS = 15
_SET_CHILD_SUBREAPER = 36


class RehearsalError(Exception):
    """Something that would fail on Binder, too, or that keeps the rehearsal from being one.

    Parameters
    ----------
    sentence : str
        What failed, if possible with the line of the file.
    printed : str
        What a program printed about it.
    """

    def __init__(self, sentence: str, printed: str = "") -> None:
        super().__init__(sentence)
        self.printed = printed


class Sandbox:
    """A folder that belongs to an unprivileged user, while its ``with`` block runs.

    Root makes a user for it; anybody else is unprivileged already, and is used.

    Attributes
    ----------
    folder : Path
        Readable by everybody, outside of anybody's home, and without a space in its name.
    home : Path
        In it: the user's home, which on Binder is the repository as well.
    """

    def __init__(self) -> None:
        self.is_made = os.geteuid() == 0
        self.user = f"nango-{os.getpid()}" if self.is_made else str(os.geteuid())
        self.folder = Path()
        self.home = Path()

    def __enter__(self) -> Self:
        adopt_orphans()
        self.folder = Path(tempfile.mkdtemp(prefix="nango-binder-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.home = self.folder / "jovyan"
        try:
            if self.is_made:
                self._make_user()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        end_all()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self.is_made:
            subprocess.run(["userdel", self.user], capture_output=True, check=False)

    def own(self, path: Path) -> None:
        """Hand a file or a folder with all in it to the user."""
        if self.is_made:
            subprocess.run(["chown", "-R", f"{self.user}:", str(path)], check=True)

    def start(
        self, command: Sequence[str], environment: Mapping[str, str], log: Path
    ) -> subprocess.Popen[bytes]:
        """Start a command as the user, in their home, without standard input."""
        user = self.user if self.is_made else None
        no_groups: list[int] = []
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                cwd=self.home if self.home.exists() else self.folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                umask=0o022,
                user=user,
                group=user,
                extra_groups=no_groups if self.is_made else None,
            )

    def run(
        self, command: Sequence[str], environment: Mapping[str, str], seconds: float = 300
    ) -> str:
        """Run a command as the user and return what it printed.

        Raises
        ------
        RehearsalError
            If it fails, with what it printed.
        """
        descriptor, name = tempfile.mkstemp(dir=self.folder)
        os.close(descriptor)
        log = Path(name)
        try:
            process = self.start(command, environment, log)
        except OSError as error:
            raise RehearsalError(f"{_short(command)}: {error.strerror}") from None
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            raise RehearsalError(f"{_short(command)}: no end after {seconds:g} s") from None
        printed = log.read_text(errors="replace")
        if code:
            raise RehearsalError(f"{_short(command)} ended with {code}", printed)
        return printed

    def _make_user(self) -> None:
        options = ["--no-create-home", "--no-log-init", "--user-group", "--shell", "/bin/bash"]
        command = ["useradd", *options, "--home-dir", str(self.home), self.user]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RehearsalError(f"there is no user to rehearse as: {done.stderr.strip()}")


def _short(command: Sequence[str]) -> str:
    return " ".join(command)[:200]


@dataclass(frozen=True)
class Process:
    """One process that descends from this one.

    Attributes
    ----------
    megabytes : float
        Its memory; what it shares with others is divided among them, where we may know.
    """

    pid: int
    command: str
    megabytes: float


def adopt_orphans() -> None:
    """Make this process the parent of whatever its children leave behind, so that it is found."""
    ctypes.CDLL(None).prctl(_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def descendants(ancestor: int | None = None) -> list[Process]:
    """List the living processes that this one, or another one, has started, directly or not."""
    children: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            # The name, in parentheses, may hold anything.
            state, parent = stat.read_text(errors="replace").rpartition(")")[2].split()[:2]
        except OSError:  # it has ended
            continue
        if state != "Z":
            children.setdefault(int(parent), []).append(int(stat.parent.name))
    found: list[int] = []
    waiting = [os.getpid() if ancestor is None else ancestor]
    while waiting:
        more = children.get(waiting.pop(), [])
        found += more
        waiting += more
    return [_look_at(pid) for pid in found]


def _look_at(pid: int) -> Process:
    folder = Path(f"/proc/{pid}")
    try:
        command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        command = ""
    return Process(pid, command, _kilobytes(folder) / 1024)


def _kilobytes(folder: Path) -> int:
    # Linux shows a process's share of common memory to few; of what is resident, to all.
    for name, field in (("smaps_rollup", "Pss:"), ("status", "VmRSS:")):
        try:
            for line in (folder / name).read_text().splitlines():
                if line.startswith(field):
                    return int(line.split()[1])
        except OSError:
            continue
    return 0


def end_all() -> None:
    """End every process that descends from this one: politely, then by force."""
    deadline = time.monotonic() + STOP_SECONDS
    number = signal.SIGTERM
    while running := descendants():
        for process in running:
            try:
                os.kill(process.pid, number)
            except ProcessLookupError:
                continue
        if time.monotonic() > deadline:
            number = signal.SIGKILL
        time.sleep(0.3)
        _reap()


def _reap() -> None:
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return
