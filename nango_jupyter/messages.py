"""The wire: one dataclass per message kind, and what the server answers.

Names are Python's here and the reference's camelCase on the wire; the facts are in PROTOCOL.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from datetime import UTC, datetime
from typing import Any, ClassVar

from nango_jupyter.exceptions import NangoInputError, NangoProtocolError, NangoUsageError
from nango_jupyter.executions import Execution
from nango_jupyter.secrets import redact, redact_value
from nango_jupyter.wire_json import check_json, decode, dump, encode

__all__ = [
    "REQUEST_KINDS",
    "SERVER_QUEUE",
    "GetIntegrationConnections",
    "GetUserIdConnections",
    "NangoConnection",
    "NangoMessageHandlerResult",
    "RegisterConnection",
    "Request",
    "TriggerAction",
    "UpdateConnectionConfig",
    "UpdateConnectionCredentials",
    "UserId",
    "decode_request",
]

SERVER_QUEUE = "server_inbound"

UserId = str | int
"""A user's id keeps its type: to the servers, user 1 and user "1" are two users."""

_WIRE_NAMES = {
    "integration": "integration",
    "user_id": "userId",
    "oauth_access_token": "oAuthAccessToken",
    "credentials": "credentials",
    "additional_config": "additionalConfig",
    "triggered_action": "triggeredAction",
    "input": "input",
}


@dataclass(frozen=True, kw_only=True)
class Request:
    """What all requests share. A field that is None is left out on the wire."""

    kind: ClassVar[str]

    def __post_init__(self) -> None:
        for item in fields(self):
            value = getattr(self, item.name)
            if value is not None or item.default is MISSING:
                _CHECKS[item.name](item.name, value)

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the wire."""
        given = {name: value for name, value in vars(self).items() if value is not None}
        return {**{_WIRE_NAMES[name]: value for name, value in given.items()}, "action": self.kind}

    def encode(self) -> bytes:
        """Return the body of the message.

        Raises
        ------
        NangoInputError
            If a value can't be JSON; the message names its path, as in ``input.rows[3].when``.
        """
        for name, value in vars(self).items():
            check_json(value, name)
        return dump(self.to_wire())


@dataclass(frozen=True, kw_only=True)
class RegisterConnection(Request):
    """Reference: registerConnection. Carries the token in both spellings, for all servers."""

    kind = "REGISTER_CONNECTION"
    integration: str
    user_id: UserId
    oauth_access_token: str | None = field(default=None, repr=False)
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)
    additional_config: Mapping[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class TriggerAction(Request):
    """Reference: triggerAction."""

    kind = "TRIGGER_ACTION"
    integration: str
    triggered_action: str
    user_id: UserId
    input: Any = None


@dataclass(frozen=True, kw_only=True)
class UpdateConnectionCredentials(Request):
    """Since server 0.2.1."""

    kind = "UPDATE_CONNECTION_CREDENTIALS"
    integration: str
    user_id: UserId
    credentials: Mapping[str, Any] = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class UpdateConnectionConfig(Request):
    """Since server 0.2.1."""

    kind = "UPDATE_CONNECTION_CONFIG"
    integration: str
    user_id: UserId
    additional_config: Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class GetUserIdConnections(Request):
    """Since server 0.2.1."""

    kind = "GET_USER_ID_CONNECTIONS"
    user_id: UserId


@dataclass(frozen=True, kw_only=True)
class GetIntegrationConnections(Request):
    """Since server 0.2.1."""

    kind = "GET_INTEGRATION_CONNECTIONS"
    integration: str


REQUEST_KINDS: Mapping[str, type[Request]] = {
    request.kind: request
    for request in (
        RegisterConnection,
        TriggerAction,
        UpdateConnectionCredentials,
        UpdateConnectionConfig,
        GetUserIdConnections,
        GetIntegrationConnections,
    )
}


def decode_request(body: bytes) -> Request:
    """Read the body of a request, as a server does.

    Raises
    ------
    NangoProtocolError
        If it is not JSON, of a kind that isn't known, or has a field missing or of a wrong type.
        The message is what to reply.
    """
    try:
        found = decode(body)
    except ValueError as error:
        raise NangoProtocolError(f"Received a message that is not JSON: {error}") from None
    if not isinstance(found, dict):
        raise NangoProtocolError("Received a message that is not a JSON object")
    kind = found.get("action")
    request = REQUEST_KINDS.get(kind) if isinstance(kind, str) else None
    if request is None:
        shown = kind if isinstance(kind, str) else dump(kind).decode()
        raise NangoProtocolError(
            f"Received inbound server message with unknown action: {_shorten(shown)}"
        )
    user_id = found.get("userId")
    if isinstance(user_id, float) and user_id.is_integer():
        found["userId"] = int(user_id)  # JSON has one type of number: 1.0 is 1
    values = {item.name: found.get(_WIRE_NAMES[item.name]) for item in fields(request)}
    try:
        return request(**values)
    except NangoUsageError as error:
        raise NangoProtocolError(
            f"Received a {kind} message that can't be used: {error.message}"
        ) from None


@dataclass(frozen=True, eq=False, repr=False)
class NangoMessageHandlerResult:
    """What the server answered. Reference: NangoMessageHandlerResult object.

    Attributes
    ----------
    success : bool
    error_msg : str or None
        What went wrong, when `success` is False.
    return_value : JSON value
        What the action returned; None when it returned nothing.
    execution : Execution or None
        The action's id, start, duration and log, where the server tells them.
    """

    success: bool
    error_msg: str | None = None
    return_value: Any = None
    execution: Execution | None = field(default=None, kw_only=True)

    def __eq__(self, other: object) -> bool:
        # Subclasses add what was asked and how long it took; the answer is the same answer.
        if not isinstance(other, NangoMessageHandlerResult):
            return NotImplemented
        mine = (self.success, self.error_msg, self.return_value)
        return mine == (other.success, other.error_msg, other.return_value)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        shown = [f"success={self.success}"]
        if self.error_msg is not None:
            shown.append(f"error_msg={redact(self.error_msg)!r}")
        if self.return_value is not None:
            shown.append(f"return_value={redact_value(self.return_value)!r}")
        return f"{type(self).__name__}({', '.join(shown)})"

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the wire."""
        found: dict[str, Any] = {"success": self.success}
        if self.error_msg is not None:
            found["errorMsg"] = self.error_msg
        if self.return_value is not None:
            found["returnValue"] = self.return_value
        if self.execution is not None:
            found["execution"] = self.execution.to_wire()
        return found

    def encode(self) -> bytes:
        """Return the body of the reply."""
        return encode(self.to_wire(), "reply")

    @classmethod
    def decode(cls, body: bytes) -> NangoMessageHandlerResult:
        """Read the body of a reply; unknown keys are ignored.

        Raises
        ------
        NangoProtocolError
            If it is not JSON, or not an object with a boolean ``success``.
        """
        try:
            found = decode(body, mend=True)  # the action has run: its result is not refused
        except ValueError as error:
            raise NangoProtocolError(f"The server's reply is not JSON: {error}") from None
        if not isinstance(found, dict) or not isinstance(found.get("success"), bool):
            raise NangoProtocolError(
                "The server's reply is not an object with a true or false success",
                "Is something else than a Nango server reading the queue server_inbound?",
            )
        error_msg = found.get("errorMsg")
        if error_msg is not None and not isinstance(error_msg, str):
            error_msg = encode(error_msg, "errorMsg").decode()
        execution = Execution.from_wire(found.get("execution"))
        return cls(found["success"], error_msg, found.get("returnValue"), execution=execution)


@dataclass(frozen=True, kw_only=True, repr=False)
class NangoConnection:
    """A registered connection, as servers since 0.2.1 list it; never with credentials.

    Attributes
    ----------
    uuid : str
    user_id : str or int
    integration : str
    date_created, last_modified : datetime.datetime
        In UTC, to the second.
    additional_config : dict or None
    """

    uuid: str
    user_id: UserId
    integration: str
    date_created: datetime
    last_modified: datetime
    additional_config: dict[str, Any] | None = None

    def __repr__(self) -> str:
        shown = redact_value({item.name: getattr(self, item.name) for item in fields(self)})
        return f"NangoConnection({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @classmethod
    def from_wire(cls, found: Any) -> NangoConnection:
        """Read one entry of the server's list.

        Raises
        ------
        NangoProtocolError
            If a field is missing or can't be read.
        """
        try:
            return cls(
                uuid=str(found["uuid"]),
                user_id=found["userId"],
                integration=found["integration"],
                date_created=_read_time(found["dateCreated"]),
                last_modified=_read_time(found["lastModified"]),
                additional_config=found.get("additionalConfig"),
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise NangoProtocolError(
                f"The server listed a connection that can't be read: {error!r}"
            ) from None

    def to_wire(self) -> dict[str, Any]:
        """Return the JSON object of the wire."""
        return {
            "uuid": self.uuid,
            "userId": self.user_id,
            "integration": self.integration,
            "dateCreated": f"{self.date_created:%Y-%m-%d %H:%M:%S}",
            "lastModified": f"{self.last_modified:%Y-%m-%d %H:%M:%S}",
            "additionalConfig": self.additional_config,
        }


def _read_time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _shorten(text: str, most: int = 80) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _kind(value: object) -> str:
    return "None" if value is None else f"a {type(value).__name__}"


def _check_text(name: str, value: object) -> None:
    if not isinstance(value, str):
        raise NangoInputError(f"{name} is {_kind(value)}", "Give a str.")
    if not value:
        raise NangoUsageError(f"{name} is empty", "Give a str that isn't empty.")


def _check_user_id(name: str, value: object) -> None:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise NangoInputError(
            f"{name} is {_kind(value)}",
            "Give a str or an int (a numpy integer becomes one with int(value)).",
        )
    if value == "":
        raise NangoUsageError(f"{name} is empty", "Give the id under which the user registered.")


def _check_object(name: str, value: object) -> None:
    if not isinstance(value, dict):
        raise NangoInputError(f"{name} is {_kind(value)}", "Give a dict, as in {'key': 'value'}.")


def _check_nothing(name: str, value: object) -> None:
    """Accept anything here: `Request.encode` checks that it is JSON."""


_CHECKS: Mapping[str, Callable[[str, object], None]] = {
    "integration": _check_text,
    "triggered_action": _check_text,
    "user_id": _check_user_id,
    "oauth_access_token": _check_text,
    "credentials": _check_object,
    "additional_config": _check_object,
    "input": _check_nothing,
}
