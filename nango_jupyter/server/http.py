"""The HTTP requests of actions: joined to base_url, authorized, limited in time, logged."""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections.abc import Mapping
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import quote

import httpx

from nango_jupyter.exceptions import (
    NangoConnectionError,
    NangoInputError,
    NangoTimeoutError,
    NangoUsageError,
)
from nango_jupyter.secrets import redact, redact_value
from nango_jupyter.server.config import Integration
from nango_jupyter.server.credentials import template_values
from nango_jupyter.server.logs import ActionLogger, redact_logger
from nango_jupyter.server.yaml_files import VARIABLE
from nango_jupyter.wire_json import encode

__all__ = ["ActionHttp", "HttpClients"]

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_LOOPBACK = ("localhost", "127.0.0.1", "[::1]")
_LOGGED_CHARACTERS = 2000

redact_logger("httpx")  # logs each URL at info, and params may hold an API key


class HttpClients:
    """One pooled client for each integration, made when it is first needed."""

    def __init__(self) -> None:
        self._clients: dict[str, httpx.AsyncClient] = {}

    def get(self, integration: str) -> httpx.AsyncClient:
        """Return an integration's client."""
        if integration not in self._clients:
            self._clients[integration] = httpx.AsyncClient(
                timeout=None,  # noqa: S113 - the time limit is on the whole request
                # Users share the client: one's cookies must not go out with another's request.
                cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
                # A proxy of the environment can't reach what listens on this machine.
                mounts={f"all://{host}": None for host in _LOOPBACK},
            )
        return self._clients[integration]

    async def close(self) -> None:
        """Close all connections."""
        clients, self._clients = self._clients, {}
        for client in clients.values():
            await client.aclose()


class ActionHttp:
    """Sends requests for one execution of an action.

    Parameters
    ----------
    integration : Integration
    credentials : mapping
        The connection's.
    clients : HttpClients
    logger : ActionLogger
    """

    def __init__(
        self,
        integration: Integration,
        credentials: Mapping[str, Any],
        clients: HttpClients,
        logger: ActionLogger,
    ) -> None:
        self._integration = integration
        self._credentials = credentials
        self._clients = clients
        self._logger = logger

    async def request(
        self,
        endpoint: str,
        method: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
    ) -> httpx.Response:
        """Send a request, as `NangoAction.http_request` describes."""
        client = self._clients.get(self._integration.name)
        request = self._build(client, endpoint, method, params, body, headers)
        self._log_request(request)
        response = await self._send(client, request)
        self._log_response(request, response)
        return response

    def _build(
        self,
        client: httpx.AsyncClient,
        endpoint: str,
        method: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
    ) -> httpx.Request:
        values = template_values(self._credentials, self._integration)
        content, content_type = _content(body)
        own_headers = self._fill(self._integration.headers, "headers", values)
        all_headers = _merge(content_type, own_headers, headers or {})
        url = self._url(endpoint, values)
        own = self._fill(self._integration.params, "params", values)
        query = {key: value for key, value in own.items() if key not in url.params}
        query |= {key: value for key, value in (params or {}).items() if value is not None}
        if query:  # else the endpoint's own stays as it was written
            url = url.copy_merge_params(query)
        return client.build_request(method.upper(), url, headers=all_headers, content=content)

    def _url(self, endpoint: str, values: Mapping[str, str]) -> httpx.URL:
        if self._integration.base_url is None:
            raise NangoUsageError(
                f"The integration {self._integration.name} has no base_url in integrations.yaml"
            )
        # Quoted: no value of a user's credentials leads to another host.
        quoted = {name: quote(value, safe="") for name, value in values.items()}
        base = self._fill({"base_url": self._integration.base_url}, "base_url", quoted)["base_url"]
        if not _SCHEME.match(endpoint):
            endpoint = f"{base.rstrip('/')}/{endpoint.lstrip('/')}"
        url = httpx.URL(endpoint)
        if _origin(url) != _origin(httpx.URL(base)):
            raise NangoUsageError(
                f"{url.scheme}://{url.host} is not where base_url of the integration "
                f"{self._integration.name} is: the connection's credentials are not sent there"
            )
        return url

    def _fill(
        self, templates: Mapping[str, str], kind: str, values: Mapping[str, str]
    ) -> dict[str, str]:
        def value_of(found: re.Match[str]) -> str:
            if found[1] not in values:
                raise NangoUsageError(
                    f"{kind} of the integration {self._integration.name} needs {found[0]}, "
                    "which the connection's credentials don't have"
                )
            return values[found[1]]

        return {key: VARIABLE.sub(value_of, template) for key, template in templates.items()}

    async def _send(self, client: httpx.AsyncClient, request: httpx.Request) -> httpx.Response:
        limit = self._integration.http_timeout
        where = f"{request.method} {_without_secrets(request.url)}"
        try:
            async with asyncio.timeout(limit or None):
                return await client.send(request)
        except TimeoutError:
            raise NangoTimeoutError(f"{where} had no answer within {limit:g} s") from None
        except httpx.RequestError as error:
            reason = str(error) or type(error).__name__
            raise NangoConnectionError(f"{where} failed: {redact(reason)}") from error

    def _log_request(self, request: httpx.Request) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            headers, body = redact_value(dict(request.headers)), _shown(request.content)
            self._logger.debug("HTTP request %s %s %s", _line(request), headers, body)

    def _log_response(self, request: httpx.Request, response: httpx.Response) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            headers, body = redact_value(dict(response.headers)), _shown(response.content)
            line = (response.status_code, _line(request))
            self._logger.debug("HTTP response %d to %s %s %s", *line, headers, body)


def _content(body: Any) -> tuple[bytes | None, dict[str, str]]:
    if body is None or isinstance(body, bytes):
        return body, {}
    if isinstance(body, str):
        return body.encode(), {}
    if isinstance(body, dict | list | tuple):
        return encode(body, "body"), {"Content-Type": "application/json"}
    raise NangoInputError(f"body is a {type(body).__name__}", "Give a dict, list, str or bytes.")


def _merge(*sources: Mapping[str, str]) -> httpx.Headers:
    """Put headers together; a later source wins, however it writes the name."""
    found = {name.lower(): (name, value) for source in sources for name, value in source.items()}
    return httpx.Headers(list(found.values()), encoding="utf-8")


def _origin(url: httpx.URL) -> tuple[str, str, int | None]:
    default = {"http": 80, "https": 443}.get(url.scheme)
    return url.scheme, url.host, url.port or default


def _line(request: httpx.Request) -> str:
    params = redact_value(dict(request.url.params))
    return f"{request.method} {_without_secrets(request.url)}{f' {params}' if params else ''}"


def _without_secrets(url: httpx.URL) -> str:
    return redact(str(url.copy_with(query=None, userinfo=b"")))


def _shown(content: bytes) -> str:
    """Return a body for the log: masked by key where it is JSON, and then shortened."""
    try:
        text = json.dumps(redact_value(json.loads(content)), ensure_ascii=False)
    except (ValueError, RecursionError):
        text = content.decode(errors="replace")
    text = redact(text)
    return text if len(text) <= _LOGGED_CHARACTERS else f"{text[:_LOGGED_CHARACTERS]}…"
