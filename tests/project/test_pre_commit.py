"""The hooks of .pre-commit-config.yaml: run for real, in a clone, without the internet."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).parents[2]
WORKFLOW = """\
on: pull_request_target
jobs:
  greet:
    runs-on: ubuntu-24.04
    steps:
      - run: echo "${{ github.event.pull_request.title }}"
"""


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What is committed, with the tools of this interpreter as its .venv."""
    folder = tmp_path_factory.mktemp("clone") / "a clone"
    git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


def git(folder: Path, *arguments: str) -> str:
    command = ["git", "-c", "safe.directory=*", "-C", str(folder), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def run_hooks(clone: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    # A proxy where nobody listens: what would fetch something fails.
    away = dict.fromkeys(("http_proxy", "https_proxy", "ALL_PROXY"), "http://127.0.0.1:9")
    settings = {
        "PRE_COMMIT_HOME": str(clone.parent / "cache"),
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": "safe.directory",
        "GIT_CONFIG_VALUE_0": "*",
    }
    return subprocess.run(
        [sys.executable, "-m", "pre_commit", "run", "--color=never", *arguments],
        cwd=clone,
        env={**os.environ, **away, **settings},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )


def test_what_is_committed_passes_every_hook(clone: Path) -> None:
    done = run_hooks(clone, "--all-files")
    assert done.returncode == 0, done.stdout + done.stderr
    skipped = [line for line in done.stdout.splitlines() if "Skipped" in line]
    assert not skipped, "each hook has something to check"


def test_what_should_not_be_committed_is_refused(clone: Path) -> None:
    notebook = nbformat.v4.new_notebook()
    cell = nbformat.v4.new_code_cell("1 + 1", id="a-sum", execution_count=3)
    cell.outputs = [nbformat.v4.new_output("execute_result", {"text/plain": "2"})]
    notebook.cells = [cell]
    nbformat.write(notebook, clone / "notebooks" / "with_outputs.ipynb")
    (clone / "key.txt").write_text("-----BEGIN RSA " + "PRIVATE KEY-----\n")
    (clone / "large.bin").write_bytes(b"\0" * 600_000)
    (clone / "nango_jupyter" / "untidy.py").write_text("import os\nx = {  }\n")
    (clone / "broken.yaml").write_text("a: [1\n")
    (clone / ".github" / "workflows" / "unsafe.yml").write_text(WORKFLOW)
    git(clone, "add", "--all", ":!.venv")
    done = run_hooks(clone)
    failed = {
        line.rpartition("hook id: ")[2] for line in done.stdout.splitlines() if "id: " in line
    }
    assert failed == {
        *("nbstripout", "private-key", "large-files", "ruff-check", "ruff-format"),
        *("check-yaml", "zizmor"),
    }, done.stdout
    stripped = nbformat.read(clone / "notebooks" / "with_outputs.ipynb", as_version=4)
    assert [(one.id, one.outputs, one.execution_count) for one in stripped.cells] == [
        ("a-sum", [], None)
    ]
