"""Follows the steps of CONTRIBUTING.md: writes its files, and changes others as it shows."""

from __future__ import annotations

from pathlib import Path

from tests.docs.blocks import Block, blocks_in


def steps(document: Path) -> list[Block]:
    """Every block that is a file, or changes one."""
    return [block for block in blocks_in(document) if block.language == "diff" or block.file_name]


def follow(step: Block, root: Path) -> Path:
    """Do in a folder what a step says, and return the file."""
    path = root / step.file_name
    if step.language != "diff":
        assert not path.exists(), f"{step.where}: {step.file_name} is not new"
        path.write_text(step.rest, encoding="utf-8")
        return path
    text = path.read_text(encoding="utf-8")
    for change in step.rest.split("@@\n"):
        lines = change.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if line[0] in " -")
        after = "".join(line[1:] for line in lines if line[0] in " +")
        assert text.count(before) == 1, f"{step.where}: not once in {step.file_name}:\n{before}"
        text = text.replace(before, after)
    path.write_text(text, encoding="utf-8")
    return path
