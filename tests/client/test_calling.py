"""Requests and replies: what goes out, what comes back, and what junk does not disturb."""

import asyncio
import json
import math
from collections.abc import Awaitable, Callable
from typing import Any

import numpy as np
import pytest
from aio_pika.abc import AbstractIncomingMessage

from nango_jupyter import (
    Nango,
    NangoClosedError,
    NangoConnection,
    NangoError,
    NangoInputError,
    NangoMessageHandlerResult,
    NangoProtocolError,
    NangoServerError,
    NangoUsageError,
    Secret,
)
from tests.client.peer import QUEUE, Peer, echo, hold, reply_with, seconds, serve

LISTED = {
    "uuid": "f6bb85f7",
    "userId": "u1",
    "integration": "demo",
    "dateCreated": "2026-11-23 13:21:02",
    "lastModified": "2026-11-23 13:21:02",
    "additionalConfig": None,
}


async def test_what_each_call_sends(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, reply_with({"success": True, "returnValue": []})) as peer:
        await nango.register_connection("slack", "user-1", "xoxb-abc", {"channelId": "C1"})
        await nango.register_connection("slack", 2, Secret("xoxb-abc"))
        await nango.register_connection("slack", 2, credentials={"api_key": Secret("key-123")})
        await nango.register_connection("slack", 2, credentials={"access_token": "t", "x": 1})
        await nango.register_connection("slack", 2, "one", credentials={"access_token": "two"})
        await nango.trigger_action("slack", "notify", 1, {"msg": "héllo 🎉"})
        await nango.trigger_action("slack", "notify", "1")
        await nango.update_connection_credentials("slack", 1, {"access_token": Secret("new-one")})
        await nango.update_connection_config("slack", 1, {"channelId": "C2"})
        await nango.get_connections_for_user_id("1")
        await nango.get_connections_for_integration("slack")
    token = {"oAuthAccessToken": "xoxb-abc", "credentials": {"access_token": "xoxb-abc"}}
    register = {"action": "REGISTER_CONNECTION", "integration": "slack", "userId": 2}
    trigger = {"action": "TRIGGER_ACTION", "integration": "slack", "triggeredAction": "notify"}
    assert peer.bodies == [
        {**register, "userId": "user-1", **token, "additionalConfig": {"channelId": "C1"}},
        {**register, **token},
        {**register, "credentials": {"api_key": "key-123"}},
        {**register, "oAuthAccessToken": "t", "credentials": {"access_token": "t", "x": 1}},
        {**register, "oAuthAccessToken": "one", "credentials": {"access_token": "two"}},
        {**trigger, "userId": 1, "input": {"msg": "héllo 🎉"}},
        {**trigger, "userId": "1"},
        {
            "action": "UPDATE_CONNECTION_CREDENTIALS",
            "integration": "slack",
            "userId": 1,
            "credentials": {"access_token": "new-one"},
        },
        {
            "action": "UPDATE_CONNECTION_CONFIG",
            "integration": "slack",
            "userId": 1,
            "additionalConfig": {"channelId": "C2"},
        },
        {"action": "GET_USER_ID_CONNECTIONS", "userId": "1"},
        {"action": "GET_INTEGRATION_CONNECTIONS", "integration": "slack"},
    ]


async def test_the_properties_of_a_request(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost) as peer:
        await nango.trigger_action("i", "echo", 1, timeout=7.5)
        await nango.trigger_action("i", "echo", 1)
        await nango.register_connection("i", 1, "token")
    one, two, three = peer.received
    assert one.routing_key == QUEUE
    assert one.exchange == ""
    assert one.correlation_id
    assert len(one.correlation_id) == 8
    assert one.correlation_id.isalnum()
    assert one.correlation_id == one.correlation_id.upper()
    assert len({each.correlation_id for each in peer.received}) == 3
    assert one.reply_to
    assert one.reply_to.startswith("amq.rabbitmq.reply-to.")
    assert 7 < seconds(one) <= 7.5
    assert 9 < seconds(two) <= 10
    assert 9 < seconds(three) <= 10
    assert one.content_type is None
    assert not one.headers


async def test_what_a_call_answers(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost):
        result = await nango.trigger_action("demo", "echo", "u", {"a": [1, None, "ü"]})
        assert isinstance(result, NangoMessageHandlerResult)
        assert (result.success, result.error_msg) == (True, None)
        assert result.return_value == {"a": [1, None, "ü"]}
        assert (result.request, result.user_id) == ("demo.echo", "u")
        assert 0 < result.duration < 10
        assert (await nango.trigger_action("demo", "echo", "u")).return_value is None


async def test_connections_are_listed_as_objects(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, reply_with({"success": True, "returnValue": [LISTED]})):
        for result in (
            await nango.get_connections_for_user_id("u1"),
            await nango.get_connections_for_integration("demo"),
        ):
            assert result.return_value == [NangoConnection.from_wire(LISTED)]
            assert result.return_value[0].date_created.isoformat() == "2026-11-23T13:21:02+00:00"


@pytest.mark.parametrize("value", [None, {}, [1], [{}], "text", [LISTED | {"dateCreated": "x"}]])
async def test_a_list_that_is_none(value: Any, nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, reply_with({"success": True, "returnValue": value})):
        with pytest.raises(NangoProtocolError) as caught:
            await nango.get_connections_for_user_id("u1")
    assert caught.value.result is not None
    assert not caught.value.result.success


@pytest.mark.parametrize(
    ("message", "hint"),
    [
        (
            "Attempt to register an already-existing connection (integration: i, user_id: u)",
            "go on",
        ),
        ("Tried to trigger action 'a' but no connection exists for this user_id", "Register"),
        ('Tried to trigger action "a" but the action file does not exist', "action's name"),
        ("boom", None),
    ],
)
async def test_an_error_of_the_server(
    message: str, hint: str | None, nango: Nango, rabbit_vhost: str
) -> None:
    reply = {"success": False, "errorMsg": message, "returnValue": {"half": "done"}}
    async with serve(rabbit_vhost, reply_with(reply)):
        with pytest.raises(NangoServerError) as caught:
            await nango.trigger_action("i", "a", "u")
    error = caught.value
    assert str(error) == message
    assert hint in error.hint if hint else error.hint == ""
    assert error.result == NangoMessageHandlerResult(False, message, {"half": "done"})


async def test_a_server_that_does_not_say_why(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, reply_with({"success": False})):
        with pytest.raises(NangoServerError, match="and not why"):
            await nango.trigger_action("i", "a", "u")


async def test_a_token_that_comes_back_is_masked(nango: Nango, rabbit_vhost: str) -> None:
    async def tell(peer: Peer, message: AbstractIncomingMessage) -> None:
        found = json.loads(message.body)
        text = f"bad credentials: {json.dumps(found['credentials'])}"
        await peer.send(message, json.dumps({"success": False, "errorMsg": text}).encode())

    async with serve(rabbit_vhost, tell):
        with pytest.raises(NangoServerError) as caught:
            await nango.register_connection("i", 1, 'tok"en/🎉-123')
        assert "🎉" not in str(caught.value)
        assert "🎉" not in repr(caught.value.result)
        with pytest.raises(NangoServerError) as caught:
            await nango.register_connection(
                "i", 1, credentials={"username": "ada lovelace", "password": "hunter2"}
            )
        assert "hunter2" not in str(caught.value)
        assert "ada lovelace" in str(caught.value)


WRONG_CALLS: list[tuple[str, tuple[Any, ...], dict[str, Any], str]] = [
    ("trigger_action", ("i", "a", None), {}, "user_id is None"),
    ("trigger_action", ("i", "a", ""), {}, "user_id is empty"),
    ("trigger_action", ("i", "a", True), {}, "user_id is a bool"),
    ("trigger_action", ("i", "a", 1.0), {}, "user_id is a float"),
    ("trigger_action", ("i", "a", np.int64(1)), {}, "user_id is a int64"),
    ("trigger_action", ("i", "a", "\ud800"), {}, "user_id holds a lone surrogate"),
    ("trigger_action", ("", "a", 1), {}, "integration is empty"),
    ("trigger_action", ("i", None, 1), {}, "triggered_action is None"),
    ("trigger_action", ("i\udfff", "a", 1), {}, "integration holds a lone surrogate"),
    ("trigger_action", ("i", "a", 1, {"rows": [1, {"when": {1}}]}), {}, "input.rows[1].when is"),
    ("trigger_action", ("i", "a", 1, math.nan), {}, "input is nan"),
    ("trigger_action", ("i", "a", 1, np.float64(1)), {}, "input is a numpy.float64"),
    ("trigger_action", ("i", "a", 1), {"timeout": 0}, "timeout is 0"),
    ("trigger_action", ("i", "a", 1), {"timeout": -1}, "timeout is -1"),
    ("trigger_action", ("i", "a", 1), {"timeout": math.inf}, "timeout is inf"),
    ("trigger_action", ("i", "a", 1), {"timeout": "5"}, "timeout is '5'"),
    ("register_connection", ("i", 1), {}, "Neither a token nor credentials"),
    ("register_connection", ("i", 1, ""), {}, "oauth_access_token is empty"),
    ("register_connection", ("i", 1, 5), {}, "oauth_access_token is a int"),
    ("register_connection", ("i", 1, "abcd\ud800"), {}, "oauth_access_token holds a lone"),
    ("register_connection", ("i", 1, "t", {"a": b""}), {}, "additional_config.a is a bytes"),
    ("register_connection", ("i", 1, "t", ["a"]), {}, "additional_config is a list"),
    ("register_connection", ("i", 1), {"credentials": "t"}, "credentials is a str"),
    ("register_connection", ("i", 1), {"credentials": {1: "t"}}, "credentials has the key 1"),
    ("register_connection", ("i", 1), {"credentials": {"k": {1}}}, "credentials.k is a set"),
    ("register_connection", ("i", True, "t"), {}, "user_id is a bool"),
    ("update_connection_credentials", ("i", 1, None), {}, "credentials is None"),
    ("update_connection_config", ("i", 1, None), {}, "additional_config is None"),
    ("get_connections_for_user_id", (None,), {}, "user_id is None"),
    ("get_connections_for_user_id", (False,), {}, "user_id is a bool"),
    ("get_connections_for_integration", (7,), {}, "integration is a int"),
]


async def test_nothing_is_sent_of_what_can_not_be_sent(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost) as peer:
        for method, arguments, options, message in WRONG_CALLS:
            with pytest.raises(NangoUsageError) as caught:
                await getattr(nango, method)(*arguments, **options)
            assert str(caught.value).startswith(message)
            assert caught.value.result is not None, message
            assert caught.value.result.error_msg == caught.value.message
            if "timeout" not in message and "empty" not in message and "Neither" not in message:
                assert isinstance(caught.value, TypeError)
                assert isinstance(caught.value, NangoInputError)
        await nango.trigger_action("i", "echo", 1, "the only one")
        assert peer.inputs() == ["the only one"]


async def test_calls_need_a_connection(rabbit_vhost: str, tidy: None) -> None:
    client = Nango(rabbit_vhost)
    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: client.trigger_action("i", "a", 1),
        lambda: client.register_connection("i", 1, "t"),
        lambda: client.update_connection_credentials("i", 1, {}),
        lambda: client.update_connection_config("i", 1, {}),
        lambda: client.get_connections_for_user_id(1),
        lambda: client.get_connections_for_integration("i"),
    ]
    for words in ("is not connected", "was closed"):
        for call in calls:
            with pytest.raises(NangoClosedError, match=words) as caught:
                await call()
            assert "nango.connect()" in caught.value.hint
            assert caught.value.result is not None
        await client.connect()
        await client.close()
    async with serve(rabbit_vhost) as peer:
        await client.connect()
        await client.trigger_action("i", "echo", 1)
        assert len(peer.received) == 1
        await client.close()


async def test_replies_out_of_order(nango: Nango, rabbit_vhost: str) -> None:
    waiting: list[AbstractIncomingMessage] = []

    async def backwards(peer: Peer, message: AbstractIncomingMessage) -> None:
        waiting.append(message)
        if len(waiting) == 50:
            for each in reversed(waiting):
                await echo(peer, each)

    async with serve(rabbit_vhost, backwards):
        results = await asyncio.gather(
            *(nango.trigger_action("i", "echo", 1, number) for number in range(50))
        )
    assert [result.return_value for result in results] == list(range(50))


async def test_many_in_flight(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost) as peer:
        results = await asyncio.gather(
            *(nango.trigger_action("i", "echo", 1, number) for number in range(500))
        )
    assert [result.return_value for result in results] == list(range(500))
    assert sorted(peer.inputs()) == list(range(500))


@pytest.mark.parametrize(
    "junk",
    [
        b"",
        b"\x00\xff",
        b"not json",
        b"null",
        b"[]",
        b"{}",
        b'{"success": "yes"}',
        b'{"success": true, "returnValue": NaN}',
        b"[" * 50_000,
    ],
)
async def test_a_reply_that_is_junk(junk: bytes, nango: Nango, rabbit_vhost: str) -> None:
    async def answer(peer: Peer, message: AbstractIncomingMessage) -> None:
        if json.loads(message.body)["input"] == "junk":
            await peer.send(message, junk)
        else:
            await peer.release.wait()
            await echo(peer, message)

    async with serve(rabbit_vhost, answer) as peer:
        other = asyncio.create_task(nango.trigger_action("i", "echo", 1, "fine"))
        with pytest.raises(NangoProtocolError) as caught:
            await nango.trigger_action("i", "echo", 1, "junk")
        assert caught.value.result is not None
        assert not caught.value.result.success
        peer.release.set()
        assert (await other).return_value == "fine"


async def test_replies_that_are_nobodys(nango: Nango, rabbit_vhost: str) -> None:
    async def answer(peer: Peer, message: AbstractIncomingMessage) -> None:
        good = json.dumps({"success": True, "returnValue": "wrong"}).encode()
        for correlation_id in ("UNKNOWN1", "", "é" * 60, (message.correlation_id or "").lower()):
            for body in (good, b"junk", b""):
                await peer.send(message, body, correlation_id)
        await echo(peer, message)
        await peer.send(message, good)  # a second answer to the same request

    async with serve(rabbit_vhost, answer):
        for number in range(20):
            result = await nango.trigger_action("i", "echo", 1, number)
            assert result.return_value == number


async def test_a_late_reply_disturbs_nobody(nango: Nango, rabbit_vhost: str) -> None:
    async with serve(rabbit_vhost, hold) as peer:
        with pytest.raises(NangoError, match=r"No answer within 0\.2 s"):
            await nango.trigger_action("i", "echo", 1, "late", timeout=0.2)
        other = asyncio.create_task(nango.trigger_action("i", "echo", 1, "in time"))
        while len(peer.received) < 2:
            await peer.arrived.get()
        peer.release.set()
        assert (await other).return_value == "in time"
        assert (await nango.trigger_action("i", "echo", 1, "next")).return_value == "next"


async def test_a_server_like_the_oldest_survives_our_reply_address(
    nango: Nango, rabbit_vhost: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Python's library thinks that such a name can't be; the original server's has no opinion.
    monkeypatch.setattr("pamqp.commands.Queue.Declare.validate", lambda _: None)

    async def declare_first(peer: Peer, message: AbstractIncomingMessage) -> None:
        # As 0.1.12 does. On an exclusive queue this closes the server's channel with 403.
        await peer.channel.declare_queue(message.reply_to, durable=True)
        await echo(peer, message)

    async with serve(rabbit_vhost, declare_first) as peer:
        for number in range(5):
            assert (await nango.trigger_action("i", "echo", 1, number)).return_value == number
        assert not peer.channel.is_closed


async def test_a_large_input_comes_back(nango: Nango, rabbit_vhost: str) -> None:
    large = {"text": "é" * 5_000_000, "rows": list(range(10_000))}
    async with serve(rabbit_vhost):
        result = await nango.trigger_action("i", "echo", 1, large)
        assert result.return_value == large
        assert (await nango.trigger_action("i", "echo", 1, "small")).return_value == "small"


async def test_how_many_servers_listen(nango: Nango, rabbit_vhost: str) -> None:
    assert await nango.server_count() == 0
    async with serve(rabbit_vhost), serve(rabbit_vhost):
        assert await nango.server_count() == 2
    await nango.close()
    assert await nango.server_count() is None
