"""What an action file builds on: `NangoAction`, and the connection that it runs for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from nango_jupyter.messages import UserId
from nango_jupyter.server.logs import ActionLogger

if TYPE_CHECKING:
    import httpx

    from nango_jupyter.server.http import ActionHttp

__all__ = ["ActionConnection", "ActionContext", "ActionRuntime", "NangoAction"]


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
    """What the server hands to one execution of an action."""

    connection: ActionConnection
    logger: ActionLogger
    http: ActionHttp


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
        """Return the connection that this execution is for."""
        return self._runtime.connection

    async def http_request(
        self,
        endpoint: str,
        method: str = "GET",
        params: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        """Send a request to the integration's API, with the connection's authorization.

        Parameters
        ----------
        endpoint : str
            Joined to ``base_url`` with one slash. A whole URL must be of the same host: the
            connection's credentials go nowhere else.
        method : str
        params : mapping, optional
            The URL's query; a value that is None is left out.
        body : dict, list, str or bytes, optional
            A dict or list is sent as JSON, text and bytes as they are.
        headers : mapping of str to str, optional
            They win over the integration's.

        Returns
        -------
        httpx.Response
            Whatever its status is.

        Raises
        ------
        NangoConnectionError
            If the API can't be reached.
        NangoTimeoutError
            If it doesn't answer within ``http_request_timeout_seconds``.
        """
        return await self._runtime.http.request(endpoint, method, params, body, headers)


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
