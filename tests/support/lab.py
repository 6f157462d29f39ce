"""A real JupyterLab, and a real Chromium that looks at it."""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import nbformat
from playwright.sync_api import Locator, Page

START_SECONDS = 60
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}

OPEN = """async ({name, theme}) => {
    await window.jupyterapp.commands.execute("apputils:change-theme", {theme});
    await window.jupyterapp.commands.execute("docmanager:open", {path: name});
}"""
CLOSE = """async () => {
    await window.jupyterapp.commands.execute("docmanager:save-all");
    await window.jupyterapp.commands.execute("application:close-all");
}"""

# JupyterLab's own "idle" comes too early; these promises are what it waits for itself.
READY = """async (name) => {
    const shell = window.jupyterapp?.shell;
    const widget = [...(shell?.widgets("main") ?? [])].find(one => one.context?.path === name);
    if (!widget?.context.isReady) return false;
    shell.activateById(widget.id);  // commands are for the notebook that has the focus
    await widget.context.ready;
    await widget.context.sessionContext.ready;
    await widget.context.sessionContext.session.kernel.info;
    return shell.currentWidget === widget;
}"""


def find_chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise RuntimeError(
            "Chromium is not installed. On Debian: apt-get install --no-install-recommends chromium"
        )
    return found


class Lab:
    """JupyterLab on a folder; nothing of the user's settings is read or written.

    Parameters
    ----------
    home
        A temporary folder: settings below it, notebooks in its ``work``.
    environment
        More variables for the server and its kernels.
    """

    def __init__(self, home: Path, environment: dict[str, str] | None = None) -> None:
        self.work = home / "work"
        self.work.mkdir()
        self._theme = "light"
        self._token = secrets.token_hex(16)
        self._port = _free_port()
        self._log = home / "lab.log"
        self._environment = {
            **os.environ,
            **(environment or {}),
            **{
                name: str(home / name.lower())
                for name in (
                    "IPYTHONDIR",
                    "JUPYTER_CONFIG_DIR",
                    "JUPYTER_DATA_DIR",
                    "JUPYTER_RUNTIME_DIR",
                    "JUPYTERLAB_SETTINGS_DIR",
                    "JUPYTERLAB_WORKSPACES_DIR",
                )
            },
        }
        self._settings = home / "jupyterlab_settings_dir"
        page_config = home / "jupyter_config_dir" / "labconfig"
        page_config.mkdir(parents=True)
        news = "@jupyterlab/apputils-extension:announcements"  # it asks a question over the page
        (page_config / "page_config.json").write_text(
            json.dumps({"disabledExtensions": {news: True}})
        )

    def use_theme(self, theme: str) -> None:
        """Choose "light" or "dark", for notebooks that are opened from now on."""
        self._theme = theme
        self.set("apputils-extension/themes", {"theme": THEMES[theme], "adaptive-theme": False})

    def set(self, plugin: str, settings: dict[str, object]) -> None:
        """Change the settings of a part of JupyterLab, for pages that are loaded from now on."""
        path = self._settings / "@jupyterlab" / f"{plugin}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))

    def __enter__(self) -> Self:
        with self._log.open("w") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"),
                    "--ServerApp.ip=127.0.0.1",
                    f"--ServerApp.port={self._port}",
                    "--ServerApp.port_retries=0",
                    f"--IdentityProvider.token={self._token}",
                    f"--ServerApp.root_dir={self.work}",
                    "--LabApp.expose_app_in_browser=True",
                    "--JupyterNotebookApp.expose_app_in_browser=True",
                ],
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                self._process.kill()
                raise RuntimeError(f"JupyterLab did not start:\n{self._log.read_text()[-2000:]}")
            time.sleep(0.1)
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(20)

    def _answers(self) -> bool:
        try:
            urllib.request.urlopen(self._url("api"), timeout=1).close()
        except (urllib.error.URLError, OSError):
            return False
        return True

    def _url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._port}/{path}?token={self._token}&reset"

    def write(self, name: str, *cells: str, tags: Sequence[str] = ()) -> None:
        """Write a notebook of code cells into the work folder."""
        found = [nbformat.v4.new_code_cell(cell, metadata={"tags": [*tags]}) for cell in cells]
        kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
        notebook = nbformat.v4.new_notebook(cells=found, metadata={"kernelspec": kernel})
        nbformat.write(notebook, self.work / name)

    def open(self, page: Page, name: str, *, in_notebook_7: bool = False) -> "Notebook":
        """Open a notebook of the work folder, and wait for its kernel.

        A page that shows JupyterLab already closes its notebooks and opens this one: loading
        JupyterLab takes five times as long.
        """
        if not in_notebook_7 and page.url.startswith(self._url("lab").partition("?")[0]):
            page.evaluate(CLOSE)
            page.evaluate(OPEN, {"name": name, "theme": THEMES[self._theme]})
        else:
            page.goto(self._url(f"{'notebooks' if in_notebook_7 else 'lab/tree'}/{name}"))
        deadline = time.monotonic() + START_SECONDS
        while not page.evaluate(READY, name):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name} was not ready in {START_SECONDS} s")
            page.wait_for_timeout(100)
        return Notebook(page)

    def open_voila(self, page: Page, name: str, theme: str = "light") -> None:
        """Open a notebook of the work folder as a dashboard, which Voila runs."""
        page.goto(self._url(f"voila/render/{name}") + f"&theme={theme}")


class Notebook:
    """An open notebook, as a person sees it."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def run_all(self) -> None:
        """Run all cells, and wait until they have run or one has failed."""
        self.command("notebook:run-all-cells")

    def command(self, name: str) -> None:
        """Run a command of JupyterLab's, and wait for its end."""
        self.page.evaluate(f"() => window.jupyterapp.commands.execute('{name}')")

    def begin(self, name: str) -> None:
        """Run a command of JupyterLab's without waiting for its end."""
        self.page.evaluate(f"() => {{ window.jupyterapp.commands.execute('{name}'); }}")

    def output(self, cell: int) -> Locator:
        """The output of the code cell of this number, from 0."""
        return self.page.locator(".jp-CodeCell").nth(cell).locator(".jp-OutputArea-output")


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port
