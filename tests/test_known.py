"""What is known of a connection, for completion and for guesses at misspelt names."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from nango_jupyter import LocalServer, Nango, NangoServerError, NangoUsageError
from nango_jupyter.calls import TriggerCall
from nango_jupyter.known import KnownNames
from nango_jupyter.messages import UserId


def call(integration: str, action: str, user: UserId) -> TriggerCall:
    return TriggerCall(integration=integration, action=action, user_id=user)


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    async with LocalServer() as server:
        yield server


async def fail(nango: Nango, asked: TriggerCall) -> NangoServerError:
    with pytest.raises(NangoServerError) as caught:
        await nango.trigger_action(asked.integration, asked.action, asked.user_id, {"message": "x"})
    return caught.value


def test_of_a_server_behind_a_broker_what_was_used_is_known() -> None:
    known = KnownNames()
    assert known.integrations() == []
    known.note_call(call("slack", "notify", "ada"))
    known.note_call(call("crm", "list-contacts", "ada"))
    known.note_call(call("crm", "create-deal", "bob"))
    known.note_user("mail", "eve")
    assert known.integrations() == ["crm", "mail", "slack"]
    assert known.actions("crm") == ["create-deal", "list-contacts"]
    assert known.actions("nothing") == []
    assert known.names() == {
        "crm": ["create-deal", "list-contacts"],
        "mail": [],
        "slack": ["notify"],
    }


async def test_users_of_both_types_the_last_used_first() -> None:
    known = KnownNames()
    for user in ("ada", 1, "1", "bob", "ada"):
        known.note_user("crm", user)
    found = await known.users("crm")
    assert found == ["ada", "bob", "1", 1]
    assert [type(user) for user in found] == [str, str, str, int]
    assert await known.users("demo") == []


async def test_what_was_used_longest_ago_is_forgotten() -> None:
    known = KnownNames()
    for number in range(1_200):
        known.note_call(call("crm", f"action-{number:04}", number))
    assert len(known.actions("crm")) == 1_000
    assert "action-0199" not in known.actions("crm")
    users = await known.users("crm")
    assert (len(users), users[0], users[-1]) == (1_000, 1_199, 200)


async def test_an_embedded_server_is_asked(server: LocalServer) -> None:
    known = KnownNames(server)
    assert known.integrations() == ["billing", "chat", "crm", "demo"]
    assert known.actions("demo") == ["echo", "fail", "sleep", "whoami"]
    nango = server.client()
    for user in ("ada", 7, "7"):
        await nango.register_connection("demo", user, "any-token")
    assert await server.users("demo") == ["7", 7, "ada"]
    assert await server.users("demo", 2) == ["7", 7]
    assert known.users_seen("demo") == []  # nobody has asked yet
    known.note_user("demo", 7)
    assert await known.users("demo") == [7, "7", "ada"]
    assert known.users_seen("demo") == [7, "7", "ada"]
    assert await known.users("crm") == []
    assert await known.users("\ud800") == []

    @server.action("demo")
    def added(ctx: object) -> None: ...

    assert "added" in known.actions("demo")


async def test_many_registered_users_are_bounded(server: LocalServer) -> None:
    nango = server.client()
    for number in range(1_010):
        await nango.register_connection("demo", number, "any-token")
    assert len(await server.users("demo", 2_000)) == 1_010
    found = await KnownNames(server).users("demo")
    assert (len(found), found[0], found[-1]) == (1_000, 1_009, 10)


async def test_a_server_that_was_stopped() -> None:
    server = LocalServer()
    async with server:
        known = KnownNames(server)
    known.note_call(call("demo", "echo", "ada"))
    assert known.integrations() == ["demo"]
    assert known.actions("demo") == ["echo"]
    assert await known.users("demo") == ["ada"]
    with pytest.raises(NangoUsageError, match="not running"):
        await server.users("demo")


@pytest.mark.parametrize(
    ("asked", "hint"),
    [
        (call("demmo", "echo", "ada"), "Did you mean demo?"),
        (call("demo", "ecko", "ada"), "Did you mean echo?"),
        (call("demo", "who_am_i", "ada"), "Did you mean whoami?"),
        (call("demo", "echo", "adda"), "Did you mean ada?"),
        (call("demo", "echo", "7"), "Did you mean the number 7?"),
        (call("demo", "echo", 8), 'Did you mean the text "8"?'),
        (call("xyz", "echo", "ada"), ""),
        (call("demo", "xyz", "ada"), ""),
        (call("demo", "echo", "xyz"), ""),
        (call("demo", "fail", "ada"), ""),
    ],
    ids=lambda value: (
        f"{value.request}-{value.user_id!r}" if isinstance(value, TriggerCall) else ""
    ),
)
async def test_a_guess_after_the_embedded_servers_error(
    server: LocalServer, asked: TriggerCall, hint: str
) -> None:
    nango = server.client()
    for user in ("ada", 7, "8"):
        await nango.register_connection("demo", user, "any-token")
    known = KnownNames(server)
    assert await known.hint(asked, await fail(nango, asked)) == hint


NO_CONNECTION = NangoServerError(
    "Tried to trigger action 'x' for integration 'x' with user_id 'x' but no connection exists for "
    "this user_id and integration"
)
NO_ACTION = NangoServerError("Tried to trigger action x but the action file does not exist")


@pytest.mark.parametrize(
    ("asked", "error", "hint"),
    [
        (call("cmr", "list-contacts", "ada"), NO_CONNECTION, "Did you mean crm?"),
        (call("crm", "list-contact", "ada"), NO_ACTION, "Did you mean list-contacts?"),
        (call("crm", "list-contacts", "adda"), NO_CONNECTION, "Did you mean ada?"),
        (call("slack", "list-contacts", "adda"), NO_CONNECTION, ""),
        (call("cmr", "list-contact", "adda"), NangoServerError("boom"), ""),
    ],
    ids=["integration", "action", "user", "nothing-known", "another-error"],
)
async def test_a_guess_after_another_servers_error(
    asked: TriggerCall, error: NangoServerError, hint: str
) -> None:
    known = KnownNames()
    known.note_call(call("crm", "list-contacts", "ada"))
    assert await known.hint(asked, error) == hint


async def test_names_that_nobody_can_read_are_no_guess() -> None:
    known = KnownNames()
    known.note_user("crm", "ada\x1b[31m")
    known.note_user("crm", "ada" * 100)
    assert await known.hint(call("crm", "list-contacts", "adda"), NO_CONNECTION) == ""


async def test_from_another_event_loop_a_server_is_left_alone(server: LocalServer) -> None:
    known = KnownNames(server)
    known.note_user("demo", "ada")
    assert await asyncio.to_thread(lambda: asyncio.run(known.users("demo"))) == ["ada"]
    with pytest.raises(NangoUsageError, match="another event loop"):
        await asyncio.to_thread(lambda: asyncio.run(server.users("demo")))
