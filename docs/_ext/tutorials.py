"""Brings the notebooks, with their outputs where there are some, to where Sphinx reads them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

__all__ = ["copy", "link"]

_WIDGET = "application/vnd.jupyter.widget-view+json"
_NO_KERNEL = "<em>Here a running notebook shows the form.</em>"

# What a notebook links to lies elsewhere in the site; the README's page is the first one.
_MOVED = {"](../docs/": "](../", "](../README.md": "](../index.md"}


def copy(root: Path, target: Path) -> None:
    """Copy the notebooks of a repository, and their pictures, to a folder.

    An executed one in build/notebooks is taken before the one in notebooks.
    """
    sources = root / "notebooks"
    for source in sorted(sources.glob("[0-9]*.ipynb")):
        executed = root / "build" / "notebooks" / source.name
        found = executed if executed.exists() else source
        notebook = json.loads(found.read_text(encoding="utf-8"))
        text = json.dumps(_for_the_site(notebook), ensure_ascii=False, indent=1)
        _write(target / source.name, text.encode())
    for picture in sorted((sources / "pictures").glob("*.*")):
        _write(target / "pictures" / picture.name, picture.read_bytes())
    for old in target.glob("*.ipynb"):
        if not (sources / old.name).exists():
            old.unlink()


def link(_app: object, _name: str, content: list[str]) -> None:
    """Let a document's links to notebooks, which are the repository's, lead to their copies."""
    content[0] = content[0].replace("](../../notebooks/", "](../tutorials/")


def _for_the_site(notebook: dict[str, Any]) -> dict[str, Any]:
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            for old, new in _MOVED.items():
                text = text.replace(old, new)
            cell["source"] = text
        for output in cell.get("outputs", []):
            data = output.get("data", {})
            if _WIDGET in data and "text/html" not in data:
                output["data"] = {"text/html": _NO_KERNEL, "text/plain": _NO_KERNEL}
    return notebook


def _write(path: Path, content: bytes) -> None:
    """Write a file, unless it is like that: Sphinx reads what has a new date again."""
    if path.exists() and path.read_bytes() == content:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}")
    partial.write_bytes(content)
    partial.replace(path)
