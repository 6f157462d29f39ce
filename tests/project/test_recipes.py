"""The recipes of CONTRIBUTING.md, followed in a copy: a message kind, a magic and a form."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.project.recipes import follow, steps

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "CONTRIBUTING.md"
COPIED = ("nango_jupyter", "tests", "docs/reference", "pyproject.toml")
# Beside the tests that the recipes add: what they say must be changed, and who may import whom.
OTHERS = (
    "tests/test_imports.py",
    "tests/test_wire_recordings.py::test_all_kinds_of_requests_were_recorded",
    "tests/unit/test_messages.py::test_a_request_of_each_kind_is_known",
    "tests/kernel/test_help.py::test_the_list_of_magics_is_whole",
    "tests/kernel/test_help.py::test_own_name_usage_options_and_examples[nango_count]",
)


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package and its tests, with all recipes followed."""
    folder = tmp_path_factory.mktemp("recipes") / "a copy"
    for name in COPIED:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, target)
    for step in steps(PAGE):
        follow(step, folder)
    return folder


def run(copy: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=copy,
        env={**os.environ, "PYTHONPATH": str(copy)},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_recipes_are_in_the_form_that_is_asked_for(copy: Path) -> None:
    names = sorted({step.file_name for step in steps(PAGE) if step.file_name.endswith(".py")})
    assert len(names) == 13
    run(copy, "ruff", "check", *names)
    run(copy, "ruff", "format", "--check", *names)


def test_what_the_recipes_add_works(copy: Path) -> None:
    """In a real server, and in real kernels."""
    added = [
        step.file_name for step in steps(PAGE) if re.search(r"/test_count\w*\.py", step.file_name)
    ]
    assert len(added) == 3
    told = run(copy, "pytest", "-q", "-p", "no:cacheprovider", *added, *OTHERS)
    assert re.search(r"^\d+ passed", told, re.MULTILINE)


def test_every_path_on_the_page_exists() -> None:
    """Those in text; those of the steps are used above."""
    text = re.sub(r"^ *```.*?^ *```$", "", PAGE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    quoted = re.findall(r"`([\w./-]+/[\w./-]*|[A-Z]+\.md|\w+\.(?:py|toml))`", text)
    linked = re.findall(r"\]\(([^):]+)\)", text)
    assert len(quoted) > 25
    for name in {*quoted, *linked} - {"notebooks/NN_name.ipynb", "tests/notebooks/test_NN_name.py"}:
        assert any((ROOT / place / name).exists() for place in (".", "nango_jupyter")), name


def test_every_folder_of_tests_is_on_the_page() -> None:
    text = PAGE.read_text("utf-8")
    for folder in (ROOT / "tests").iterdir():
        has_tests = folder.is_dir() and any(folder.glob("test_*.py"))
        assert not has_tests or f"`tests/{folder.name}`" in text, folder.name
