"""What holds for every notebook."""

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks.support import NOTEBOOKS, with_solutions

PATHS = sorted(NOTEBOOKS.glob("*.ipynb"))


@pytest.fixture(params=PATHS, ids=lambda path: path.name)
def notebook(request: pytest.FixtureRequest) -> Any:
    notebook = nbformat.read(request.param, as_version=4)
    nbformat.validate(notebook)
    return notebook


def test_no_outputs_are_kept(notebook: Any) -> None:
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not any(cell.outputs or cell.execution_count for cell in code)
    assert set(notebook.metadata) <= {"kernelspec", "language_info"}


def test_the_goal_comes_first(notebook: Any) -> None:
    title, goal = notebook.cells[0].source.split("\n\n")[:2]
    assert title.startswith("# ")
    assert goal.startswith("You will ")


def test_exercises_have_solutions(notebook: Any) -> None:
    exercises = [cell for cell in notebook.cells if "Exercise" in cell.source]
    solutions = [cell for cell in with_solutions(notebook).cells if "solution" in cell.metadata]
    assert exercises
    assert len(solutions) >= len(exercises)


def test_pictures_are_there(notebook: Any) -> None:
    text = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    for link in re.findall(r"!\[[^]]+\]\(([^)]+)\)", text):
        assert (NOTEBOOKS / link).is_file()


def test_every_notebook_is_executed_by_a_test() -> None:
    tests = {path.name for path in Path(__file__).parent.glob("test_[0-9]*.py")}
    assert {f"test_{path.stem}.py" for path in PATHS} <= tests
