"""What an API answered: httpx's response, whose ``json`` is the parsed body."""

from __future__ import annotations

import json
from functools import cached_property
from typing import Any

import httpx

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.secrets import redact, redact_value

__all__ = ["JsonBody", "NangoResponse", "shown_answer", "shown_body", "shown_request"]

_MESSAGE_CHARACTERS = 300


class NangoResponse(httpx.Response):
    """httpx's response; reference: the response with its property ``json``.

    Examples
    --------
    ::

        response = await ctx.http_request("users/ada")
        if response.json:                # false if the body isn't JSON
            name = response.json["name"]
        user = response.json()           # as with httpx and requests: raises if it isn't JSON
    """

    @classmethod
    def of(cls, response: httpx.Response) -> NangoResponse:
        """Return a response that was read as one of this class."""
        found = cls.__new__(cls)
        vars(found).update(vars(response))  # __init__ would decompress the body once more
        return found

    @cached_property
    def json(self) -> Any:
        """The parsed body: a dict or list, which can be called as well; see `JsonBody` for others.

        Calling it raises `NangoUsageError`, a ValueError, if the body isn't JSON.
        """
        try:
            value = json.loads(self.content)
        except (ValueError, RecursionError):
            return JsonBody(None, f"The answer isn't JSON: {shown_answer(self)}")
        if isinstance(value, dict):
            return JsonObject(value)
        return JsonArray(value) if isinstance(value, list) else JsonBody(value)


class JsonObject(dict[str, Any]):
    """A parsed object; calling it returns a plain dict."""

    def __call__(self) -> dict[str, Any]:
        return dict(self)


class JsonArray(list[Any]):
    """A parsed array; calling it returns a plain list."""

    def __call__(self) -> list[Any]:
        return list(self)


class JsonBody:
    """Any other value, or none: it is as true as the value, and equal to it.

    Parameters
    ----------
    value : str, int, float, bool or None
    problem : str
        Why there is no value; calling it, or taking an item of it, raises an error that says so.

    Attributes
    ----------
    value : str, int, float, bool or None
        None if the body isn't JSON.
    """

    def __init__(self, value: str | float | bool | None, problem: str = "") -> None:
        self.value = value
        self._problem = problem

    def __call__(self) -> Any:
        """Return the value; raise NangoUsageError if the body isn't JSON."""
        if self._problem:
            raise NangoUsageError(self._problem)
        return self.value

    def __bool__(self) -> bool:
        return bool(self.value)

    def __eq__(self, other: object) -> bool:
        return bool(self.value == (other.value if isinstance(other, JsonBody) else other))

    def __hash__(self) -> int:
        return hash(self.value)

    def __len__(self) -> int:
        return len(self())

    def __getitem__(self, key: Any) -> Any:
        return self()[key]

    def __repr__(self) -> str:
        return f"<{self._problem}>" if self._problem else repr(self.value)


def shown_answer(response: httpx.Response) -> str:
    """Return a request, what it was answered with, and the beginning of that, for a message."""
    status = f"{response.status_code} {response.reason_phrase}".strip()
    body = shown_body(response.content, _MESSAGE_CHARACTERS) or "nothing"
    return f"{shown_request(response.request)} was answered with {status}: {body}"


def shown_request(request: httpx.Request) -> str:
    """Return a request's method and URL, without what may be secret in it."""
    return f"{request.method} {redact(str(request.url.copy_with(query=None, userinfo=b'')))}"


def shown_body(content: bytes, most: int) -> str:
    """Return a body for people: masked by key where it is JSON, and then shortened."""
    try:
        text = json.dumps(redact_value(json.loads(content)), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = content.decode(errors="replace")
    text = redact(text)
    return text if len(text) <= most else f"{text[:most]}…"
