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
    apt_lines,
    check_dockerfile,
    entrypoint,
    install_repo2docker,
    write_dockerfile,
)
from binder_jupyter import Jupyter, place_in
from binder_memory import LIMIT, MemoryWatch, by_role
from binder_notebooks import Outcome, execute
from binder_python import provide, wanted_version
from binder_requirements import NAME, install_requirements, with_checkout
from binder_sandbox import RehearsalError, Sandbox, descendants

ROOT = Path(__file__).resolve().parent.parent
REPO2DOCKER = ROOT / "build" / "repo2docker"
DOCKERFILE = ROOT / "build" / "binder" / "Dockerfile"
AT_ONCE = 2
# How much of what a failed program printed is shown.
MOST_LINES = 12
# Where packages come from is this machine's affair; nothing else of it comes along.
NETWORK = re.compile(r"(PIP|UV|SSL)_\w+|\w*_proxy|REQUESTS_CA_BUNDLE", re.IGNORECASE)

T = TypeVar("T")


@dataclass(frozen=True)
class Failure:
    """A sentence about what failed in a step, and what was printed there."""

    step: str
    sentence: str
    printed: str = ""

    def __str__(self) -> str:
        lines = [line for line in self.printed.splitlines() if line.strip()][-MOST_LINES:]
        told = f"FAILED in the step {self.step}: {self.sentence.rstrip('.')}."
        return "\n".join([*(f"  {line[:160]}" for line in lines), told])


@dataclass
class Rehearsal:
    """What the steps hand on to each other."""

    sandbox: Sandbox
    repository: Path
    failures: list[Failure] = field(default_factory=list)
    steps: list[tuple[str, float]] = field(default_factory=list)
    environment: dict[str, str] = field(default_factory=dict)
    is_unpublished: bool = False
    now: str = ""

    def fail(self, sentence: str, printed: str = "") -> None:
        """Keep what failed in the step that is being taken."""
        self.failures.append(Failure(self.now, sentence, printed))

    def step(self, name: str, work: Callable[[], T]) -> T:
        """Do a part of it, and keep how long it took."""
        print(f"\n== {name}", flush=True)
        self.now = name
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
            rehearsal.fail(str(error), error.printed)
    print("\n== time")
    for name, seconds in rehearsal.steps:
        print(f"  {seconds:6.1f} s  {name}")
    for failure in rehearsal.failures:
        print(f"\n{failure}")
    if not rehearsal.failures:
        condition = f", once nango-jupyter is where {NAME} takes it from"
        print(f"\nBinder would work{condition if rehearsal.is_unpublished else ''}.")
    return 1 if rehearsal.failures else 0


def rehearse(rehearsal: Rehearsal) -> None:
    """Take all steps, in Binder's order."""
    sandbox = rehearsal.sandbox
    print(f"As the user {sandbox.user}, {'made for this' if sandbox.is_made else 'who called it'}.")
    rehearsal.step("repository", lambda: copy_repository(rehearsal))
    binder = sandbox.home / "binder"
    rehearsal.now = "runtime.txt"
    version = wanted_version(binder / "runtime.txt")
    python = rehearsal.step("Dockerfile", lambda: show_dockerfile(rehearsal, binder, version))
    rehearsal.step("apt.txt", lambda: install_debian_packages(binder))
    rehearsal.step("requirements.txt", lambda: install(rehearsal, version))
    if (binder / "postBuild").exists():
        rehearsal.step("postBuild", lambda: run_post_build(rehearsal))
    run_container(rehearsal, entrypoint(python))


def copy_repository(rehearsal: Rehearsal) -> None:
    """Clone what is committed, as Binder does: the rest isn't rehearsed."""
    repository, home = rehearsal.repository, rehearsal.sandbox.home
    git(repository, "clone", "--quiet", "--no-hardlinks", str(repository), str(home))
    for name in ("postBuild", "start"):  # as the Dockerfile does
        if (program := home / "binder" / name).exists():
            program.chmod(0o755)
    rehearsal.sandbox.own(home)
    print(f"  a copy of what is committed in {repository}")
    if changed := git(repository, "status", "--porcelain").splitlines():
        more = f" and {len(changed) - 5} more" if len(changed) > 5 else ""
        names = ", ".join(line[3:] for line in changed[:5])
        print(f"  NOT rehearsed, as it isn't committed: {names}{more}")


def git(place: Path, *arguments: str) -> str:
    """Run git in a repository, whoever owns that, and return what it printed."""
    safe = ["-c", "safe.directory=*", "-c", "core.quotepath=off"]
    command = ["git", *safe, "-C", str(place), *arguments]
    done = subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise RehearsalError(f"git {arguments[0]} failed in {place}", done.stderr)
    return done.stdout


def notebooks_of(rehearsal: Rehearsal) -> list[Path]:
    """List the notebooks that are committed."""
    names = git(rehearsal.repository, "ls-files", "-z", "*.ipynb").split("\0")
    return sorted(rehearsal.sandbox.home / name for name in names if name)


def show_dockerfile(rehearsal: Rehearsal, binder: Path, version: str) -> Path:
    """Print the Dockerfile, compare it with binder/, and return repo2docker's Python."""
    python = install_repo2docker(REPO2DOCKER, find_uv())
    log, text = write_dockerfile(python, rehearsal.sandbox.home)
    DOCKERFILE.parent.mkdir(parents=True, exist_ok=True)
    DOCKERFILE.write_text(f"{text}\n")
    lines = len(text.splitlines())
    print(f"  What Binder would build, {lines} lines, from here to the next heading.")
    print(f"  It is also in {DOCKERFILE.relative_to(ROOT)}.\n\n{text}")
    print("\n== what is in the Dockerfile")
    for failure in check_dockerfile(f"{log}\n{text}", binder, version):
        rehearsal.fail(failure)
    return python


def install_debian_packages(binder: Path) -> None:
    """Install what apt.txt names, without recommended packages, as Binder does."""
    ask = ["dpkg-query", "--show", "--showformat=${db:Status-Abbrev}"]
    missing = {}
    for number, package in enumerate(apt_lines(binder / "apt.txt"), 1):
        if not package:
            continue
        found = subprocess.run([*ask, package], capture_output=True, text=True, check=False)
        state = found.stdout.strip() if found.returncode == 0 else ""
        print(f"  {package}: {'installed already' if state == 'ii' else 'missing'}")
        if state != "ii":
            missing[package] = number
    if missing:
        script = f"set -euo pipefail; source tools/apt.sh; apt_install {shlex.join(missing)}"
        command = ["bash", "-c", script]
        done = subprocess.run(command, cwd=ROOT, stderr=subprocess.PIPE, text=True, check=False)
        if done.returncode:
            guilty = [
                name
                for name in missing
                if re.search(rf"^E: .*\b{re.escape(name)}", done.stderr, re.M)
            ]
            places = ", ".join(f"line {missing[name]}, {name}" for name in guilty or missing)
            raise RehearsalError(f"of binder/apt.txt, {places}, can't be installed", done.stderr)


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
    use_checkout(rehearsal)
    install_requirements(sandbox, find_uv(), python, venv, rehearsal.environment | network)


def use_checkout(rehearsal: Rehearsal) -> None:
    """Take nango-jupyter from here, where the requirements name it: it may not be published."""
    path = rehearsal.sandbox.home / NAME
    if not path.exists():
        raise RehearsalError(f"there is no {NAME}")
    checkout = rehearsal.sandbox.folder / "nango-jupyter"
    text, replaced = with_checkout(path.read_text(), checkout)
    for line in replaced:
        print(f"  in the place of {line}: what is committed in {ROOT}")
    if replaced:
        rehearsal.is_unpublished = True
        git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(checkout))
        rehearsal.sandbox.own(checkout)
        path.write_text(text)


def run_post_build(rehearsal: Rehearsal) -> None:
    """Run it, as bash would say where it failed."""
    name = "binder/postBuild"
    sandbox = rehearsal.sandbox
    trap = sandbox.folder / "trap"
    trap.write_text("unset BASH_ENV\ntrap 'echo \"$0: line $LINENO\" >&2' ERR\n")
    environment = rehearsal.environment | {"BASH_ENV": str(trap)}
    try:
        sandbox.run([str(sandbox.home / name)], environment)
    except RehearsalError as error:
        sentence = f"it failed{place_in(name, error.printed)}"
        raise RehearsalError(sentence, error.printed) from None


def clean_environment(sandbox: Sandbox, venv: Path) -> dict[str, str]:
    """Build the variables of Binder's container, and no other ones."""
    search = [venv / "bin", sandbox.home / ".local" / "bin", "/usr/local/bin", "/usr/bin", "/bin"]
    start = sandbox.home / "binder" / "start"
    entry = {"R2D_ENTRYPOINT": str(start)} if start.exists() else {}
    return {
        **entry,
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
        "PYTHONUNBUFFERED": "1",
    }


def run_container(rehearsal: Rehearsal, program: Path) -> None:
    """Start Jupyter as Binder's container does, work with it, and end it."""
    jupyter = Jupyter(rehearsal.sandbox, rehearsal.environment, program)
    with MemoryWatch() as memory:
        rehearsal.step("start", lambda: open_first_page(rehearsal, jupyter))
        outcomes = rehearsal.step("notebooks", lambda: execute_all(rehearsal, jupyter))
    for one in outcomes:
        if one.failure:
            rehearsal.fail(f"{one.name}: {one.failure}")
    show_memory(rehearsal, memory)
    rehearsal.step("end", lambda: jupyter.end(seconds=20))
    if left := descendants():
        rehearsal.fail("left behind: " + ", ".join(one.command for one in left))


def open_first_page(rehearsal: Rehearsal, jupyter: Jupyter) -> None:
    """Wait until a visitor would see the first tutorial, and until the services run."""
    jupyter.start()
    page = jupyter.open_first_page(seconds=60)
    print(f"  JupyterLab after {page.seconds:.1f} s: / leads to {page.path}")
    first = rehearsal.sandbox.home / page.path.removeprefix("/lab/tree/")
    if first not in notebooks_of(rehearsal):
        rehearsal.fail(f"first= in binder/postBuild: {page.path} is no notebook that is committed")
    if not page.is_quiet:
        rehearsal.fail("JupyterLab asks whether to show news: binder/postBuild should forbid it")
    if not (rehearsal.sandbox.home / "binder" / "start").exists():
        print("  without binder/start there is no RabbitMQ and no Nango server")
        return
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
        rehearsal.fail(f"it takes {memory.total:.0f} MB")


if __name__ == "__main__":
    sys.exit(main())
