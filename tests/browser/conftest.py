"""One JupyterLab for all files, with Notebook 7 and Voila in it, and a Chromium for each file."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.lab import Lab, find_chromium


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    environment = {"TOKEN": "any-token", "CRM_TOKEN": "crm-demo-token"}
    server = Lab(tmp_path_factory.mktemp("lab"), environment)
    # All cells are in the page, not only those that can be seen.
    server.set("notebook-extension/tracker", {"windowingMode": "none", "maxNumberOutputs": 1000})
    with server:
        yield server


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the session: while it is there, no other test can run an event loop.
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=find_chromium())
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def tab(browser: Browser) -> Page:
    return browser.new_page()


@pytest.fixture
def page(tab: Page) -> Page:
    """The file's own page, which goes on from test to test."""
    tab.set_viewport_size({"width": 1200, "height": 2600})
    tab.set_default_timeout(20_000)
    return tab
