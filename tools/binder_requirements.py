"""Installs binder/requirements.txt, and says which of its lines can't be installed."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path

from binder_sandbox import RehearsalError, Sandbox

NAME = "binder/requirements.txt"
_PACKAGE = r"nango[-_.]+jupyter"
# By name with or without a version, or from git; a wheel that is committed is left as it is.
_BY_NAME = re.compile(
    rf"\s*{_PACKAGE}\s*(\[[^\]]*\])?\s*(?:@\s*git\+\S*|[=<>!~][^;#]*)?\s*(;[^#]*)?(?:\s*#.*)?",
    re.IGNORECASE,
)
_BY_ADDRESS = re.compile(
    rf"\s*(?:(?:-e|--editable)[\s=]*)?git\+\S*/{_PACKAGE}(?:\.git)?(?:@[^\s#]*)?"
    rf"(?:#egg={_PACKAGE}(\[[^\]]*\])?\S*)?()\s*",
    re.IGNORECASE,
)


def with_checkout(text: str, checkout: Path) -> tuple[str, list[str]]:
    """Put a folder in the place of nango-jupyter; return the text, and the lines it had."""
    lines, replaced = [], []
    for line in text.splitlines():
        if found := _BY_NAME.fullmatch(line) or _BY_ADDRESS.fullmatch(line):
            replaced.append(line.strip())
            extras, marker = found[1] or "", found[2] or ""
            line = f"nango-jupyter{extras} @ {checkout.as_uri()} {marker}".strip()
        lines.append(line)
    return "\n".join([*lines, ""]), replaced


def install_requirements(
    sandbox: Sandbox, uv: Path | None, python: Path, venv: Path, environment: Mapping[str, str]
) -> None:
    """Make the environment, by uv if it is there and can, else by pip."""
    path = sandbox.home / NAME
    printed = ""
    commands = [*([_by_uv(sandbox, uv, python, venv)] if uv else []), _by_pip(python, venv)]
    variables = {
        **environment,
        "UV_CACHE_DIR": str(sandbox.home / ".cache" / "uv"),
        "VIRTUAL_ENV": str(venv),
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }
    for make, install in commands:
        try:
            sandbox.run(make, variables)
            sandbox.run([*install, "-r", NAME], variables, 600)
        except RehearsalError as error:
            printed += f"{error}\n{error.printed}\n"
        else:
            return
    raise RehearsalError(f"{blamed(path.read_text(), printed)} can't be installed", printed)


def _by_uv(sandbox: Sandbox, uv: Path, python: Path, venv: Path) -> tuple[list[str], list[str]]:
    copy = sandbox.folder / "uv"  # where the user may run it
    shutil.copy(uv, copy)
    copy.chmod(0o755)
    make = [str(copy), "venv", "--quiet", "--allow-existing", "--python", str(python), str(venv)]
    return make, [str(copy), "pip", "install", "--quiet"]


def _by_pip(python: Path, venv: Path) -> tuple[list[str], list[str]]:
    program = [str(venv / "bin" / "python"), "-m", "pip"]
    options = ["--quiet", "--no-cache-dir"]
    return [str(python), "-m", "venv", "--clear", str(venv)], [*program, "install", *options]


def blamed(text: str, printed: str) -> str:
    """Name the line of the requirements that an installer complained about."""
    lines = text.splitlines()
    number = next(_suspects(text, printed), 0)
    if not 0 < number <= len(lines):
        return NAME
    return f"line {number} of {NAME}, {lines[number - 1].strip()},"


def _suspects(text: str, printed: str) -> Iterator[int]:
    """Yield numbers of lines: those that are named, then those whose package is."""
    for found in re.finditer(r"\bline (\d+) of ", printed):
        yield int(found[1])
    for found in re.finditer(r"\bat position (\d+)", printed):
        yield text[: int(found[1])].count("\n") + 1
    words = {_plain(word) for word in re.findall(r"[\w.-]+", printed)}
    for number, line in enumerate(text.splitlines(), 1):
        name = re.match(r"\s*([A-Za-z0-9][\w.-]*)", line)
        if name and _plain(name[1]) in words:
            yield number


def _plain(name: str) -> str:
    """Write a package's name as all registries do."""
    return re.sub(r"[-_.]+", "-", name).strip("-").lower()
