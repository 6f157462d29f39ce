"""The forms: what cells change is shown in forms, and what is clicked does what the text says."""

from pathlib import Path
from typing import Any

import nbformat
import pytest

from tests.notebooks import support
from tests.support.forms import CLICKING

# A reader's clicks, behind the last cell.
CLICKS = {
    "tools": f"""
{CLICKING}
def shown(kind):
    [found] = [one for one in Out.values() if type(one).__name__ == kind]
    return found
""",
    "panel-shows": 'print(text(shown("Panel")._forms[0]._state))',
    "history-shows": """
print(*[line for line, _ in shown("HistoryView")._list.options], sep="\\n")
""",
    "dashboard-shows": """
await until(lambda: remind._input._draft.schema is not None)
print(remind._input.read(), text(remind.status), len(invoices.options))
""",
    "register-click": """
form = shown("RegisterForm")
print(form._integration.value)
form._user.set("bob")
print(await run(form, form.buttons[0]))
form._credentials.token.widget.value = "crm-demo-token"
print(await run(form, form.buttons[0]))
%nango_trigger crm get-contact bob {"contact_id": 1003} --out contact
print(contact["name"])
""",
    "trigger-click": """
form = shown("TriggerForm")
fields = form._input._draft._fields.fields
print(await run(form, form.buttons[0]))
fields["channel"].set("#ideas"); fields["text"].set("x" * 501)
print(await run(form, form.buttons[0]))
fields["text"].set("A gnome that waves")
print(await run(form, form.buttons[0]), text(form.result))
form._on_copy(None)
print(text(form._cell.widget))
""",
    "dashboard-click": """
for number in ("INV-2026-0028", "INV-2026-0040"):
    invoices.value = number
    print(remind._input.read(), await run(remind, remind.buttons[0]), text(remind.result))
print(*[line for line, _ in history._list.options[:2]], sep="\\n")
history._list.value = history._list.options[1][1]
print(text(history.result))
history.buttons[1].click()
print(remind._input.read())
""",
}


@pytest.fixture
def executed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> support.Executed:
    """Add the clicks to the solutions, which are executed, but not kept for readers."""
    solved = support.with_solutions

    def with_clicks(notebook: Any) -> Any:
        found = solved(notebook)
        for name, code in CLICKS.items():
            cell = nbformat.v4.new_code_cell(code.strip(), metadata={"solution": True})
            cell.id = name
            found.cells.append(cell)
        return found

    monkeypatch.setattr(support, "with_solutions", with_clicks)
    return support.run_notebook("02_forms.ipynb", tmp_path)


def test_forms(executed: support.Executed) -> None:
    text = executed.text
    assert text("panel") == "<Panel: a form that is drawn where a kernel runs>"
    assert "register billing · user ada" in text("register")
    assert '"number": 91' in text("trigger")
    assert text("invoices") == "(18, 'INV-2026-0010', 'Larkspur & Sons')"
    check_solutions(executed.solutions)
    check_what_forms_show(executed)
    check_clicks(executed)
    for token in ("crm-demo-token", "chat-demo-token", "billing-demo-token"):
        assert token not in executed.everything


def check_solutions(solutions: list[str]) -> None:
    assert "register crm · user ada" in solutions[0]
    assert "Søren Ægidius" in solutions[1]
    assert "INV-2026-0017: Paulo Gonçalves has no e-mail address" in solutions[2]
    assert solutions[3].startswith("HBox(children=(<TriggerForm: ")


def check_what_forms_show(executed: support.Executed) -> None:
    """What cells did, and nobody clicked."""
    assert executed.text("panel-shows").strip() == "Connected to embedded server (the samples)."
    history = executed.text("history-shows")
    for request in ("chat.post-message", "billing.list-invoices", "billing.send-reminder"):
        assert request in history
    shown = "{'number': 'INV-2026-0010'} Filled in: change it, and press Trigger. 18"
    assert executed.text("dashboard-shows").strip() == shown


def check_clicks(executed: support.Executed) -> None:
    lines = [line for line in executed.text("register-click").splitlines() if line]
    assert lines == ["crm", "Token is missing", "Registered.", "李雷"]
    trigger = executed.text("trigger-click")
    assert "channel is required" in trigger
    assert "500" in trigger
    assert "Done." in trigger
    assert "%%nango_trigger chat post-message ada" in trigger
    assert '{"channel": "#ideas", "text": "A gnome that waves"}' in trigger
    dashboard = executed.text("dashboard-click")
    assert "contact1007@example.com" in dashboard
    assert 'Rory "Mac" McAllister has no e-mail address' in dashboard
    assert dashboard.rstrip().endswith("{'number': 'INV-2026-0028'}")
