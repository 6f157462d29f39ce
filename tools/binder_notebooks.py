"""Executes a notebook as a visitor's kernel would."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from binder_sandbox import RehearsalError, Sandbox

CELL_SECONDS = 120
NEEDS_BINDER = "# needs Binder"


@dataclass(frozen=True)
class Outcome:
    """How it went; no failure is ""."""

    name: str
    seconds: float
    failure: str


def execute(path: Path, sandbox: Sandbox, variables: Mapping[str, str]) -> Outcome:
    """Execute a notebook as the user, with the variables that Jupyter has."""
    executed = sandbox.folder / "executed"
    if not executed.exists():
        executed.mkdir(exist_ok=True)
        sandbox.own(executed)
    result = executed / path.name
    options = [f"--timeout={CELL_SECONDS}", "--kernel_name=python3", f"--output={result}"]
    started = time.monotonic()
    failure = ""
    try:
        sandbox.run(["jupyter", "execute", *options, str(path)], variables, 600)
        failure = check_services_used(json.loads(result.read_text()))
    except RehearsalError as error:
        failure = essence(json.loads(path.read_text()), error.printed) or str(error)
    return Outcome(str(path.relative_to(sandbox.home)), time.monotonic() - started, failure)


def essence(notebook: Any, printed: str) -> str:
    """Say in a line which cell failed, of what ``jupyter execute`` prints, and by which error."""
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed).rpartition("CellExecutionError: ")[2].rstrip()
    if not (found := re.search(r"^-{18,}\n(.*?)\n-{18,}$", plain, re.DOTALL | re.MULTILINE)):
        return plain.rpartition("\n")[2]
    sources = ["".join(cell["source"]) for cell in _code(notebook)]
    number = sources.index(found[1]) + 1 if found[1] in sources else "?"
    # Our own errors end in a hint; others in the line that names them.
    errors = re.findall(r"^\w*(?:Error|Exception|Interrupt): .*", plain, re.MULTILINE)
    error = errors[-1] if errors else plain.rpartition("\n")[2]
    return f"code cell {number} ({found[1].splitlines()[0][:60]} …): {error}"


def _code(notebook: Any) -> list[Any]:
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


def check_services_used(notebook: Any) -> str:
    """Say what the cells show that are for Binder, if it isn't what they should show."""
    for cell in _code(notebook):
        if not "".join(cell["source"]).startswith(NEEDS_BINDER):
            continue
        shown = "\n".join(map(_text, cell["outputs"]))
        if re.search(r"Error\b", shown) or "Hello through RabbitMQ" not in shown:
            return f"a cell that is for Binder shows:\n{shown}"
    return ""


def _text(output: Any) -> str:
    text = output.get("text") or output.get("data", {}).get("text/plain", "")
    return "".join(text)
