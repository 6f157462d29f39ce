"""A real HTTP server on this machine, whose answers a test writes."""

import asyncio
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from nango_jupyter.server.actions import ActionConnection, ActionContext, ActionRuntime
from nango_jupyter.server.config import Integration
from nango_jupyter.server.http import ActionHttp, HttpClients
from nango_jupyter.server.logs import ActionLogger
from nango_jupyter.server.refresh import ConnectionCredentials, CredentialsRefresher
from nango_jupyter.server.store import ConnectionStore, StoredConnection


@dataclass(frozen=True)
class Seen:
    """A request, as the server got it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: str
    time: float = field(default_factory=time.time)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body))


@dataclass(frozen=True)
class Answer:
    """What to answer; a body that is not a str is sent as JSON."""

    body: Any = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


class ScriptedApi(ThreadingHTTPServer):
    """Answers each request with what `script` makes of it, and keeps them all in `seen`."""

    daemon_threads = True
    request_queue_size = 100

    def __init__(self, script: Callable[[Seen], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.script = script
        self.seen: list[Seen] = []

    def __enter__(self) -> Self:
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Print nothing when a client has gone before its answer."""


def answers(*given: Answer) -> Callable[[Seen], Answer]:
    """Give these answers one after the other, and the last one from then on."""
    left = list(given)
    return lambda _: left.pop(0) if len(left) > 1 else left[0]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: ScriptedApi

    def answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
        path, query = urlsplit(self.path).path, dict(parse_qsl(urlsplit(self.path).query))
        headers = {name.lower(): text for name, text in self.headers.items()}
        seen = Seen(self.command, path, query, headers, body)
        self.server.seen.append(seen)
        answer = self.server.script(seen)
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(text.encode())))
        self.end_headers()
        self.wfile.write(text.encode())

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = answer  # noqa: N815

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Print nothing."""


class Context(ActionContext):
    """What an action of this integration works with, in the name of the connection."""

    def __init__(
        self,
        integration: Integration,
        stored: StoredConnection,
        clients: HttpClients,
        refresher: CredentialsRefresher,
        server_loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        name = integration.name
        logger = ActionLogger(name, "run", "u1", execution_id="1", level=integration.log_level)
        connection = ActionConnection(uuid="1", integration=name, user_id="u1", credentials={})
        credentials = ConnectionCredentials(
            integration, stored, refresher, server_loop or asyncio.get_running_loop()
        )
        http = ActionHttp(integration, credentials, clients, logger)
        self._runtime = ActionRuntime(connection, logger, http, asyncio.get_running_loop())

    @property
    def log(self) -> list[str]:
        """What was logged, as level and text."""
        return [f"{line.level} {line.text}" for line in self.logger.kept.lines]


@asynccontextmanager
async def acting(
    script: Callable[[Seen], Answer], **settings: Any
) -> AsyncIterator[tuple[Context, ScriptedApi]]:
    """Serve a script, and give a context of an integration that has its API at /v1 there."""
    clients, store = HttpClients(), ConnectionStore(":memory:", Path())
    now = datetime.now(UTC)
    stored = StoredConnection(
        uuid="1",
        user_id="u1",
        integration="api",
        date_created=now,
        last_modified=now,
        additional_config=None,
        credentials={"access_token": "token-0123"},
    )
    headers = {"Authorization": "Bearer ${access_token}"}
    with ScriptedApi(script) as api:
        integration = Integration("api", base_url=f"{api.url}/v1", headers=headers, **settings)
        yield Context(integration, stored, clients, CredentialsRefresher(store)), api
        await clients.close()
