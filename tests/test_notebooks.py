"""The notebooks, from top to bottom, with what they show."""

import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from tests.support.serve import Serve

NOTEBOOKS = Path(__file__).parent.parent / "notebooks"


def execute(name: str, home: Path, change: dict[str, str] | None = None) -> list[str]:
    """Execute a notebook as Run All does; return each code cell's output as text."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)
    for cell in notebook.cells:
        for old, new in (change or {}).items():
            cell.source = cell.source.replace(old, new)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(home)}}).execute()
    return [text_of(cell) for cell in notebook.cells if cell.cell_type == "code"]


def text_of(cell: nbformat.NotebookNode) -> str:
    outputs = [output.get("text") or output.data["text/plain"] for output in cell.outputs]
    return "\n".join(outputs)


def check_quickstart(outputs: list[str]) -> None:
    assert "Connected" in outputs[0]
    assert "register crm · user ada" in outputs[2]
    assert re.search(r"✓ crm\.list-contacts · user ada · [\d.]+ m?s", outputs[3])
    assert "李雷" in outputs[3]
    assert outputs[4] == "(60, 'Zoë Lindqvist', 'Zürich')"
    assert "the CRM refused the access token" in outputs[5]
    assert "Aoife Ní Bhriain" in outputs[6]
    assert re.search(r"CH +11\n", outputs[7])
    assert "'Søren Ægidius Holm'" in outputs[8]
    assert "Not connected" in outputs[9]
    assert not any("crm-demo-token" in output for output in outputs)


def test_the_quickstart_on_the_embedded_server(tmp_path: Path) -> None:
    check_quickstart(execute("01_quickstart.ipynb", tmp_path))


def test_the_quickstart_behind_rabbitmq(
    tmp_path: Path, rabbit_vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NANGO_URL", rabbit_vhost)
    with Serve(rabbit_vhost):
        change = {"%nango_connect --local": "%nango_connect"}
        check_quickstart(execute("01_quickstart.ipynb", tmp_path, change))


def test_a_working_day(tmp_path: Path) -> None:
    outputs = execute("02_exploring.ipynb", tmp_path)
    shown = "\n".join(outputs)
    assert "crm-demo-token" not in shown
    assert '"greeting": "Hello from Zürich"' in shown
    assert "Zoë Lindqvist" in shown
    assert "40 rows succeeded" in shown
    assert re.search(r"\bHello Zoë Lindqvist\b", shown)
    assert "1 of 3 rows failed" in shown
    assert "a number from 0 to 3600" in shown
    assert "{'slept': 0.2}" in shown
    assert re.search(r"\d+ requests in this session", shown)


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_notebooks_are_kept_without_outputs(path: Path) -> None:
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)
