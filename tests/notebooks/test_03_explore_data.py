"""From a CRM's pages to a plot, and back: what was found, what failed, and why."""

import base64
import re
from pathlib import Path

from tests.notebooks.support import Executed, run_notebook

RETRIED = ["INV-2026-0013", "INV-2026-0021", "INV-2026-0034"]


def test_explore_data(tmp_path: Path) -> None:
    executed = run_notebook("03_explore_data.ipynb", tmp_path)
    check_pages(executed)
    check_frames(executed)
    check_plot(executed)
    check_failures(executed)
    check_reminders(executed)
    check_looking_back(executed)
    check_solutions(executed.solutions)
    for token in ("crm-demo-token", "chat-demo-token", "billing-demo-token"):
        assert token not in executed.everything


def check_pages(executed: Executed) -> None:
    text = executed.text
    assert text("connect") == ""
    for integration in ("crm", "billing", "chat", "demo"):
        assert integration in text("connections")
    assert text("contacts") == "(3, 'read 60 contacts from 3 pages')"
    assert text("look") == "(dict_keys(['contacts', 'pages']), 'Zoë Lindqvist')"
    assert "李雷" in text("table")
    assert "<table" in executed.html("table")
    assert '"greeting": "Hello from Zürich"' in text("echo")
    assert '"due": "2026-12-01"' in text("echo")
    assert '"contact_id": 1001' in text("add-note")
    assert "in Zürich." in text("add-note")


def check_frames(executed: Executed) -> None:
    text = executed.text
    assert re.search(r"won +28 +715350\b", text("deals"))
    assert re.search(r"lead +22\b", text("deals"))
    assert "47200" in text("list-deals")
    assert re.search(r"overdue +18\b", text("invoices"))
    joined = text("join")
    assert re.search(r"3 +NaN +6614\.90 +CNY +2026-04-10|3 +None +6614\.90", joined)
    assert "Ximena Fernández" in joined


def check_plot(executed: Executed) -> None:
    assert re.search(r"BR +3 +3642\.91\b", executed.text("rates"))
    [picture] = executed.pictures("plot")
    assert base64.b64decode(picture).startswith(b"\x89PNG")


def check_failures(executed: Executed) -> None:
    text = executed.text
    card = text("details-card")
    assert "3 of 18 rows failed" in card
    assert "2 failed: No answer within 0.9 s" in card
    assert "1 failed: There was an error during the action execution: billing answered 500" in card
    assert re.findall(r"INV-\d{4}-\d{4}", text("failed")) == RETRIED
    assert text("retry").endswith("(3, 2)")
    assert re.findall(r"INV-\d{4}-\d{4}", text("again")) == ["INV-2026-0013", "INV-2026-0034"]
    assert text("no-wait") == "False"
    assert text("no-wait-wait") == "'overdue'"


def check_reminders(executed: Executed) -> None:
    text = executed.text
    assert "5 of 18 rows failed" in text("remind-card")
    assert "INV-2026-0017: Paulo Gonçalves has no e-mail address" in text("remind-card")
    assert text("to-call").count("INV-2026-") == 5
    assert "INV-2026-0058, INV-2026-0066" in text("messages")
    assert "13 reminders sent for 6460 EUR; 3 customers to call." in text("post-summary")
    shown = text("messages-now")
    assert shown.count("Nango · Please call") == 3
    assert "Tom & Jerry Whitfield (+00 555 279 2163) about INV-2026-0058, INV-2026-0066" in shown


def check_looking_back(executed: Executed) -> None:
    text = executed.text
    assert "contact1001@example.com" in text("save")
    assert "12 requests in this session" in text("history")
    assert "success: 3 rows" in text("history")
    assert text("history-one") == "60"
    assert "Not connected" in text("close")


def check_solutions(solutions: list[str]) -> None:
    items, _, greetings, refused, _, _, reminders = solutions
    assert re.search(r"Piła ogrodowa +181\b", items)
    assert "1 failed" in greetings
    assert "the channel #old-stock is archived" in refused
    assert re.findall(r"INV-2026-(\d+) +(\d)", reminders) == [
        ("0013", "2"),
        ("0016", "2"),
        ("0053", "2"),
    ]
