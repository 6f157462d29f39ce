"""The cell that a form writes sends what the form holds, whatever that is; in a real kernel."""

from collections.abc import Iterator
from typing import Any

import pytest

from nango_jupyter import NangoUsageError
from nango_jupyter.calls import TriggerCall
from nango_jupyter.widgets.cell_text import write_cell
from tests.support.kernel import Kernel

NAMES = [
    "crm",
    "my crm",
    "it's",
    'say "hi"',
    """it's "both\"""",
    "back\\slash 'n' \"q\"",
    "$user",
    "a$user",
    "{user}",
    "x{user}y",
    "{{ user }}",
    "'{{ user }}'",
    "{{",
    "}}",
    "}} ' {{",
    "-x",
    "--timeout",
    "--timeout=5",
    "#no comment",
    "a #b",
    "end;",
    ";",
    "<<",
    "a<<b",
    "[1]",
    "{}",
    "amqp://a:$b@c",
    "line\nend",
    "tab\there",
    " blank ",
    "sep\u2028arator",
    "nbsp\xa0here",
    "zero\u200bwidth",
    "é中🎈",
    "'quoted'",
    '"quoted"',
    "?",
    "1",
    "007",
    "None",
    "\ufdd0",
]
USERS: list[Any] = [1, "1", 0, -5, 2**70, "ada", "-1", "1.0", "{{1}}"]
INPUTS: list[Any] = [
    None,
    {},
    [],
    "",
    "text",
    "5",
    5,
    5.0,
    1e22,
    -0.0,
    10**30,
    True,
    {"a": "{{ user }}", "{{ b": "}}", "c{{{{": ["{{{", "\\{{"]},
    {"msg": 'it\'s "quoted" \\ $user {user}', "n": [1, 2.5, None, {"x": []}]},
    {"lines": "a\nb\r\nc\td", "hidden": "\u2028\u200b\x00\x7f\ufeff\ufdd0🎈"},
    "ends with ;",
    ["x" * 200, {"deep": [[[[1]]]]}],
]


@pytest.fixture(scope="module")
def kernel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    with Kernel(tmp_path_factory.mktemp("home")) as kernel:
        kernel.ok("%load_ext nango_jupyter\n%nango_connect --local\nuser = 'wrong'")
        kernel.ok("history = get_ipython().magics_manager.registry['NangoMagics'].notebook.session")
        kernel.ok("history = history.history")
        yield kernel


def sent(kernel: Kernel, cell: str) -> str:
    """Run a cell, and return the call that the session was given."""
    kernel.ok("before = len(history)")
    reply = kernel.run(cell)
    shown = kernel.ok(
        "call = history.entry().call if len(history) > before else None\n"
        "print(ascii((call.integration, call.action, call.user_id, call.input, call.timeout)"
        " if call else None), end='')"
    )
    assert shown.text != "None", reply.all_text
    return shown.text


def expected(call: TriggerCall) -> str:
    return ascii((call.integration, call.action, call.user_id, call.input, call.timeout))


@pytest.mark.parametrize("name", NAMES, ids=ascii)
def test_names_of_all_kinds(kernel: Kernel, name: str) -> None:
    call = TriggerCall(integration=name, action=name, user_id=name, input={"n": name})
    assert sent(kernel, write_cell(call)) == expected(call)


@pytest.mark.parametrize("user", USERS, ids=repr)
def test_users_keep_their_type(kernel: Kernel, user: Any) -> None:
    call = TriggerCall(integration="crm", action="list-contacts", user_id=user)
    assert sent(kernel, write_cell(call)) == expected(call)


@pytest.mark.parametrize("value", INPUTS, ids=ascii)
def test_inputs_of_all_kinds(kernel: Kernel, value: Any) -> None:
    call = TriggerCall(integration="crm", action="list-contacts", user_id="ada", input=value)
    assert sent(kernel, write_cell(call)) == expected(call)


@pytest.mark.parametrize("timeout", [5.0, 2.5, 1e-05, 3600.0])
def test_a_time_limit(kernel: Kernel, timeout: float) -> None:
    call = TriggerCall(integration="crm", action="x", user_id="ada", timeout=timeout)
    assert sent(kernel, write_cell(call, "default")) == expected(call)


def test_only_what_is_set_is_written() -> None:
    call = TriggerCall(integration="crm", action="list-contacts", user_id="ada", input={"a": 1})
    assert write_cell(call) == '%%nango_trigger crm list-contacts ada\n{"a": 1}'
    call = TriggerCall(integration="crm", action="list contacts", user_id=1, timeout=60.0)
    cell = write_cell(call, "prod")
    assert cell == "%%nango_trigger crm 'list contacts' {{1}} --timeout 60 --connection prod\nnull"


def test_what_json_cannot_hold() -> None:
    call = TriggerCall(integration="crm", action="x", user_id="ada", input={"a": "\ud800"})
    with pytest.raises(NangoUsageError, match=r"input\.a holds a lone surrogate"):
        write_cell(call)
