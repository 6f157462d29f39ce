"""Checks that a tag can be released, and prints what is new in it, from CHANGELOG.md.

    python tools/release_notes.py v0.2.0

The tag, the versions in pyproject.toml and in the package, and a section of the changelog must
agree. It needs nothing but Python: the release workflow runs it before anything is installed.
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

_ROOT = Path(__file__).parent.parent


class ReleaseError(Exception):
    """Why this can't be released."""


def release_notes(tag: str, root: Path = _ROOT) -> str:
    """Return the section of the changelog for a tag such as ``v0.2.0``.

    Raises
    ------
    ReleaseError
        If the tag is not that of the version, or the changelog does not tell of it.
    """
    if not re.fullmatch(r"v\d+\.\d+\.\d+((a|b|rc)\d+)?", tag):
        raise ReleaseError(f"{tag!r} is no tag of a version, such as v0.2.0")
    version = tag.removeprefix("v")
    for place, found in _versions(root).items():
        if found != version:
            raise ReleaseError(f"{place} has the version {found}, and the tag is {tag}")
    changelog = (root / "CHANGELOG.md").read_text("utf-8")
    heading = rf"^## {re.escape(version)} - \d{{4}}-\d\d-\d\d$"
    section = re.search(rf"{heading}\n(.*?)(?=^## |\Z)", changelog, re.MULTILINE | re.DOTALL)
    if section is None:
        raise ReleaseError(f"CHANGELOG.md has no section: ## {version} - YYYY-MM-DD")
    if not section[1].strip():
        raise ReleaseError(f"CHANGELOG.md's section {version} is empty")
    return f"{section[1].strip()}\n"


def _versions(root: Path) -> dict[str, str]:
    package = "nango_jupyter/__init__.py"
    found = re.search(r'^__version__ = "(.+)"$', (root / package).read_text("utf-8"), re.MULTILINE)
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return {"pyproject.toml": project["version"], package: found[1] if found else "nothing"}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python tools/release_notes.py v0.2.0")
    try:
        sys.stdout.write(release_notes(sys.argv[1]))
    except ReleaseError as problem:
        sys.exit(str(problem))
