"""The form to trigger, in a real kernel."""

import json
from typing import Any

import pytest

from tests.support.kernel import Kernel
from tests.support.serve import Serve

SETUP = """
import gc
from typing import Literal
from nango_jupyter.calls import TriggerCall

session = get_ipython().magics_manager.registry["NangoMagics"].notebook.session
history = session.history
sent = []

def walk(widget):
    yield widget
    for child in getattr(widget, "children", ()):
        if child.layout.display != "none":
            yield from walk(child)

def field(label):
    found = [one for one in walk(form) if getattr(one, "description", "") == label]
    assert len(found) == 1, (label, [getattr(one, "description", "") for one in walk(form)])
    return found[0]

def fill(**values):
    for label, value in values.items():
        field(label.replace("_", " ")).value = value

def shown():
    return html.unescape("\\n".join(
        re.sub("<[^>]+>", "", one.value) for one in walk(form) if type(one).__name__ == "HTML"
    ))

def cell():
    return html.unescape(re.search("<textarea[^>]*>\\n(.*?)</textarea>", form._cell.widget.value,
                                   re.S)[1])

def connect():
    local = session.connection().local

    @local.action("demo", "announce")
    async def announce(ctx, channel: str, times: int = 1, loud: bool = False,
                       kind: Literal["info", "alarm"] = "info", tags: list[str] = []):
        "Says something, <b>somewhere</b>."
        return {"channel": channel, "times": times, "loud": loud, "kind": kind, "tags": tags}

    @local.action("demo", "whom")
    async def whom(ctx):
        connection = ctx.get_current_connection()
        return f"{type(connection.user_id).__name__} {connection.user_id}"

    request = session.client()._transport.request
    async def record(body, timeout):
        sent.append((bytes(body), timeout))
        return await request(body, timeout)
    session.client()._transport.request = record

async def settle():
    for _ in range(10):
        await asyncio.sleep(0.02)

async def trigger():
    return await run(form, field("Trigger"))
"""
START = """
%nango_close --all
%nango_connect --local
history._entries.clear()
connect()
for user in (1, "1", "ada"):
    await session.register("demo", user, "any-token")
form = nango_jupyter.TriggerForm("demo", "echo", "ada")
await settle()
sent.clear()
"""


@pytest.fixture(scope="module", autouse=True)
def setup(kernel: Kernel) -> None:
    kernel.ok(SETUP)


@pytest.fixture(autouse=True)
def form(kernel: Kernel) -> None:
    kernel.ok(START)


def value(kernel: Kernel, code: str) -> Any:
    return json.loads(kernel.ok(f"import json; print(json.dumps({code}))").text)


def inputs(kernel: Kernel) -> list[Any]:
    """Return the inputs that were sent since the form was made."""
    requests = value(kernel, "[body.decode() for body, _ in sent]")
    return [json.loads(body).get("input") for body in requests]


def test_json(kernel: Kernel) -> None:
    kernel.ok("fill(Input='{\"a\": [1, 2.5, null]}')")
    assert kernel.ok("print(await trigger())").text.strip() == "Done."
    assert inputs(kernel) == [{"a": [1, 2.5, None]}]
    assert "demo.echo" in kernel.ok("print(form.result.value)").text
    assert value(kernel, "[(e.request, e.user_id, e.state) for e in history]") == [
        ["demo.echo", "ada", "success"]
    ]


def test_without_input(kernel: Kernel) -> None:
    kernel.ok("await trigger()")
    assert inputs(kernel) == [None]


def test_what_the_server_has_is_offered(kernel: Kernel) -> None:
    assert value(kernel, "field('Integration').options") == ["billing", "chat", "crm", "demo"]
    actions = ["announce", "echo", "fail", "sleep", "whoami", "whom"]
    assert value(kernel, "field('Action').options") == actions
    assert set(value(kernel, "field('User').options")) == {"1", '"1"', "ada"}
    kernel.ok("fill(Integration='crm'); await settle()")
    actions = ["add-note", "get-contact", "list-contacts", "list-deals"]
    assert value(kernel, "field('Action').options") == actions
    assert value(kernel, "field('User').options") == []
    kernel.ok("await session.register('crm', 7, 'any-token'); await settle()")
    assert value(kernel, "field('User').options") == ["7"]


def test_the_folder_is_not_read_for_each_integration(kernel: Kernel) -> None:
    kernel.ok(
        "local, reads = session.connection().local, []\n"
        "read = local.integrations\n"
        "local.integrations = lambda: reads.append(1) or read()\n"
        "await session.register('crm', 8, 'any-token'); await settle()"
    )
    # As it is drawn, and when the catalogue has come.
    assert 1 <= value(kernel, "len(reads)") <= 2 < value(kernel, "len(read())")


@pytest.mark.parametrize(
    ("typed", "whom"), [("1", "int 1"), ('"1"', "str 1"), (" ada ", "str ada"), ("'1'", "str 1")]
)
def test_users_keep_their_type(kernel: Kernel, typed: str, whom: str) -> None:
    kernel.ok(f"fill(Action='whom', User={typed!r}); await trigger()")
    assert value(kernel, "history.result().return_value") == whom


def test_users_are_text_or_number() -> None:
    from nango_jupyter.widgets.user_field import read_user, write_user

    users: list[str | int] = [0, 1, -5, 2**70, "1", "007", "-0", "", " a ", '"a"', "'", "1.0", "é"]
    users += ["9" * 2000, '"', "''", "\u0661", "+1", "1_0"]
    for user in users:
        found = read_user(write_user(user))
        assert (type(found), found) == (type(user), user)
    assert read_user("  ") is None


@pytest.mark.parametrize(
    ("label", "typed", "message"),
    [
        ("Integration", " ", "There is no integration."),
        ("Action", "", "There is no action."),
        ("User", "", "There is no user."),
        ("Input", '{"a": }', "line 1, column 7"),
        ("Input", '{"a": 1, "a": 2}', "stands twice"),
        ("Time limit (s)", "soon", "The time limit is not a number of seconds."),
        ("Time limit (s)", "-1", "The time limit is not a number of seconds."),
        ("Time limit (s)", "nan", "The time limit is not a number of seconds."),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_sent(
    kernel: Kernel, label: str, typed: str, message: str
) -> None:
    kernel.ok(f"field({label!r}).value = {typed!r}; before = shown(); click(field('Trigger'))")
    assert message in kernel.ok("print(text(form.status))").text
    assert kernel.ok("print('Nothing was sent' in text(form.status))").text.strip() == "True"
    added = kernel.ok(
        "print('alert' in ''.join(one.value for one in walk(form)"
        " if type(one).__name__ == 'HTML' and one is not form.status))"
    )
    assert added.text.strip() == "True"
    assert value(kernel, "len(sent) + len(history)") == 0
    kernel.ok("fill(Integration='demo', Action='echo', User='ada', Input='1')")
    kernel.ok("field('Time limit (s)').value = ''\nassert await trigger() == 'Done.'")


def test_several_wrong_fields_are_said_at_once(kernel: Kernel) -> None:
    kernel.ok("fill(Integration='', Action='', User=''); click(field('Trigger'))")
    said = kernel.ok("print(text(form.status))").text
    assert said.count("There is no") == 3


def test_a_time_limit(kernel: Kernel) -> None:
    assert value(kernel, "field('Time limit (s)').placeholder") == "30"
    kernel.ok("field('Time limit (s)').value = '2.5'; await trigger()")
    assert value(kernel, "history.entry().call.timeout") == 2.5
    kernel.ok("fill(Action='sleep', Input='{\"seconds\": 30}')")
    kernel.ok("field('Time limit (s)').value = '0.3'; await trigger()")
    assert "failed" in kernel.ok("print(text(form.status))").text
    assert "0.3" in kernel.ok("print(form.result.value)").text


def test_fields_of_a_schema(kernel: Kernel) -> None:
    kernel.ok("fill(Action='announce'); await settle()")
    assert "Says something, <b>somewhere</b>." in kernel.ok("print(shown())").text
    kernel.ok("click(field('Trigger'))")
    assert "channel is required" in kernel.ok("print(text(form.status))").text
    kernel.ok("fill(channel='C1', times='3', loud=True); await trigger()")
    expected = {"channel": "C1", "times": 3, "loud": True, "kind": "info", "tags": []}
    assert inputs(kernel) == [expected]
    assert value(kernel, "history.result().return_value") == expected


def test_the_switch_carries_values_over(kernel: Kernel) -> None:
    kernel.ok("fill(Action='announce'); await settle(); fill(times='3')")
    kernel.ok("fill(as_JSON=True)")  # although channel is missing
    assert json.loads(value(kernel, "field('Input').value"))["times"] == 3
    kernel.ok('fill(Input=\'{"channel": "C2", "tags": ["a", "b"]}\'); fill(as_JSON=False)')
    assert value(kernel, "[field('channel').value, field('times').value]") == ["C2", "1"]
    assert value(kernel, "field('tags[1]').value") == "b"
    kernel.ok("await trigger()")
    sent = {"channel": "C2", "times": 1, "loud": False, "kind": "info", "tags": ["a", "b"]}
    assert inputs(kernel) == [sent]


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        ('{"channel": "C1", "other": 1}', "There is no field for other"),
        ('{"channel": 5}', "channel"),
        ("[1]", "must be an object"),
        ('{"channel"', "line 1, column"),
    ],
)
def test_json_that_fields_cannot_show_stays_json(kernel: Kernel, typed: str, reason: str) -> None:
    kernel.ok("fill(Action='announce'); await settle(); fill(as_JSON=True)")
    kernel.ok(f"fill(Input={typed!r}); fill(as_JSON=False)")
    assert value(kernel, "[field('as JSON').value, field('Input').value]") == [True, typed]
    assert reason in kernel.ok("print(shown())").text


def test_json_is_sent_as_it_is(kernel: Kernel) -> None:
    kernel.ok("fill(Action='announce'); await settle(); fill(as_JSON=True)")
    kernel.ok('fill(Input=\'{"channel": "C1", "other": 1}\'); await trigger()')
    assert inputs(kernel) == [{"channel": "C1", "other": 1}]


def test_what_was_typed_is_there_again(kernel: Kernel) -> None:
    kernel.ok("fill(Input='{\"half\": '); fill(Action='announce'); await settle()")
    kernel.ok("fill(channel='C1', times='many')")
    kernel.ok("fill(Integration='crm', Action='list-contacts'); await settle()")
    kernel.ok("fill(Integration='demo', Action='announce'); await settle()")
    assert value(kernel, "[field('channel').value, field('times').value]") == ["C1", "many"]
    kernel.ok("fill(Action='echo'); await settle()")
    assert value(kernel, "field('Input').value") == '{"half": '


ANNOUNCE = """
@session.connection().local.action("demo", "announce")
async def announce(ctx, channel: str, loud: bool = False, more: str = "x"):
    return [channel, loud, more]
form._refresh_soon()
await settle()
"""


def test_what_was_typed_outlives_a_new_schema(kernel: Kernel) -> None:
    kernel.ok("fill(Action='announce'); await settle(); fill(channel='C1', loud=True, times='2')")
    kernel.ok(ANNOUNCE)
    values = value(kernel, "[field(n).value for n in ('channel', 'loud', 'more')]")
    assert values == ["C1", True, "x"]


def test_json_that_was_typed_outlives_a_new_schema(kernel: Kernel) -> None:
    kernel.ok("fill(Action='announce'); await settle(); fill(as_JSON=True); fill(Input='{\"ch')")
    kernel.ok(ANNOUNCE)
    assert value(kernel, "[field('as JSON').value, field('Input').value]") == [True, '{"ch']


CELL = """%%nango_action demo later
def run(ctx, name: str):
    return name
"""


def test_an_action_of_a_cell_appears_at_once(kernel: Kernel) -> None:
    kernel.ok("fill(Action='later', Input='{\"name\": \"Ada\"}')")
    kernel.ok(CELL)
    kernel.ok("await settle()")
    assert "later" in value(kernel, "field('Action').options")
    assert value(kernel, "field('name').value") == "Ada"  # it was typed for this action
    kernel.ok("await trigger()")
    assert value(kernel, "history.result().return_value") == "Ada"


@pytest.mark.parametrize(
    "given",
    [
        'fill(Input=\'{"a": "{{ x }}", "b": [1.0, null]}\')',
        "fill(User='1', Input='')",
        "fill(User='\"1\"', Input='\"text\"')",
        "fill(User='it\\'s $me'); field('Time limit (s)').value = '12.5'",
        "fill(Action='announce'); await settle(); fill(channel='a\"b {{ c }}', times='4')",
    ],
)
def test_the_cell_sends_the_same_request(kernel: Kernel, given: str) -> None:
    kernel.ok(f"{given}\nclick(field('Copy as cell'))")
    kernel.ok("await run(form, field('Trigger'))")
    text = kernel.ok("print(cell(), end='')").text
    kernel.run(text)
    requests = value(kernel, "[(json.loads(body), timeout) for body, timeout in sent]")
    assert len(requests) == 2
    assert requests[0] == requests[1]
    assert value(kernel, "sent[0][0] == sent[1][0]")


def test_the_cell_follows_the_form(kernel: Kernel) -> None:
    kernel.ok("click(field('Copy as cell'))")
    assert kernel.ok("print(cell())").text.strip() == "%%nango_trigger demo echo ada\nnull"
    kernel.ok("fill(User='5')")
    assert kernel.ok("print(cell())").text.strip() == "%%nango_trigger demo echo {{5}}\nnull"
    kernel.ok("fill(User='')")
    assert "There is no cell" in kernel.ok("print(form._cell.widget.value)").text
    kernel.ok("click(field('Copy as cell'))")
    assert value(kernel, "form._cell.widget.value") == ""
    kernel.ok("click(field('Copy as cell'))")
    assert "There is no user" in kernel.ok("print(text(form.status))").text


def test_no_secret_is_in_the_cell(kernel: Kernel) -> None:
    kernel.ok("fill(Input='{\"a\": \"any-token\"}'); click(field('Copy as cell'))")
    shown = kernel.ok("print(form._cell.widget.value)").text
    assert "any-token" not in shown
    assert "A secret is masked" in shown


def test_a_large_cell_does_not_follow(kernel: Kernel) -> None:
    kernel.ok("fill(Input='\"' + 'x' * 200_000 + '\"'); click(field('Copy as cell'))")
    assert value(kernel, "len(cell())") > 200_000
    kernel.ok("fill(User='bob')")
    assert value(kernel, "form._cell.widget.value") == ""


STRESS = """
def type_names():
    for n in range(60):
        form._action.field.value = ["announce", "echo", "whom", "announc"][n % 4]
        form._integration.field.value = ["demo", "crm"][n % 7 == 0]

thread = threading.Thread(target=type_names)
thread.start()
while thread.is_alive():
    session.changes.notify()
    await asyncio.sleep(0.001)
fill(Integration='demo', Action='announce')
await settle()
fill(channel='C1')
assert await trigger() == "Done.", shown()
"""


def test_typing_while_the_session_changes(kernel: Kernel) -> None:
    reply = kernel.ok(STRESS)
    assert reply.stderr == ""
    assert inputs(kernel)[-1]["channel"] == "C1"


def test_a_double_click_sends_once(kernel: Kernel) -> None:
    kernel.ok("b = field('Trigger'); click(b); click(b); await until(lambda: not b.disabled)")
    assert len(inputs(kernel)) == 1


def test_cancel(kernel: Kernel) -> None:
    kernel.ok("fill(Action='sleep', Input='{\"seconds\": 30}'); click(field('Trigger'))")
    kernel.ok("await until(lambda: 'Running demo.sleep… 1 s' in text(form.status))")
    kernel.ok("click(field('Cancel')); await until(lambda: not form._worker.is_busy)")
    assert "Cancelled" in kernel.ok("print(text(form.status))").text
    assert value(kernel, "history.entry().state") == "stopped"


def test_an_error_of_the_server(kernel: Kernel) -> None:
    kernel.ok("await trigger(); fill(Action='eco'); await trigger()")
    assert "It failed" in kernel.ok("print(text(form.status))").text
    card = kernel.ok("print(form.result.value)").text
    assert "Did you mean echo?" in card
    assert "demo.echo" not in card
    assert value(kernel, "[e.state for e in history]") == ["success", "failed"]


def test_not_connected(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all")
    kernel.ok("await settle()")
    assert "Not connected" in kernel.ok("print(shown())").text
    kernel.ok("await trigger()")
    assert "Not connected" in kernel.ok("print(shown())").text
    kernel.ok("%nango_connect --local")
    kernel.ok("await settle(); await session.register('demo', 'ada', 't'); await trigger()")
    assert kernel.ok("print(text(form.status))").text.strip() == "Done."


def test_a_choice_of_connections(kernel: Kernel) -> None:
    assert value(kernel, "form._connection.layout.display") == "none"
    kernel.ok("%nango_connect --local --name other")
    kernel.ok("await session.register('demo', 'ada', 't', name='other'); await settle()")
    assert value(kernel, "[value for _, value in field('Connection').options]") == [
        "",
        "default",
        "other",
    ]
    kernel.ok("await trigger(); fill(Connection='default'); await trigger()")
    assert value(kernel, "[e.connection for e in history]") == ["other", "default"]
    kernel.ok("click(field('Copy as cell'))")
    assert "--connection default" in kernel.ok("print(cell())").text
    kernel.ok("%nango_close default")
    kernel.ok("await settle()\nawait trigger()")
    assert "There is no connection 'default'" in kernel.ok("print(shown())").text


def test_a_call_is_filled_in(kernel: Kernel) -> None:
    kernel.ok(
        "form.fill(TriggerCall(integration='demo', action='announce', user_id='1',"
        " input={'channel': 'C1', 'tags': ['x']}, timeout=5.0), 'default')"
    )
    kernel.ok("click(field('Copy as cell'))")
    assert value(kernel, "[field('channel').value, field('User').value]") == ["C1", '"1"']
    assert "announce 1 --timeout 5\n" in kernel.ok("print(cell())").text
    kernel.ok("form.fill(TriggerCall(integration='demo', action='echo', user_id=1, input=None))")
    kernel.ok("await trigger()")
    assert inputs(kernel) == [None]
    kernel.ok(
        "form.fill(TriggerCall(integration='demo', action='announce', user_id=1,"
        " input={'channel': 'C1', 'unknown': 1}))"
    )
    assert value(kernel, "field('as JSON').value")


def test_a_secret_of_the_past_is_not_filled_in(kernel: Kernel) -> None:
    kernel.ok(
        "form.fill(TriggerCall(integration='demo', action='echo', user_id='ada',"
        " input={'password': 'hidden-word', 'a': 1}))"
    )
    assert "hidden-word" not in kernel.ok("print(field('Input').value)").text
    kernel.ok("click(field('Trigger'))")
    assert "Type what is secret again" in kernel.ok("print(text(form.status))").text
    assert inputs(kernel) == []


COUNT = """
await settle()
gc.collect()
print(len(ipywidgets.widgets.widget._instances), len(session.changes), len(asyncio.all_tasks()))
"""
MAKE = """
form = nango_jupyter.TriggerForm('demo', 'announce', 1)
await settle()
fill(channel='C1')
fill(as_JSON=True)
fill(Action='echo', Input='1')
form
"""


def test_running_a_cell_again_leaves_nothing(kernel: Kernel) -> None:
    kernel.ok("form.close()")
    kernel.ok(MAKE)
    before = kernel.ok(COUNT).text
    for _ in range(8):
        kernel.ok(MAKE)
    assert kernel.ok(COUNT).text == before
    kernel.ok("form.close()")


def test_a_server_behind_a_broker(kernel: Kernel, rabbit_vhost: str) -> None:
    with Serve(rabbit_vhost):
        kernel.ok(f"import os; os.environ['NANGO_URL'] = {rabbit_vhost!r}")
        kernel.ok("%nango_connect")
        kernel.ok("await until(lambda: 'echo' in field('Action').options)")
        assert value(kernel, "field('Integration').options") == ["billing", "chat", "crm", "demo"]
        kernel.ok("await session.register('demo', 'cleo', 't'); fill(User='cleo', Input='[1]')")
        kernel.ok("await trigger()")
        assert value(kernel, "history.result().return_value") == [1]
        kernel.ok("%nango_close --all\ndel os.environ['NANGO_URL']")
