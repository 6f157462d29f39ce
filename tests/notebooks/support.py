"""Runs a notebook as Run All does, and shows what its cells show."""

import re
import shutil
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).parent.parent.parent
NOTEBOOKS = ROOT / "notebooks"
EXECUTED = ROOT / "build" / "notebooks"
"""Where the pages of the documents find the notebooks with their outputs."""

_SOLUTION = "solution"
_DETAILS = re.compile(r"<details>.*?</details>", re.DOTALL)
_PYTHON = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Executed:
    """A notebook with its outputs.

    Attributes
    ----------
    notebook
        All cells, each solution in a code cell behind the exercise that it solves.
    """

    notebook: Any

    def text(self, cell_id: str) -> str:
        """What the cell of this id prints and shows, as plain text."""
        return text_of(self._cell(cell_id))

    def html(self, cell_id: str) -> str:
        """What the cell of this id shows as HTML."""
        return "\n".join(data.get("text/html", "") for data in self._data(cell_id))

    def pictures(self, cell_id: str) -> list[str]:
        """The PNG pictures that the cell of this id shows, in base64."""
        return [data["image/png"] for data in self._data(cell_id) if "image/png" in data]

    @property
    def solutions(self) -> list[str]:
        """What each solution prints and shows, in order."""
        return [text_of(cell) for cell in self.notebook.cells if _SOLUTION in cell.metadata]

    @property
    def everything(self) -> str:
        """Every output of every kind, for a look for what must not be there."""
        cells = [cell for cell in self.notebook.cells if cell.cell_type == "code"]
        return "\n".join(str(output) for cell in cells for output in cell.outputs)

    def _cell(self, cell_id: str) -> Any:
        return next(cell for cell in self.notebook.cells if cell.id == cell_id)

    def _data(self, cell_id: str) -> list[Any]:
        return [output.get("data", {}) for output in self._cell(cell_id).outputs]


def run_notebook(
    name: str, home: Path, change: dict[str, str] | None = None, timeout: int = 60
) -> Executed:
    """Execute a notebook in a copy of its folder; a cell that fails raises.

    Parameters
    ----------
    name
        The file's name, in notebooks/.
    home
        An empty folder.
    change
        Texts to replace in the cells' sources. Unchanged, what comes out is kept for the documents.
    timeout
        The time limit of a cell in seconds.
    """
    folder = home / "notebooks"
    shutil.copytree(NOTEBOOKS, folder, ignore=shutil.ignore_patterns(".*", "__pycache__"))
    notebook = with_solutions(nbformat.read(NOTEBOOKS / name, as_version=4))
    for cell in notebook.cells:
        for old, new in (change or {}).items():
            cell.source = cell.source.replace(old, new)
    NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        store_widget_state=False,
        coalesce_streams=True,  # what is printed may come in any number of pieces
        resources={"metadata": {"path": str(folder)}},
    ).execute()
    if not change:
        keep(notebook, name)
    return Executed(notebook)


def with_solutions(notebook: Any) -> Any:
    """Put each exercise's solution, which is folded away in the text, into a cell behind it."""
    cells = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.cell_type == "markdown":
            for details in _DETAILS.findall(cell.source):
                codes = _PYTHON.findall(textwrap.dedent(details))
                cells += [
                    nbformat.v4.new_code_cell(code, metadata={_SOLUTION: True}) for code in codes
                ]
    notebook.cells = cells
    return notebook


def keep(notebook: Any, name: str) -> None:
    """Write the notebook as a reader would see it: without the solutions' cells."""
    EXECUTED.mkdir(parents=True, exist_ok=True)
    cells = [cell for cell in notebook.cells if _SOLUTION not in cell.metadata]
    partial = EXECUTED / f".{name}"
    nbformat.write(nbformat.from_dict({**notebook, "cells": cells}), partial)
    partial.replace(EXECUTED / name)


def text_of(cell: Any) -> str:
    """Return what a code cell prints and shows, as plain text."""
    shown = [
        output.get("text") or output.get("data", {}).get("text/plain", "")
        for output in cell.outputs
    ]
    return "\n".join(shown)
