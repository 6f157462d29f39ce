"""The six kinds of message, and each text of the original server to the letter."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter.messages import NangoConnection
from nango_jupyter.server import NangoServer
from tests.server.support import ask, register, trigger, write_action, write_folder

# Of the wire, byte for byte; the bracket before the last quotation mark is the original's.
REGISTERED_TWICE = (
    rb'{"success":false,"errorMsg":"Attempt to register an already-existing connection '
    rb'(integration \"demo\", user_id \"u1)\""}'
)
UPDATED_NONE = (
    rb'{"success":false,"errorMsg":"Attempt to update a non-existing connection '
    rb'(integration \"demo\", user_id \"uX)\""}'
)
NO_ACTION = (
    rb'{"success":false,"errorMsg":"Tried to trigger action \"nope\" for integration \"demo\" '
    rb'but the action file does not exist"}'
)
NO_CONNECTION = (
    rb'{"success":false,"errorMsg":"Tried to trigger action \"echo\" for integration \"demo\" '
    rb'with user_id \"x\" but no connection exists for this user_id and integration"}'
)
UNKNOWN_KIND = (
    b'{"success":false,"errorMsg":"Received inbound server message with unknown action: WAT"}'
)
DONE = b'{"success":true}'


@pytest.mark.parametrize(
    ("body", "reply"),
    [
        (
            '{"integration":"demo","userId":"u1","credentials":{"access_token":"t"},'
            '"action":"REGISTER_CONNECTION"}',
            REGISTERED_TWICE,
        ),
        (
            '{"integration":"demo","userId":"uX","credentials":{"access_token":"t"},'
            '"action":"UPDATE_CONNECTION_CREDENTIALS"}',
            UPDATED_NONE,
        ),
        (
            '{"integration":"demo","userId":"uX","additionalConfig":{},'
            '"action":"UPDATE_CONNECTION_CONFIG"}',
            UPDATED_NONE,
        ),
        (
            '{"integration":"demo","triggeredAction":"nope","userId":"u1",'
            '"action":"TRIGGER_ACTION"}',
            NO_ACTION,
        ),
        (
            '{"integration":"demo","triggeredAction":"echo","userId":"x",'
            '"action":"TRIGGER_ACTION"}',
            NO_CONNECTION,
        ),
        ('{"action":"WAT"}', UNKNOWN_KIND),
        (
            '{"integration":"demo","userId":"u2","oAuthAccessToken":"xoxb-abc",'
            '"additionalConfig":{"channelId":"C1"},"action":"REGISTER_CONNECTION"}',
            DONE,
        ),
        (
            '{"integration":"demo","userId":"u1","credentials":{"access_token":"new"},'
            '"action":"UPDATE_CONNECTION_CREDENTIALS"}',
            DONE,
        ),
        (
            '{"integration":"demo","userId":"u1","additionalConfig":{"channelId":"C2"},'
            '"action":"UPDATE_CONNECTION_CONFIG"}',
            DONE,
        ),
        (
            '{"integration":"demo","triggeredAction":"echo","userId":"u1",'
            '"input":{"msg":"héllo 🎉"},"action":"TRIGGER_ACTION"}',
            '{"success":true,"returnValue":{"msg":"héllo 🎉"}}'.encode(),
        ),
        (
            '{"integration":"demo","triggeredAction":"echo","userId":"u1",'
            '"action":"TRIGGER_ACTION"}',
            DONE,
        ),
        (
            '{"integration":"none","action":"GET_INTEGRATION_CONNECTIONS"}',
            b'{"success":true,"returnValue":[]}',
        ),
    ],
)
async def test_replies_to_the_letter(server: NangoServer, body: str, reply: bytes) -> None:
    answer = await server.handle(body.encode())
    # What triggers tell of their execution comes last, and is ours.
    assert re.sub(rb',"execution":\{[^{}]*\}\}$', b"}", answer) == reply


async def test_text_of_a_thrown_error(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/fail", "raise ValueError('boom {\"x\":1}')")
    result = await trigger(server, "demo/fail")
    assert result.error_msg == (
        'There was an error during the action execution: boom {"x":1} - ValueError\n'
        "    at Action.execute_action (demo/fail.action.py:5)"
    )


async def test_register_for_an_unknown_integration(server: NangoServer) -> None:
    result = await ask(
        server, "REGISTER_CONNECTION", integration="nope", userId="u", oAuthAccessToken="t"
    )
    assert result.error_msg == (
        'There is no integration "nope" in integrations.yaml (it has: basic, demo, keyed, signed)'
    )


async def test_trigger_of_an_unknown_integration(server: NangoServer) -> None:
    result = await trigger(server, "nope/echo")
    assert result.error_msg == (
        'Tried to trigger action "echo" for integration "nope" with user_id "u1" but no '
        "connection exists for this user_id and integration. There is no integration "
        '"nope" in integrations.yaml (it has: basic, demo, keyed, signed)'
    )


async def test_a_connection_outlives_its_integration(folder: Path) -> None:
    async with NangoServer(folder, environ={}) as server:
        await register(server)
    write_folder(folder, "integrations: {other: {}}")
    async with NangoServer(folder, environ={}) as server:
        fields = {"integration": "demo", "userId": "u1"}
        result = await ask(
            server, "UPDATE_CONNECTION_CREDENTIALS", **fields, credentials={"access_token": "t"}
        )
        assert "There is no integration" in str(result.error_msg)
        result = await ask(server, "GET_INTEGRATION_CONNECTIONS", integration="demo")
        assert len(result.return_value) == 1
        assert "There is no integration" in str((await trigger(server, "demo/echo")).error_msg)


GOOD = [
    ("demo", {"credentials": {"access_token": "t"}}),
    ("demo", {"oAuthAccessToken": "t"}),
    ("demo", {"credentials": {"access_token": "t", "refresh_token": "r", "expires_in": 3600}}),
    ("demo", {"credentials": {"access_token": "t", "expires_at": "2030-01-01T00:00:00Z"}}),
    ("keyed", {"credentials": {"api_key": "k"}}),
    ("keyed", {"credentials": {"api_key": "k"}, "oAuthAccessToken": "ignored"}),
    ("signed", {"credentials": {"oauth_token": "t", "oauth_token_secret": "s"}}),
    ("basic", {"credentials": {"username": "ada", "password": "pw"}}),
]


@pytest.mark.parametrize(("integration", "fields"), GOOD)
async def test_good_credentials(
    server: NangoServer, integration: str, fields: dict[str, Any]
) -> None:
    await register(server, integration, "u2", **fields)


async def test_credentials_win_over_the_token(server: NangoServer, folder: Path) -> None:
    write_action(
        folder, "demo/token", "return self.get_current_connection().oauth_access_token[:5]"
    )
    await register(
        server, user_id="u2", credentials={"access_token": "newer"}, oAuthAccessToken="older"
    )
    assert (await trigger(server, "demo/token", user_id="u2")).return_value == "newer"


BAD = [
    ("keyed", {"nope": "V4lue"}, 'ApiKey credentials must have "api_key" property'),
    ("keyed", None, 'ApiKey credentials must have "api_key" property'),
    ("keyed", {"api_key": 12345678}, 'ApiKey credentials must have "api_key" property'),
    ("keyed", {"api_key": ""}, 'ApiKey credentials must have "api_key" property'),
    ("demo", {"refresh_token": "V4lue"}, 'OAuth2 credentials must have "access_token" property'),
    (
        "demo",
        {"access_token": "V4lue", "refresh_token": 1},
        '"refresh_token" can\'t be of type int',
    ),
    ("demo", {"access_token": "V4lue", "expires_in": True}, '"expires_in" can\'t be of type bool'),
    ("signed", {"oauth_token": "V4lue"}, 'must have "oauth_token_secret" property'),
    ("basic", {"username": "V4lue"}, 'UsernamePassword credentials must have "password" property'),
]


@pytest.mark.parametrize(("integration", "credentials", "reason"), BAD)
async def test_wrong_credentials_are_named_without_their_values(
    server: NangoServer, integration: str, credentials: dict[str, Any] | None, reason: str
) -> None:
    mode = {"keyed": "API_KEY", "demo": "OAUTH2", "signed": "OAUTH1", "basic": "USERNAME_PASSWORD"}
    fields = {} if credentials is None else {"credentials": credentials}
    result = await ask(
        server, "REGISTER_CONNECTION", integration=integration, userId="u2", **fields
    )
    assert result.error_msg is not None
    assert result.error_msg.startswith(
        "Could not save connection, passed in credentials are invalid for the integration "
        f'"{integration}" which has auth mode "{mode[integration]}" - error returned was: '
        '"Cannot parse credentials, '
    )
    assert reason in result.error_msg
    assert result.error_msg.endswith('"')
    for value in (credentials or {}).values():
        assert len(str(value)) < 5 or str(value) not in result.error_msg


async def test_update_checks_credentials_and_keeps_the_old(
    server: NangoServer, folder: Path
) -> None:
    fields = {"integration": "demo", "userId": "u1"}
    result = await ask(server, "UPDATE_CONNECTION_CREDENTIALS", **fields, credentials={"x": "y"})
    assert "Cannot parse credentials, OAuth2" in str(result.error_msg)
    write_action(folder, "demo/length", "return len(self.get_current_connection().credentials)")
    assert (await trigger(server, "demo/length")).return_value == 1


async def test_updates_are_seen_by_actions(server: NangoServer, folder: Path) -> None:
    write_action(
        folder,
        "demo/seen",
        """
        connection = self.get_current_connection()
        return [connection.oauth_access_token[::-1], connection.additional_config]
        """,
    )
    fields = {"integration": "demo", "userId": "u1"}
    new = {"access_token": "fresh-token"}
    assert (await ask(server, "UPDATE_CONNECTION_CREDENTIALS", **fields, credentials=new)).success
    config = {"channel": "C2", "deep": [{"a": None}]}
    assert (
        await ask(server, "UPDATE_CONNECTION_CONFIG", **fields, additionalConfig=config)
    ).success
    assert (await trigger(server, "demo/seen")).return_value == ["nekot-hserf", config]


async def test_lists_of_connections(server: NangoServer) -> None:
    await register(server, "keyed", "u1", credentials={"api_key": "key-of-u1"})
    await register(server, "demo", 2, oAuthAccessToken="t2", additionalConfig={"a": 1})
    mine = (await ask(server, "GET_USER_ID_CONNECTIONS", userId="u1")).return_value
    assert [found["integration"] for found in mine] == ["demo", "keyed"]
    theirs = (await ask(server, "GET_INTEGRATION_CONNECTIONS", integration="demo")).return_value
    assert [found["userId"] for found in theirs] == ["u1", 2]
    assert set(theirs[1]) == {
        "uuid",
        "userId",
        "integration",
        "dateCreated",
        "lastModified",
        "additionalConfig",
    }
    assert NangoConnection.from_wire(theirs[1]).additional_config == {"a": 1}
    assert "token" not in json.dumps([mine, theirs])


async def test_user_1_and_user_text_1_are_two(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/who", "return self.get_current_connection().user_id")
    await register(server, user_id=1)
    await register(server, user_id="1")
    assert (await trigger(server, "demo/who", user_id=1)).return_value == 1
    assert (await trigger(server, "demo/who", user_id="1")).return_value == "1"
    assert (await trigger(server, "demo/who", user_id=1.0)).return_value == 1
    found = (await ask(server, "GET_USER_ID_CONNECTIONS", userId=1)).return_value
    assert [type(one["userId"]) for one in found] == [int]


async def test_a_number_as_user_is_named_without_quotation_marks_of_its_own(
    server: NangoServer,
) -> None:
    result = await trigger(server, "demo/echo", user_id=7)
    assert 'with user_id "7" but' in str(result.error_msg)


async def test_a_second_delivery_is_not_run(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/mark", "open(input, 'w').close()")
    mark = folder / "ran"
    result = await trigger(server, "demo/mark", str(mark), redelivered=True)
    assert result.error_msg == (
        'The message to trigger action "mark" for integration "demo" with user_id "u1" was '
        "delivered a second time: the action may have run already, so it was not run again"
    )
    assert not mark.exists()
    assert (await ask(server, "GET_USER_ID_CONNECTIONS", userId="u1", redelivered=True)).success


async def test_integrations_lists_names_and_actions(server: NangoServer, folder: Path) -> None:
    write_action(folder, "demo/a-first", "return 1")
    (folder / "demo" / ".action.py").touch()
    (folder / "demo" / "notes.txt").touch()
    (folder / "demo" / "dir.action.py").mkdir()
    (folder / "demo" / "out.action.py").symlink_to("/etc/passwd")
    assert server.integrations() == {
        "demo": ["a-first", "echo"],
        "keyed": [],
        "signed": [],
        "basic": [],
    }


async def test_a_server_that_is_not_running_answers(folder: Path) -> None:
    server = NangoServer(folder, store_url=":memory:", environ={})
    assert "not running" in str((await trigger(server, "demo/echo")).error_msg)
    await server.start()
    await server.start()
    await server.stop()
    await server.stop()
    assert "not running" in str((await trigger(server, "demo/echo")).error_msg)


async def test_credentials_of_megabytes_are_refused(server: NangoServer) -> None:
    fields = {"integration": "demo", "userId": "u2", "oAuthAccessToken": "é" * 1_000_000}
    result = await ask(server, "REGISTER_CONNECTION", **fields)
    assert not result.success
    assert "they have 2,000,019 bytes, more than 100,000" in str(result.error_msg)
    await register(server, "demo", "u2", oAuthAccessToken="t" * 90_000)


async def test_what_lists_hold_has_a_limit(server: NangoServer) -> None:
    large, pair = {"a": "é" * 60_000}, {"integration": "demo", "userId": "u1"}
    fields = {**pair, "oAuthAccessToken": "token", "additionalConfig": {}}
    for name, value in {"userId": "u" * 100_000, "additionalConfig": large}.items():
        result = await ask(server, "REGISTER_CONNECTION", **{**fields, name: value})
        assert f"{name} has 1" in str(result.error_msg)
    result = await ask(server, "UPDATE_CONNECTION_CONFIG", **pair, additionalConfig=large)
    assert result.error_msg == "additionalConfig has 120,008 bytes, more than 100,000"
    found = (await ask(server, "GET_INTEGRATION_CONNECTIONS", integration="demo")).return_value
    assert [one["additionalConfig"] for one in found] == [None]


async def test_names_of_megabytes_are_cut_in_the_reply(server: NangoServer) -> None:
    result = await trigger(server, f"demo/{'n' * 5_000_000}")
    assert len(str(result.error_msg)) < 11_000
    await register(server, "demo", "u3", oAuthAccessToken="a-token-to-be-masked")
    result = await trigger(server, "demo/" + "a-token-to-be-masked" * 2_000)
    assert "a-token" not in str(result.error_msg)
