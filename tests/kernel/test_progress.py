"""The bar of ``--each``: live as a widget or in a terminal, and one line of text in the end."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbconvert import HTMLExporter
from nbconvert.preprocessors import ExecutePreprocessor

from nango_jupyter import LocalServer
from nango_jupyter.batch import Batch, BatchItem
from nango_jupyter.calls import TriggerCall
from nango_jupyter.magics.progress import Progress
from nango_jupyter.rows import Row, iterate

START = """%load_ext nango_jupyter
%nango_connect --local
%nango_register demo ada --token-env TOKEN
rows = [{"seconds": 0.02}] * 50 + [{"seconds": "no number"}] * 3;"""
EACH = '%%nango_trigger demo sleep ada --each rows --out batch\n{"seconds": {{ row.seconds }}}'


def prepare(row: Row) -> TriggerCall:
    return TriggerCall(integration="demo", action="echo", user_id=row.user, input=row.n)


def sleep(row: Row) -> TriggerCall:
    return TriggerCall(integration="demo", action="sleep", user_id=1, input=dict(row))


async def bar_of(rows: Any, **options: Any) -> str:
    async with LocalServer() as server:
        client = server.client()
        await client.register_connection("demo", 1, "any-token")
        batch = Batch(client, iterate(rows), prepare, **options)
        with redirect_stderr(io.StringIO()) as out, Progress(batch):
            await batch.run()
        assert batch.on_item is options.get("on_item")
    return out.getvalue()


async def test_a_terminal_has_one_last_line_with_the_rate_and_failures() -> None:
    seen: list[BatchItem] = []
    rows = [{"user": 1 if n % 5 else "x", "n": n} for n in range(20)]
    text = await bar_of(rows, on_item=seen.append)
    assert len(seen) == 20
    last = text.rstrip("\n").split("\r")[-1]
    assert last.startswith("demo.echo: 100%")
    assert re.search(r"20/20 \[.* rows/s, 4 failed\]", last)
    assert text.endswith("\n")


async def test_rows_that_stop_cut_off_have_failed() -> None:
    async with LocalServer() as server:
        client = server.client()
        await client.register_connection("demo", 1, "any-token")
        rows = iterate([{"seconds": 60}] * 5)
        batch = Batch(client, rows, sleep, concurrency=3)
        with redirect_stderr(io.StringIO()) as out, Progress(batch):
            running = asyncio.ensure_future(batch.run())
            await asyncio.sleep(0.3)
            running.cancel()
            await asyncio.wait([running])
    last = out.getvalue().rstrip("\n").split("\r")[-1]
    assert "3/5 [" in last
    assert "3 failed" in last


async def test_rows_without_a_number_are_counted() -> None:
    text = await bar_of({"user": 1, "n": n} for n in range(7))
    assert "demo.echo: 7 rows [" in text.split("\r")[-1]


async def test_no_rows_have_no_bar() -> None:
    assert await bar_of([]) == ""


async def test_a_hostile_name_is_on_one_line() -> None:
    text = await bar_of([{"user": 1, "n": 1}], request="a\x1b[31m\nb.\u202ec")
    assert "\x1b[31m" not in text
    assert "\u202e" not in text
    assert r"a\u001b[31m↵b.\u202ec: 100%" in text


def outputs(notebook: Any, cell: int) -> Iterator[dict[str, Any]]:
    for output in notebook.cells[cell].outputs:
        yield output.get("data", output)


def test_a_saved_notebook_has_the_last_line_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    monkeypatch.setenv("TOKEN", "any-token")
    cells = [nbformat.v4.new_code_cell(code) for code in (START, EACH, "batch")]
    notebook = nbformat.v4.new_notebook(cells=cells)
    ExecutePreprocessor(timeout=60, kernel_name="python3").preprocess(notebook, {})
    (bar,) = outputs(notebook, 1)
    assert set(bar) == {"text/plain"}
    assert re.search(r"^demo\.sleep: 100%\|█+\| 53/53 \[.* rows/s, 3 failed\]$", bar["text/plain"])
    page, _ = HTMLExporter().from_notebook_node(notebook)
    assert "53/53" in page
    assert "3 of 53 rows failed" in page
    assert re.search(r'<svg [^>]*class="ng-bars"', page)
