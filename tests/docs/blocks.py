"""The fenced code blocks of the documents."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

ROOT = Path(__file__).parent.parent.parent

# A first line that is a comment and names a file: the block is that file.
_FILE = re.compile(r"(?:#|//)\s*(?P<name>[\w./-]+\.\w+)(?:, (?P<tag>tagged [\w-]+))?\s*")


@dataclass(frozen=True)
class Block:
    """One block.

    Attributes
    ----------
    language
        The word behind the fence; a directive of Sphinx, which is no code, has braces.
    line
        Where its fence is in the document, from 1.
    """

    path: Path
    line: int
    language: str
    text: str

    @property
    def where(self) -> str:
        """For messages: file, line and language."""
        return f"{self.path.relative_to(ROOT)}:{self.line} ({self.language})"

    @property
    def file_name(self) -> str:
        """The file that the block is; "" if it is none."""
        found = self._first_line()
        return found["name"] if found else ""

    @property
    def tags(self) -> list[str]:
        """What the first line says about a notebook's cell: ``tagged parameters``."""
        found = self._first_line()
        return [found["tag"].removeprefix("tagged ")] if found and found["tag"] else []

    @property
    def rest(self) -> str:
        """The text without the line that names the file."""
        return self.text.partition("\n")[2]

    def _first_line(self) -> re.Match[str] | None:
        return _FILE.fullmatch(self.text.partition("\n")[0])


def documents() -> list[Path]:
    """Return every document in which code may stand."""
    top = [ROOT / name for name in ("README.md", "CONTRIBUTING.md") if (ROOT / name).exists()]
    return [*top, *sorted((ROOT / "docs").rglob("*.md"))]


def blocks_in(path: Path) -> Iterator[Block]:
    """Yield a document's blocks, in order, those inside of lists as well."""
    for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
        if token.type == "fence":
            assert token.map is not None
            words = token.info.split()
            language = words[0] if words else ""
            yield Block(path, token.map[0] + 1, language, token.content)
        assert token.type != "code_block", f"{path}: fence code, else it is not run"
