"""The HTTP API of a company that doesn't exist: contacts of a CRM, page by page.

::

    GET /contacts?page=1&limit=20&city=Dublin    {"contacts": […], "page": 1, "pages": 2,
                                                  "total": 31, "next_page": 2}
    GET /contacts/1001                           one contact

Each request needs the header ``Authorization: Bearer crm-demo-token``.
"""

from __future__ import annotations

import json
import re
import threading
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

__all__ = ["TOKEN", "CrmApi"]

TOKEN = "crm-demo-token"  # noqa: S105 - published on purpose: it opens nothing but this
"""The access token that the API takes."""

_DEFAULT_LIMIT = 20
_MOST = {"page": 1_000_000, "limit": 50}


class CrmApi:
    """The API, on a free port of this machine alone, while the ``with`` block runs.

    Attributes
    ----------
    url : str
        Where it is, without a slash at the end; "" while it isn't running.
    """

    def __init__(self) -> None:
        self.url = ""
        self._server: _Server | None = None

    def __enter__(self) -> CrmApi:
        self._server = _Server()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="crm-api", daemon=True
        )
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server, self.url = None, ""


class _Refused(Exception):  # noqa: N818 - not an error of the program
    """What the API answers instead of data."""

    def __init__(self, status: HTTPStatus, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class _Server(ThreadingTCPServer):  # not HTTPServer, which looks up this machine's name first
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        text = (Path(__file__).parent / "contacts.json").read_text(encoding="utf-8")
        self.contacts: list[dict[str, Any]] = json.loads(text)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing when a client goes away in the middle."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "CrmApi"
    timeout = 30

    def do_GET(self) -> None:
        try:
            self._send(HTTPStatus.OK, self._answer())
        except _Refused as refused:
            self._send(refused.status, {"error": refused.message})

    def do_other(self) -> None:
        length = self.headers.get("Content-Length", "")
        if re.fullmatch("[0-9]{1,7}", length):  # what stays unread resets the connection
            self.rfile.read(int(length))
        self._send(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "Only GET is allowed"}, Allow="GET")

    do_DELETE = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = do_other  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Print nothing."""

    def _answer(self) -> dict[str, Any]:
        if self.headers.get("Authorization") != f"Bearer {TOKEN}":
            raise _Refused(HTTPStatus.UNAUTHORIZED, "The access token is missing or wrong")
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/contacts":
            return _page(self.server.contacts, query)
        if found := re.fullmatch("/contacts/([0-9]{1,9})", parts.path):
            for contact in self.server.contacts:
                if contact["id"] == int(found[1]):
                    return contact
        raise _Refused(HTTPStatus.NOT_FOUND, f"There is nothing at {parts.path}")

    def _send(self, status: HTTPStatus, value: dict[str, Any], **headers: str) -> None:
        body = json.dumps(value, ensure_ascii=False).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, text in headers.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _page(contacts: list[dict[str, Any]], query: dict[str, str]) -> dict[str, Any]:
    page, limit = _number(query, "page", 1), _number(query, "limit", _DEFAULT_LIMIT)
    city = query.get("city")
    chosen = [one for one in contacts if city is None or one["address"]["city"] == city]
    pages = max(1, -(-len(chosen) // limit))
    return {
        "contacts": chosen[(page - 1) * limit : page * limit],
        "page": page,
        "pages": pages,
        "total": len(chosen),
        "next_page": page + 1 if page < pages else None,
    }


def _number(query: dict[str, str], name: str, default: int) -> int:
    text, most = query.get(name, str(default)), _MOST[name]
    if not re.fullmatch("[0-9]{1,7}", text) or not 1 <= int(text) <= most:
        raise _Refused(HTTPStatus.BAD_REQUEST, f"{name} must be a number from 1 to {most}")
    return int(text)
