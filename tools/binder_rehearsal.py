"""Rehearse what Binder does with this repository, without docker.

Called by ``make binder-rehearsal``. It shows the Dockerfile that repo2docker makes, and then does
by hand what stands in it: as a user without rights, with a clean environment, in a copy of what is
committed. It starts JupyterLab by binder/start, and executes every notebook beside it.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from binder_dockerfile import (
    apt_packages,
    check_dockerfile,
    entrypoint,
    install_repo2docker,
    write_dockerfile,
)
from binder_jupyter import Jupyter
from binder_memory import LIMIT, MemoryWatch, by_role
from binder_notebooks import Outcome, execute
from binder_python import provide, wanted_version
from binder_sandbox import RehearsalError, Sandbox, descendants

ROOT = Path(__file__).resolve().parent.parent
REPO2DOCKER = ROOT / "build" / "repo2docker"
AT_ONCE = 2
# Where packages come from is this machine's affair; nothing else of it comes along.
NETWORK = re.compile(r"(PIP|UV|SSL)_\w+|\w*_proxy|REQUESTS_CA_BUNDLE", re.IGNORECASE)

T = TypeVar("T")


@dataclass
class Rehearsal:
    """What the steps hand on to each other."""

    sandbox: Sandbox
    repository: Path
    failures: list[str] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Do a part of it, and keep how long it took."""
        print(f"\n== {name}", flush=True)
        started = time.monotonic()
        try:
            return work()
        finally:
            self.steps.append((name, time.monotonic() - started))


def main() -> int:
    """Rehearse; 1 means that Binder would fail."""
    parser = argparse.ArgumentParser(description="Rehearse what Binder does, without docker.")
    parser.add_argument(
        "repository", type=Path, nargs="?", default=ROOT, help="this one if left out"
    )
    repository: Path = parser.parse_args().repository.resolve()
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Sandbox() as sandbox:
        rehearsal = Rehearsal(sandbox, repository)
        try:
            rehearse(rehearsal)
        except RehearsalError as error:
            rehearsal.failures.append(str(error))
    print("\n== time")
    for name, seconds in rehearsal.steps:
        print(f"  {seconds:6.1f} s  {name}")
    for failure in rehearsal.failures:
        print(f"\nFAILED: {failure}")
    if not rehearsal.failures:
        print("\nBinder would work.")
    return 1 if rehearsal.failures else 0


def rehearse(rehearsal: Rehearsal) -> None:
    """Take all steps, in Binder's order."""
    sandbox = rehearsal.sandbox
    print(f"As the user {sandbox.user}, {'made for this' if sandbox.is_made else 'who called it'}.")
    rehearsal.step("repository", lambda: copy_repository(rehearsal))
    binder = sandbox.home / "binder"
    version = wanted_version(binder / "runtime.txt")
    python = rehearsal.step("Dockerfile", lambda: show_dockerfile(rehearsal, binder, version))
    rehearsal.step("apt.txt", lambda: install_debian_packages(binder))
    rehearsal.step("requirements.txt", lambda: install(rehearsal, version))
    if (binder / "postBuild").exists():
        post_build = [str(binder / "postBuild")]
        rehearsal.step("postBuild", lambda: sandbox.run(post_build, rehearsal.environment))
    run_container(rehearsal, entrypoint(python))


def copy_repository(rehearsal: Rehearsal) -> None:
    """Clone what is committed, as Binder does: the rest isn't rehearsed."""
    source, home = str(rehearsal.repository), rehearsal.sandbox.home
    git(rehearsal, "clone", "--quiet", "--no-hardlinks", source, str(home))
    rehearsal.sandbox.own(home)
    if changed := git(rehearsal, "status", "--porcelain"):
        print(f"NOT rehearsed, as it isn't committed:\n{changed.rstrip()}")


def git(rehearsal: Rehearsal, *arguments: str) -> str:
    """Run git in the repository, whoever owns that, and return what it printed."""
    place = str(rehearsal.repository)
    command = ["git", "-c", "safe.directory=*", "-c", "core.quotepath=off", "-C", place, *arguments]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RehearsalError(f"git {arguments[0]} failed in {place}: {done.stderr.strip()}")
    return done.stdout


def notebooks_of(rehearsal: Rehearsal) -> list[Path]:
    """List the notebooks that are committed."""
    names = git(rehearsal, "ls-files", "-z", "*.ipynb").split("\0")
    return sorted(rehearsal.sandbox.home / name for name in names if name)


def show_dockerfile(rehearsal: Rehearsal, binder: Path, version: str) -> Path:
    """Print the Dockerfile, compare it with binder/, and return repo2docker's Python."""
    python = install_repo2docker(REPO2DOCKER, find_uv())
    printed = write_dockerfile(python, rehearsal.sandbox.home)
    print(printed)
    rehearsal.failures += check_dockerfile(printed, binder, version)
    return python


def install_debian_packages(binder: Path) -> None:
    """Install what apt.txt names, without recommended packages, as Binder does."""
    ask = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}"]
    missing = []
    for package in apt_packages(binder / "apt.txt"):
        found = subprocess.run([*ask, package], capture_output=True, text=True, check=False)
        state = found.stdout.strip() if found.returncode == 0 else ""
        print(f"  {package}: {'installed already' if state == 'ii' else 'missing'}")
        if state != "ii":
            missing.append(package)
    if missing:
        script = f"set -euo pipefail; source tools/apt.sh; apt_install {shlex.join(missing)}"
        if subprocess.run(["bash", "-c", script], cwd=ROOT, check=False).returncode:
            raise RehearsalError(f"apt.txt: {' '.join(missing)} can't be installed")


def find_uv() -> Path | None:
    """Find uv, which installs in a tenth of pip's time."""
    found = shutil.which("uv", path=f"{ROOT / '.venv' / 'bin'}:{os.environ.get('PATH', '')}")
    return Path(found) if found else None


def install(rehearsal: Rehearsal, version: str) -> None:
    """Make the user's Python environment from binder/requirements.txt."""
    sandbox = rehearsal.sandbox
    python, more, sentence = provide(version, sandbox)
    print(f"  {sentence}")
    venv = sandbox.folder / "environment"
    venv.mkdir()
    sandbox.own(venv)
    rehearsal.environment = clean_environment(sandbox, venv) | more
    network = {name: value for name, value in os.environ.items() if NETWORK.fullmatch(name)}
    environment = rehearsal.environment | network
    requirements = str(sandbox.home / "binder" / "requirements.txt")
    if uv := find_uv():
        copy = sandbox.folder / "uv"
        shutil.copy(uv, copy)
        copy.chmod(0o755)
        make = [
            str(copy),
            "venv",
            "--quiet",
            "--allow-existing",
            "--python",
            str(python),
            str(venv),
        ]
        environment["UV_CACHE_DIR"] = str(sandbox.home / ".cache" / "uv")
        environment["VIRTUAL_ENV"] = str(venv)
        command = [str(copy), "pip", "install", "--quiet", "-r", requirements]
        try:
            sandbox.run(make, environment)
            sandbox.run(command, environment, 600)
        except RehearsalError as error:
            print(f"  uv could not install; trying pip: {error}")
        else:
            return
    sandbox.run([str(python), "-m", "venv", "--clear", str(venv)], environment)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-cache-dir"]
    sandbox.run([*pip, "-r", requirements], environment, 600)


def clean_environment(sandbox: Sandbox, venv: Path) -> dict[str, str]:
    """Build the variables of Binder's container, and no other ones."""
    search = [venv / "bin", sandbox.home / ".local" / "bin", "/usr/local/bin", "/usr/bin", "/bin"]
    return {
        "HOME": str(sandbox.home),
        "REPO_DIR": str(sandbox.home),
        "USER": sandbox.user,
        "NB_USER": sandbox.user,
        "SHELL": "/bin/bash",
        "LANG": "C.UTF-8",
        "LC_ALL": "C.UTF-8",
        "PATH": ":".join(map(str, search)),
        "NB_PYTHON_PREFIX": str(venv),
        "KERNEL_PYTHON_PREFIX": str(venv),
        "CONDA_DEFAULT_ENV": str(venv),
        "R2D_ENTRYPOINT": str(sandbox.home / "binder" / "start"),
        "PYTHONUNBUFFERED": "1",
    }


def run_container(rehearsal: Rehearsal, program: Path) -> None:
    """Start Jupyter as Binder's container does, work with it, and end it."""
    jupyter = Jupyter(rehearsal.sandbox, rehearsal.environment, program)
    with MemoryWatch() as memory:
        rehearsal.step("start", lambda: open_first_page(rehearsal, jupyter))
        outcomes = rehearsal.step("notebooks", lambda: execute_all(rehearsal, jupyter))
    rehearsal.failures += [f"{one.name}: {one.failure}" for one in outcomes if one.failure]
    show_memory(rehearsal, memory)
    rehearsal.step("end", lambda: jupyter.end(seconds=20))
    if left := descendants():
        rehearsal.failures.append("left behind: " + ", ".join(one.command for one in left))


def open_first_page(rehearsal: Rehearsal, jupyter: Jupyter) -> None:
    """Wait until a visitor would see the first tutorial, and until the services run."""
    jupyter.start()
    page = jupyter.open_first_page(seconds=60)
    print(f"  JupyterLab after {page.seconds:.1f} s: / leads to {page.path}")
    first = rehearsal.sandbox.home / page.path.removeprefix("/lab/tree/")
    if first not in notebooks_of(rehearsal):
        rehearsal.failures.append(f"JupyterLab opens on {page.path}, which is no notebook")
    if not page.is_quiet:
        rehearsal.failures.append("JupyterLab asks whether to show news")
    seconds = jupyter.wait_for_services(seconds=60)
    url = jupyter.variables["NANGO_URL"]
    print(f"  RabbitMQ and the Nango server after {seconds:.1f} s, at {url}")
    print(f"  they serve {jupyter.ask_catalog()}")


def execute_all(rehearsal: Rehearsal, jupyter: Jupyter) -> list[Outcome]:
    """Execute every notebook, two at a time, with what Jupyter gives to its kernels."""
    notebooks = notebooks_of(rehearsal)

    def one(path: Path) -> Outcome:
        outcome = execute(path, rehearsal.sandbox, jupyter.variables)
        state = "FAILED" if outcome.failure else "ok"
        print(f"  {outcome.seconds:6.1f} s  {outcome.name:28} {state}", flush=True)
        return outcome

    # The one that breaks brokers takes longest: it must not be the last one to begin.
    notebooks.sort(key=lambda path: "for_real" not in path.name)
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        return list(pool.map(one, notebooks))
    finally:  # at Ctrl-C the sandbox ends what runs: to wait for it would take minutes
        pool.shutdown(wait=False, cancel_futures=True)


def show_memory(rehearsal: Rehearsal, memory: MemoryWatch) -> None:
    """Print who took how much at the worst moment; above Binder's limit is a failure."""
    print(f"\n== memory, when it was most, with {AT_ONCE} notebooks at once")
    for role, megabytes in memory.rows():
        print(f"  {megabytes:6.0f} MB  {role}")
    print(f"  {memory.total:6.0f} MB  together; Binder's limit is {LIMIT} MB")
    print(f"  now, without kernels: {sum(size for _, size in by_role(descendants())):.0f} MB")
    if memory.total > LIMIT:
        rehearsal.failures.append(f"it takes {memory.total:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
