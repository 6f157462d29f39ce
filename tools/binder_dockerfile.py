"""Asks repo2docker what Binder would build, and compares it with what binder/ says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from binder_sandbox import RehearsalError

REPO2DOCKER = "jupyter-repo2docker>=2026.4"
_PROGRAMS = {
    "postBuild": "./binder/postBuild",
    "start": 'R2D_ENTRYPOINT="${REPO_DIR}/binder/start"',
}


def install_repo2docker(venv: Path, uv: Path | None) -> Path:
    """Make an environment for repo2docker alone; return its interpreter."""
    python = venv / "bin" / "python"
    if _works(python):
        return python
    by_pip = [
        [sys.executable, "-m", "venv", "--clear", str(venv)],
        [str(python), "-m", "pip", "install", "--quiet", REPO2DOCKER],
    ]
    by_uv = [
        [str(uv), "venv", "--quiet", "--clear", "--python", sys.executable, str(venv)],
        [str(uv), "pip", "install", "--quiet", "--python", str(python), REPO2DOCKER],
    ]
    for commands in (by_uv if uv else [], by_pip):
        if commands and all(map(_succeeds, commands)):
            return python
    raise RehearsalError("repo2docker could not be installed")


def _succeeds(command: list[str]) -> bool:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def _works(python: Path) -> bool:
    command = [str(python), "-m", "repo2docker", "--version"]
    return (
        python.exists() and not subprocess.run(command, capture_output=True, check=False).returncode
    )


def write_dockerfile(python: Path, repository: Path) -> tuple[str, str]:
    """Return what repo2docker makes of a repository: its log, and the Dockerfile."""
    options = ["--no-build", "--user-id", "1000", "--user-name", "jovyan"]
    done = subprocess.run(
        [str(python), "-m", "repo2docker", *options, str(repository)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode:
        raise RehearsalError("repo2docker can't read the folder binder/", done.stderr)
    return done.stderr, done.stdout.strip()


def entrypoint(python: Path) -> Path:
    """Find the program that Binder's container runs: it starts binder/start."""
    found = list(python.parent.parent.glob("lib/python3*/site-packages/repo2docker/buildpacks"))
    return found[0] / "repo2docker-entrypoint"


def check_dockerfile(printed: str, binder: Path, version: str) -> list[str]:
    """Say what in the Dockerfile is not as binder/ asks for."""
    installs = re.findall(r"apt-get install --yes --no-install-recommends (.*?) && ", printed)
    installed = {package for line in installs for package in line.split()}
    packages = apt_packages(binder / "apt.txt")
    last_user = re.findall(r"^USER (.*)$", printed, re.MULTILINE)[-1:]
    checks = {
        f"Python {version}": f"python={version}\n" in printed,
        f"binder/apt.txt: {' '.join(packages) or 'nothing'}": set(packages) <= installed,
        "binder/requirements.txt": '-r "binder/requirements.txt"' in printed,
        "a user without rights": last_user == ["${NB_USER}"],
    }
    for name, mark in _PROGRAMS.items():
        if (binder / name).exists():
            checks[f"binder/{name}"] = mark in printed
    for name, holds in checks.items():
        print(f"  {'ok    ' if holds else 'FAILED'}  {name}")
    return [f"the Dockerfile lacks {name}" for name, holds in checks.items() if not holds]


def apt_packages(path: Path) -> list[str]:
    """Read apt.txt, if it is there, as repo2docker does: a package a line, behind # a remark."""
    return [package for package in apt_lines(path) if package]


def apt_lines(path: Path) -> list[str]:
    """Read the package of each line, or "" where there is none."""
    text = path.read_text() if path.exists() else ""
    return [line.partition("#")[0].strip() for line in text.splitlines()]
