"""The forms, as a person uses them in JupyterLab, Notebook 7 and Voila."""

import json
import os
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.support.lab import Lab, Notebook

SCREENSHOTS = os.environ.get("SCREENSHOTS")
expect.set_options(timeout=20_000)
SETUP = "%load_ext nango_jupyter\n%nango_connect --local"
NOTIFY = '''%%nango_action slack notify
from typing import Literal

def notify(ctx, channel: str, text: str = "hi", copies: int | None = None,
           urgency: Literal["low", "high"] = "low", tags: list[str] = []):
    """Post a message."""
    return dict(channel=channel, text=text, copies=copies, urgency=urgency, tags=tags)
'''
REGISTER = "%nango_register demo ada --token-env TOKEN"


@pytest.fixture
def page(page: Page) -> Page:
    page.set_viewport_size({"width": 1000, "height": 1600})
    return page


class Panel:
    """The panel, by what is written on it."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.locator(".nango-form").first
        expect(self.root).to_be_visible(timeout=60_000)

    def turn_to(self, part: str) -> None:
        self.page.get_by_role("tab", name=part, exact=True).click()

    def fill(self, **fields: str) -> None:
        for label, text in fields.items():
            field = self.field(label.replace("_", " ").capitalize())
            field.fill(text)
            field.blur()

    def field(self, label: str) -> Locator:
        return self.page.get_by_label(label, exact=True).locator("visible=true")

    def press(self, name: str) -> None:
        self.button(name).click()

    def button(self, name: str) -> Locator:
        return self.page.get_by_role("button", name=name, exact=True)

    def says(self, text: str, seconds: float = 20) -> None:
        status = self.page.locator(".nango-status").locator("visible=true")
        expect(status.filter(has_text=text).first).to_be_visible(timeout=seconds * 1000)

    @property
    def card(self) -> Locator:
        return self.page.locator(".nango-form .nango-card").locator("visible=true").first

    def look(self, name: str) -> None:
        if SCREENSHOTS:
            self.root.screenshot(path=f"{SCREENSHOTS}/{name}.png")


def open_panel(lab: Lab, page: Page, name: str, *cells: str, app: str = "lab") -> Notebook:
    lab.write(name, *cells)
    notebook = lab.open(page, name, in_notebook_7=app == "notebook")
    notebook.begin("notebook:run-all-cells")
    return notebook


def test_fields_json_errors_and_cancel(lab: Lab, page: Page) -> None:
    lab.use_theme("light")
    open_panel(
        lab,
        page,
        "schema.ipynb",
        SETUP,
        NOTIFY,
        f"{REGISTER}\n{REGISTER.replace('demo', 'slack')}",
        "%nango trigger",
    )
    panel = Panel(page)
    panel.fill(integration="slack", action="notify", user="ada")
    panel.press("Trigger")
    panel.says("channel is required")
    panel.look("trigger-schema-wrong")
    expect(panel.field("text")).to_have_value("hi")
    panel.field("channel").fill("C1")
    panel.field("urgency").select_option("high")
    panel.press("Add to tags")
    panel.field("tags[0]").fill("red")
    panel.field("tags[0]").blur()
    panel.press("Trigger")
    panel.says("Done.")
    for text in ("C1", "high", "red"):
        expect(panel.card).to_contain_text(text)
    panel.look("trigger-schema-done")
    panel.press("Copy as cell")
    expect(page.locator("textarea").filter(visible=True).first).to_have_value(
        "%%nango_trigger slack notify ada\n"
        '{"channel": "C1", "text": "hi", "urgency": "high", "tags": ["red"]}'
    )

    panel.fill(integration="demo", action="echo", user="ada")
    panel.field("Input").press_sequentially('{"a": 1,}')
    expect(page.get_by_text("line 1, column 9")).to_be_visible()
    panel.look("trigger-json-wrong")
    panel.field("Input").fill('{"a": 1}')
    expect(page.get_by_text("line 1, column 9")).to_be_hidden()
    panel.button("Trigger").dblclick()
    panel.says("Done.")
    panel.fill(action="fail", input='{"message": "out of coffee"}')
    panel.press("Trigger")
    panel.says("It failed")
    expect(panel.card).to_contain_text("out of coffee")
    panel.look("trigger-failed")
    panel.fill(action="sleep", input='{"seconds": 60}')
    panel.press("Trigger")
    panel.says("2 s")
    expect(panel.button("Trigger")).to_be_disabled()
    panel.look("trigger-running")
    panel.press("Cancel")
    panel.says("Cancelled", 5)
    expect(panel.button("Trigger")).to_be_enabled()
    panel.turn_to("History")
    options = page.get_by_role("listbox").locator("visible=true").locator("option")
    expect(options).to_have_count(4)  # the double click is one


def test_while_a_cell_runs(lab: Lab, page: Page) -> None:
    lab.use_theme("light")
    notebook = open_panel(
        lab,
        page,
        "busy.ipynb",
        SETUP,
        REGISTER,
        "%nango trigger",
        "import asyncio\nawait asyncio.sleep(7)\nprint('awaited')",
        "import time\ntime.sleep(3)\nprint('blocked')",
    )
    panel = Panel(page)
    panel.fill(integration="demo", action="echo", user="ada", input='"first"')
    panel.press("Trigger")
    panel.says("Done.")
    expect(panel.card).to_contain_text("first")
    expect(page.get_by_text("awaited", exact=True)).to_have_count(0)
    panel.fill(input='"second"')
    expect(page.get_by_text("awaited", exact=True)).to_be_visible()
    panel.press("Trigger")
    panel.says("Waiting for the kernel: a cell is running…")
    panel.look("trigger-waiting")
    expect(page.get_by_text("blocked", exact=True)).to_be_visible()
    panel.says("Done.")
    expect(panel.card).to_contain_text("second")
    expect(notebook.output(4)).to_contain_text("blocked")


def test_running_again_just_works(lab: Lab, page: Page) -> None:
    lab.use_theme("light")
    count = "import ipywidgets\nprint('models', len(ipywidgets.widgets.widget._instances))"
    notebook = open_panel(lab, page, "again.ipynb", SETUP, "%nango trigger", count)
    expect(notebook.output(2)).to_contain_text("models")
    before = notebook.output(2).inner_text()
    for _ in range(2):
        notebook.command("notebook:run-all-cells")
    assert notebook.output(2).inner_text() == before
    page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()"
    )
    notebook.command("notebook:run-all-cells")
    panel = Panel(page)
    panel.fill(integration="demo", action="echo", user="ada")
    panel.press("Trigger")
    panel.says("It failed")
    expect(panel.card).to_contain_text("no connection exists")


@pytest.mark.parametrize(
    ("app", "theme"), [("lab", "dark"), ("notebook", "light"), ("voila", "dark")]
)
def test_from_connecting_to_looking_back(lab: Lab, page: Page, app: str, theme: str) -> None:
    name = f"forms-{app}.ipynb"
    cells = ("%load_ext nango_jupyter\n%nango connect",)
    lab.use_theme(theme)
    if app == "voila":
        lab.write(name, *cells)
        lab.open_voila(page, name, theme)
    else:
        open_panel(lab, page, name, *cells, app=app)
    panel = Panel(page)
    panel.says("Not connected.", 60)
    panel.press("Connect")
    panel.says("Connected to embedded server (the samples).")
    panel.look(f"connect-{app}-{theme}")

    panel.turn_to("Register")
    panel.press("Register")
    panel.says("Integration, User and Token are missing")
    panel.fill(integration="crm", user="ada", token="crm-demo-token")
    expect(panel.field("Token")).to_have_value("")
    panel.press("Register")
    panel.says("Registered.")
    panel.look(f"register-{app}-{theme}")
    panel.fill(token="never-sent-token")
    expect(panel.field("Token")).to_have_value("")

    panel.turn_to("Trigger")
    panel.fill(integration="crm", action="list-contacts", user="ada", input='{"city": "Berlin"}')
    panel.press("Trigger")
    panel.says("Done.")
    expect(panel.card).to_contain_text("crm.list-contacts")
    panel.look(f"trigger-{app}-{theme}")

    panel.turn_to("Connections")
    panel.fill(user="ada")
    panel.press("Refresh")
    expect(panel.card).to_contain_text("crm")
    panel.look(f"connections-{app}-{theme}")

    panel.turn_to("History")
    page.get_by_role("listbox").locator("visible=true").select_option(index=0)
    expect(panel.card).to_contain_text("crm.list-contacts")
    panel.press("Run again")
    expect(page.get_by_role("listbox").locator("visible=true").locator("option")).to_have_count(2)
    panel.look(f"history-{app}-{theme}")

    for token in ("crm-demo-token", "never-sent-token"):
        assert token not in page.content()
    if app == "lab":
        page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
        saved = Path(lab.work / name).read_text()
        assert json.loads(saved)["cells"][0]["outputs"]
        assert "crm-demo-token" not in saved
        assert "never-sent-token" not in saved
