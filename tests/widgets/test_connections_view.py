"""The list of registered connections, in a real kernel."""

import json
from typing import Any

import pytest

from tests.support.kernel import Kernel

START = """
%nango_close --all
%nango_connect --local
session = get_ipython().magics_manager.registry["NangoMagics"].notebook.session
for user in (1, "1", "ada"):
    await session.register("demo", user, "any-token")
await session.register("crm", "ada", "any-token")
view = nango_jupyter.ConnectionsView()
await asyncio.sleep(0.1)
"""


@pytest.fixture(autouse=True)
def view(kernel: Kernel) -> None:
    kernel.ok(START)


def value(kernel: Kernel, code: str) -> Any:
    return json.loads(kernel.ok(f"import json; print(json.dumps({code}))").text)


def ask(kernel: Kernel, **values: str) -> str:
    for name, given in values.items():
        kernel.ok(f"view._{name}.value = {given!r}")
    kernel.ok("await run(view, view.buttons[0])")
    return kernel.ok("print(text(view.result))").text


def test_of_a_user(kernel: Kernel) -> None:
    assert value(kernel, "sorted(view._user._field.options)") == ['"1"', "1", "ada"]
    kernel.ok("view._user.set('ada')")
    card = ask(kernel)
    assert "demo" in card
    assert "crm" in card
    assert "2 rows" in card
    assert "Listed at" in kernel.ok("print(text(view.status))").text


@pytest.mark.parametrize("user", [1, "1"])
def test_users_keep_their_type(kernel: Kernel, user: Any) -> None:
    kernel.ok(f"view._user.set({user!r})")
    assert "1 row" in ask(kernel)
    kernel.ok(f"found = await session.client().get_connections_for_user_id({user!r})")
    uuid = kernel.ok("print(found.return_value[0].uuid)").text.strip()
    assert uuid in kernel.ok("print(text(view.result))").text


def test_to_an_integration(kernel: Kernel) -> None:
    assert "3 rows" in ask(kernel, kind="integration", integration="demo")
    assert value(kernel, "view._integration.options") == ["billing", "chat", "crm", "demo"]
    kernel.ok("await session.register('demo', 'bob', 'any-token')")
    assert "4 rows" in ask(kernel)


def test_what_is_missing(kernel: Kernel) -> None:
    kernel.ok("click(view.buttons[0])")
    assert "There is no user" in kernel.ok("print(text(view.status))").text
    kernel.ok("view._kind.value = 'integration'; click(view.buttons[0])")
    assert "There is no integration" in kernel.ok("print(text(view.status))").text


def test_an_error(kernel: Kernel) -> None:
    ask(kernel, kind="integration", integration="demo")
    kernel.ok("%nango_close --all")
    ask(kernel)
    said = kernel.ok("print(text(view.status), text(view.result))").text
    assert "Not connected" in said
    assert "rows" not in said
    assert value(kernel, "view._integration.options") == []


def test_given_from_the_start(kernel: Kernel) -> None:
    kernel.ok("view = nango_jupyter.ConnectionsView(integration='demo')")
    assert "3 rows" in ask(kernel)
    kernel.ok("view = nango_jupyter.ConnectionsView(1)")
    assert "1 row" in ask(kernel)
