"""The messages: which fields they take, and what a server and a client make of junk."""

import contextlib
import datetime as dt
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nango_jupyter.exceptions import NangoInputError, NangoProtocolError, NangoUsageError
from nango_jupyter.messages import (
    REQUEST_KINDS,
    GetUserIdConnections,
    NangoConnection,
    NangoMessageHandlerResult,
    RegisterConnection,
    TriggerAction,
    decode_request,
)
from nango_jupyter.secrets import MASK, remember

LISTED = {
    "uuid": "f6bb85f7",
    "userId": "u1",
    "integration": "demo",
    "dateCreated": "2026-11-23 13:21:02",
    "lastModified": "2026-11-24 01:02:03",
    "additionalConfig": {"a": 1},
}


def trigger(**changes: Any) -> TriggerAction:
    given: dict[str, Any] = {"integration": "slack", "triggered_action": "notify", "user_id": 1}
    return TriggerAction(**given | changes)


def test_what_has_no_value_is_left_out_and_what_is_empty_is_not() -> None:
    assert json.loads(trigger().encode()) == {
        "action": "TRIGGER_ACTION",
        "integration": "slack",
        "triggeredAction": "notify",
        "userId": 1,
    }
    values: list[Any] = [{}, [], "", 0, False]
    for value in values:
        assert json.loads(trigger(input=value).encode())["input"] == value


@pytest.mark.parametrize("user_id", ["1", 1, 0, -5, 2**70, " ", "é🎉", "1.0"])
def test_a_user_id_keeps_its_type(user_id: str | int) -> None:
    found = json.loads(trigger(user_id=user_id).encode())["userId"]
    assert found == user_id
    assert type(found) is type(user_id)


@pytest.mark.parametrize("user_id", [None, True, False, 1.0, b"1", ["1"], {}])
def test_what_is_no_user_id(user_id: Any) -> None:
    with pytest.raises(TypeError, match="user_id is"):
        trigger(user_id=user_id)


@pytest.mark.parametrize("field", ["integration", "triggered_action", "user_id"])
def test_empty_names(field: str) -> None:
    with pytest.raises(NangoUsageError, match=f"{field} is empty"):
        trigger(**{field: ""})


@pytest.mark.parametrize("value", [None, 1, True, b"slack", ["slack"]])
@pytest.mark.parametrize("field", ["integration", "triggered_action"])
def test_names_are_text(field: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{field} is "):
        trigger(**{field: value})


@pytest.mark.parametrize("field", ["integration", "triggered_action", "user_id"])
def test_half_characters_in_names(field: str) -> None:
    with pytest.raises(NangoInputError, match=f"^{field} holds a lone surrogate"):
        trigger(**{field: "a\ud800"}).encode()


@pytest.mark.parametrize("field", ["credentials", "additional_config"])
@pytest.mark.parametrize("value", [[], "text", 1, True, [("a", 1)]])
def test_what_must_be_an_object(field: str, value: Any) -> None:
    with pytest.raises(TypeError, match=f"^{field} is a "):
        RegisterConnection(integration="i", user_id="u", **{field: value})


@pytest.mark.parametrize("field", ["credentials", "additional_config"])
def test_objects_name_their_path(field: str) -> None:
    given: dict[str, Any] = {field: {"a": [b"x"]}}
    request = RegisterConnection(integration="i", user_id="u", **given)
    with pytest.raises(TypeError, match=rf"^{field}\.a\[0\] is a bytes"):
        request.encode()


def test_a_request_of_each_kind_is_known() -> None:
    assert {kind.kind for kind in REQUEST_KINDS.values()} == set(REQUEST_KINDS)
    assert len(REQUEST_KINDS) == 6


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b'{"action":', "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{}", "unknown action: null"),
        (b'{"action": "WAT"}', "unknown action: WAT"),
        (b'{"action": ["TRIGGER_ACTION"]}', 'unknown action: \\["TRIGGER_ACTION"\\]'),
        (b'{"action": {}}', "unknown action: {}"),
        (b'{"action": "' + b"x" * 10_000 + b'"}', "unknown action: x{80}…$"),
        (b'{"action": "TRIGGER_ACTION"}', "integration is None"),
        (
            b'{"action":"TRIGGER_ACTION","integration":"i","triggeredAction":"a"}',
            "user_id is None",
        ),
        (
            b'{"action":"TRIGGER_ACTION","integration":"i","triggeredAction":"a","userId":1.5}',
            "user_id is a float",
        ),
        (b'{"action":"GET_USER_ID_CONNECTIONS","userId":true}', "user_id is a bool"),
        (b'{"action":"GET_INTEGRATION_CONNECTIONS","integration":""}', "integration is empty"),
        (
            b'{"action":"UPDATE_CONNECTION_CONFIG","integration":"i","userId":1}',
            "additional_config is None",
        ),
        (
            b'{"action":"REGISTER_CONNECTION","integration":"i","userId":1,"credentials":"x"}',
            "credentials is a str",
        ),
    ],
)
def test_what_a_server_can_not_read(body: bytes, message: str) -> None:
    with pytest.raises(NangoProtocolError, match=message):
        decode_request(body)


def test_unknown_keys_are_ignored_and_null_is_nothing() -> None:
    body = b'{"action":"GET_USER_ID_CONNECTIONS","userId":1.0,"integration":null,"more":{}}'
    request = decode_request(body)
    assert request == GetUserIdConnections(user_id=1)
    assert type(request.to_wire()["userId"]) is int


@given(st.binary() | st.text().map(lambda text: text.encode(errors="replace")))
def test_junk_is_refused_in_one_way_only(body: bytes) -> None:
    for read in (decode_request, NangoMessageHandlerResult.decode):
        with contextlib.suppress(NangoProtocolError):
            read(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"\xff\xfe",
        b"[]",
        b"null",
        b'"success"',
        b"{}",
        b'{"success": "true"}',
        b'{"success": 1}',
        b'{"success": null}',
        b'{"Success": true}',
        b'{"success": true, "returnValue": NaN}',
        b'{"success": true, "returnValue": 1e999}',
        b"[" * 100_000,
    ],
)
def test_what_a_client_can_not_read(body: bytes) -> None:
    with pytest.raises(NangoProtocolError):
        NangoMessageHandlerResult.decode(body)


@pytest.mark.parametrize(
    ("body", "result"),
    [
        (b'{"success": true}', (True, None, None)),
        (b'{"success": true, "returnValue": null, "x": [1]}', (True, None, None)),
        (b'{"success": false, "errorMsg": "no"}', (False, "no", None)),
        (b'{"success": false}', (False, None, None)),
        (b'{"success": false, "errorMsg": {"a": 1}}', (False, '{"a":1}', None)),
        (b'{"success": false, "errorMsg": 5, "returnValue": [1]}', (False, "5", [1])),
    ],
)
def test_what_a_client_reads(body: bytes, result: tuple[bool, str | None, Any]) -> None:
    found = NangoMessageHandlerResult.decode(body)
    assert (found.success, found.error_msg, found.return_value) == result


def test_results_compare_and_hide_tokens() -> None:
    result = NangoMessageHandlerResult(True, None, {"access_token": "abc"})
    assert result == NangoMessageHandlerResult(True, None, {"access_token": "abc"})
    assert result != NangoMessageHandlerResult(True)
    assert result != "result"
    expected = f"return_value={{'access_token': '{MASK}'}}"
    assert repr(result) == f"NangoMessageHandlerResult(success=True, {expected})"
    with pytest.raises(TypeError):
        hash(result)


def test_a_reply_must_be_json_too() -> None:
    with pytest.raises(NangoInputError, match=r"^reply\.returnValue\.a is a set"):
        NangoMessageHandlerResult(True, None, {"a": {1}}).encode()


def test_a_listed_connection() -> None:
    connection = NangoConnection.from_wire(LISTED)
    assert connection.date_created == dt.datetime(2026, 11, 23, 13, 21, 2, tzinfo=dt.UTC)
    assert connection.last_modified.tzinfo is dt.UTC
    assert (connection.user_id, connection.integration) == ("u1", "demo")
    assert connection.additional_config == {"a": 1}
    assert connection.to_wire() == LISTED


@pytest.mark.parametrize(
    "changes",
    [
        {"uuid": ...},
        {"userId": ...},
        {"dateCreated": ...},
        {"lastModified": "yesterday"},
        {"lastModified": None},
        {"lastModified": 5},
        {"lastModified": "0001-01-01T00:00:00+23:59"},
    ],
)
def test_a_listed_connection_that_can_not_be_read(changes: dict[str, Any]) -> None:
    found = {name: value for name, value in (LISTED | changes).items() if value is not ...}
    with pytest.raises(NangoProtocolError, match="listed a connection that can't be read"):
        NangoConnection.from_wire(found)


@pytest.mark.parametrize("found", [None, 1, "text", [], ["uuid"]])
def test_what_is_no_connection(found: Any) -> None:
    with pytest.raises(NangoProtocolError):
        NangoConnection.from_wire(found)


def test_times_with_a_zone_become_utc() -> None:
    changed = LISTED | {"dateCreated": "2026-11-23T14:21:02+01:00"}
    assert NangoConnection.from_wire(changed).to_wire() == LISTED


def test_half_a_character_in_a_reply_does_not_lose_the_rest() -> None:
    body = b'{"success": true, "returnValue": {"cut": "ab\\ud83d", "whole": "\\ud83d\\ude00"}}'
    result = NangoMessageHandlerResult.decode(body)
    assert result.return_value == {"cut": "ab\ufffd", "whole": "😀"}


def test_reprs_hide_what_is_secret() -> None:
    remember("known-secret")
    register = RegisterConnection(
        integration="i",
        user_id=1,
        oauth_access_token="known-secret",
        credentials={"any": "known-secret"},
    )
    then = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    listed = NangoConnection(
        uuid="u",
        user_id=1,
        integration="i",
        date_created=then,
        last_modified=then,
        additional_config={"note": "the known-secret", "password": "pass-word"},
    )
    for shown in (repr(register), repr([listed])):
        assert "known-secret" not in shown
        assert "pass-word" not in shown
    assert "integration='i'" in repr(listed)
