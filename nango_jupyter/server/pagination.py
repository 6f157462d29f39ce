"""Goes through the pages of an API's lists, in the three ways that APIs lead from one to the next.

Each way is a small class, and knows two things: the first page's request, and the request that
follows a page. `paginate` does the rest.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Hashable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from nango_jupyter.exceptions import NangoHttpError, NangoUsageError
from nango_jupyter.server.response import NangoResponse, shown_answer, shown_request

__all__ = ["Cursor", "LinkHeader", "PageNumber", "PageStyle", "paginate"]

_MISSING = object()


@dataclass(frozen=True)
class _Request:
    """What to ask for: an endpoint, its query, and what no second request may have."""

    endpoint: str
    params: Mapping[str, Any]
    mark: Hashable = None

    def with_param(self, name: str, value: Any, mark: Hashable) -> _Request:
        return _Request(self.endpoint, {**self.params, name: value}, mark)


@dataclass(frozen=True)
class _Page:
    """What was asked for, what came, and the items in it."""

    request: _Request
    response: NangoResponse
    items: list[Any]


@dataclass(frozen=True)
class PageNumber:
    """Pages have numbers. The list ends with an empty page, or with the last number.

    Parameters
    ----------
    param : str
        The query's parameter that takes the number.
    start : int
        The first page's number.
    pages : str
        Where a page says how many pages there are, as in ``meta.pages``; "" if it doesn't.
    """

    param: str = "page"
    start: int = 1
    pages: str = ""

    def _first(self, request: _Request) -> _Request:
        return request.with_param(self.param, self.start, None)

    def _following(self, page: _Page) -> _Request | None:
        number = page.request.params[self.param] + 1
        if not page.items or (self.pages and number > self._last(page)):
            return None
        # An API that doesn't know the parameter sends its first page again and again, and some
        # send their last one: what marks a page is its content, unless the end is known.
        mark = number if self.pages else hash(repr(page.items))
        return page.request.with_param(self.param, number, mark)

    def _last(self, page: _Page) -> int:
        count = _find(page.response, self.pages)
        if isinstance(count, bool) or not isinstance(count, int):
            raise _unfit(page.response, self.pages, "a number")
        return count if self.start else count - 1


@dataclass(frozen=True)
class Cursor:
    """A page's body holds a cursor that leads to the next. The list ends where there is none.

    Parameters
    ----------
    path : str
        Where the cursor is, as in ``meta.next``.
    param : str
        The query's parameter that takes it.
    """

    path: str
    param: str = "cursor"

    def _first(self, request: _Request) -> _Request:
        return request

    def _following(self, page: _Page) -> _Request | None:
        cursor = _find(page.response, self.path, None)  # many APIs leave it out on the last page
        if cursor is None or cursor is False or cursor == "":
            return None
        if isinstance(cursor, bool) or not isinstance(cursor, str | int):
            raise _unfit(page.response, self.path, "a text or a number")
        return page.request.with_param(self.param, cursor, cursor)


@dataclass(frozen=True)
class LinkHeader:
    """A page's ``Link`` header names the next. The list ends where it has no ``rel="next"``."""

    def _first(self, request: _Request) -> _Request:
        return request

    def _following(self, page: _Page) -> _Request | None:
        link = page.response.links.get("next")
        if link is None:
            return None
        target = str(page.response.url.join(link["url"]))
        return _Request(target, {}, target)  # it has its own query: nothing is added


PageStyle = PageNumber | Cursor | LinkHeader


async def paginate(
    send: Callable[..., Awaitable[NangoResponse]],
    endpoint: str,
    style: PageStyle,
    items: str,
    *,
    params: Mapping[str, Any] | None,
    headers: Mapping[str, str] | None,
) -> AsyncIterator[Any]:
    """Go through all items, as `ActionContext.paginate` describes; `send` is its `http_request`."""
    request: _Request | None = style._first(_Request(endpoint, params or {}))
    marks: set[Hashable] = set()
    while request is not None:
        response = await send(request.endpoint, params=request.params, headers=headers)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            error = NangoHttpError(shown_answer(response))
            error.response = response
            raise error
        page = _Page(request, response, _items(response, items))
        # Before the items are given out: the caller gets none of them twice.
        request = style._following(page)
        if request is not None and request.mark in marks:
            raise _endless(response, style)
        marks.add(request and request.mark)
        for item in page.items:
            yield item


def _items(response: NangoResponse, path: str) -> list[Any]:
    found = _find(response, path)
    if found is None:  # as some APIs write an empty list
        return []
    if not isinstance(found, list):
        raise _unfit(response, path, "a list")
    return found


def _find(response: NangoResponse, path: str, default: Any = _MISSING) -> Any:
    """Return what is at a dotted path in the body."""
    found = response.json()
    for index, key in enumerate(names := path.split(".") if path else []):
        if not isinstance(found, dict) or key not in found:
            if default is not _MISSING:
                return default
            raise _missing(response, path, ".".join(names[:index]), found)
        found = found[key]
    return found


def _missing(response: NangoResponse, path: str, parent: str, found: Any) -> NangoUsageError:
    where = f'"{parent}"' if parent else "the body"
    return NangoUsageError(
        f'The page {shown_request(response.request)} has no "{path}": {where} {_kind(found)}'
    )


def _unfit(response: NangoResponse, path: str, wanted: str) -> NangoUsageError:
    what = f'"{path}"' if path else "The body"
    kind = _kind(_find(response, path))
    return NangoUsageError(
        f"{what} of the page {shown_request(response.request)} {kind}, not {wanted}"
    )


def _kind(value: Any) -> str:
    """Say what a value is, and not which: it may be secret."""
    if isinstance(value, dict):
        return f"is an object with the keys: {', '.join(value) or 'none'}"
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return f"is {names.get(type(value), 'a number')}"


def _endless(response: NangoResponse, style: PageStyle) -> NangoUsageError:
    again = {
        PageNumber: "has the same items as one before it",
        Cursor: "leads to a cursor that was there before",
        LinkHeader: "links to a page that was there before",
    }
    return NangoUsageError(
        f"The page {shown_request(response.request)} {again[type(style)]}: "
        f"{style} would go on for ever"
    )
