"""Checks the files of .github against GitHub's own schemas.

    .venv/bin/python tools/check_github.py .github/workflows/test.yml …

The schemas are those that come with check-jsonschema. Its own command takes three seconds for each
of them, most of it to load what no schema here needs.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import fastjsonschema
from ruamel.yaml import YAML

_SCHEMAS = {
    "workflows/*": "github-workflows",
    "ISSUE_TEMPLATE/config.yml": "github-issue-config",
    "ISSUE_TEMPLATE/*": "github-issue-forms",
    "dependabot.yml": "dependabot",
}


def _schema(name: str) -> Any:
    package = find_spec("check_jsonschema")  # not imported: that takes most of its time
    if package is None or package.origin is None:
        raise SystemExit("check-jsonschema is missing: make test installs it.")
    folder = Path(package.origin).parent / "builtin_schemas" / "vendor"
    return json.loads((folder / f"{name}.json").read_text("utf-8"))


def _problems(path: Path) -> Iterator[str]:
    name = next((name for place, name in _SCHEMAS.items() if path.match(f".github/{place}")), None)
    if name is None:
        yield f"{path}: no schema is known for it: see tools/check_github.py"
        return
    # YAML 1.2, as GitHub reads it: `on` is no truth value.
    found = YAML(typ="safe").load(path.read_text("utf-8"))
    try:
        fastjsonschema.validate(_schema(name), found, use_default=False)
    except fastjsonschema.JsonSchemaException as error:
        yield f"{path}: {error}"


def main(paths: list[str]) -> int:
    """Print what is wrong, and return how many files are."""
    problems = [problem for path in paths for problem in _problems(Path(path))]
    sys.stderr.write("".join(f"{problem}\n" for problem in problems))
    return min(len(problems), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
