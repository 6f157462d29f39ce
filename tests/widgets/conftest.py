"""A kernel with what the tests of forms need."""

from collections.abc import Iterator

import pytest

from tests.support.kernel import Kernel

SETUP = """
%load_ext nango_jupyter
import asyncio, html, re, threading, time
import ipywidgets
import nango_jupyter

def click(button):
    thread = threading.Thread(target=button.click)  # as in JupyterLab
    thread.start()
    thread.join()

def text(widget):
    return html.unescape(re.sub("<[^>]+>", "", widget.value))

async def until(check, seconds=10):
    for _ in range(seconds * 40):
        if check():
            return
        await asyncio.sleep(0.025)
    raise AssertionError("it did not come")

async def run(form, button):
    click(button)
    await until(lambda: not form._worker.is_busy)
    return text(form.status)
"""


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("home"), {"CRM_TOKEN": "crm-demo-token"}) as kernel:
        kernel.ok(SETUP)
        yield kernel
