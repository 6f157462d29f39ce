"""What a person sees in JupyterLab."""

import os
import re
import shutil
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.lab import Lab

QUICKSTART = Path(__file__).parents[2] / "notebooks" / "01_quickstart.ipynb"
# Screenshots to look at: SCREENSHOTS=folder make test PYTEST_ARGS=tests/browser
SCREENSHOTS = os.environ.get("SCREENSHOTS")


def look(page: Page, name: str) -> None:
    if SCREENSHOTS:
        page.screenshot(path=f"{SCREENSHOTS}/{name}.png")


def brightness(page: Page, selector: str, property_name: str) -> float:
    """How bright a colour is on the screen, from 0 to 255."""
    script = f"(node) => getComputedStyle(node).{property_name}"
    colour = page.locator(selector).first.evaluate(script)
    return sum(map(float, re.findall(r"[\d.]+", colour)[:3])) / 3


def is_drawn_in(page: Page, theme: str) -> bool:
    text = brightness(page, ".jp-OutputArea .nango-card", "color")
    background = brightness(page, ".jp-Notebook", "backgroundColor")
    return text < 100 < 200 < background if theme == "light" else background < 100 < 150 < text


def test_the_quickstart(lab: Lab, page: Page) -> None:
    lab.use_theme("light")
    shutil.copy(QUICKSTART, lab.work / "quickstart.ipynb")
    notebook = lab.open(page, "quickstart.ipynb")
    notebook.run_all()
    look(page, "quickstart")

    expect(notebook.output(0)).to_contain_text("Connected")
    card = notebook.output(3)
    expect(card).to_contain_text("crm.list-contacts")
    expect(card.locator("tbody").first.locator("> tr")).to_have_count(8)
    expect(card.get_by_role("columnheader", name="email")).to_be_visible()
    expect(notebook.output(5)).to_contain_text("the CRM refused the access token")
    expect(notebook.output(9)).to_contain_text("Not connected")
    assert "crm-demo-token" not in "".join(
        notebook.page.locator(".jp-OutputArea").all_inner_texts()
    )
    assert is_drawn_in(page, "light")


def test_nested_values_fold(lab: Lab, page: Page) -> None:
    lab.use_theme("light")
    lab.write(
        "fold.ipynb",
        "%load_ext nango_jupyter\n%nango_connect --local\n"
        "%nango_register demo ada --token-env TOKEN",
        '%%nango_trigger demo echo ada\n{"a": {"b": {"c": {"d": "deep down"}}}, "link": '
        '"https://example.com", "html": "<img src=x onerror=document.title=1>"}',
    )
    notebook = lab.open(page, "fold.ipynb")
    notebook.run_all()
    card = notebook.output(1)
    closed = card.locator("details:not([open])")
    while closed.count():
        closed.first.locator("> summary").click()
    expect(card.get_by_text("deep down", exact=True)).to_be_visible()
    expect(card.get_by_role("link", name="https://example.com")).to_be_visible()
    expect(card.get_by_text("<img src=x onerror=document.title=1>")).to_be_visible()
    assert card.locator("img").count() == 0


def test_stop_ends_a_waiting_trigger(lab: Lab, page: Page) -> None:
    lab.write(
        "stop.ipynb",
        "%load_ext nango_jupyter\n%nango_connect --local\n"
        "%nango_register demo ada --token-env TOKEN",
        'print("begun")\n%nango_trigger demo sleep ada {"seconds": 60}',
        '%nango_trigger demo echo ada "still here"',
    )
    notebook = lab.open(page, "stop.ipynb")
    notebook.begin("notebook:run-all-cells")
    expect(notebook.output(1).first).to_contain_text("begun", timeout=20_000)
    page.get_by_role("button", name="Interrupt the kernel").click()
    expect(page.locator(".jp-CodeCell").nth(1)).to_contain_text("KeyboardInterrupt: stopped")
    notebook.command("notebook:run-cell")  # Run All has left the last one selected
    expect(notebook.output(2)).to_contain_text("still here")


DEFINE = """%%nango_action slack notify
async def notify(ctx, channel: str, msg: str = "hi") -> dict:
    \"\"\"Post a message.\"\"\"
    ctx.logger.info("posting to %s with %s", channel, {"token": "xoxb-never-shown"})
    ctx.logger.warn("the channel %s is archived", channel)
    return {"channel": channel, "text": msg}
"""


def test_an_action_of_a_cell_and_its_log(lab: Lab, page: Page) -> None:
    lab.use_theme("dark")
    lab.write(
        "action.ipynb",
        "%load_ext nango_jupyter\n%nango_connect --local",
        DEFINE,
        "%nango_register slack ada --token-env TOKEN",
        '%nango_trigger slack notify ada {"channel": "C1"}',
        '%nango_trigger slack notify ada {"chanel": "C1"}',
    )
    notebook = lab.open(page, "action.ipynb")
    notebook.begin("notebook:run-all-cells")
    wrong = notebook.output(4)
    expect(wrong.first).to_contain_text("did you mean channel?", timeout=30_000)

    expect(notebook.output(1)).to_contain_text("slack notify")
    card = notebook.output(3)
    expect(card).to_contain_text("2 log lines")
    line = card.get_by_text("posting to C1")
    expect(line).to_be_hidden()
    look(page, "action-folded")
    card.get_by_text("2 log lines").click()
    expect(line).to_be_visible()
    expect(card).to_contain_text("the channel C1 is archived")
    expect(card).not_to_contain_text("never-shown")
    look(page, "action")
    assert is_drawn_in(page, "dark")
