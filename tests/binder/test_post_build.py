"""Whatever starts Jupyter on Binder, it opens on the first tutorial."""

import os
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import binder_jupyter
import pytest

from nango_jupyter.samples.rabbitmq import free_ports

ROOT = Path(__file__).parent.parent.parent
FIRST = "/lab/tree/notebooks/01_quickstart.ipynb"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    post_build = {**os.environ, "NB_PYTHON_PREFIX": str(tmp_path)}
    subprocess.run([ROOT / "binder" / "postBuild"], env=post_build, check=True)
    own = ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")
    return {
        **os.environ,
        **{name: str(tmp_path / name) for name in own},
        "JUPYTER_CONFIG_PATH": str(tmp_path / "etc" / "jupyter"),
    }


def test_the_start_page_is_the_first_tutorial(environment: dict[str, str]) -> None:
    # The Dockerfile's own command. The rehearsal looks at jupyter lab, whose start page is another.
    [port] = free_ports(1)
    options = ["--no-browser", "--allow-root", "--ServerApp.ip=127.0.0.1"]
    options += [f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    program = str(Path(sys.executable).parent / "jupyter-notebook")
    command = [program, *options, "--IdentityProvider.token=T"]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stderr=subprocess.DEVNULL)
    try:
        path, disabled = first_page(port, process)
    finally:
        process.terminate()
        process.wait(20)
    assert path == FIRST
    assert binder_jupyter.NEWS in disabled


def first_page(port: int, process: subprocess.Popen[bytes]) -> tuple[str, list[str]]:
    deadline = time.monotonic() + 90
    while True:
        try:
            return binder_jupyter.visit(port, "T")
        except urllib.error.URLError as error:
            if isinstance(error, urllib.error.HTTPError):
                raise
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
