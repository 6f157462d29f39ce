"""The workflows and issue forms: what they run is there, and what they say is so.

Their form is checked by the hooks of .pre-commit-config.yaml.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"


def load(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((GITHUB / name).read_text("utf-8"))
    return found


def commands(name: str) -> list[str]:
    jobs = load(name)["jobs"].values()
    return [step["run"] for job in jobs for step in job.get("steps", ()) if "run" in step]


def test_the_tests_run_on_every_python_that_we_promise() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    promised = [
        one.rpartition(" ")[2] for one in project["classifiers"] if re.search(r":: 3\.\d+$", one)
    ]
    assert load("workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]["python"] == promised
    assert project["requires-python"] == f">={promised[0]}"


def test_what_they_run_is_there() -> None:
    found = "\n".join(commands("workflows/test.yml") + commands("workflows/release.yml"))
    targets = re.findall(r"^make ([\w-]+)", found, re.MULTILINE)
    assert targets == ["test", "docs", "binder-rehearsal"]
    for target in targets:
        subprocess.run(
            ["make", "--dry-run", target], cwd=ROOT, check=True, capture_output=True, timeout=30
        )
    scripts = re.findall(r"\bpython (\S+\.py)", found)
    assert scripts == ["tools/release_notes.py"]
    assert all((ROOT / script).exists() for script in scripts)


def test_nothing_may_more_than_it_needs() -> None:
    for name in ("workflows/test.yml", "workflows/release.yml"):
        assert load(name)["permissions"] == {"contents": "read"}
    allowed = {
        name: job["permissions"]
        for name, job in load("workflows/release.yml")["jobs"].items()
        if "permissions" in job
    }
    assert allowed == {"publish": {"id-token": "write"}, "announce": {"contents": "write"}}


def test_a_release_waits_for_the_tests() -> None:
    jobs = load("workflows/release.yml")["jobs"]
    assert jobs["test"]["uses"] == "./.github/workflows/test.yml"
    assert set(jobs["publish"]["needs"]) == {"build", "test"}
    assert jobs["announce"]["needs"] == "publish"


def test_the_command_that_prints_versions() -> None:
    fields = {field.get("id"): field for field in load("ISSUE_TEMPLATE/bug.yml")["body"]}
    command = fields["versions"]["attributes"]["value"].strip().removeprefix("$ ")
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-ec", command],
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    for name in ("nango-jupyter 0", "Python 3", "ipykernel", "ipywidgets", "jupyterlab"):
        assert name in done.stdout
