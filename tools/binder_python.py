"""Finds the Python that Binder would use, in a form that an unprivileged user can run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from binder_sandbox import RehearsalError, Sandbox

_ASK = "import sys; print(*sys.version_info[:2], sep='.'); print(sys.base_prefix)"
_LEFT_OUT = shutil.ignore_patterns("site-packages", "test", "idlelib", "config-*", "*.a", "share")


def wanted_version(runtime: Path) -> str:
    """Read ``python-3.12`` as 3.12."""
    if not runtime.exists():
        raise RehearsalError("there is no binder/runtime.txt, so Binder would take an older Python")
    match = re.fullmatch(r"python-(\d+\.\d+)\s*", runtime.read_text())
    if match is None:
        raise RehearsalError("line 1 of binder/runtime.txt, the only one, should be python-3.X")
    return match[1]


def provide(version: str, sandbox: Sandbox) -> tuple[Path, dict[str, str], str]:
    """Return an interpreter, what it needs in the environment, and a sentence about it."""
    for candidate in _candidates(version):
        found = _ask(candidate)
        if found is None:
            continue
        actual, prefix = found
        remark = "" if actual == version else f" INSTEAD OF {version}, which is not on this machine"
        program = prefix / "bin" / f"python{actual}"
        if _can_run(program, sandbox, {}):
            return program, {}, f"Python {actual}{remark}: {program}"
        copy, environment = _copy(prefix, sandbox)
        program = copy / "bin" / f"python{actual}"
        if _can_run(program, sandbox, environment):
            return program, environment, f"Python {actual}{remark}: a copy of {prefix}"
    raise RehearsalError("no Python 3.11 or newer that another user can run")


def _candidates(version: str) -> Iterator[str]:
    yield f"python{version}"
    for root in (os.environ.get("PYENV_ROOT"), "~/.pyenv"):
        if root:
            folder = Path(root).expanduser() / "versions"
            yield from map(str, sorted(folder.glob(f"{version}.*/bin/python{version}")))
    yield sys.executable


def _ask(program: str) -> tuple[str, Path] | None:
    """Ask an interpreter for its version and home; a shim may exist and fail."""
    try:
        command = [program, "-c", _ASK]
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    except (OSError, subprocess.SubprocessError):
        return None
    version, prefix = done.stdout.split("\n")[:2]
    return version, Path(prefix)


def _can_run(program: Path, sandbox: Sandbox, environment: dict[str, str]) -> bool:
    try:
        sandbox.run([str(program), "-c", "import ssl, sqlite3"], environment, 30)
    except (OSError, RehearsalError):
        return False
    return True


def _copy(prefix: Path, sandbox: Sandbox) -> tuple[Path, dict[str, str]]:
    """Copy an interpreter out of a home that the user can't read."""
    copy = sandbox.folder / "python"
    if not copy.exists():
        for part in ("bin", "lib"):
            shutil.copytree(prefix / part, copy / part, symlinks=True, ignore=_LEFT_OUT)
    has_library = any((copy / "lib").glob("libpython3*.so*"))
    return copy, {"LD_LIBRARY_PATH": str(copy / "lib")} if has_library else {}
