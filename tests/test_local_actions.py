"""Actions that are defined on the embedded server while it runs."""

import functools
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nango_jupyter import (
    LocalServer,
    Nango,
    NangoAction,
    NangoConfigError,
    NangoServerError,
    NangoUsageError,
    action,
)
from tests.server.support import trigger

ADD = "def add(ctx, a: int, b: int = 1) -> int:\n    return a + b\n"


@pytest.fixture
async def server() -> AsyncIterator[LocalServer]:
    async with LocalServer() as server:
        yield server


@pytest.fixture
async def nango(server: LocalServer) -> Nango:
    nango = server.client()
    await nango.register_connection("demo", "ada", "any-token")
    return nango


def files(folder: Path) -> list[Path]:
    return list(folder.iterdir())


async def ask(nango: Nango, name: str, value: Any = None) -> Any:
    return (await nango.trigger_action("demo", name, "ada", value)).return_value


async def test_the_decorator(server: LocalServer, nango: Nango) -> None:
    here = "of this test"

    @server.action("demo")
    async def greet_all(ctx: Any, name: str, times: int = 1) -> Any:
        return [here, ctx.get_current_connection().user_id, name * times]

    assert await ask(nango, "greet_all", {"name": "x", "times": 2}) == [here, "ada", "xx"]
    with pytest.raises(NangoServerError, match="- name: Field required"):
        await ask(nango, "greet_all")
    assert "greet_all" in server.integrations()["demo"]

    @server.action("demo", "greet_all")
    def again(ctx: Any) -> str:
        return "again"

    assert await ask(nango, "greet_all") == "again"
    assert again(None) == "again"

    @server.action("demo", "echo")
    class Echo(NangoAction):
        def execute_action(self, input: Any) -> Any:  # noqa: A002
            return ["defined", input]

    assert await ask(nango, "echo", 1) == ["defined", 1]
    server.action("demo", "half")(functools.partial(greet_all, name="y"))
    assert await ask(nango, "half") == [here, "ada", "y"]


async def test_a_plain_function_may_wait_for_requests(server: LocalServer, nango: Nango) -> None:
    await nango.register_connection("crm", "ada", "crm-demo-token")

    @server.action("crm")
    def count(ctx: Any) -> int:
        return len(ctx.run(ctx.http_request("contacts")).json())

    found = await nango.trigger_action("crm", "count", "ada")
    assert found.return_value > 0


async def test_an_integration_is_made(server: LocalServer, nango: Nango) -> None:
    @server.action("slack", base_url="https://slack.com/api")
    async def notify(ctx: Any) -> str:
        return "sent"

    assert server.integrations()["slack"] == ["notify"]
    await nango.register_connection("slack", 7, "any-token")
    assert (await nango.trigger_action("slack", "notify", 7)).return_value == "sent"


async def test_what_can_not_be_defined(server: LocalServer) -> None:
    with pytest.raises(NangoConfigError, match=r"^demo/broken: broken has no parameter"):

        @server.action("demo")
        def broken() -> None: ...

    with pytest.raises(NangoUsageError, match="without the integration's name"):
        server.action(test_the_decorator)  # type: ignore[arg-type]
    with pytest.raises(NangoUsageError, match="can't be a name"):
        server.action("../demo")(lambda ctx: None)
    with pytest.raises(NangoUsageError, match="base_url"):
        server.action("new", "f", base_url="nonsense")(lambda ctx: None)
    with pytest.raises(NangoUsageError, match=r"has its base_url in integrations\.yaml"):
        server.action("crm", "f", base_url="https://example.com")(lambda ctx: None)
    assert "new" not in server.integrations()
    with pytest.raises(NangoUsageError, match="not running"):
        LocalServer().action("demo")


async def test_a_cell(server: LocalServer, nango: Nango, tmp_path: Path) -> None:
    found = server.define_cell("demo", "add", ADD, notebook=["a", "b", "json"])
    assert found.inputs == ("a: integer, required", "b: integer, default 1")
    assert not found.is_replaced
    assert not found.is_new_integration
    assert await ask(nango, "add", {"a": "2"}) == 3

    found = server.define_cell(
        "demo",
        "add",
        "from nango_jupyter import NangoAction\n"
        "class Add(NangoAction):\n"
        "    async def execute_action(self, input):\n"
        "        return [input]\n",
        save=tmp_path,
    )
    assert found.is_replaced
    assert found.inputs is None
    assert await ask(nango, "add", 5) == [5]
    async with LocalServer(tmp_path) as other:
        client = other.client()
        await client.register_connection("demo", "ada", "any-token")
        assert await ask(client, "add", 6) == [6]


async def test_modules_of_cells_end_with_their_actions(server: LocalServer) -> None:
    before = set(sys.modules)
    for _ in range(3):
        server.define_cell("demo", "add", ADD)
    assert len([name for name in set(sys.modules) - before if name.startswith("_nango")]) == 1
    await server.stop()
    assert not [name for name in set(sys.modules) - before if name.startswith("_nango")]


async def test_nothing_is_kept_of_a_cell_that_fails(
    server: LocalServer, nango: Nango, tmp_path: Path
) -> None:
    server.define_cell("demo", "add", ADD)
    for cell in ("1 / 0", "def add(ctx", "def add(): ...", f"{ADD}rows"):
        with pytest.raises((NangoUsageError, SyntaxError)):
            server.define_cell("demo", "add", cell, save=tmp_path, notebook=["rows"])
    assert await ask(nango, "add", {"a": 1}) == 2
    assert files(tmp_path) == []


async def test_settings_of_an_integration_that_was_made_are_saved(
    server: LocalServer, tmp_path: Path
) -> None:
    server.define_cell("slack", "add", ADD, base_url="https://slack.com/api")
    found = server.define_cell("slack", "add", ADD, save=tmp_path)
    assert found.saved == str(tmp_path / "slack" / "add.action.py")
    text = (tmp_path / "integrations.yaml").read_text()
    assert "base_url: https://slack.com/api" in text
    assert "Bearer ${access_token}" in text
    assert ", in the place of" in server.define_cell("slack", "add", ADD, save=tmp_path).saved


async def test_idempotent_in_either_form(server: LocalServer, nango: Nango, tmp_path: Path) -> None:
    server.define_cell("demo", "add", ADD, idempotent=True, save=tmp_path)
    assert "@action(idempotent=True)" in (tmp_path / "demo" / "add.action.py").read_text()
    server.action("demo", "a", idempotent=True)(lambda ctx: "again")
    server.action("demo", "b")(action(idempotent=True)(lambda ctx: "again"))
    server.action("demo", "c")(lambda ctx: "again")
    runs = server._running()
    found = [await trigger(runs, f"demo/{name}", {}, "ada", redelivered=True) for name in "abc"]
    assert [one.return_value for one in found] == ["again", "again", None]
    assert "delivered a second time" in str(found[2].error_msg)
