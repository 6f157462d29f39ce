"""The form to connect, in a real kernel, with a real broker."""

import pytest

from tests.support.kernel import Kernel
from tests.support.rabbitmq import Rabbit


@pytest.fixture(autouse=True)
def form(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all\nform = nango_jupyter.ConnectForm()")


def said(kernel: Kernel, code: str) -> str:
    return kernel.ok(f"print({code})").text.strip()


def test_the_embedded_server(kernel: Kernel) -> None:
    assert said(kernel, "text(form._state)") == "Not connected."
    kernel.ok("await run(form, form._connect)")
    assert said(kernel, "text(form.status)") == "Connected to embedded server (the samples)."
    assert "Connected" in kernel.ok("%nango_status").html
    kernel.ok("await until(lambda: 'the samples' in text(form._state))")
    kernel.ok("await run(form, form._close_button)")
    assert said(kernel, "text(form._state)") == "Not connected."


def test_what_a_cell_does_is_shown_at_once(kernel: Kernel) -> None:
    kernel.ok("%nango_connect --local")
    kernel.ok("%nango_connect --local --name other")
    kernel.ok("await until(lambda: text(form._state).startswith('other: Connected'))")
    assert said(kernel, "[value for _, value in form._current.options]") == "['default', 'other']"
    kernel.ok("%nango_connect --use default")
    kernel.ok("await until(lambda: form._current.value == 'default')")
    kernel.ok("form._current.value = 'other'")
    kernel.ok("await until(lambda: form.session.connection().name == 'other')")
    kernel.ok("%nango_close")
    kernel.ok("await until(lambda: text(form._state) == 'No connection is the current one.')")


def test_a_broker_with_a_password_in_its_url(kernel: Kernel, rabbit_vhost: str) -> None:
    kernel.ok("form._where.value = 'broker'")
    kernel.ok(f"form._host.value = {rabbit_vhost!r}")
    assert "guest:guest" not in said(kernel, "form._host.value")
    kernel.ok("await run(form, form._connect)")
    assert said(kernel, "text(form.status)").startswith("Connected to amqp://")
    states = "str([one.get_state() for one in ipywidgets.widgets.widget._instances.values()])"
    assert said(kernel, f"':guest@' in {states}") == "False"


def test_host_port_user_and_password(kernel: Kernel, rabbit: Rabbit) -> None:
    kernel.ok("form._where.value = 'broker'")
    kernel.ok(f"form._host.value = '127.0.0.1'; form._port.value = '{rabbit.port}'")
    kernel.ok("form._user.value = 'guest'; form._password.widget.value = 'wrong-password'")
    assert said(kernel, "form._password.widget.value") == ""
    kernel.ok("await run(form, form._connect)")
    assert "refused" in said(kernel, "text(form.status)")
    kernel.ok("form._password.widget.value = 'guest'; await run(form, form._connect)")
    assert said(kernel, "text(form.status)").startswith("Connected to amqp://")


def test_a_broker_that_is_lost(kernel: Kernel, rabbit_vhost: str) -> None:
    kernel.ok(f"form._where.value = 'broker'; form._host.value = {rabbit_vhost!r}")
    kernel.ok("await run(form, form._connect)")
    assert said(kernel, "form._reconnect.layout.display") == "none"
    kernel.ok("await form.session.client()._transport._link._connection.close()")
    kernel.ok("await until(lambda: 'was lost' in text(form._state))")
    assert said(kernel, "form._reconnect.layout.display") == "None"
    kernel.ok("await run(form, form._reconnect)")
    kernel.ok("await until(lambda: 'Connected to amqp' in text(form._state))")
    assert said(kernel, "form._reconnect.layout.display") == "none"


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("_port", "five", "The port is not a number"),
        ("_port", "70000", "port is 70000"),
        ("_timeout", "soon", "The time limit is not a number"),
        ("_name", "--x", "can't be the name of a connection"),
        ("_host", "http://x", ""),
    ],
)
def test_what_is_wrong_is_said(kernel: Kernel, field: str, value: str, message: str) -> None:
    kernel.ok(
        f"form._where.value = 'broker'; form._host.value = 'h'; form.{field}.value = {value!r}"
    )
    kernel.ok("await run(form, form._connect)")
    assert message in said(kernel, "text(form.status)")
    assert "nango-error" in said(kernel, "form.status.value")


def test_a_folder_that_is_not_there(kernel: Kernel) -> None:
    kernel.ok("form._folder.value = 'nowhere'; await run(form, form._connect)")
    assert "nowhere" in said(kernel, "text(form.status)")
    kernel.ok("form._folder.value = ''; await run(form, form._connect)")
    assert "Connected" in said(kernel, "text(form.status)")
