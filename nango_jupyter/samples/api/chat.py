"""The chat: channels and their messages.

::

    GET  /channels                                {"channels": [{"name": "#sales", …}, …]}
    GET  /messages?channel=%23sales&limit=20      {"messages": […], "next_cursor": "before-71"}
    POST /messages {"channel": "#sales",          {"channel": "#sales", "text": "…", "number": 91}
                    "text": "…"}

Messages come newest first. Each tenth one that is posted is refused once, with 429 and
``Retry-After: 1``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from nango_jupyter.samples.api.paging import cursor_page
from nango_jupyter.samples.api.web import Api, Handler, Refusal, Reply, Request, load, text_in

__all__ = ["ChatApi"]

_MOST_TEXT = 500
_LIMIT = 10
# Posted messages are a minute apart from here on: the same in each run, whatever the clock says.
_START = datetime(2026, 11, 25, 9, tzinfo=UTC)


class ChatApi(Api):
    """Channels and messages."""

    name = "chat"
    token = "chat-demo-token"  # noqa: S105 - published on purpose: it opens nothing but this

    def __init__(self) -> None:
        self._channels = {one["name"]: one for one in load("channels")}
        self._messages: dict[str, list[dict[str, Any]]] = {name: [] for name in self._channels}
        for message in load("messages"):
            self._messages[message.pop("channel")].append(message)
        self._posted = 0
        self._has_refused = False
        self._lock = threading.Lock()

    def routes(self) -> Sequence[tuple[str, str, Handler]]:
        """Return what can be asked for."""
        return [
            ("GET", "/channels", self._list_channels),
            ("GET", "/messages", self._list_messages),
            ("POST", "/messages", self._post_message),
        ]

    def _list_channels(self, _: Request) -> Reply:
        return Reply({"channels": list(self._channels.values())})

    def _list_messages(self, request: Request) -> Reply:
        name = self._channel(request.query.get("channel"))["name"]
        with self._lock:
            newest_first = self._messages[name][::-1]
        return cursor_page(request, "messages", newest_first, "number")

    def _post_message(self, request: Request) -> Reply:
        channel = self._channel(request.body.get("channel"))
        text = text_in(request.body, "text", _MOST_TEXT)
        if channel["archived"]:
            raise Refusal(HTTPStatus.CONFLICT, f"the channel {channel['name']} is archived")
        with self._lock:
            self._limit_the_rate()
            number = self._append(channel["name"], text)
        value = {"channel": channel["name"], "text": text, "number": number}
        return Reply(value, HTTPStatus.CREATED)

    def _limit_the_rate(self) -> None:
        is_due = self._posted % _LIMIT == _LIMIT - 1
        self._has_refused = is_due and not self._has_refused
        if self._has_refused:
            raise Refusal(HTTPStatus.TOO_MANY_REQUESTS, "too many messages", {"Retry-After": "1"})

    def _append(self, channel: str, text: str) -> int:
        number = len(self._messages[channel]) + 1
        sent = _START + timedelta(minutes=self._posted)
        self._messages[channel].append(
            {
                "number": number,
                "author": "Nango",
                "text": text,
                "sent": sent.strftime("%Y-%m-%dT%H:%M:%SZ"),
            }
        )
        self._posted += 1
        return number

    def _channel(self, name: Any) -> dict[str, Any]:
        if not isinstance(name, str) or not name:
            raise Refusal(HTTPStatus.BAD_REQUEST, "channel must be a name, such as #sales")
        if name not in self._channels:
            raise Refusal(HTTPStatus.NOT_FOUND, f"there is no channel {name}")
        return self._channels[name]
