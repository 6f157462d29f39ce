"""Writing an action: in a cell, in a folder, and on a server where there is a broker."""

import socket
from pathlib import Path

import pytest

from tests.notebooks.support import Executed, run_notebook

NAME = "04_write_an_action.ipynb"


def test_without_a_broker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as bound:  # nobody listens on it
        bound.bind(("127.0.0.1", 0))
        monkeypatch.setenv("NANGO_URL", f"amqp://127.0.0.1:{bound.getsockname()[1]}")
        executed = run_notebook(NAME, tmp_path)
    check_cells(executed)
    check_errors(executed)
    check_folder(executed)
    check_solutions(executed.solutions)
    assert "No broker answers: Can't connect" in executed.text("broker")
    assert "would run: nango-jupyter serve fernwood" in executed.text("serve")
    assert "would run: %nango_connect HOST" in executed.text("team")


def test_behind_a_broker(
    tmp_path: Path, rabbit_vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NANGO_URL", rabbit_vhost)
    executed = run_notebook(NAME, tmp_path, {"not kept": "for the documents"})
    check_folder(executed)
    assert "A broker answers; servers behind it: 0" in executed.text("broker")
    assert "ready, as process" in executed.text("serve")
    team = executed.text("team")
    assert "Through RabbitMQ:" in team
    assert "guest:guest" not in executed.everything
    number = int(executed.text("serve").split()[-1])
    assert not Path(f"/proc/{number}").exists()


def check_cells(executed: Executed) -> None:
    text = executed.text
    assert "Defined crm.count-contacts" in text("first")
    assert '{"contacts": 60}' in text("first-trigger")
    assert "most: integer, default 3 (How many at most)" in text("best")
    assert text("best-table").count("won") == 3
    assert "47200" in text("best-table")
    assert text("log").strip() == "info · 6 of 28 deals are above 40000"
    assert text("form").startswith("<TriggerForm: ")
    assert "crm-demo-token" not in executed.everything


def check_errors(executed: Executed) -> None:
    wrong = executed.text("wrong-input")
    assert "- stage: Input should be 'lead', 'offer', 'won' or 'lost'" in wrong
    assert "- most: Input should be less than or equal to 20" in wrong
    assert "'nmae' - KeyError" in executed.text("bug-trigger")
    assert "info · page 1 of 1" in executed.text("bug-trigger")
    assert "Replaced crm.first-names" in executed.text("mend")
    assert "Thabo" in executed.text("mend-trigger")


def check_folder(executed: Executed) -> None:
    text = executed.text
    assert "fernwood/crm/best-deals.action.py" in text("save")
    assert "base_url: ${NANGO_SAMPLE_CRM_URL}" in text("settings")
    assert "the environment variable NANGO_SAMPLE_CRM_URL is not set" in text("check")
    assert "1 integration, 1 action: no problems" in text("check-again")
    assert text("tidy") == "False"


def check_solutions(solutions: list[str]) -> None:
    found = "\n".join(solutions)
    assert "+00 555 106 2705" in found
    assert "李雷 has no phone" in found
    assert "there is no contact 9" in found
    assert "Oskar Bäckström" in found
    assert "best-deals-in: List the highest deals of a city's contacts." in found
