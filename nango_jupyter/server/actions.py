"""What an action file builds on: `NangoAction`, and the connection that it runs for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from nango_jupyter.exceptions import NangoUsageError
from nango_jupyter.messages import UserId
from nango_jupyter.server.logs import ActionLogger
from nango_jupyter.server.pagination import paginate

if TYPE_CHECKING:
    from nango_jupyter.server.http import ActionHttp
    from nango_jupyter.server.pagination import PageStyle
    from nango_jupyter.server.response import NangoResponse

__all__ = ["ActionConnection", "ActionContext", "ActionRuntime", "NangoAction"]

_T = TypeVar("_T")


@dataclass(frozen=True, kw_only=True)
class ActionConnection:
    """The connection that an action runs for. Reference: getCurrentConnection.

    Attributes
    ----------
    uuid : str
    integration : str
    user_id : str or int
    credentials : dict
        As they were registered. Not shown in `repr`.
    additional_config : dict or None
    """

    uuid: str
    integration: str
    user_id: UserId
    credentials: dict[str, Any] = field(repr=False)
    additional_config: dict[str, Any] | None = None

    @property
    def oauth_access_token(self) -> str | None:
        """The OAuth2 access token, as the first servers called it."""
        token = self.credentials.get("access_token")
        return token if isinstance(token, str) else None


@dataclass(frozen=True)
class ActionRuntime:
    """What the server hands to one execution of an action.

    Attributes
    ----------
    connection : ActionConnection
    logger : ActionLogger
    http : ActionHttp
    loop : AbstractEventLoop
        The one on which ``async def`` actions run.
    waiting : set of Future
        What a plain ``def`` waits for in `ActionContext.run`.
    """

    connection: ActionConnection
    logger: ActionLogger
    http: ActionHttp
    loop: asyncio.AbstractEventLoop
    waiting: set[Future[Any]] = field(default_factory=set)


class ActionContext:
    """What an action works with: its logger, its connection, and the integration's API.

    A function with `action` gets one as its first argument; a `NangoAction` is one.
    """

    # Set by the server after the class was called, so that a subclass may have its own __init__.
    _runtime: ActionRuntime

    @property
    def logger(self) -> ActionLogger:
        """Python's logger, with the reference's levels as well: http, verbose, silly."""
        return self._runtime.logger

    def get_current_connection(self) -> ActionConnection:
        """Return the connection that this execution is for, its credentials as they are now."""
        return replace(self._runtime.connection, credentials=dict(self._runtime.http.credentials))

    def run(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        """Run a coroutine from a plain ``def``, and return its result.

        Parameters
        ----------
        coroutine : coroutine
            Such as ``ctx.http_request("users")``. It runs on the event loop of all actions, not
            in this thread.

        Raises
        ------
        NangoUsageError
            If it is called on that loop, which would wait for itself.
        """
        loop = self._runtime.loop
        if loop is _running_loop():
            coroutine.close()
            raise NangoUsageError("run is for a plain def: write await in an async def")
        future = asyncio.run_coroutine_threadsafe(coroutine, loop)
        self._runtime.waiting.add(future)  # to be cancelled with the action
        try:
            return future.result()
        finally:
            self._runtime.waiting.discard(future)

    async def http_request(
        self,
        endpoint: str,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> NangoResponse:
        """Send a request to the integration's API, with the connection's authorization.

        After 429 and 503 it is sent again, at most ``http_request_retries`` times, when the
        answer's Retry-After says or after a wait that doubles; POST and PATCH after 503 only if
        there is a Retry-After, since they may have been carried out. OAuth2 tokens that expired
        are refreshed first.

        Parameters
        ----------
        endpoint : str
            Joined to ``base_url`` with one slash. A whole URL must be of the same scheme, host and
            port: the connection's credentials go nowhere else.
        method : str
        params : mapping, optional
            The URL's query; a value that is None is left out.
        body : dict, list, str or bytes, optional
            A dict or list is sent as JSON, text and bytes as they are.
        headers : mapping of str to str, optional
            They win over the integration's.

        Returns
        -------
        NangoResponse
            httpx's response, whatever its status is. Its ``json`` is the parsed body, as in
            ``response.json["name"]``, and false if the body isn't JSON.

        Raises
        ------
        NangoConnectionError
            If the API, or what refreshes its tokens, can't be reached.
        NangoTimeoutError
            If it doesn't answer within ``http_request_timeout_seconds``.
        NangoHttpError
            If new tokens are refused.
        """
        return await self._runtime.http.request(endpoint, method, params, body, headers)

    def paginate(
        self,
        endpoint: str,
        style: PageStyle,
        items: str = "",
        *,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Any]:
        """Go through the items of all pages of a list; a page is asked for when it is needed.

        Parameters
        ----------
        endpoint : str
            As in `http_request`.
        style : PageNumber, Cursor or LinkHeader
            How the API leads from one page to the next.
        items : str
            Where a page's items are, as in ``data.items``; "" is the body itself.
        params, headers : mapping, optional
            As in `http_request`, for each page.

        Raises
        ------
        NangoHttpError
            If a page's status is 400 or more.
        NangoUsageError
            If a page is not what `style` and `items` say, or the pages would never end.

        Examples
        --------
        ::

            async for contact in ctx.paginate("contacts", PageNumber("page"), "contacts"):
                ...
        """
        return paginate(self.http_request, endpoint, style, items, params=params, headers=headers)


class NangoAction(ActionContext):
    """Base of the one class in an action file, ``INTEGRATION/ACTION.action.py``.

    Attributes
    ----------
    idempotent : bool
        Whether the server may run it again for a message that the broker delivers a second time.

    Examples
    --------
    ::

        from nango_jupyter import NangoAction

        class Notify(NangoAction):
            async def execute_action(self, input):
                response = await self.http_request("chat.postMessage", "POST", body=input)
                return response.json()
    """

    idempotent: ClassVar[bool] = False

    async def execute_action(self, input: Any) -> Any:  # noqa: A002 - the reference's name
        """Do the work; what it returns must be JSON. A plain ``def`` runs in a thread.

        Parameters
        ----------
        input : JSON value
            What the caller gave; None without input.
        """
        raise NotImplementedError(f"{type(self).__name__} has no method execute_action")


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None
