"""The small example of docs/how-to/binder.md, without RabbitMQ; tests/docs runs it with one."""

import re
from pathlib import Path

import nbformat
from nbclient import NotebookClient

from tests.docs.blocks import blocks_in

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "binder.md"
NOTEBOOK = "notebooks/01_first.ipynb"


def test_the_example_runs_twice_on_the_embedded_server(tmp_path: Path) -> None:
    text = PAGE.read_text("utf-8")
    [local] = re.findall(r"`(%nango_connect --local \.\./\S+)`", text)
    tree = next(block for block in blocks_in(PAGE) if block.text.startswith("my-tutorials/"))
    cells = []
    for block in blocks_in(PAGE):
        if block.file_name == NOTEBOOK:
            source = block.rest.replace("%nango_connect\n", f"{local}\n")
            cells.append(source)
        elif block.file_name:
            path = tmp_path / block.file_name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.rest, "utf-8")
        if block.file_name:
            assert Path(block.file_name).name in tree.text
    (tmp_path / "notebooks").mkdir()
    # The second time, the connection is in the folder's file.
    code = [nbformat.v4.new_code_cell(source) for source in (*cells, cells[-1])]
    notebook = nbformat.v4.new_notebook(cells=code)
    place = {"metadata": {"path": str(tmp_path / "notebooks")}}
    NotebookClient(notebook, timeout=60, kernel_name="python3", resources=place).execute()
    for cell in (notebook.cells[-1], notebook.cells[-2]):
        assert "1,234.50 EUR" in str(cell.outputs)
    assert (tmp_path / "my-integrations/.nango-jupyter/connections.sqlite3").exists()
