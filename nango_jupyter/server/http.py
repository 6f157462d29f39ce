"""The HTTP requests of actions: joined to base_url, authorized, sent again, timed, logged."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
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
from nango_jupyter.server.response import NangoResponse, shown_body, shown_request
from nango_jupyter.server.retries import (
    LONGEST_RETRY_AFTER,
    backoff,
    retry_after,
    worth_a_retry,
)
from nango_jupyter.server.yaml_files import VARIABLE
from nango_jupyter.wire_json import encode

if TYPE_CHECKING:
    from nango_jupyter.server.refresh import ConnectionCredentials

__all__ = ["ActionHttp", "HttpClients", "send"]

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


@dataclass(frozen=True)
class _Call:
    """What an action asks for, before the connection's credentials come into it."""

    endpoint: str
    method: str
    params: Mapping[str, Any]
    content: bytes | None
    content_type: Mapping[str, str]
    headers: Mapping[str, str]


class ActionHttp:
    """Sends requests for one execution of an action; it lives on the loop that the action runs on.

    Parameters
    ----------
    integration : Integration
    credentials : ConnectionCredentials
    clients : HttpClients
    logger : ActionLogger
    """

    def __init__(
        self,
        integration: Integration,
        credentials: ConnectionCredentials,
        clients: HttpClients,
        logger: ActionLogger,
    ) -> None:
        self._integration = integration
        self._source = credentials
        self._clients = clients
        self._logger = logger

    @property
    def credentials(self) -> Mapping[str, Any]:
        """The connection's credentials as they are now: refreshed ones, if there was a need."""
        return self._source.current

    async def request(
        self,
        endpoint: str,
        method: str,
        params: Mapping[str, Any] | None,
        body: Any,
        headers: Mapping[str, str] | None,
    ) -> NangoResponse:
        """Send a request, as `ActionContext.http_request` describes."""
        call = _Call(endpoint, method.upper(), params or {}, *_content(body), headers or {})
        used: Mapping[str, Any] = {}

        async def attempt() -> NangoResponse:
            nonlocal used
            used = await self._source.credentials()
            return await self._send(self._build(call, used))

        response = await self._retried(attempt)
        if response.status_code != HTTPStatus.UNAUTHORIZED:
            return response
        if await self._source.renewed(used) is used:
            return response
        self._logger.info("%s: trying again with a refreshed token", _answered(response))
        return await self._retried(attempt)

    async def _retried(self, attempt: Callable[[], Awaitable[NangoResponse]]) -> NangoResponse:
        most = self._integration.http_retries
        for retry in range(1, most + 1):
            response = await attempt()
            if not worth_a_retry(response):
                if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
                    self._logger.info(
                        "%s without Retry-After: not trying again, it may have been carried out",
                        _answered(response),
                    )
                return response
            said = retry_after(response)
            wait = backoff(retry) if said is None else said
            if wait > LONGEST_RETRY_AFTER:
                self._logger.info(
                    "%s: not trying again, Retry-After is %.0f s", _answered(response), wait
                )
                return response
            progress = (_answered(response), wait, retry, most)
            self._logger.info("%s: trying again in %.1f s (retry %d of %d)", *progress)
            await asyncio.sleep(wait)
        return await attempt()

    def _build(self, call: _Call, credentials: Mapping[str, Any]) -> httpx.Request:
        values = template_values(credentials, self._integration)
        own_headers = self._fill(self._integration.headers, "headers", values)
        headers = _merge(call.content_type, own_headers, call.headers)
        url = self._url(call.endpoint, values)
        own = self._fill(self._integration.params, "params", values)
        query = {key: value for key, value in own.items() if key not in url.params}
        query |= {key: value for key, value in call.params.items() if value is not None}
        if query:  # else the endpoint's own stays as it was written
            url = url.copy_merge_params(query)
        client = self._clients.get(self._integration.name)
        return client.build_request(call.method, url, headers=headers, content=call.content)

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
        scheme, host, port = _origin(url)
        if (scheme, host, port) != _origin(httpx.URL(base)):
            raise NangoUsageError(
                f"{scheme}://{host}:{port} is not where base_url of the integration "
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

    async def _send(self, request: httpx.Request) -> NangoResponse:
        self._log_request(request)
        client = self._clients.get(self._integration.name)
        response = await send(client, request, self._integration.http_timeout)
        self._log_response(response)
        return response

    def _log_request(self, request: httpx.Request) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            what = _shown(request.headers, request.content)
            self._logger.debug("HTTP request %s %s %s", _line(request), *what)

    def _log_response(self, response: NangoResponse) -> None:
        if self._logger.isEnabledFor(logging.DEBUG):
            status, line = response.status_code, _line(response.request)
            what = _shown(response.headers, response.content)
            self._logger.debug("HTTP response %d to %s %s %s", status, line, *what)


async def send(client: httpx.AsyncClient, request: httpx.Request, limit: float) -> NangoResponse:
    """Send a request once.

    Parameters
    ----------
    client : AsyncClient
    request : Request
    limit : float
        For the whole answer, in seconds; 0 is no limit.

    Raises
    ------
    NangoTimeoutError
        If there was no answer within the limit.
    NangoConnectionError
        If the request could not be sent, or its answer not be read.
    """
    try:
        async with asyncio.timeout(limit or None):
            return NangoResponse.of(await client.send(request))
    except TimeoutError:
        raise NangoTimeoutError(
            f"{shown_request(request)} had no answer within {limit:g} s"
        ) from None
    except httpx.RequestError as error:
        reason = redact(str(error) or type(error).__name__)
        raise NangoConnectionError(f"{shown_request(request)} failed: {reason}") from error


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
    return f"{shown_request(request)}{f' {params}' if params else ''}"


def _answered(response: NangoResponse) -> str:
    return f"HTTP {response.status_code} to {shown_request(response.request)}"


def _shown(headers: httpx.Headers, content: bytes) -> tuple[Any, str]:
    return redact_value(dict(headers)), shown_body(content, _LOGGED_CHARACTERS)
