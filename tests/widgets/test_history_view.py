"""The list of what was triggered, in a real kernel."""

import json
from typing import Any

import pytest

from tests.support.kernel import Kernel

SETUP = """
session = get_ipython().magics_manager.registry["NangoMagics"].notebook.session
history = session.history

async def settle():
    for _ in range(10):
        await asyncio.sleep(0.02)

def lines():
    return [label for label, _ in view._list.options]

def button(name):
    return next(one for one in (*view.buttons, view.cancel_button) if one.description == name)
"""
START = """
%nango_close --all
%nango_connect --local
history._entries.clear()
edited = []
for user in (1, "1", "ada"):
    await session.register("demo", user, "any-token")
view = nango_jupyter.HistoryView(lambda *call: edited.append(call))
"""


@pytest.fixture(scope="module", autouse=True)
def setup(kernel: Kernel) -> None:
    kernel.ok(SETUP)


@pytest.fixture(autouse=True)
def view(kernel: Kernel) -> None:
    kernel.ok(START)


def value(kernel: Kernel, code: str) -> Any:
    return json.loads(kernel.ok(f"import json; print(json.dumps({code}))").text)


def trigger(kernel: Kernel, line: str) -> None:
    kernel.run(f"%nango_trigger {line};")
    kernel.ok("await settle()")


def test_it_follows_at_once(kernel: Kernel) -> None:
    assert value(kernel, "lines()") == []
    assert "Nothing was triggered yet" in kernel.ok("print(text(view.status))").text
    trigger(kernel, "demo echo 1 5")
    trigger(kernel, "demo echo {{1}} 6")
    trigger(kernel, "demo eco ada")
    lines = value(kernel, "lines()")
    assert len(lines) == 3
    assert lines[0].startswith("✗")
    assert "demo.eco · ada · " in lines[0]
    assert "failed: Tried to trigger" in lines[0]
    assert lines[1].startswith("✓")
    assert "demo.echo · 1 · " in lines[1]
    assert 'demo.echo · "1" · ' in lines[2]
    assert value(kernel, "view._list.value") is None
    assert value(kernel, "view.result.value") == ""


def test_a_result_is_shown_again(kernel: Kernel) -> None:
    trigger(kernel, 'demo echo ada {"word": "kiwi"}')
    trigger(kernel, "demo eco ada")
    kernel.ok("number = history.entry().number; view._list.value = number - 1")
    assert "kiwi" in kernel.ok("print(view.result.value)").text
    kernel.ok("view._list.value = number")
    shown = kernel.ok("print(view.result.value)").text
    assert "kiwi" not in shown
    assert "action file does not exist" in shown
    # More of them change nothing of what is shown.
    trigger(kernel, 'demo echo ada {"word": "plum"}')
    assert value(kernel, "view._list.value == number")
    assert kernel.ok("print(view.result.value)").text == shown


def test_what_runs_is_shown_when_it_has_ended(kernel: Kernel) -> None:
    kernel.ok('job = %nango_trigger demo sleep ada {"seconds": 1} --no-wait')
    kernel.ok("await settle(); view._list.value = history.entry().number")
    assert value(kernel, "lines()")[0].startswith("…")
    assert "still running" in kernel.ok("print(text(view.status))").text
    kernel.ok("await until(lambda: view.result.value)")
    assert value(kernel, "lines()")[0].startswith("✓")


def test_it_runs_again(kernel: Kernel) -> None:
    trigger(kernel, 'demo echo {{1}} {"word": "kiwi"}')
    trigger(kernel, "demo echo ada 5")
    kernel.ok("number = history.entry().number; view._list.value = number - 1")
    kernel.ok("said = await run(view, button('Run again'))")
    assert "It ran again" in kernel.ok("print(said)").text
    assert value(kernel, "len(history)") == 3
    assert value(kernel, "[history.entry().user_id, history.entry().call.input]") == [
        1,
        {"word": "kiwi"},
    ]
    assert value(kernel, "view._list.value == history.entry().number")
    assert "kiwi" in kernel.ok("print(view.result.value)").text


def test_what_fails_again(kernel: Kernel) -> None:
    trigger(kernel, "demo eco ada")
    kernel.ok("view._list.value = history.entry().number; await run(view, button('Run again'))")
    assert "It failed" in kernel.ok("print(text(view.status))").text
    assert "Did you mean echo?" in kernel.ok("print(view.result.value)").text
    assert value(kernel, "len(history)") == 2
    trigger(kernel, "demo echo ada")
    assert "Did you mean echo?" in kernel.ok("print(view.result.value)").text


def test_it_is_cancelled(kernel: Kernel) -> None:
    kernel.ok('job = %nango_trigger demo sleep ada {"seconds": 30} --no-wait')
    kernel.ok("%nango_jobs --cancel $job.number")
    kernel.ok("await settle(); view._list.value = job.number; click(button('Run again'))")
    kernel.ok("await until(lambda: history.entry().state == 'running')\nclick(button('Cancel'))")
    kernel.ok("await until(lambda: not view._worker.is_busy)")
    assert "Cancelled" in kernel.ok("print(text(view.status))").text
    assert value(kernel, "[e.state for e in history]") == ["stopped", "stopped"]


def test_it_goes_where_it_went(kernel: Kernel) -> None:
    trigger(kernel, "demo echo ada 5")
    kernel.ok("%nango_connect --local --name other")
    kernel.ok("view._list.value = history.entry().number; await run(view, button('Run again'))")
    assert value(kernel, "[e.connection for e in history]") == ["default", "default"]
    kernel.ok("%nango_close default")
    kernel.ok("said = await run(view, button('Run again'))")
    said = kernel.ok("print(text(view.status), text(view.result))").text
    assert "There is no connection 'default'" in said
    assert "Edit puts it into a form" in said
    assert value(kernel, "len(history)") == 2


def test_it_is_edited(kernel: Kernel) -> None:
    trigger(kernel, "demo echo {{1}} 5")
    kernel.ok("view._list.value = history.entry().number; click(button('Edit'))")
    assert value(kernel, "edited[0][0] is history.entry().call")
    assert value(kernel, "edited[0][1]") == "default"
    kernel.ok("alone = nango_jupyter.HistoryView()")
    assert value(kernel, "[one.description for one in alone.buttons]") == ["Run again"]


@pytest.mark.parametrize("name", ["Run again", "Edit"])
def test_a_batch_and_nothing(kernel: Kernel, name: str) -> None:
    kernel.ok(f"click(button({name!r}))")
    assert "No entry is chosen" in kernel.ok("print(text(view.status))").text
    kernel.ok("rows = [{'n': 1}, {'n': 2}]")
    kernel.ok("%nango_trigger demo echo ada {{row.n}} --each rows --out batch")
    kernel.ok("await settle(); view._list.value = history.entry().number")
    assert "2 rows" in value(kernel, "lines()")[0]
    assert "nango-card" in kernel.ok("print(view.result.value)").text
    kernel.ok(f"click(button({name!r}))")
    assert "triggered many rows" in kernel.ok("print(text(view.status))").text


def test_no_secret_is_listed(kernel: Kernel) -> None:
    trigger(kernel, "demo any-token ada")
    assert "any-token" not in kernel.ok("print(lines())").text


def test_the_last_ones_are_listed(kernel: Kernel) -> None:
    kernel.ok("from nango_jupyter.calls import TriggerCall")
    kernel.ok("call = TriggerCall(integration='demo', action='echo', user_id=1, input=5)")
    kernel.ok("for _ in range(205): history.begin('default', call).end('success', 'success')")
    kernel.ok("await settle()")
    assert value(kernel, "len(lines())") == 200
    kernel.ok("view._list.value = history.entry().number - 150; click(button('Edit'))")
    assert "is not kept any more" in kernel.ok("print(text(view.status))").text


def test_as_many_rows_as_the_settings_say(kernel: Kernel) -> None:
    trigger(kernel, 'demo echo ada [{"n": 101}, {"n": 102}, {"n": 103}]')
    kernel.ok("%config NangoMagics.rows = 2")
    kernel.ok("view._list.value = history.entry().number")
    shown = kernel.ok("print(text(view.result))").text
    kernel.ok("%config NangoMagics.rows = None")
    assert "102" in shown
    assert "103" not in shown
