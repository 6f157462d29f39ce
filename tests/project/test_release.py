"""What a tag must have behind it."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHANGELOG = """\
# Changelog

## Unreleased

## 0.2.0 - 2026-12-01

### Added

- A thing.

## 0.1.0 - 2026-11-01

- The first.
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "tools").mkdir()
    text = (ROOT / "tools" / "release_notes.py").read_text()
    (tmp_path / "tools" / "release_notes.py").write_text(text)
    (tmp_path / "nango_jupyter").mkdir()
    write(tmp_path, "0.2.0")
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    return tmp_path


def write(project: Path, version: str, package_version: str = "") -> None:
    (project / "pyproject.toml").write_text(f'[project]\nversion = "{version}"\n')
    text = f'__version__ = "{package_version or version}"\n'
    (project / "nango_jupyter" / "__init__.py").write_text(text)


def notes(project: Path, tag: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-S", str(project / "tools" / "release_notes.py"), tag]
    return subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)


def test_the_section_of_the_version(project: Path) -> None:
    done = notes(project, "v0.2.0")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "### Added\n\n- A thing.\n"


def test_what_does_not_agree(project: Path) -> None:
    assert "no tag of a version" in notes(project, "release-1").stderr
    assert "pyproject.toml has the version 0.2.0" in notes(project, "v0.3.0").stderr
    write(project, "0.2.0", "0.1.9")
    done = notes(project, "v0.2.0")
    assert (done.returncode, done.stdout) == (1, "")
    assert "__init__.py has the version 0.1.9" in done.stderr
    write(project, "0.4.0")
    assert "no section: ## 0.4.0" in notes(project, "v0.4.0").stderr
    (project / "CHANGELOG.md").write_text("## 0.4.0 - 2026-12-01\n\n## 0.3.0 - 2026-11-01\n\n- x\n")
    assert "0.4.0 is empty" in notes(project, "v0.4.0").stderr


def test_our_own_files_have_one_version_and_unreleased_changes() -> None:
    import nango_jupyter

    project = (ROOT / "pyproject.toml").read_text()
    assert f'\nversion = "{nango_jupyter.__version__}"\n' in project
    assert "\n## Unreleased\n" in (ROOT / "CHANGELOG.md").read_text()
