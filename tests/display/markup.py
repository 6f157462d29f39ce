"""Reads HTML as strictly as the tests need it: balanced, and nothing in it that could act."""

from __future__ import annotations

import re
from html.parser import HTMLParser

TEXT_TAGS = {"div", "p", "span", "bdi", "strong", "b", "i", "small", "pre", "ul", "li", "a"}
TABLE_TAGS = {"table", "thead", "tbody", "tr", "th", "td"}
TAGS = TEXT_TAGS | TABLE_TAGS | {"details", "summary", "style"}
ATTRIBUTES = {"class", "href", "rel", "target", "open", "scope", "tabindex", "role"}
ATTRIBUTES |= {"aria-hidden", "aria-label"}


class Page(HTMLParser):
    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.links: list[dict[str, str | None]] = []
        self.style = ""
        self.texts: list[str] = []
        self.cells: list[list[str]] = []
        self.feed(html)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS
        assert {name for name, _ in attrs} <= ATTRIBUTES
        found = dict(attrs)
        assert tag == "a" or "href" not in found
        if tag == "a":
            assert re.match("https?://", found["href"] or "", re.IGNORECASE)
            assert (found["rel"], found["target"]) == ("noopener noreferrer", "_blank")
            self.links.append(found)
        if tag == "tr":
            self.cells.append([])
        if tag in ("td", "th"):
            self.cells[-1].append("")
        self.open.append(tag)
        self.tags.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "style":
            self.style += data
            return
        self.texts.append(data)
        if {"td", "th"} & set(self.open):
            self.cells[-1][-1] += data

    def handle_comment(self, data: str) -> None:
        raise AssertionError(data)

    def handle_decl(self, decl: str) -> None:
        raise AssertionError(decl)

    def handle_pi(self, data: str) -> None:
        raise AssertionError(data)

    @property
    def text(self) -> str:
        return "".join(self.texts)
