"""The quickstart, on the embedded server and behind RabbitMQ."""

import re
from pathlib import Path

import pytest

from tests.notebooks.support import Executed, run_notebook
from tests.support.serve import Serve

NAME = "01_quickstart.ipynb"


def check(executed: Executed) -> None:
    text = executed.text
    assert "Connected" in text("quickstart-02")
    assert "register crm · user ada" in text("quickstart-05")
    contacts = text("quickstart-07")
    assert re.search(r"✓ crm\.list-contacts · user ada · [\d.]+ m?s", contacts)
    assert "李雷" in contacts
    assert "<table" in executed.html("quickstart-07")
    assert text("quickstart-09") == "(60, 'Zoë Lindqvist', 'Zürich')"
    assert "the CRM refused the access token" in text("quickstart-11")
    assert "Aoife Ní Bhriain" in text("quickstart-13")
    assert re.search(r"CH +11\n", text("quickstart-14"))
    assert "'Søren Ægidius Holm'" in text("quickstart-16")
    assert "Not connected" in text("quickstart-18")
    assert "715350" in executed.solutions[0]
    assert "crm-demo-token" not in executed.everything


def test_on_the_embedded_server(tmp_path: Path) -> None:
    check(run_notebook(NAME, tmp_path))


def test_behind_rabbitmq(
    tmp_path: Path, rabbit_vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NANGO_URL", rabbit_vhost)
    with Serve(rabbit_vhost):
        check(run_notebook(NAME, tmp_path, {"%nango_connect --local": "%nango_connect"}))
