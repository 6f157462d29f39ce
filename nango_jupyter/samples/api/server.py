"""Runs the three APIs on one port of this machine."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler
from socketserver import ThreadingTCPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nango_jupyter.samples.api.billing import BillingApi
from nango_jupyter.samples.api.chat import ChatApi
from nango_jupyter.samples.api.crm import CrmApi
from nango_jupyter.samples.api.web import Api, Reply, Request

__all__ = ["SampleApi"]


class SampleApi:
    """The APIs, on a free port of this machine alone, while the ``with`` block runs.

    Each block begins anew: nothing that was posted in an earlier one is there.
    """

    def __init__(self) -> None:
        self._server: _Server | None = None

    @property
    def url(self) -> str:
        """Where they are, without a slash at the end; "" while they aren't running."""
        return self._server.url if self._server else ""

    @property
    def urls(self) -> Mapping[str, str]:
        """Where each API is, by its name."""
        return {name: f"{self.url}/{name}" for name in (self._server.apis if self._server else ())}

    def __enter__(self) -> SampleApi:
        self._server = _Server()
        thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="sample-api", daemon=True
        )
        thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._server:
            self._server.shutdown()
            self._server.server_close()
        self._server = None


class _Server(ThreadingTCPServer):  # not HTTPServer, which looks up this machine's name first
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # many rows at once come as many connections

    def __init__(self) -> None:
        self.apis: dict[str, Api] = {one.name: one for one in (CrmApi(), ChatApi(), BillingApi())}
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing when a client goes away in the middle."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "FernwoodTools"
    timeout = 30

    def do_any(self) -> None:
        content = self._read()  # always: what stays unread resets the connection
        parts = urlsplit(self.path)
        name, slash, path = parts.path.removeprefix("/").partition("/")
        if name not in self.server.apis:
            found = Reply({"error": f"there is nothing at {parts.path}"}, HTTPStatus.NOT_FOUND)
        else:
            query = {key: values[0] for key, values in parse_qs(parts.query).items()}
            base = f"{self.server.url}/{name}"
            authorization = self.headers.get("Authorization", "")
            request = Request(self.command, base, slash + path, query, authorization, content)
            found = self.server.apis[name].answer(request)
        self._send(found)

    do_DELETE = do_GET = do_HEAD = do_OPTIONS = do_PATCH = do_POST = do_PUT = do_any  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Print nothing."""

    def _read(self) -> bytes:
        length = self.headers.get("Content-Length", "")
        return self.rfile.read(int(length)) if re.fullmatch("[0-9]{1,7}", length) else b""

    def _send(self, reply: Reply) -> None:
        body = json.dumps(reply.value, ensure_ascii=False).encode()
        self.send_response(reply.status)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        for name, text in reply.headers.items():
            self.send_header(name, text)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
