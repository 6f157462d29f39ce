"""Stands in for programs that a document names, but that a test must not run as they are.

Called as ``stand_in.py PROGRAM ARGUMENTS``; what each does instead is said in `test_code_blocks`.
It runs in the document's folder. NANGO_DOCS_HOME is a folder for logs and process ids.
"""

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
import urllib.request
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
HOME = Path(os.environ.get("NANGO_DOCS_HOME", "."))
PYTHON = sys.executable
SECONDS = 30
GIT = "git+https://github.com/OWNER/nango-jupyter"


def main() -> int:
    """Do what is done in the place of the program, and return its exit code."""
    program, *arguments = sys.argv[1:]
    return PROGRAMS[program](arguments)


def fail(text: str) -> int:
    print(text, file=sys.stderr)
    return 1


def make(arguments: list[str]) -> int:
    """Say what would be made: a target that isn't there is an error."""
    return subprocess.call(["/usr/bin/make", "-s", "-n", "-C", str(ROOT), *arguments])


def git(arguments: list[str]) -> int:
    """Clone by linking; of other commands check that they exist."""
    if arguments[0] == "clone":
        target = Path(arguments[2] if len(arguments) > 2 else Path(arguments[1]).stem)
        target.mkdir()
        for item in ("Makefile", "README.md", "pyproject.toml", "notebooks", "tools", "tests"):
            (target / item).symlink_to(ROOT / item)
        return 0
    known = subprocess.run(["git", arguments[0], "-h"], capture_output=True, check=False)
    return 0 if known.returncode == 129 else fail(f"git has no {arguments[0]}")


def pip(arguments: list[str]) -> int:
    """Check that what would be installed is known here, with its extras.

    The project itself is on no index: it is a clone, ``.``, or is fetched with git.
    """
    if arguments[:1] == ["pip"]:  # uv pip
        arguments = arguments[1:]
    if arguments[:1] != ["install"]:
        return fail(f"pip {arguments}")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras_here = set(project["optional-dependencies"])
    for word in arguments[1:]:
        requirement, _, place = word.partition(" @ ")
        found = re.fullmatch(r"([\w.-]+)(?:\[([\w,-]+)\])?(?:[<>=!].*)?", requirement)
        if word.startswith("-"):
            continue
        if found is None:
            return fail(f"{word} is no requirement")
        name, extras = found[1], set(filter(None, (found[2] or "").split(",")))
        if name == "nango-jupyter" and place != GIT:
            return fail(f"{word} is on no index: .[EXTRA], or {name}[EXTRA] @ {GIT}")
        if name in (".", "nango-jupyter"):
            if missing := extras - extras_here:
                return fail(f"there is no extra {missing}")
        else:
            try:
                version(name)
            except PackageNotFoundError:
                return fail(f"{name} is not installed here: is it a package?")
    return 0


def jupyter(arguments: list[str]) -> int:
    """Check the program and the file; run what ends by itself."""
    if arguments[0] not in ("lab", "notebook"):
        return subprocess.call([PYTHON, "-m", "jupyter", *arguments])
    version({"lab": "jupyterlab"}.get(arguments[0], arguments[0]))
    missing = [name for name in arguments[1:] if name.endswith("ipynb") and not Path(name).exists()]
    return fail(f"there is no {missing}") if missing else 0


def python(arguments: list[str]) -> int:
    """Run it, but make no environment, and run no test."""
    match arguments:
        case ["-m", "venv", _]:
            return 0
        case ["-m", "pip", *rest]:
            return pip(rest)
        case ["-m", "pytest", *rest]:
            paths = [Path(ROOT, word.partition("::")[0]) for word in rest if "/" in word]
            missing = [str(path) for path in paths if not path.exists()]
            return fail(f"there is no {missing}") if missing else 0
        case ["-m", module, *_] if module in ("mypy", "ruff", "build", "pre_commit"):
            known = module == "build" or find_spec(module) or module == "pre_commit"
            return 0 if known else fail(f"there is no {module}")
    return subprocess.call([PYTHON, *arguments])


def pre_commit(_: list[str]) -> int:
    there = (ROOT / ".pre-commit-config.yaml").exists()
    return 0 if there else fail("there is no .pre-commit-config.yaml")


def accept(_: list[str]) -> int:
    """Do nothing: it would change the machine."""
    return 0


def keyring(arguments: list[str]) -> int:
    """Keep the token of the samples, or ada's password: the real one asks for it."""
    command, service, name = arguments
    if command != "set":
        return fail(f"keyring {command}")
    token = f"{name.partition('/')[0]}-demo-token"
    secret = os.environ["BROKER_PASSWORD"] if "@" in name else token
    import_module("keyring").set_password(service, name, secret)  # it takes long to import
    return 0


def nango_jupyter(arguments: list[str]) -> int:
    """Run it; a server goes on until the document ends."""
    command = [PYTHON, "-m", "nango_jupyter", *arguments]
    if arguments[0] != "serve" or "--help" in arguments:
        return subprocess.call(command)
    # What finds no broker in its environment would look at this machine's own.
    os.environ.setdefault("NANGO_URL", os.environ["DOCS_BROKER"])
    return start(command, lambda log: " ready: " in log)


def voila(arguments: list[str]) -> int:
    """Start the dashboard, and get its page as a browser would."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [PYTHON, "-m", "voila", *arguments, "--no-browser", f"--port={port}"]

    def is_there(_: str) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=SECONDS) as page:
                text = page.read().decode()
        except OSError:
            return False
        if "nango-form" not in text and "widget-view" not in text:
            raise SystemExit(fail(f"the dashboard has no form:\n{text[-2000:]}"))
        return True

    return start(command, is_there)


def start(command: list[str], is_ready: Callable[[str], bool]) -> int:
    """Start what goes on, and wait until it is ready."""
    log = HOME / f"{time.monotonic_ns()}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True
        )
    (HOME / f"{process.pid}.pid").touch()
    deadline = time.monotonic() + SECONDS
    while not is_ready(log.read_text()):
        if process.poll() is not None or time.monotonic() > deadline:
            return fail(f"{command} is not ready:\n{log.read_text()}")
        time.sleep(0.05)
    return 0


def which(program: str) -> Callable[[list[str]], int]:
    """Check that a program is there."""
    return lambda _: 0 if shutil.which(program) else fail(f"there is no {program}")


PROGRAMS: dict[str, Callable[[list[str]], int]] = {
    "apt-get": accept,
    "docker": accept,
    "git": git,
    "jupyter": jupyter,
    "keyring": keyring,
    "make": make,
    "nango-jupyter": nango_jupyter,
    "openssl": which("openssl"),
    "pip": pip,
    "pre-commit": pre_commit,
    "python": python,
    "python3": python,
    "sudo": accept,
    "uv": pip,
    "voila": voila,
}

if __name__ == "__main__":
    sys.exit(main())
