"""Lists in pages, in the three ways that APIs do it; each sample API has its own."""

from __future__ import annotations

import re
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from nango_jupyter.samples.api.web import Refusal, Reply, Request

__all__ = ["cursor_page", "linked_page", "numbered_page"]

_DEFAULT_LIMIT = 20
_MOST = {"page": 1_000_000, "limit": 50}


def numbered_page(request: Request, name: str, rows: Sequence[Any]) -> Reply:
    """Reply with a page that says which one it is: ``?page=2&limit=20``."""
    page, limit = _number(request, "page", 1), _number(request, "limit", _DEFAULT_LIMIT)
    pages = _pages(rows, limit)
    value = {
        name: rows[(page - 1) * limit : page * limit],
        "page": page,
        "pages": pages,
        "total": len(rows),
        "next_page": page + 1 if page < pages else None,
    }
    return Reply(value)


def linked_page(request: Request, rows: Sequence[Any]) -> Reply:
    """Reply with a page that is nothing but a list; the header ``Link`` says where the next is."""
    page, limit = _number(request, "page", 1), _number(request, "limit", _DEFAULT_LIMIT)
    pages = _pages(rows, limit)
    places = {"first": 1, "prev": page - 1, "next": page + 1, "last": pages}
    links = [
        f'<{request.base}{request.path}?{urlencode({**request.query, "page": at})}>; rel="{what}"'
        for what, at in places.items()
        if 1 <= at <= pages and at != page
    ]
    found = rows[(page - 1) * limit : page * limit]
    return Reply(found, headers={"Link": ", ".join(links)} if links else {})


def cursor_page(request: Request, name: str, rows: Sequence[Any], key: str) -> Reply:
    """Reply with a page of rows whose numbers fall; its cursor is "" on the last page.

    Whoever goes on later misses nothing, and sees nothing twice, although rows were added.
    """
    limit = _number(request, "limit", _DEFAULT_LIMIT)
    if cursor := request.query.get("cursor", ""):
        match = re.fullmatch("before-([0-9]{1,9})", cursor)
        if match is None:
            raise Refusal(HTTPStatus.BAD_REQUEST, "this cursor comes from somewhere else")
        rows = [row for row in rows if row[key] < int(match[1])]
    found = rows[:limit]
    following = f"before-{found[-1][key]}" if len(rows) > limit else ""
    return Reply({name: found, "next_cursor": following})


def _pages(rows: Sequence[Any], limit: int) -> int:
    return max(1, -(-len(rows) // limit))


def _number(request: Request, name: str, default: int) -> int:
    text, most = request.query.get(name, str(default)), _MOST[name]
    if not re.fullmatch("[0-9]{1,7}", text) or not 1 <= int(text) <= most:
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} must be a number from 1 to {most}")
    return int(text)
