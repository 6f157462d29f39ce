"""Runs the blocks of one document, in order, in a folder of its own."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tomllib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

import yaml

from tests.docs.blocks import ROOT, Block
from tests.docs.stand_in import PROGRAMS
from tests.support.kernel import Kernel

STAND_IN = Path(__file__).parent / "stand_in.py"
SH_SECONDS = 60

NOTEBOOK: dict[str, Any] = {
    "cells": [],
    "metadata": {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
    },
    "nbformat": 4,
    "nbformat_minor": 5,
}

# A kernel starts in seconds: all documents use one, as if it had been started anew.
RESET = """
%reset -f
import os as _os
_os.environ.clear()
_os.environ.update({environment!r})
%cd -q {folder}
"""
CLOSE = """
if 'NangoMagics' in get_ipython().magics_manager.registry:
    get_ipython().run_line_magic('nango_close', '--all')
    get_ipython().run_line_magic('unload_ext', 'nango_jupyter')
"""


class Document:
    """What the blocks of one document share: files, variables of the shell, a kernel, servers.

    Parameters
    ----------
    folder
        An empty one.
    kernel
        Starts the kernel, or returns the one that was used before.
    secrets
        Variables of the environment with what a document writes as ``…``.
    replaced
        Patterns of hosts, and what stands in for them.
    """

    def __init__(
        self,
        folder: Path,
        kernel: Callable[[], Kernel],
        secrets: dict[str, str],
        replaced: dict[str, str],
    ) -> None:
        self._work = folder / "work"
        self._home = folder / "home"
        for one in (self._work, self._home, self._home / "bin"):
            one.mkdir()
        self._find_kernel, self._kernel = kernel, None
        self._secrets, self._replaced = secrets, replaced
        self._folder = self._work
        self._environment = self._make_environment()
        self._write_stand_ins()

    _kernel: Kernel | None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._kernel is not None:
            self._kernel.run(CLOSE)
        for file in self._home.glob("*.pid"):
            with suppress(ProcessLookupError):
                os.kill(int(file.stem), signal.SIGKILL)

    def run(self, block: Block) -> None:
        """Run one block, by its language; what fails is an AssertionError with its place."""
        text = block.text
        for pattern, new in self._replaced.items():
            text = re.sub(pattern, new, text)
        block = Block(block.path, block.line, block.language, text)
        match block.language:
            case "python" if block.file_name.endswith(".ipynb"):
                self._add_cell(block)
            case "python" if block.file_name:
                compile(text, block.where, "exec")
                self._write(block)
            case "python":
                self._run_cell(block)
            case "sh":
                self._run_sh(block)
            case "yaml" | "toml" | "json":
                READERS[block.language](block.rest if block.file_name else text)
                self._write(block)
            case _:
                raise AssertionError(f"{block.where}: nobody runs this language")

    def _write(self, block: Block) -> None:
        if block.file_name:
            path = self._folder / block.file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.rest, encoding="utf-8")

    def _add_cell(self, block: Block) -> None:
        path = self._folder / block.file_name
        notebook = json.loads(path.read_text()) if path.exists() else NOTEBOOK
        cell: dict[str, Any] = {
            "cell_type": "code",
            "execution_count": None,
            "id": f"cell-{len(notebook['cells'])}",
            "metadata": {"tags": block.tags},
            "outputs": [],
            "source": block.rest.strip(),
        }
        path.write_text(json.dumps({**notebook, "cells": [*notebook["cells"], cell]}))

    def _run_cell(self, block: Block) -> None:
        if self._kernel is None:
            self._kernel = self._find_kernel()
            reset = RESET.format(environment=self._environment, folder=self._folder)
            self._kernel.ok(reset)
        reply = self._kernel.run(block.text)
        assert not reply.error, f"{block.where}:\n{reply.traceback}\n{reply.stderr}"

    def _run_sh(self, block: Block) -> None:
        text = re.sub(
            r"^(?:export )?(\w+)=['\"]?…['\"]?$",
            lambda found: f"export {found[1]}='{self._secrets[found[1]]}'",
            block.text,
            flags=re.MULTILINE,
        )
        variables, folder = self._home / "variables", self._home / "folder"
        script = f"set -e\n{text}\nenv -0 >'{variables}'\npwd >'{folder}'\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SH_SECONDS,
        )
        assert done.returncode == 0, f"{block.where}:\n{done.stdout}\n{done.stderr}"
        # Where it went, and what it exported, is there for what comes next.
        pairs = [one.partition("=") for one in variables.read_text().split("\0") if one]
        self._environment = {name: value for name, _, value in pairs}
        self._folder = Path(folder.read_text().strip())

    def _make_environment(self) -> dict[str, str]:
        own = {name: value for name, value in os.environ.items() if not name.startswith("NANGO_")}
        folders = ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
        places = [self._home / "bin", Path(sys.executable).parent, os.environ["PATH"]]
        return {
            **own,
            **{name: str(self._home / name.lower()) for name in folders},
            **{name: value for name, value in self._secrets.items() if "NANGO" not in name},
            "NANGO_DOCS_HOME": str(self._home),
            "PYTHONPATH": os.pathsep.join([str(self._home / "lib"), str(ROOT)]),
            "PYTHON_KEYRING_BACKEND": "tests.docs.file_keyring.FileKeyring",
            "PATH": os.pathsep.join(map(str, places)),
        }

    def _write_stand_ins(self) -> None:
        # A grammar that jsonschema would compile for seconds in every program of Jupyter, unused.
        lib = self._home / "lib"
        lib.mkdir()
        (lib / "sitecustomize.py").write_text(
            "import sys\nsys.modules.setdefault('rfc3987_syntax', None)\n"
        )
        (self._work / ".venv/bin").mkdir(parents=True)
        places = [(name, self._home / "bin" / name) for name in PROGRAMS]
        for name, path in [*places, ("python", self._work / ".venv/bin/python")]:
            path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{STAND_IN}" {name} "$@"\n')
            path.chmod(0o755)


READERS: dict[str, Callable[[str], object]] = {
    "yaml": lambda text: list(yaml.safe_load_all(text)),
    "toml": tomllib.loads,
    "json": json.loads,
}
