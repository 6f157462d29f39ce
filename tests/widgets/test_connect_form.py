"""The form to connect, in a real kernel, with a real broker."""

from pathlib import Path

import pytest

from tests.support.kernel import Kernel
from tests.support.rabbitmq import Rabbit
from tests.support.serve import Serve

STATES = "str([one.get_state() for one in ipywidgets.widgets.widget._instances.values()])"


@pytest.fixture(autouse=True)
def form(kernel: Kernel) -> None:
    kernel.ok("%nango_close --all\nform = nango_jupyter.ConnectForm()")


def said(kernel: Kernel, code: str) -> str:
    return kernel.ok(f"print({code})").text.strip()


def test_the_embedded_server(kernel: Kernel) -> None:
    assert said(kernel, "text(form._state)") == "Not connected."
    kernel.ok("await run(form, form._connect)")
    assert said(kernel, "text(form.status)") == "Connected."
    assert "Connected" in kernel.ok("%nango_status").html
    kernel.ok("await until(lambda: 'the samples' in text(form._state))")
    kernel.ok("await run(form, form._disconnect)")
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
    kernel.ok("await until(lambda: text(form._state).startswith('No connection is the current'))")


def test_a_broker_with_a_password_in_its_url(kernel: Kernel, rabbit_vhost: str) -> None:
    kernel.ok("form._fields.where.value = 'broker'")
    kernel.ok(f"form._fields.host.value = {rabbit_vhost!r}")
    assert "guest:guest" not in said(kernel, "form._fields.host.value")
    kernel.ok("await run(form, form._connect)")
    assert said(kernel, "text(form.status)") == "Connected."
    assert said(kernel, f"':guest@' in {STATES}") == "False"


def test_host_port_user_and_password(kernel: Kernel, rabbit: Rabbit) -> None:
    kernel.ok("form._fields.where.value = 'broker'")
    kernel.ok(f"form._fields.host.value = '127.0.0.1'; form._fields.port.value = '{rabbit.port}'")
    kernel.ok(
        "form._fields.user.value = 'guest'; form._fields.password.widget.value = 'wrong-password'"
    )
    assert said(kernel, "form._fields.password.widget.value") == ""
    kernel.ok("await run(form, form._connect)")
    assert "refused" in said(kernel, "text(form.status)")
    kernel.ok("form._fields.password.widget.value = 'guest'; await run(form, form._connect)")
    assert said(kernel, "text(form.status)") == "Connected."


def test_a_broker_that_is_lost(kernel: Kernel, rabbit_vhost: str) -> None:
    kernel.ok(f"form._fields.where.value = 'broker'; form._fields.host.value = {rabbit_vhost!r}")
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
        ("port", "five", "The port is not a number"),
        ("port", "nan", "The port is not a number"),
        ("port", "5672.5", "The port is not a number"),
        ("port", "70000", "port is 70000"),
        ("timeout", "soon", "The time limit is not a number"),
        ("name", "--x", "can't be the name of a connection"),
        ("timeout", "0", "timeout is 0"),
        ("host", "http://x", "The URL begins with http://"),
    ],
)
def test_what_is_wrong_is_said(kernel: Kernel, field: str, value: str, message: str) -> None:
    kernel.ok("form._fields.where.value = 'broker'; form._fields.host.value = 'h'")
    kernel.ok(f"form._fields.{field}.value = {value!r}")
    kernel.ok("await run(form, form._connect)")
    assert message in said(kernel, "text(form.status)")
    assert "nango-error" in said(kernel, "form.status.value")


def test_a_folder_that_is_not_there(kernel: Kernel) -> None:
    kernel.ok("form._fields.folder.value = 'nowhere'; await run(form, form._connect)")
    assert "nowhere" in said(kernel, "text(form.status)")
    kernel.ok("form._fields.folder.value = ''; await run(form, form._connect)")
    assert "Connected" in said(kernel, "text(form.status)")


def test_a_double_click_keeps_the_password(kernel: Kernel, rabbit: Rabbit) -> None:
    kernel.ok("form._fields.where.value = 'broker'; form._fields.host.value = '127.0.0.1'")
    kernel.ok(f"form._fields.port.value = '{rabbit.port}'; form._fields.user.value = 'ada'")
    kernel.ok("form._fields.password.widget.value = 'pw-of-nobody'")
    kernel.ok("click(form._connect); click(form._connect)")
    kernel.ok("await until(lambda: not form._worker.is_busy)")
    assert "refused" in said(kernel, "text(form.status)")  # and not: the password is missing


def test_placeholders_follow_the_host(kernel: Kernel) -> None:
    kernel.ok("form._fields.where.value = 'broker'")
    kernel.ok("form._fields.host.value = 'amqp://ada@h.example:5673/x'")
    fields = ["port", "user", "vhost"]
    placeholders = [said(kernel, f"form._fields.{name}.placeholder") for name in fields]
    assert placeholders == ["5673", "ada", "x"]


def test_both_ports(kernel: Kernel) -> None:
    kernel.ok("form._fields.where.value = 'broker'; form._fields.host.value = '127.0.0.1:1'")
    kernel.ok("form._fields.port.value = '2'; await run(form, form._connect)")
    assert "The host says port 1, and the port is 2" in said(kernel, "text(form.status)")


def test_a_time_limit_as_the_placeholder_writes_it(kernel: Kernel) -> None:
    assert said(kernel, "form._fields.timeout.placeholder") == "30 seconds"
    kernel.ok("form._fields.timeout.value = '12.5 seconds'; await run(form, form._connect)")
    assert said(kernel, "form.session.client().timeout") == "12.5"


@pytest.mark.parametrize(
    ("typed", "left"),
    [
        ("amqp://ada:hunter22@h.example:5673/x", "amqp://ada@h.example:5673/x"),
        ("ada:hunter22@h.example", "amqp://ada@h.example"),
        ("amqp://ada:hunter22/@h.example", ""),  # a slash that is not encoded
        ("http://ada:hunter22@h.example", ""),
    ],
)
def test_no_password_stays_in_the_host(kernel: Kernel, typed: str, left: str) -> None:
    kernel.ok(f"form._fields.where.value = 'broker'; form._fields.host.value = {typed!r}")
    assert said(kernel, "form._fields.host.value") == left
    assert said(kernel, f"'hunter22' in {STATES}") == "False"
    assert said(kernel, "form._fields.password.given is not None") == str(bool(left))
    assert said(kernel, "text(form.status)")


def test_how_many_servers_listen(kernel: Kernel, rabbit_vhost: str) -> None:
    kernel.ok("form._fields.where.value = 'broker'")
    kernel.ok(f"form._fields.host.value = {rabbit_vhost!r}; await run(form, form._connect)")
    kernel.ok("await until(lambda: 'No server listens there' in text(form._state))")
    assert "nango-warn" in said(kernel, "form._state.value")
    with Serve(rabbit_vhost):
        kernel.ok("await until(lambda: '1 server listens.' in text(form._state))")
        assert "nango-ok" in said(kernel, "form._state.value")
    kernel.ok("form.close()")
    kernel.ok("await until(lambda: form._servers._asking.done())")


def test_what_was_said_is_taken_back_when_it_is_true_no_more(kernel: Kernel) -> None:
    kernel.ok("await run(form, form._connect)")
    assert said(kernel, "text(form.status)") == "Connected."
    assert said(kernel, "form._disconnect.disabled") == "False"
    kernel.ok("%nango_close")
    kernel.ok("await until(lambda: text(form.status) == '')")
    assert said(kernel, "text(form._state), form._disconnect.disabled") == "Not connected. True"


PROJECT = """
[tool.nango-jupyter]
local = "mine"

[tool.nango-jupyter.connections.prod]
host = "h.example"
port = 5999
user = "ada"
vhost = "v"
timeout = 7
"""


def test_what_the_settings_say(kernel: Kernel, tmp_path: Path, rabbit: Rabbit) -> None:
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "integrations.yaml").write_text("integrations: {}\n")
    kernel.ok(f"import os; before = os.getcwd(); os.chdir({str(tmp_path)!r})")
    kernel.ok("form = nango_jupyter.ConnectForm()")
    assert said(kernel, "form._fields.where.value") == "local"
    assert said(kernel, "form._fields.folder.placeholder") == str(tmp_path / "mine")
    kernel.ok("await run(form, form._connect)")
    assert "mine" in said(kernel, "text(form._state)")  # and not the samples
    # A broker, though they mean a local server.
    kernel.ok("form._fields.where.value = 'broker'; form._fields.user.value = 'guest'")
    kernel.ok("form._fields.port.value = '1'; await until(lambda: not form._worker.is_busy)")
    kernel.ok("await run(form, form._connect)")
    assert "localhost:1" in said(kernel, "text(form.status)")
    # A connection that pyproject.toml describes.
    assert said(kernel, "form._fields.name.options") == "('prod',)"
    kernel.ok("form._fields.where.value = 'local'; form._fields.name.value = 'prod'")
    assert said(kernel, "form._fields.where.value") == "broker"
    fields = ["host", "port", "user", "vhost", "timeout"]
    placeholders = [said(kernel, f"form._fields.{name}.placeholder") for name in fields]
    assert placeholders == ["h.example, or an amqp:// URL", "5999", "ada", "v", "7 seconds"]
    kernel.ok("form._fields.name.value = 'prd'; form._fields.user.value = ''")
    kernel.ok("form._fields.port.value = ''; await until(lambda: not form._worker.is_busy)")
    kernel.ok("await run(form, form._connect)")
    assert "Did you mean prod?" in said(kernel, "text(form.status)")
    kernel.ok("os.chdir(before)")


def test_config_and_the_environment_fill_the_placeholders(kernel: Kernel) -> None:
    kernel.ok("import os; os.environ['NANGO_PASSWORD'] = 'pw-from-outside'")
    kernel.ok("%config NangoMagics.host = 'c.example'\n%config NangoMagics.user = 'carl'")
    kernel.ok("form = nango_jupyter.ConnectForm()")
    assert said(kernel, "form._fields.where.value") == "broker"
    assert said(kernel, "form._fields.host.placeholder") == "c.example, or an amqp:// URL"
    assert said(kernel, "form._fields.user.placeholder") == "carl"
    assert said(kernel, "form._fields.password.widget.placeholder")
    assert said(kernel, f"'pw-from-outside' in {STATES}") == "False"
    kernel.ok("%config NangoMagics.host = None\n%config NangoMagics.user = None")
    kernel.ok("del os.environ['NANGO_PASSWORD']")


def test_running_its_cell_again_leaves_nothing(kernel: Kernel) -> None:
    kernel.ok("form.close()\n%nango_connect --local")
    cell = "form, other = nango_jupyter.ConnectForm(), nango_jupyter.RegisterForm()"
    count = (
        "import gc; gc.collect(); await asyncio.sleep(0.05)\n"
        "print(len(ipywidgets.widgets.widget._instances), len(form.session.changes),"
        " len(asyncio.all_tasks()))"
    )
    kernel.ok(cell)
    before = said_by(kernel, count)
    for _ in range(20):
        kernel.ok(cell)
    assert said_by(kernel, count) == before


def said_by(kernel: Kernel, cell: str) -> str:
    return kernel.ok(cell).text.strip()
