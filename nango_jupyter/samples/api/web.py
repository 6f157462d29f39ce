"""What the three APIs share: requests and replies, routes, access tokens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from pathlib import Path
from typing import Any, ClassVar

__all__ = ["Api", "Refusal", "Reply", "Request", "choice_in", "load", "text_in"]

_DATA = Path(__file__).parents[1] / "data"


@dataclass(frozen=True)
class Request:
    """What a client sent.

    Attributes
    ----------
    method : str
    base : str
        Where the API is, without a slash at the end.
    path : str
        Behind `base`, such as ``/contacts``.
    query : mapping of str to str
    authorization : str
        The header; "" without one.
    content : bytes
    """

    method: str
    base: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    authorization: str = ""
    content: bytes = b""

    @cached_property
    def body(self) -> dict[str, Any]:
        """The JSON object that was sent; a `Refusal` if it is none."""
        try:
            found = json.loads(self.content)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise Refusal(HTTPStatus.BAD_REQUEST, "the body must be a JSON object")
        return found


@dataclass(frozen=True)
class Reply:
    """What the API answers; the value is sent as JSON."""

    value: Any
    status: HTTPStatus = HTTPStatus.OK
    headers: Mapping[str, str] = field(default_factory=dict)


class Refusal(Exception):  # noqa: N818 - not an error of the program
    """What the API answers instead of data."""

    def __init__(
        self, status: HTTPStatus, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.reply = Reply({"error": message}, status, headers or {})


Handler = Callable[..., Reply]
"""Takes the request, and what the groups of its path's pattern have found."""


class Api:
    """One of the APIs, as it is while it runs: what was posted to it is in here.

    Each request needs the header ``Authorization: Bearer TOKEN``.

    Attributes
    ----------
    name : str
        What its path begins with.
    token : str
        The access token that it takes.
    """

    name: ClassVar[str]
    token: ClassVar[str]

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Return methods, patterns of paths, and what answers them."""
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        """Answer a request; it may be called from several threads at once."""
        try:
            return self._answer(request)
        except Refusal as refusal:
            return refusal.reply

    def _answer(self, request: Request) -> Reply:
        found = {}
        for method, pattern, handler in self.routes():
            if match := re.fullmatch(pattern, request.path):
                found[method] = (handler, match.groups())
        if found and request.method not in found:
            allowed = ", ".join(sorted(found))
            message = f"only {allowed} is allowed at {request.path}"
            raise Refusal(HTTPStatus.METHOD_NOT_ALLOWED, message, {"Allow": allowed})
        if request.authorization != f"Bearer {self.token}":
            raise Refusal(HTTPStatus.UNAUTHORIZED, "the access token is missing or wrong")
        if not found:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is nothing at {request.path}")
        handler, groups = found[request.method]
        return handler(request, *groups)


def load(name: str) -> list[dict[str, Any]]:
    """Return the rows of a file of the sample data."""
    rows: list[dict[str, Any]] = json.loads((_DATA / f"{name}.json").read_text(encoding="utf-8"))
    return rows


def choice_in(query: Mapping[str, str], name: str, choices: Sequence[str]) -> str | None:
    """Return one of the choices from a query, None without it; refuse any other."""
    found = query.get(name)
    if found is not None and found not in choices:
        message = f"there is no {name} {found} (there are: {', '.join(choices)})"
        raise Refusal(HTTPStatus.BAD_REQUEST, message)
    return found


def text_in(body: Mapping[str, Any], name: str, most: int) -> str:
    """Return a text of a body; refuse one that is missing, empty or too long."""
    text = body.get(name)
    if not isinstance(text, str) or not text.strip():
        raise Refusal(HTTPStatus.BAD_REQUEST, f"{name} must be a text, and not empty")
    if len(text) > most:
        message = f"the {name} has {len(text):,} characters, and {most:,} are allowed"
        raise Refusal(HTTPStatus.BAD_REQUEST, message)
    return text
