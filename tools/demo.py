"""Run a notebook from beginning to end, tell how each cell went, and write it as HTML.

Used by ``make demo``. The kernel gets empty configuration folders, so what is shown does not depend
on the user's own Jupyter, and nothing of theirs is touched.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbconvert import HTMLExporter

ROOT = Path(__file__).resolve().parent.parent
QUICKSTART = ROOT / "notebooks" / "01_quickstart.ipynb"
BUILD = ROOT / "build"
CELL_SECONDS = 120
SOURCE_LINES = 4
OUTPUT_LINES = 25
LINE_WIDTH = 110

BOLD, DIM, RED, GREEN = "1", "2", "31", "32"
# Colours, and whatever else a cell might print to move a terminal's cursor.
ESCAPE_SEQUENCE = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[@-Z\\^_])")


def main() -> int:
    """Run the notebook named on the command line; 1 means that a cell failed."""
    parser = argparse.ArgumentParser(description="Run a notebook and write it as HTML.")
    parser.add_argument("notebook", type=Path, nargs="?", default=QUICKSTART)
    path: Path = parser.parse_args().notebook.resolve()
    notebook = nbformat.read(path, as_version=4)
    with private_jupyter():
        try:
            Narrator(notebook, path.parent).run()
        except CellExecutionError:
            return 1  # the narrator has shown the error
        except (CellTimeoutError, DeadKernelError) as error:
            print(paint(f"    {error}", RED))
            return 1
        write(notebook, path.stem)
    print("To work with it in JupyterLab: make lab")
    return 0


@contextmanager
def private_jupyter() -> Iterator[None]:
    """Point Jupyter and IPython to an empty folder for as long as the block runs."""
    for name in ("JUPYTER_PATH", "JUPYTER_CONFIG_PATH"):
        os.environ.pop(name, None)
    with tempfile.TemporaryDirectory(prefix="nango-demo-") as folder:
        for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR"):
            os.environ[name] = str(Path(folder, name.lower()))
        yield


class Narrator:
    """Executes a notebook and prints each code cell as it goes."""

    def __init__(self, notebook: Any, folder: Path) -> None:
        self._number = 0
        self._started = 0.0
        self._client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name="python3",  # this environment's, whatever the file says
            extra_arguments=["--log-level=ERROR"],  # else it warns of TCP without encryption
            resources={"metadata": {"path": str(folder)}},
            # Without its state a widget is kept as the HTML or text it falls back to, which is all
            # that a page without a kernel can show.
            store_widget_state=False,
            on_cell_execute=self._before,
            on_cell_executed=self._after,
        )

    def run(self) -> None:
        """Execute all cells, in order."""
        self._client.execute()

    def _before(self, cell: Any, cell_index: int) -> None:  # noqa: ARG002
        self._number += 1
        self._started = time.perf_counter()
        source = indented(cell.source, SOURCE_LINES, "     ")
        print(f"\n{paint(f'[{self._number:2}]', DIM)} {paint(source.lstrip(), BOLD)}", flush=True)

    def _after(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:  # noqa: ARG002
        seconds = time.perf_counter() - self._started
        for output in cell.outputs:
            if text := plain_text(output).strip("\n"):
                print(indented(text, OUTPUT_LINES, "     | "))
        ok = execute_reply["content"]["status"] == "ok"
        outcome = paint("ok", GREEN) if ok else paint("failed", RED)
        print(f"     {outcome} {paint(f'{seconds:.2f} s', DIM)}", flush=True)


def plain_text(output: Any) -> str:
    """Return what a terminal can show of a cell's output."""
    if output.output_type == "stream":
        text = output.text
    elif output.output_type == "error":
        text = "\n".join(output.traceback)
    else:
        text = output.data.get("text/plain", "")
    return ESCAPE_SEQUENCE.sub("", text)


def indented(text: str, most: int, margin: str) -> str:
    """Return the first lines of a text behind a margin, long ones shortened."""
    lines = text.splitlines()
    if len(lines) > most:
        lines = [*lines[:most], f"… {len(lines) - most} more lines"]
    return "\n".join(
        margin + (line if len(line) <= LINE_WIDTH else line[: LINE_WIDTH - 1] + "…")
        for line in lines
    )


def paint(text: str, colour: str) -> str:
    """Colour a text, if it goes to a terminal that wants colours."""
    if not sys.stdout.isatty() or "NO_COLOR" in os.environ:
        return text
    return f"\x1b[{colour}m{text}\x1b[0m"


def write(notebook: Any, name: str) -> None:
    """Write the executed notebook into build/, as a notebook and as a page of its own."""
    BUILD.mkdir(exist_ok=True)
    # The page must open without internet: no scripts from elsewhere (for widgets and formulas).
    nothing = "data:text/javascript,"
    exporter = HTMLExporter(require_js_url=nothing, mathjax_url=nothing, embed_images=True)
    page, _ = exporter.from_notebook_node(notebook, {"metadata": {"name": name}})
    (BUILD / f"{name}.html").write_text(page, encoding="utf-8")
    nbformat.write(notebook, BUILD / f"{name}.ipynb")
    print(f"\nWritten: build/{name}.html (open it in a browser) and build/{name}.ipynb")


if __name__ == "__main__":
    sys.exit(main())
